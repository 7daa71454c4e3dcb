"""Fit a small layer near a trained model: logistic loss on few rows, pulled back to no change, by L-BFGS in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.features import Ints
from nlp.linear import Floats, Rows

Floats32 = NDArray[np.float32]
PASSES, MEMORY = 60, 8
BIAS = 10.0  # how much more than a word the share of a label is held: corrections are no fair sample of it
_ENOUGH = 1e-4  # relative gain of a pass below which the walk ends
_FLAT = 1e-10


@dataclass(frozen=True, slots=True)
class Near:
    """What is added to the scores of the trained model: ``values`` (buckets x labels) and ``bias`` (labels)."""

    buckets: Ints
    values: Floats32
    bias: Floats32


@dataclass(frozen=True, slots=True)
class Told:
    """Rows, what the trained model says of each (log odds, texts x labels), what is true (shares), and its weight."""

    rows: Rows
    start: Floats
    truth: Floats
    weight: Floats


def pick(told: Told, chosen: Ints) -> Told:
    """Only the chosen texts, in the order given."""
    bounds = np.searchsorted(told.rows.doc, np.arange(told.rows.size + 1))
    lengths = (bounds[1:] - bounds[:-1])[chosen]
    begins = np.cumsum(lengths) - lengths
    entries = np.repeat(bounds[chosen] - begins, lengths) + np.arange(lengths.sum())
    doc = np.repeat(np.arange(len(chosen)), lengths)
    rows = Rows(len(chosen), doc, told.rows.bucket[entries], told.rows.value[entries])
    return Told(rows, told.start[chosen], told.truth[chosen], told.weight[chosen])


def scores(near: Near, told: Told) -> Floats:
    """Log odds with the layer on top, texts x labels."""
    rows, total = told.rows, told.start + near.bias
    if not len(near.buckets):
        return total
    place = np.minimum(np.searchsorted(near.buckets, rows.bucket), len(near.buckets) - 1)
    known = np.flatnonzero(near.buckets[place] == rows.bucket)
    doc, value = rows.doc[known], rows.value[known]
    moved = near.values[place[known]] * value[:, None]
    added = [np.bincount(doc, column, minlength=rows.size) for column in moved.T]
    return np.asarray(total + np.stack(added, axis=1))


def fit(told: Told, pull: float) -> Near:
    """The layer with the least weighted log loss plus ``pull`` / 2 times its squared length; deterministic."""
    problem = _Problem(told, pull)
    point = np.zeros(problem.length, np.float32)
    loss, slope = problem.look(point)
    steps: list[tuple[Floats32, Floats32, float]] = []
    for _ in range(PASSES):
        ahead = _direction(slope, steps)
        next_point, next_loss, next_slope = _walk(problem, point, loss, slope, ahead)
        moved, turned = next_point - point, next_slope - slope
        bend = float(moved @ turned)
        if bend > _FLAT:
            steps = [*steps, (moved, turned, 1 / bend)][-MEMORY:]
        gained, point, loss, slope = loss - next_loss, next_point, next_loss, next_slope
        if gained < _ENOUGH * max(1.0, abs(loss)):
            break
    values, bias = problem.parts(point)
    return Near(problem.used, values, bias[0])


def _direction(slope: Floats32, steps: list[tuple[Floats32, Floats32, float]]) -> Floats32:
    ahead, shares = slope.copy(), []
    for moved, turned, inverse in reversed(steps):
        shares.append(inverse * float(moved @ ahead))
        ahead -= shares[-1] * turned
    if steps:
        moved, turned, _ = steps[-1]
        ahead *= float(moved @ turned) / float(turned @ turned)
    else:
        ahead /= max(1.0, float(np.linalg.norm(slope)))
    for (moved, turned, inverse), share in zip(steps, reversed(shares), strict=True):
        ahead += moved * (share - inverse * float(turned @ ahead))
    return ahead


def _walk(
    problem: _Problem, point: Floats32, loss: float, slope: Floats32, ahead: Floats32
) -> tuple[Floats32, float, Floats32]:
    """Halve the step until it pays."""
    stride, steep = 1.0, float(slope @ ahead)
    while True:
        there = point - np.float32(stride) * ahead
        found, turned = problem.look(there)
        if found <= loss - 1e-4 * stride * steep or stride < _ENOUGH:
            return there, found, turned
        stride /= 2


class _Problem:
    """The loss and its slope. Sums over runs (reduceat) need every text to have a feature: ``_told`` sees to that."""

    def __init__(self, told: Told, pull: float) -> None:
        rows = told.rows
        order = np.argsort(rows.doc, kind="stable")
        self.doc, self.value = rows.doc[order], rows.value[order].astype(np.float32)[:, None]
        self.used, self.column = np.unique(rows.bucket[order], return_inverse=True)
        self.full, self.begins = np.unique(self.doc, return_index=True)
        by_column = np.argsort(self.column, kind="stable")
        self.column_doc, self.column_value = self.doc[by_column], self.value[by_column]
        self.column_begins = np.searchsorted(self.column[by_column], np.arange(len(self.used)))
        self.start, self.truth = told.start.astype(np.float32), told.truth.astype(np.float32)
        self.weight, self.labels = told.weight.astype(np.float32)[:, None], told.truth.shape[1]
        self.length = (len(self.used) + 1) * self.labels
        self.pulls = np.full(self.length, pull, np.float32)
        self.pulls[-self.labels :] *= BIAS

    def parts(self, point: Floats32) -> tuple[Floats32, Floats32]:
        """The layer's values and its bias row."""
        whole = point.reshape(-1, self.labels)
        return whole[:-1], whole[-1:]

    def look(self, point: Floats32) -> tuple[float, Floats32]:
        """Loss and slope at a point."""
        values, bias = self.parts(point)
        scores = self.start + bias
        if len(self.full):
            scores[self.full] += np.add.reduceat(values[self.column] * self.value, self.begins, axis=0)
        scores -= scores.max(axis=1, keepdims=True)
        exps = np.exp(scores)
        sums = exps.sum(axis=1, keepdims=True)
        gap = self.weight * (exps / sums - self.truth)
        wrong = (self.weight * (np.log(sums) - (self.truth * scores).sum(axis=1, keepdims=True))).sum()
        held = point * self.pulls
        slope = held.copy()
        slope[-self.labels :] += gap.sum(axis=0)
        if len(self.full):
            sloped = np.add.reduceat(gap[self.column_doc] * self.column_value, self.column_begins, axis=0)
            slope[: -self.labels] += sloped.ravel()
        return float(wrong) + 0.5 * float(point @ held), slope
