"""The figures by which models are judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlp import judged
from nlp.linear import Floats

SEED = 20260101
Interval = tuple[float, float]


def macro_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    """The mean over the labels in ``gold`` of their F1."""
    return float(np.mean(list(class_f1(gold, said).values())))


def class_f1(gold: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """F1 per label."""
    result = {}
    for label in sorted(set(gold)):
        hits = sum(g == label == s for g, s in zip(gold, said, strict=True))
        total = sum(g == label for g in gold) + sum(s == label for s in said)
        result[label] = 2 * hits / total
    return result


def top_two(gold: Sequence[str], first: Sequence[str], second: Sequence[str]) -> float:
    """How often the right label is among the first two."""
    return float(np.mean([g in pair for g, *pair in zip(gold, first, second, strict=True)]))


def calibration_error(p: Floats, right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error of the first label: equal-width bins, weighted by their share."""
    hit = np.asarray(right, float)
    number = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(hit[number == b].mean() - p[number == b].mean()) * (number == b).mean() for b in set(number.tolist())]
    return float(sum(gaps))


def curve(p: Floats, right: Sequence[bool], bins: int = 10) -> list[tuple[float, float, int]]:
    """The calibration curve: per equal-width bin that is not empty the mean probability told, the share that was right,
    and how many."""
    hit = np.asarray(right, float)
    number = np.minimum((p * bins).astype(int), bins - 1)
    return [
        (round(float(p[number == b].mean()), 4), round(float(hit[number == b].mean()), 4), int((number == b).sum()))
        for b in sorted(set(number.tolist()))
    ]


def intervals(gold: Sequence[str], said: Sequence[str], rounds: int = 1000) -> tuple[Interval, dict[str, Interval]]:
    """95 % bootstrap intervals of the macro-F1 and of the F1 of every label in ``gold``.

    Drawing texts anew is drawing the cells of the table of right and said labels anew, which is quicker."""
    labels = sorted(set(gold))
    every = labels + sorted(set(said) - set(gold))
    number = {label: place for place, label in enumerate(every)}
    cells = [number[g] * len(every) + number[s] for g, s in zip(gold, said, strict=True)]
    share = np.bincount(cells, minlength=len(every) ** 2) / len(cells)
    drawn = np.random.default_rng(SEED).multinomial(len(cells), share, size=rounds)
    spread = judged.f1(drawn.reshape(rounds, len(every), len(every)).astype(np.float64))[:, : len(labels)]
    return _middle(spread.mean(axis=1)), {label: _middle(spread[:, place]) for place, label in enumerate(labels)}


def floor(p: Floats, rounds: int = 300) -> Interval:
    """The calibration error that a perfectly honest model would show on as many texts with these probabilities of the
    first label, by chance alone: the mean, and what it exceeds once in forty times."""
    draw = np.random.default_rng(SEED)
    told = [calibration_error(p, (draw.random(len(p)) < p).tolist()) for _ in range(rounds)]
    return round(float(np.mean(told)), 4), round(float(np.percentile(told, 97.5)), 4)


def _middle(values: Floats) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)
