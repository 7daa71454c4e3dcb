"""Make a model from labelled texts: collect rows, fit, round to int8, calibrate on rows the fit has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nlp import features, linear
from nlp.features import Ints
from nlp.linear import Floats, LinearModel, Recipe, Rows
from nlp.segment import Segmenter
from nlp.training import data, solver
from nlp.training.data import Labelled


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is to be trained."""

    labels: tuple[str, ...]
    recipe: Recipe
    strength: float
    loss: str = "logistic"
    rounds: int = 60
    folds: int = 5


@dataclass(frozen=True, slots=True)
class Table:
    """Labelled texts as rows, ready to be split."""

    rows: Rows
    target: Ints
    weight: Floats


def stop_hashes(words: Sequence[str]) -> NDArray[np.uint32]:
    """Stop words as a model keeps them."""
    batch = features.make_batch([" ".join(words)], features.Parted())
    return np.unique(linear.short_hash(features.word_hashes(batch)))


def document_counts(texts: list[str], recipe: Recipe, segmenter: Segmenter) -> Ints:
    """In how many texts each bucket occurs."""
    counts = np.zeros(1 << recipe.bits, np.int64)
    for _, batch in data.batches(texts, segmenter):
        found = linear.rows(linear.occurrences(batch, recipe), batch.size, recipe)
        counts += np.bincount(found.bucket, minlength=len(counts))
    return counts


def smooth_idf(counts: Ints, size: int) -> NDArray[np.float32]:
    """ln((1 + n) / (1 + df)) + 1, stored with half precision."""
    return (np.log((1 + size) / (1 + counts)) + 1).astype(np.float16).astype(np.float32)


def tabulate(
    labelled: Labelled,
    plan: Plan,
    segmenter: Segmenter,
    idf: NDArray[np.float32] | None,
    stop: NDArray[np.uint32] | None,
) -> Table:
    """All rows of a set, with its class numbers and even weights."""
    parts = []
    for start, batch in data.batches(labelled.texts, segmenter):
        found = linear.rows(linear.occurrences(batch, plan.recipe, stop), batch.size, plan.recipe, idf)
        parts.append((found.doc + start, found.bucket, found.value.astype(np.float32)))
    doc, bucket, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    target = np.array([plan.labels.index(label) for label in labelled.labels])
    return Table(Rows(len(target), doc, bucket, value), target, np.ones(len(target)))


def subset(table: Table, chosen: NDArray[np.bool_]) -> Table:
    """Only the chosen texts, numbered anew."""
    keep = chosen[table.rows.doc]
    number = np.cumsum(chosen) - 1
    rows = Rows(int(chosen.sum()), number[table.rows.doc[keep]], table.rows.bucket[keep], table.rows.value[keep])
    return Table(rows, table.target[chosen], table.weight[chosen])


def fit(table: Table, plan: Plan) -> LinearModel:
    """One fit, rounded to int8; calibration left neutral."""
    problem = solver.Problem(table.rows, table.target, table.weight, len(plan.labels), 1 << plan.recipe.bits)
    weights, bias = solver.fit(problem, plan.strength, loss=plan.loss, rounds=plan.rounds)
    scale = np.abs(weights).max(axis=1) / 127
    rounded = np.rint(weights / scale[:, None]).astype(np.int8)
    count = len(plan.labels)
    return LinearModel(plan.labels, plan.recipe, rounded, scale, bias, np.ones(count), np.zeros(count))


def fit_calibrated(table: Table, plan: Plan) -> LinearModel:
    """Fit on everything; calibrate on scores that folds gave to texts they had not seen."""
    fold = np.random.default_rng(20260101).permutation(len(table.target)) % plan.folds
    scores = np.zeros((len(table.target), len(plan.labels)))
    for number in range(plan.folds):
        held = fold == number
        scores[held] = fit(subset(table, ~held), plan).scores(subset(table, held).rows)
    slope, shift = calibrate(scores, table.target)
    return replace(fit(table, plan), slope=slope, shift=shift)


def calibrate(scores: Floats, target: Ints, steps: int = 2000, pace: float = 0.5) -> tuple[Floats, Floats]:
    """A common slope and a shift per label that make softmax(slope * score + shift) honest: least log loss."""
    count = scores.shape[1]
    truth = np.eye(count)[target]
    spread = scores.std() or 1.0
    slope, shift = 1.0 / spread, np.zeros(count)
    for _ in range(steps):
        gap = linear.softmax(scores * slope + shift) - truth
        slope -= pace * float((gap * scores).sum(axis=1).mean()) / spread**2
        shift -= pace * gap.mean(axis=0)
    return np.full(count, slope), shift - shift.mean()
