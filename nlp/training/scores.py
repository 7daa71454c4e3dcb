"""The figures by which models are judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlp.linear import Floats


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


def interval(gold: Sequence[str], said: Sequence[str], rounds: int = 500, seed: int = 1) -> tuple[float, float]:
    """95 % bootstrap interval of the macro-F1."""
    rng = np.random.default_rng(seed)
    gold_row, said_row = np.asarray(gold), np.asarray(said)
    drawn = (rng.integers(0, len(gold), len(gold)) for _ in range(rounds))
    values = [macro_f1(gold_row[pick].tolist(), said_row[pick].tolist()) for pick in drawn]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
