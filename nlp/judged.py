"""How a set of texts was judged: scores per class with intervals, honesty of the probabilities, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.features import Ints
from nlp.linear import Floats

ROUNDS, SEED, BINS = 400, 20260101, 10
Matrix = NDArray[np.float64]


def figures(labels: Sequence[str], gold: Ints, p: Floats, weight: Floats | None = None) -> dict[str, Any]:
    """Scores of one set as plain data. ``gold``: label numbers; ``p``: texts x labels; ``weight``: how many texts each
    one stands for. Intervals are 95 % bootstrap ones; a label the set does not hold has no scores."""
    weight = np.ones(len(gold)) if weight is None else weight
    said = p.argmax(axis=1)
    table = confusion(gold, said, weight, len(labels))
    drawn = _drawn(gold, said, weight, len(labels))
    present = np.flatnonzero(table.sum(axis=1))
    each, spread = f1(table), f1(drawn)
    macro = spread[:, present].mean(axis=1) if len(present) else np.zeros(1)
    return {
        "size": len(gold),
        "accuracy": _round(np.trace(table) / max(table.sum(), 1e-9)),
        "macro_f1": _round(each[present].mean() if len(present) else 0.0),
        "interval": _interval(macro),
        "calibration_error": _round(calibration_error(p, gold, weight)),
        "classes": {
            labels[n]: {"size": int((gold == n).sum()), "f1": _round(each[n]), "interval": _interval(spread[:, n])}
            for n in present.tolist()
        },
    }


def confusion(gold: Ints, said: Ints, weight: Floats, count: int) -> Matrix:
    """Weights by true label (row) and said label (column)."""
    return np.bincount(gold * count + said, weight, minlength=count * count).reshape(count, count).astype(np.float64)


def f1(table: Matrix) -> Matrix:
    """F1 of every label of one confusion table or of many (…, labels, labels)."""
    hits = np.diagonal(table, axis1=-2, axis2=-1)
    total = table.sum(axis=-1) + table.sum(axis=-2)
    return np.asarray(2 * hits / np.maximum(total, 1e-9))


def macro_f1(gold: Ints, said: Ints, count: int, weight: Floats | None = None) -> float:
    """Mean F1 over the labels that are there."""
    table = confusion(gold, said, np.ones(len(gold)) if weight is None else weight, count)
    present = np.flatnonzero(table.sum(axis=1))
    return float(f1(table)[present].mean()) if len(present) else 0.0


def calibration_error(p: Floats, gold: Ints, weight: Floats) -> float:
    """Expected calibration error of the first label: equal-width bins, weighted by their share."""
    return float(sum(abs(row["right"] - row["said"]) * row["share"] for row in curve(p, gold, weight)))


def curve(p: Floats, gold: Ints, weight: Floats) -> list[dict[str, float]]:
    """The calibration curve: per filled bin the mean probability said, how often it was right, its share of all."""
    sure, right = p.max(axis=1), (p.argmax(axis=1) == gold).astype(float)
    number = np.minimum((sure * BINS).astype(int), BINS - 1)
    whole, rows = max(float(weight.sum()), 1e-9), []
    for each in sorted(set(number.tolist())):
        here = number == each
        mass = max(float(weight[here].sum()), 1e-9)
        rows.append({
            "said": float((sure[here] * weight[here]).sum() / mass),
            "right": float((right[here] * weight[here]).sum() / mass), "share": mass / whole,
        })  # fmt: skip
    return rows


def _drawn(gold: Ints, said: Ints, weight: Floats, count: int) -> Matrix:
    """Confusion tables of sets drawn anew with repeats."""
    draw, size = np.random.default_rng(SEED), len(gold)
    if not size:
        return np.zeros((1, count, count))
    cell = gold * count + said
    tables = []
    for _ in range(ROUNDS):
        times = np.bincount(draw.integers(0, size, size), minlength=size)
        tables.append(np.bincount(cell, weight * times, minlength=count * count))
    return np.asarray(tables, np.float64).reshape(-1, count, count)


def _interval(values: Matrix) -> list[float]:
    return [_round(value) for value in np.percentile(values, [2.5, 97.5])]


def _round(value: float) -> float:
    return round(float(value), 4)
