"""Where the pipeline says something else than people did: examples for the report, from the files kept for judging."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nlp
from nlp.base import Label, Text
from nlp.training import data

_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Miss:
    """One text the pipeline was wrong about, the surest ones being the worst."""

    file: str
    text: str
    gold: str
    said: str
    p: float
    words: tuple[str, ...]


def misses(source: Path, count: int = 8) -> list[Miss]:
    """The ``count`` surest errors of each file of ``source`` that is there; personal data masked."""
    found: list[Miss] = []
    for path, kind in ((Path("sentiment") / data.TONE_DEV, "sentiment"), (Path("topics") / data.TOPIC_DEV, "topic")):
        if (source / path).is_file():
            found += sorted(_wrong(source / path, kind), key=lambda one: -one.p)[:count]
    return found


def texts(source: Path, count: int = 4000) -> list[str]:
    """Microblogs of ``source`` to measure speed with; empty where the file is missing."""
    path = source / "sentiment" / data.TONE_DEV
    return [row["text"] for row in data.read(path)[:count]] if path.is_file() else []


def _wrong(path: Path, kind: str) -> Iterator[Miss]:
    rows = [row for row in data.read(path) if row["label"] != "surprise"]
    given = [Text(row["body"], row["title"]) if "body" in row else Text(row["text"]) for row in rows]
    for row, text, said in zip(rows, given, nlp.analyse(given), strict=True):
        label: Label = said.topic if kind == "topic" else said.sentiment
        if label.value != row["label"]:
            shown = nlp.mask(text.whole)[:_LENGTH]
            yield Miss(path.name, shown, row["label"], label.value, label.p, label.words)
