"""Fit a support vector machine, one class against the rest, by dual coordinate descent (Hsieh et al. 2008).

Better than the logistic walk of ``solver`` where rows are few and long, as with letters; exact and deterministic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlp.linear import Floats
from nlp.training.solver import SEED, Problem


def fit(problem: Problem, strength: float, passes: int = 12, seed: int = 0) -> tuple[Floats, Floats]:
    """Weights (classes x buckets) and bias for the squared hinge loss. ``strength``: the usual C of such machines."""
    rows = problem.rows
    used, column = np.unique(rows.bucket, return_inverse=True)
    value = rows.value.astype(np.float32)
    bounds = np.searchsorted(rows.doc, np.arange(rows.size + 1)).tolist()
    signs = np.where(problem.target[:, None] == np.arange(problem.classes), 1, -1).astype(np.float32)
    inverse = _softness(problem, strength)
    curve = (np.bincount(rows.doc, value * value, minlength=rows.size) + 1)[:, None] + inverse
    dual = np.zeros_like(signs)
    weights = np.zeros((len(used), problem.classes), np.float32)
    bias = np.zeros(problem.classes, np.float32)
    draw = np.random.default_rng(SEED + seed)
    for _ in range(passes):
        for text in draw.permutation(rows.size).tolist():
            part = slice(bounds[text], bounds[text + 1])
            at, x = column[part], value[part]
            near = weights[at]
            gap = signs[text] * (x @ near + bias) - 1 + dual[text] * inverse[text]
            moved = np.maximum(dual[text] - gap / curve[text], 0)
            step = (moved - dual[text]) * signs[text]
            if step.any():
                dual[text] = moved
                weights[at] = near + x[:, None] * step
                bias += step
    full = np.zeros((problem.classes, problem.buckets))
    full[:, used] = weights.T
    return full, bias.astype(np.float64)


def _softness(problem: Problem, strength: float) -> NDArray[np.float32]:
    """1 / (2 C) per text and class; without end where a partial row says nothing, so that it never moves anything."""
    inverse = np.repeat(1 / (2 * strength * problem.weight[:, None]), problem.classes, axis=1)
    if len(problem.partial):
        inverse[problem.partial, problem.excluded] = 1e12
    return inverse.astype(np.float32)
