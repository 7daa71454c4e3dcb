"""Make a model from labelled texts: collect rows, fit, round to int8, calibrate on rows the fit has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nlp import features, linear
from nlp.features import Hashes, Ints
from nlp.linear import Floats, LinearModel, Recipe, Rows
from nlp.network import Network
from nlp.segment import Segmenter
from nlp.training import data, margin, solver
from nlp.training.data import Labelled
from nlp.training.solver import Pace, Problem

_BLOCK = 50
_STEPS = 3000
_NEWTON, _RIDGE = 25, 1e-6
_FINE = 24  # bits at which features are told apart when rare ones are dropped


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is to be trained."""

    labels: tuple[str, ...]
    recipe: Recipe
    pace: Pace | float  # a walk, or the strength of a support vector machine
    base: str  # the label that all scores are taken against: its weights become zero and cost no room
    rare: int = 1  # features met in fewer texts are dropped
    rounds: int = 1  # fits with different orders, averaged
    levels: int = 127  # steps of a rounded weight on either side of zero
    least: int = 0  # rounded weights up to this become zero
    shifted: bool = True  # calibrate each label's share too; False where the shares of the training rows mean nothing
    held: int = 5  # one block of texts in so many is kept back for calibration


@dataclass(frozen=True, slots=True)
class Table:
    """Labelled texts as rows, ready to be split."""

    rows: Rows
    target: Ints
    weight: Floats
    partial: NDArray[np.bool_]
    ordinary: NDArray[np.bool_]  # labelled by people


def stop_hashes(words: Sequence[str]) -> Hashes:
    """Stop words as a model keeps them: sorted."""
    batch = features.make_batch([" ".join(words)], features.Parted())
    return np.unique(features.word_hashes(batch))


def document_counts(labelled: Labelled, recipe: Recipe, segmenter: Segmenter) -> Ints:
    """In how many texts each bucket occurs."""
    counts = np.zeros(1 << recipe.bits, np.int64)
    plain = replace(recipe, style=False)
    for _, batch in data.batches(labelled, segmenter):
        found = linear.rows(linear.occurrences(batch, plain), batch, plain)
        counts += np.bincount(found.bucket, minlength=len(counts))
    return counts


def smooth_idf(counts: Ints, size: int) -> NDArray[np.float32]:
    """ln((1 + n) / (1 + df)) + 1 with the precision of a model file; 0 where nothing was met."""
    idf = np.log((1 + size) / (1 + counts)) + 1
    return np.where(counts > 0, idf, 0).astype(np.float16).astype(np.float32)


def tabulate(labelled: Labelled, plan: Plan, segmenter: Segmenter, idf: NDArray[np.float32] | None = None) -> Table:
    """All rows of a set with class numbers and weights; every class weighs the same in all."""
    fine = plan.recipe if plan.rare == 1 else replace(plan.recipe, bits=_FINE)
    parts = []
    for start, batch in data.batches(labelled, segmenter):
        found = linear.rows(linear.occurrences(batch, fine), batch, fine, idf)
        order = np.argsort(found.doc, kind="stable")
        parts.append(((found.doc + start)[order], found.bucket[order], found.value[order].astype(np.float32)))
    doc, bucket, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    if plan.rare > 1:
        common = np.bincount(bucket)[bucket] >= plan.rare
        doc, bucket, value = doc[common], bucket[common] >> (_FINE - plan.recipe.bits), value[common]
    target = np.array([plan.labels.index(label) for label in labelled.labels])
    weight, partial = np.array(labelled.weights), np.array(labelled.partial)
    share = np.bincount(target[~partial], weight[~partial], minlength=len(plan.labels))
    even = weight * np.where(partial, 1.0, (share.sum() / len(share) / share)[target])
    ordinary = np.array([source not in data.UNJUDGED for source in labelled.sources])
    return Table(Rows(len(target), doc, bucket, value), target, even, partial, ordinary)


def subset(table: Table, chosen: NDArray[np.bool_]) -> Table:
    """Only the chosen texts, numbered anew."""
    keep = chosen[table.rows.doc]
    number = np.cumsum(chosen) - 1
    rows = Rows(int(chosen.sum()), number[table.rows.doc[keep]], table.rows.bucket[keep], table.rows.value[keep])
    return Table(rows, table.target[chosen], table.weight[chosen], table.partial[chosen], table.ordinary[chosen])


@dataclass(frozen=True, slots=True)
class Finer:
    """What is known more exactly of the first texts of a set: three negative emotions rather than one negative tone.

    ``target``: finer class numbers of the first texts; ``share``: labels x finer classes, how much of a label each is.
    A second fit tells the finer classes apart, and its weights, joined by ``share``, are averaged with the first."""

    target: Ints
    share: Floats


def fit(
    table: Table, plan: Plan, start: LinearModel | None = None, finer: Finer | None = None, turn: Floats | None = None
) -> LinearModel:  # fmt: skip
    """Fit, average over rounds, round to int8; calibration left neutral. ``start``: a model to begin from. ``turn``:
    what the score of each label (columns) counts for each (rows); nothing said: each for itself."""
    base = plan.labels.index(plan.base)
    weights, bias = _fitted(table, plan, None if start is None else start.weights * start.scale[:, None])
    if finer is not None:
        exact, exact_bias = _fitted(*_made_finer(table, plan, finer), None)
        weights, bias = (weights + finer.share @ exact) / 2, (bias + finer.share @ exact_bias) / 2
    weights, bias = _against(base, weights), _against(base, bias)
    if turn is not None:
        weights, bias = _against(base, turn @ weights), _against(base, turn @ bias)
    scale = np.maximum(np.abs(weights).max(axis=1), 1e-9) / plan.levels
    rounded = np.rint(weights / scale[:, None]).astype(np.int8)
    rounded[np.abs(rounded) <= plan.least] = 0
    count = len(plan.labels)
    return LinearModel(plan.labels, plan.recipe, rounded, scale, bias, np.ones(count), np.zeros(count))


def _against(base: int, values: Floats) -> Floats:
    """Values of each label less those of ``base``."""
    return np.asarray(values - values[base])


def _made_finer(table: Table, plan: Plan, finer: Finer) -> tuple[Table, Plan]:
    """The texts of which more is known, with that as their target; every label weighs as it does in ``table``."""
    known = np.arange(len(table.target)) < len(finer.target)
    part = subset(table, known)
    labels = tuple(map(str, range(finer.share.shape[1])))
    base = labels[int(finer.share[plan.labels.index(plan.base)].argmax())]
    return replace(part, target=finer.target), replace(plan, labels=labels, base=base)


def _fitted(table: Table, plan: Plan, begin: Floats | None) -> tuple[Floats, Floats]:
    """Weights (labels x buckets) and bias, averaged over rounds."""
    base = plan.labels.index(plan.base)
    problem = Problem(
        table.rows, table.target, table.weight, len(plan.labels), 1 << plan.recipe.bits, base, table.partial
    )
    weights, bias = np.zeros((problem.classes, problem.buckets)), np.zeros(problem.classes)
    for seed in range(plan.rounds):
        fitted = _solve(problem, plan, begin, seed)
        weights += fitted[0] / plan.rounds
        bias += fitted[1] / plan.rounds
    return weights, bias


def _solve(problem: Problem, plan: Plan, begin: Floats | None, seed: int) -> tuple[Floats, Floats]:
    if isinstance(plan.pace, Pace):
        return solver.fit(problem, plan.pace, begin, seed)
    return margin.fit(problem, plan.pace, seed=seed)


def fit_calibrated(table: Table, plan: Plan, finer: Finer | None = None) -> LinearModel:
    """Fit on everything; calibrate on the scores that a fit without them gave to the texts kept back."""
    held = _held(table, plan)
    scores = _apart(table, plan, finer, held)
    full = (~table.partial & table.ordinary)[held]
    slope, shift = calibrate(scores[full], table.target[held][full], shifted=plan.shifted)
    return replace(fit(table, plan, finer=finer), slope=slope, shift=shift)


@dataclass(frozen=True, slots=True)
class Mix:
    """What the scores of the weights and of the network count for each label (labels x labels, twice); the sum, with
    ``shift``, becomes a probability by softmax."""

    weights: Floats
    network: Floats
    shift: Floats


def mix(table: Table, plan: Plan, finer: Finer | None, beside: Floats) -> Mix:
    """The mix of least log loss on the texts kept back. ``beside``: what a network that had not seen those says of
    every text (texts x labels).

    Each label hears both with a share of its own for every label's score: better on texts not seen than one share of
    the network for all, and far better on letters (see docs/explanation/language.md)."""
    held = _held(table, plan)
    full = (~table.partial & table.ordinary)[held]
    scores = _apart(table, plan, finer, held)[full]
    both = np.concatenate([scores, beside[held][full], np.ones((len(scores), 1))], axis=1)
    found = _regression(both, table.target[held][full])
    count = len(plan.labels)
    return Mix(found[:, :count], found[:, count : 2 * count], found[:, -1])


def fit_mixed(table: Table, plan: Plan, finer: Finer | None, mixed: Mix, network: Network) -> LinearModel:
    """A model whose weights and network are turned as ``mixed`` says, so that plain sums of their scores will do. Its
    record keeps how its weights were turned (``turn``), for weights made anew beside the same network."""
    beside = replace(network, out=(network.out @ mixed.network.T).astype(np.float32),
                     bias=(mixed.network @ network.bias).astype(np.float32), strength=1.0)  # fmt: skip
    made = fit(table, plan, finer=finer, turn=mixed.weights)
    return replace(made, shift=mixed.shift, network=beside, meta={"turn": mixed.weights.tolist()})


def _regression(x: Floats, target: Ints) -> Floats:
    """Multinomial logistic regression by Newton's method: labels x columns. A trace of ridge settles what softmax
    leaves open."""
    count, columns = int(target.max()) + 1, x.shape[1]
    truth, found = np.eye(count)[target], np.zeros((count, columns))
    for _ in range(_NEWTON):
        p = linear.softmax(x @ found.T)
        slope = ((p - truth).T @ x / len(x) + _RIDGE * found).ravel()
        bend = np.einsum("nk,kl,ni,nj->kilj", p, np.eye(count), x, x) - np.einsum("nk,nl,ni,nj->kilj", p, p, x, x)
        bend = bend.reshape(count * columns, -1) / len(x) + _RIDGE * np.eye(count * columns)
        found -= np.linalg.solve(bend, slope).reshape(found.shape)
    return found


def _held(table: Table, plan: Plan) -> NDArray[np.bool_]:
    """The texts kept back for calibration: whole blocks of neighbours, since the same matter is often told twice."""
    return np.asarray(np.arange(len(table.target)) // _BLOCK % plan.held == 0)


def _apart(table: Table, plan: Plan, finer: Finer | None, held: NDArray[np.bool_]) -> Floats:
    """The scores of the texts kept back from a fit without them."""
    part = None if finer is None else replace(finer, target=finer.target[~held[: len(finer.target)]])
    return fit(subset(table, ~held), plan, finer=part).scores(subset(table, held).rows)


def calibrate(scores: Floats, target: Ints, *, shifted: bool = True) -> tuple[Floats, Floats]:
    """A common slope and a shift per label that make softmax(slope * score + shift) honest: least log loss."""
    count = scores.shape[1]
    truth = np.eye(count)[target]
    spread = scores.std() or 1.0
    slope, shift = 1.0 / spread, np.zeros(count)
    for _ in range(_STEPS):
        gap = linear.softmax(scores * slope + shift) - truth
        slope -= 0.5 * float((gap * scores).sum(axis=1).mean()) / spread**2
        if shifted:
            shift -= 0.5 * gap.mean(axis=0)
    return np.full(count, slope), shift - shift.mean()


def calibrate_doubtful(scores: Floats, target: Ints, weight: Floats | None = None) -> tuple[float, float]:
    """Slope and doubt of least log loss, found on a grid: few rows bear no more than two numbers."""
    told = np.arange(len(target)), target
    heavy = np.ones(len(target)) if weight is None else weight

    def loss(slope: float, doubt: float) -> float:
        p = linear.softmax(scores * slope) * (1 - doubt) + doubt / scores.shape[1]
        return -float(np.log(p[told]) @ heavy)

    grid = [
        (slope, doubt) for slope in np.arange(2.0, 9.0, 0.25).tolist() for doubt in np.arange(0, 0.16, 0.01).tolist()
    ]
    return min(grid, key=lambda pair: loss(*pair))
