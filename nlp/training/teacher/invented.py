"""Microblogs nobody wrote, for the teacher to judge: so many as the network needs to learn how it judges.

Half are real ones with about every third word put in the place of one that means much the same to the teacher; the
others begin as one microblog and end as another. They need not be good: only the teacher says what they sound like.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.features import Ints
from nlp.segment import Segmenter
from nlp.training.solver import SEED
from nlp.training.teacher.weights import Floats32

NEAR = 12  # of so many nearest words one is drawn
VARIED, JOINED = 0.35, 0.1  # the share of words changed, in the first kind and in the second
DROPPED = 6  # for so many words changed one is left out
LEAST, TOGETHER = 4, 1000
_WHOLE = re.compile(r"(\[[^\]\s]{1,8}\]|https?://\S+|@\S+)")  # left as they are
_CLAUSE = re.compile(r"(?<=[。！？!?，,；;~…\n])")
_COMMON = 3  # the directions all words share more than they differ in


@dataclass(frozen=True, slots=True)
class Invented:
    """The texts, and the numbers of the one or two real ones each was made from."""

    texts: list[str]
    parents: list[tuple[int, ...]]

    def without(self, barred: Ints) -> Ints:
        """The numbers of those that none of the ``barred`` texts went into."""
        out = set(barred.tolist())
        return np.array([n for n, each in enumerate(self.parents) if out.isdisjoint(each)], np.int64)


def invent(texts: Sequence[str], count: int, nearest: dict[str, list[str]], segmenter: Segmenter) -> Invented:
    """About ``count`` texts; the same input, the same texts."""
    draw, made, parents = np.random.default_rng(SEED), list[str](), list[tuple[int, ...]]()
    clauses = [[part for part in _CLAUSE.split(text) if part.strip()] for text in texts]
    for _number in range(count):
        one, other = draw.integers(0, len(texts), 2).tolist()
        head, tail = clauses[one], clauses[other]
        joins = draw.random() < 0.5 and min(len(head), len(tail)) > 1
        if joins:
            parts = head[: int(draw.integers(1, len(head)))] + tail[int(draw.integers(1, len(tail))) :]
        text = _vary("".join(parts) if joins else texts[one], JOINED if joins else VARIED, nearest, segmenter, draw)
        if len(text) >= LEAST:
            made.append(text)
            parents.append((one, other) if joins else (one,))
    return Invented(made, parents)


def neighbours(words: Sequence[str], vectors: Floats32) -> dict[str, list[str]]:
    """The words nearest to each Han word of two to four characters."""
    chosen = [n for n, word in enumerate(words) if re.fullmatch("[\u4e00-\u9fff]{2,4}", word)]
    names, points = [words[n] for n in chosen], vectors[chosen] - vectors[chosen].mean(axis=0)
    _, turned = np.linalg.eigh(points.T @ points)
    common = turned[:, -_COMMON:]
    points -= points @ common @ common.T
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    found: dict[str, list[str]] = {}
    for at in range(0, len(names), TOGETHER):
        close = np.argsort(-(points[at : at + TOGETHER] @ points.T), axis=1, kind="stable")[:, 1 : NEAR + 1]
        found |= {names[at + n]: [names[other] for other in row] for n, row in enumerate(close.tolist())}
    return found


def _vary(
    text: str, share: float, nearest: dict[str, list[str]], segmenter: Segmenter, draw: np.random.Generator
) -> str:  # fmt: skip
    parts = []
    for number, piece in enumerate(_WHOLE.split(text)):
        for word in [piece] if number % 2 else segmenter.cut(piece):
            near = nearest.get(word)
            if near and draw.random() < share:
                parts.append(near[int(draw.integers(len(near)))])
            elif number % 2 or draw.random() >= share / DROPPED:
                parts.append(word)
    return "".join(parts)
