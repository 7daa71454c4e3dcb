"""Scores on the public development files, where they are."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

import nlp
from nlp.training import data, letters

pytestmark = pytest.mark.real_data


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def macro_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    scores = []
    for label in sorted(set(gold)):
        hits = sum(a == b == label for a, b in zip(gold, said, strict=True))
        scores.append(2 * hits / max(1, gold.count(label) + said.count(label)))  # type: ignore[attr-defined]
    return sum(scores) / len(scores)


def test_sentiment_of_microblogs(shared_data: Path) -> None:
    rows = [row for row in read(shared_data / "sentiment/weibo3_dev.tsv") if row["label"] != "surprise"]
    said = [one.sentiment.value for one in nlp.analyse([row["text"] for row in rows])]
    assert macro_f1([row["label"] for row in rows], said) >= 0.813


@pytest.mark.parametrize(("alone", "least"), [(False, 0.79), (True, 0.76)])
def test_tone_of_letters_to_governments(shared_data: Path, alone: bool, least: float) -> None:
    """Whole letters, and their titles as short texts."""
    tones = letters.judged_by_key()
    read = [letter for letter in data.letters(shared_data) if tones.get(letter.key)]
    assert len(read) > 300
    texts = [letter.title if alone else nlp.Text(letter.body, letter.title) for letter in read]
    said = [one.sentiment.value for one in nlp.analyse(texts)]
    assert macro_f1([tones[letter.key] for letter in read], said) >= least


def test_no_model_is_taught_on_the_letters_it_is_judged_by(shared_data: Path) -> None:
    judged = letters.judged_by_key()
    titles = {letter.title for letter in data.letters(shared_data) if letter.key in judged}
    assert not [letter for letter in letters.unread(shared_data) if letter.key in judged or letter.title in titles]


def test_topics_of_government_messages(shared_data: Path) -> None:
    rows = read(shared_data / "topics/gov7_dev_raw.tsv")
    found = nlp.analyse([nlp.Text(row["body"], row["title"]) for row in rows])
    gold = [row["label"] for row in rows]
    assert macro_f1(gold, [one.topic.value for one in found]) >= 0.86
    top2 = [label in (one.topic.value, one.topic.second) for label, one in zip(gold, found, strict=True)]
    assert sum(top2) / len(top2) >= 0.97
