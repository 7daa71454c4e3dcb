"""Read the training files: tab-separated, with a header, one text per line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from nlp import clean, features, segment
from nlp.features import Batch
from nlp.segment import Segmenter

TOPIC_TRAIN, TOPIC_DEV, TOPIC_STOP = "gov7_train_segmented.tsv", "gov7_dev_raw.tsv", "gov7_stopwords.txt"
TONE_TRAIN, TONE_DEV, TONE_COVID = "weibo3_train.tsv", "weibo3_dev.tsv", "weibo3_dev_covid.tsv"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts in their model form (or as words parted by blanks), their labels and where they come from."""

    texts: list[str]
    labels: list[str]
    sources: list[str]

    def __add__(self, other: Labelled) -> Labelled:
        return Labelled(self.texts + other.texts, self.labels + other.labels, self.sources + other.sources)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a file as dictionaries; a row with too few columns is an error (ValueError)."""
    lines = path.read_text(encoding="utf-8").split("\n")
    head = lines[0].split("\t")
    return [dict(zip(head, line.split("\t"), strict=True)) for line in lines[1:] if line]


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file, for the model's metadata."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def form(text: str) -> str:
    """The model form of an original text."""
    return clean.model_form(clean.clean(text).text)


def tones(path: Path) -> Labelled:
    """Sentiment rows; surprise is neither good nor bad and is dropped."""
    rows = [row for row in read(path) if row["label"] != "surprise"]
    return Labelled(
        [form(row["text"]) for row in rows], [row["label"] for row in rows], [row["source"] for row in rows]
    )


def topics_cut(path: Path) -> Labelled:
    """Topic rows that come as words; what our dictionary holds as one word is put together again."""
    rows = read(path)
    known = {word.lower() for name in segment.LEXICONS for word, _ in segment.lexicon(name)}
    texts = [" ".join(_merged(form(row["tokens"]).split(" "), known)) for row in rows]
    return Labelled(texts, [row["label"] for row in rows], ["gov7"] * len(rows))


def topics_raw(path: Path) -> Labelled:
    """Topic rows with title and body."""
    rows = read(path)
    texts = [form(row["title"]) + " " + form(row["body"]) for row in rows]
    return Labelled(texts, [row["label"] for row in rows], ["raw"] * len(rows))


def stop_words(path: Path) -> list[str]:
    """The words that were dropped from the topic rows."""
    return sorted({clean.clean(line).text.lower() for line in path.read_text(encoding="utf-8").split("\n")} - {""})


def batches(texts: list[str], segmenter: Segmenter, size: int = 1000) -> list[tuple[int, Batch]]:
    """The texts laid out, ``size`` at a time, each batch with the number of its first text."""
    return [
        (start, features.make_batch(texts[start : start + size], segmenter)) for start in range(0, len(texts), size)
    ]


def _merged(words: list[str], known: set[str]) -> list[str]:
    merged: list[str] = []
    at = 0
    while at < len(words):
        span = next((n for n in (4, 3, 2) if "".join(words[at : at + n]) in known and at + n <= len(words)), 1)
        merged.append("".join(words[at : at + span]))
        at += span
    return merged
