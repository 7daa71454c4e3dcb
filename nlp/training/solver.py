"""Fit a linear classifier on sparse rows: AdaGrad over small batches with averaging, in numpy, deterministic."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nlp.linear import Floats, Rows

Floats32 = NDArray[np.float32]
SEED = 20260101


@dataclass(frozen=True)
class Problem:
    """Rows, a class number per row (0-based), and a weight per row."""

    rows: Rows
    target: NDArray[np.int64]
    weight: Floats
    classes: int
    buckets: int
    excluded: int = -1  # a class that rows marked partial say nothing about
    partial: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))


@dataclass(frozen=True, slots=True)
class Pace:
    """How the fit walks: passes over the data, step length, pull back to the start, share of features left out."""

    passes: int = 8
    rate: float = 0.2
    pull: float = 0.0
    drop: float = 0.0
    size: int = 256


@dataclass(frozen=True, slots=True)
class _Part:
    """One small batch, by text and by bucket."""

    texts: NDArray[np.int64]
    column: NDArray[np.int64]  # used-bucket number of each entry, in the order of texts
    value: Floats32
    begins: NDArray[np.int64]  # where each text begins
    order: NDArray[np.int64]  # the entries in the order of buckets
    doc: NDArray[np.int64]  # text of each entry, in the order of buckets
    touched: NDArray[np.int64]
    touched_begins: NDArray[np.int64]


def fit(problem: Problem, pace: Pace, start: Floats | None = None, seed: int = 0) -> tuple[Floats, Floats]:
    """Weights (classes x buckets) and bias of a logistic model; the same input gives the same output.

    ``start``: weights to begin from and to stay near, so that a few new rows move a trained model only where they
    speak. Rows marked partial know only that they are not of the excluded class: their loss runs over the others."""
    used, parts = _split(problem, pace.size, SEED + seed)
    walk = _Walk(problem, pace, np.zeros((problem.classes, problem.buckets)) if start is None else start, used)
    draw = np.random.default_rng(SEED + seed)
    for number in range(pace.passes):
        for place in draw.permutation(len(parts)):
            walk.step(parts[place], draw)
        walk.remember(number)
    weights = np.zeros((problem.classes, problem.buckets)) if start is None else start.copy()
    weights[:, used] = walk.mean
    return weights, walk.mean_bias.astype(np.float64)


class _Walk:
    """The moving weights, their step lengths, and the mean over the later passes."""

    def __init__(self, problem: Problem, pace: Pace, start: Floats, used: NDArray[np.int64]) -> None:
        self.problem, self.pace = problem, pace
        self.start = start[:, used].astype(np.float32)
        self.weights = self.start.copy()
        self.seen = np.full_like(self.weights, 1e-3)
        self.bias = np.zeros(problem.classes, np.float32)
        self.bias_seen = np.full(problem.classes, 1e-3, np.float32)
        self.mean, self.mean_bias, self.kept = self.weights * 0, self.bias * 0, 0
        self.truth = np.eye(problem.classes, dtype=np.float32)[problem.target]
        self.closed = np.zeros_like(self.truth)
        if len(problem.partial):
            self.closed[problem.partial, problem.excluded] = -1e9

    def step(self, part: _Part, draw: np.random.Generator) -> None:
        value = part.value
        if self.pace.drop:
            value = value * (draw.random(len(value), np.float32) >= self.pace.drop) / (1 - self.pace.drop)
        scores = np.stack([np.add.reduceat(row[part.column] * value, part.begins) for row in self.weights], axis=1)
        slope = _softmax(scores + self.bias + self.closed[part.texts]) - self.truth[part.texts]
        slope *= self.problem.weight[part.texts, None].astype(np.float32)
        sorted_value = value[part.order]
        for label in range(self.problem.classes):
            gradient = np.add.reduceat(slope[:, label][part.doc] * sorted_value, part.touched_begins)
            self._move(label, part.touched, gradient)
        total = slope.sum(axis=0)
        self.bias_seen += total * total
        self.bias -= self.pace.rate * total / np.sqrt(self.bias_seen)

    def _move(self, label: int, touched: NDArray[np.int64], gradient: Floats32) -> None:
        weights = self.weights[label, touched]
        gradient = gradient + np.float32(self.pace.pull * self.pace.size) * (weights - self.start[label, touched])
        seen = self.seen[label, touched] + gradient * gradient
        self.seen[label, touched] = seen
        self.weights[label, touched] = weights - np.float32(self.pace.rate) * gradient / np.sqrt(seen)

    def remember(self, number: int) -> None:
        """Take the weights after the later half of the passes into the mean."""
        if number >= self.pace.passes // 2:
            self.kept += 1
            self.mean += (self.weights - self.mean) / self.kept
            self.mean_bias += (self.bias - self.mean_bias) / self.kept


def _softmax(scores: Floats32) -> Floats32:
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exps / exps.sum(axis=1, keepdims=True))


def _split(problem: Problem, size: int, seed: int) -> tuple[NDArray[np.int64], list[_Part]]:
    """Deal the texts into small batches, once; texts without a feature are left out."""
    rows = problem.rows
    used = np.flatnonzero(np.bincount(rows.bucket, minlength=problem.buckets))
    number = np.zeros(problem.buckets, np.int64)
    number[used] = np.arange(len(used))
    bounds = np.searchsorted(rows.doc, np.arange(rows.size + 1))
    full = np.flatnonzero(np.diff(bounds))
    dealt = np.random.default_rng(seed).permutation(full)
    return used, [_part(rows, number, bounds, dealt[at : at + size]) for at in range(0, len(dealt), size)]


def _part(rows: Rows, number: NDArray[np.int64], bounds: NDArray[np.int64], texts: NDArray[np.int64]) -> _Part:
    lengths = bounds[texts + 1] - bounds[texts]
    begins = np.cumsum(lengths) - lengths
    entries = np.repeat(bounds[texts] - begins, lengths) + np.arange(lengths.sum())
    column = number[rows.bucket[entries]]
    order = np.argsort(column, kind="stable")
    doc = np.repeat(np.arange(len(texts)), lengths)[order]
    touched_begins = np.flatnonzero(np.diff(column[order], prepend=-1))
    touched = column[order][touched_begins]
    value = rows.value[entries].astype(np.float32)
    return _Part(texts, column, value, begins, order, doc, touched, touched_begins)
