"""Teach a task from scratch, from base files and corrections together, beside the layer of :mod:`nlp.learning`.

The base holds the old kind of text, so nothing needs to be remembered by the shipped weights. It is measured like a
layer: corrections and what people left as it was by fits that had not seen them, the guard never in any fit.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nlp import clean, features, learning
from nlp.base import Text
from nlp.features import Batch, Ints
from nlp.learning import Example, Lesson, Now, Progress, Room, Trial, quiet
from nlp.linear import Floats, LinearModel
from nlp.segment import Segmenter
from nlp.training import data, fit, letters, shipped
from nlp.training.data import Labelled
from nlp.training.fit import Plan

FOLDS = 3
TONE = replace(shipped.TONE, rounds=1)  # half the time
PLANS = {"topic": shipped.TOPIC, "sentiment": TONE}
SHARE, WEIGHT_RANGE = 0.1, (1.0, 10.0)  # what all corrections weigh of the base together; and each of them
LEFT_WEIGHT = 1.0
THINNEST = 5_000  # texts of a base: fewer know less than the weights they would replace, whatever the guard says
BIGGEST_WHOLE = 1_200_000  # bytes of a model made anew: its weights are not thinned out like the shipped ones
TOO_THIN = "thin"
LESS_THAN_LAYER = "layer"  # why: a layer does better on the office's own examples


@dataclass(frozen=True, slots=True)
class _Table:
    """Base, corrections and texts left alone as one table, in this order; how many of each there are."""

    table: fit.Table
    base: int
    office: int
    left: int

    def without(self, office: Ints, left: Ints) -> fit.Table:
        """All texts but these corrections and these texts left alone (numbers of each kind)."""
        kept = np.ones(self.base + self.office + self.left, bool)
        kept[self.base + office] = False
        kept[self.base + self.office + left] = False
        return fit.subset(self.table, kept)


def learn(
    task: str, examples: Sequence[Example], held: Sequence[Example], folder: Path, *, model: LinearModel,
    lay_out: Callable[[Sequence[Text]], Batch], segmenter: Segmenter, left: Sequence[Text] = (),
    now: Now | None = None, progress: Progress = quiet,
) -> Lesson:  # fmt: skip
    """The better of two lessons: a layer near ``model``, and a model made anew from the base in ``folder`` and the
    examples. The new one is taken when it may go live by the layer's own marks and is no worse than the layer on the
    office's examples; otherwise the layer, with the reason in its report under ``anew``."""
    layer = learning.learn(
        task, examples, held, model=model, lay_out=lay_out, left=left, now=now, progress=_part(progress, 0)
    )
    if layer.layer is None:
        return layer
    room = Room(task, model, *learning.sorted_out(examples, held, left, model), lay_out)
    room.meet(now, examples)
    base = _base(task, folder, segmenter)
    weight = float(np.clip(SHARE * len(base.texts) / len(room.texts), *WEIGHT_RANGE))
    made, trial = _made(room, base, weight, folder, segmenter, _part(progress, 1))
    after = room.macro(trial)
    best = layer.report["office"]["after"]["macro_f1"]
    why = room.objections(trial)
    report = {**room.report(trial), "task": task, "pull": 0.0, "why": []}
    whole = _packed(made, model.meta)
    if len(whole) > BIGGEST_WHOLE:
        why.append(["size", len(whole), BIGGEST_WHOLE])
    if len(base.texts) < THINNEST:
        why.append([TOO_THIN, len(base.texts), THINNEST])
    if not why and layer.accepted and after < best:
        why = [[LESS_THAN_LAYER, round(best, 4), round(after, 4)]]
    note = {"base": len(base.texts), "weight": round(weight, 2), "why": why}
    if why:
        return replace(layer, report={**layer.report, "anew": note})
    return Lesson(None, True, {**report, "anew": note}, whole)


def _part(progress: Progress, number: int) -> Progress:
    return lambda done, total: progress(number * total + done, 2 * total)


def _made(
    room: Room, base: Labelled, weight: float, folder: Path, segmenter: Segmenter, progress: Progress
) -> tuple[LinearModel, Trial]:  # fmt: skip
    """The model from everything, and what fits say of texts they had not seen."""
    task, plan = room.task, PLANS[room.task]
    rows = base + _told(task, room.texts, [room.model.labels[n] for n in room.gold], weight, segmenter)
    said = [room.model.labels[n] for n in room.left.start.argmax(axis=1)] if room.left_texts else []
    rows = rows + _told(task, room.left_texts, said, LEFT_WEIGHT, segmenter)
    idf, stop = _counted(task, rows, folder, plan)
    cut = features.Parted() if task == "topic" else segmenter
    told = _Table(fit.tabulate(rows, plan, cut, idf), len(base.texts), len(room.texts), len(room.left_texts))

    def fitted(table: fit.Table) -> LinearModel:
        return replace(_beside(table, plan, room.model), idf=idf, stop=stop)

    office, left = np.zeros(room.office.start.shape), np.zeros(room.left.start.shape)
    folds = [learning.folds(room.texts) % FOLDS, learning.folds(room.left_texts) % FOLDS]
    for fold in range(FOLDS):
        outs = [np.flatnonzero(each == fold) for each in folds]
        one = fitted(told.without(*outs))
        for scores, texts, out in zip((office, left), (room.texts, room.left_texts), outs, strict=True):
            scores[out] = _scores(one, [texts[n] for n in out.tolist()], room.lay_out)
        progress(fold + 1, FOLDS + 1)
    made = fitted(told.table)
    guard = _scores(made, room.guard_texts, room.lay_out)
    made = _honest(task, made, np.concatenate([office, guard]), np.concatenate([room.gold, room.guard_gold]))
    progress(FOLDS + 1, FOLDS + 1)
    odds = [np.log(np.maximum(made.probabilities(scores), 1e-12)) for scores in (office, guard, left)]
    return made, Trial(odds[0], odds[1], odds[2], 1.0)


def _base(task: str, folder: Path, segmenter: Segmenter) -> Labelled:
    """What a task is trained on: the same kinds of rows as the shipped model, as far as the folder has them."""
    if task == "topic":
        return data.topics_cut(folder / "topics" / data.TOPIC_TRAIN) + data.own_terms(
            "topics", segmenter, shipped.TERM_WEIGHT
        )
    rows = data.tones(folder / "sentiment" / data.TONE_TRAIN)
    if letters.are_in(folder):
        rows = rows + letters.tones(folder, segmenter, shipped.TONE, shipped.LETTER_ALONE)
    rows = rows + data.questions(shipped.LETTER_ALONE)
    return rows + data.own_terms("tones", segmenter, shipped.TONE_TERM_WEIGHT)


def _told(
    task: str, texts: Sequence[Text], labels: Sequence[str], weight: float, segmenter: Segmenter
) -> Labelled:  # fmt: skip
    """The office's texts in the form of the base: as they are, or as words parted by blanks."""
    forms, titles = [], []
    for text in texts:
        parts = [clean.model_form(clean.clean(part).text) for part in (text.title, text.body)]
        if task == "topic":
            parts = [" ".join(features.make_batch([part], segmenter).pieces) for part in parts]
        forms.append(" ".join(part for part in parts if part) or "-")
        titles.append(len(parts[0]))
    return data.labelled(forms, list(labels), "office", titles=titles, weight=weight)


def _counted(
    task: str, rows: Labelled, folder: Path, plan: Plan
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]] | None, np.ndarray[tuple[int], np.dtype[np.uint64]] | None]:
    """What a topic model weighs words by, and the words it leaves out; a tone model needs neither."""
    if task != "topic":
        return None, None
    stop = data.stop_words(folder / "topics" / data.TOPIC_STOP)
    idf = fit.smooth_idf(fit.document_counts(rows, plan.recipe, features.Parted()), len(rows.texts))
    return idf, fit.stop_hashes(stop)


def _beside(table: fit.Table, plan: Plan, model: LinearModel) -> LinearModel:
    """New weights beside the network of the shipped ``model``, which knows from the base alone, mixed with it as the
    shipped ones are."""
    turn = model.meta.get("turn")
    made = fit.fit(table, plan, turn=None if turn is None else np.array(turn))
    return replace(made, bias=made.bias if turn is None else made.bias + model.shift, network=model.network)


def _scores(model: LinearModel, texts: Sequence[Text], lay_out: Callable[[Sequence[Text]], Batch]) -> Floats:
    if not texts:
        return np.zeros((0, len(model.labels)))
    parts = []
    for at in range(0, len(texts), 500):
        batch = lay_out(texts[at : at + 500])
        parts.append(model.whole(batch, model.scores(model.seen(batch).rows)))
    return np.concatenate(parts)


def _honest(task: str, made: LinearModel, scores: Floats, gold: Ints) -> LinearModel:
    """One slope (and for topics one doubt) of least log loss on texts not seen: no label is favoured by it."""
    if task == "topic":
        slope, doubt = fit.calibrate_doubtful(scores, gold)
        return replace(made, slope=np.full(len(made.labels), slope), doubt=doubt)
    slopes, _shift = fit.calibrate(scores, gold, shifted=False)
    return replace(made, slope=slopes)


def _packed(made: LinearModel, shipped_meta: Mapping[str, Any]) -> bytes:
    """As bytes; a network that comes with the product is named rather than kept again."""
    if "network" in shipped_meta:
        made = replace(made, network=None, meta={"network": shipped_meta["network"]})
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()
