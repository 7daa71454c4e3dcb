"""Fit a linear classifier on sparse rows: L-BFGS over a smooth loss, in numpy, deterministic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.linear import Floats, Rows

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Problem:
    """Rows, a class number per row (0-based), and a weight per row."""

    rows: Rows
    target: NDArray[np.int64]
    weight: Floats
    classes: int
    buckets: int


class _Matrix:
    """The rows twice, by text and by bucket, so that both products are one gather and one reduceat."""

    def __init__(self, found: Rows, buckets: int) -> None:
        self.used, column = np.unique(found.bucket, return_inverse=True)
        self.size, self.doc = found.size, found.doc
        self.column, self.value = column, found.value.astype(np.float32)
        order = np.argsort(column, kind="stable")
        self.by_column_doc, self.by_column_value = found.doc[order], self.value[order]
        self.column_starts = np.searchsorted(column[order], np.arange(len(self.used)))
        self.text_ids, self.text_starts = np.unique(found.doc, return_index=True)

    def times(self, weights: Floats32) -> Floats32:
        out = np.zeros((self.size, weights.shape[1]), np.float32)
        for label in range(weights.shape[1]):
            product = weights[:, label][self.column] * self.value
            out[self.text_ids, label] = np.add.reduceat(product, self.text_starts)
        return out

    def transposed_times(self, residual: Floats32) -> Floats32:
        columns = [
            np.add.reduceat(residual[:, label][self.by_column_doc] * self.by_column_value, self.column_starts)
            for label in range(residual.shape[1])
        ]
        return np.stack(columns, axis=1)


def fit(problem: Problem, strength: float, *, loss: str = "hinge", rounds: int = 60) -> tuple[Floats, Floats]:
    """Weights (classes x buckets) and bias. ``strength`` is the C of a support vector machine; ``loss``: hinge
    (squared, one class against the rest) or logistic (all classes together)."""
    matrix = _Matrix(problem.rows, problem.buckets)
    shape = (len(matrix.used) + 1, problem.classes)
    signs = np.where(problem.target[:, None] == np.arange(problem.classes), 1.0, -1.0).astype(np.float32)
    measure = _hinge if loss == "hinge" else _logistic

    def objective(flat: Floats32) -> tuple[float, Floats32]:
        weights = flat.reshape(shape)
        cost, slope = measure(matrix.times(weights[:-1]) + weights[-1], signs)
        slope = slope * problem.weight[:, None].astype(np.float32) * np.float32(strength)
        value = 0.5 * float(np.dot(flat, flat)) + strength * float(np.dot(cost, problem.weight))
        gradient = np.vstack([matrix.transposed_times(slope), slope.sum(axis=0, keepdims=True)])
        return value, (gradient + weights).ravel()

    solution = minimise(objective, np.zeros(shape[0] * shape[1], np.float32), rounds).reshape(shape)
    weights = np.zeros((problem.classes, problem.buckets))
    weights[:, matrix.used] = solution[:-1].T
    return weights, solution[-1].astype(np.float64)


def _hinge(scores: Floats32, signs: Floats32) -> tuple[Floats, Floats32]:
    gap = np.maximum(0, 1 - signs * scores)
    return (gap * gap).sum(axis=1).astype(np.float64), -2 * signs * gap


def _logistic(scores: Floats32, signs: Floats32) -> tuple[Floats, Floats32]:
    top = scores.max(axis=1, keepdims=True)
    exps = np.exp(scores - top)
    total = exps.sum(axis=1, keepdims=True)
    own = (scores * (signs > 0)).sum(axis=1)
    cost = np.log(total[:, 0]) + top[:, 0] - own
    return cost.astype(np.float64), (exps / total - (signs > 0)).astype(np.float32)


def minimise(
    objective: Callable[[Floats32], tuple[float, Floats32]], start: Floats32, rounds: int, memory: int = 8
) -> Floats32:
    """L-BFGS with a backtracking line search; stops early when the gradient has become 1/1000 of the first."""
    point, (value, gradient) = start, objective(start)
    first = float(np.linalg.norm(gradient)) or 1.0
    steps: list[Floats32] = []
    changes: list[Floats32] = []
    for number in range(rounds):
        direction = -_two_loop(gradient, steps, changes)
        length = 1.0 if number else 1.0 / first
        slope = float(np.dot(gradient, direction))
        while True:
            trial = point + np.float32(length) * direction
            trial_value, trial_gradient = objective(trial)
            if trial_value <= value + 1e-4 * length * slope or length < 1e-10:
                break
            length *= 0.5
        step, change = trial - point, trial_gradient - gradient
        if float(np.dot(step, change)) > 1e-10:
            steps, changes = [*steps, step][-memory:], [*changes, change][-memory:]
        point, value, gradient = trial, trial_value, trial_gradient
        if float(np.linalg.norm(gradient)) < 1e-3 * first:
            break
    return point


def _two_loop(gradient: Floats32, steps: list[Floats32], changes: list[Floats32]) -> Floats32:
    direction = gradient.copy()
    factors = []
    for step, change in zip(reversed(steps), reversed(changes), strict=True):
        factor = np.dot(step, direction) / np.dot(step, change)
        direction -= factor * change
        factors.append(factor)
    if steps:
        direction *= np.dot(steps[-1], changes[-1]) / np.dot(changes[-1], changes[-1])
    for step, change, factor in zip(steps, changes, reversed(factors), strict=True):
        direction += (factor - np.dot(change, direction) / np.dot(step, change)) * step
    return direction
