"""Sentences with their mistakes marked as {wrong|right}."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nlp.checking import Finding

MARK = re.compile(r"\{([^|{}]*)\|([^|{}]*)\}")


@dataclass(frozen=True)
class Sentence:
    """``marks``: (start, end, what it should be)."""

    rule: str
    text: str
    marks: tuple[tuple[int, int, str], ...]


def _read(line: str) -> Sentence:
    rule, marked = line.split("\t")
    text, marks, at = "", [], 0
    for found in MARK.finditer(marked):
        text += marked[at : found.start()]
        marks.append((len(text), len(text) + len(found[1]), found[2]))
        text += found[1]
        at = found.end()
    return Sentence(rule, text + marked[at:], tuple(marks))


def sentences_of(name: str = "sentences.tsv") -> list[Sentence]:
    """The sentences of a file beside this one, without their marks."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [_read(line) for line in lines if line and not line.startswith("#")]


def hits(finding: Finding, start: int, end: int) -> bool:
    """Whether the finding is about the place of a mark."""
    if start == end:  # a mark that is missing: what it should have closed or opened is pointed at
        return finding.start <= start + 14 and finding.end >= start - 14
    return finding.start < end and start < finding.end
