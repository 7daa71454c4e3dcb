"""Teach a shipped model from what people corrected: a thin layer on top of it, kept near it, judged before it is used.

The texts the shipped model was made from are not here. So its own weights are the memory: the layer is pulled back to
no change, and texts of the old kind (the guard) hold the old answers while the new ones are learnt. Every figure comes
from fits that had not seen the text they are measured on.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp import REQUESTS, asking, judged, linear, near
from nlp.base import Text
from nlp.features import Batch, Ints
from nlp.layers import Layer, fingerprint
from nlp.lesson import LEAST, MOST, TASKS
from nlp.linear import Floats, LinearModel, Rows
from nlp.near import Near, Told

FOLDS = 5
PULLS = (2.0, 5.0, 15.0)  # tried in turn until the guard holds
HOLD, HOLD_RANGE = 1.1, (0.6, 8.0)  # what the guard weighs against all examples; and each of its texts against one
HOLD_LEFT = 0.5  # and a text that people left as it was
LEFT_MAY_TURN = 0.05  # share of these
GUARD_MAY_LOSE = 0.01  # macro-F1 of the guard; of 168 texts one is about 0.006
BIGGEST = 1_000_000  # bytes of a layer
_BUCKETS = 300_000
_BLOCK = 500
_SLOPES = np.geomspace(0.3, 2.0, 60)
_REPRESENTATIVE = 30  # examples the old model had right, below which its doubts are not judged anew

Progress = Callable[[int, int], None]


def quiet(done: int, total: int) -> None:
    """Says nothing."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what a person says it is. ``weight``: how many messages it stands for."""

    text: Text
    label: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Now:
    """What was learnt before and is in force. ``fresh``: of the examples, newest first, how many it never saw."""

    model: LinearModel
    fresh: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of it. ``layer`` None: nothing could be learnt, unless ``whole`` holds a model made anew (.npz).
    ``report``: plain data, see ``Room.report``."""

    layer: Layer | None
    accepted: bool
    report: dict[str, Any]
    whole: bytes = b""

    def dump(self) -> bytes:
        """The bytes that :func:`taught` reads; empty when there is nothing."""
        return self.layer.dump() if self.layer else self.whole


@cache
def guard_texts() -> tuple[tuple[str, str, Text], ...]:
    """The guard that comes with the product, invented: (topic, sentiment, text)."""
    lines = files("nlp").joinpath("lexicons", "guard.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return tuple((topic, tone, Text(text)) for topic, tone, text in rows)


def guard(task: str) -> list[Example]:
    """The guard of one task. Of requests it says what the analyser says today."""
    if task not in TASKS:
        raise ValueError(task)
    if task == "request":
        texts = [text for _topic, _tone, text in guard_texts()]
        return [Example(text, said) for text, said in zip(texts, asking.today(texts), strict=True) if said]
    return [Example(text, topic if task == "topic" else tone) for topic, tone, text in guard_texts()]


def learn(
    task: str,
    examples: Sequence[Example],
    held: Sequence[Example],
    *,
    model: LinearModel,
    lay_out: Callable[[Sequence[Text]], Batch],
    left: Sequence[Text] = (),
    now: Now | None = None,
    progress: Progress = quiet,
) -> Lesson:
    """One lesson of ``task`` on top of ``model``. ``examples``: newest first; ``held``: the guard; ``left``: texts that
    people saw and left as they were, which should stay so; ``now``: what is in force, unless it is ``model``;
    ``lay_out``: the analyser's ``batch``. The same examples give the same layer, whatever their order beyond the newest
    ``MOST``. It changes nothing by itself."""
    sets = sorted_out(examples, held, left, model)
    if len(sets[0]) < LEAST:
        return Lesson(None, False, {"task": task, "why": [["few", len(sets[0]), LEAST]]})
    room = Room(task, model, *sets, lay_out)
    room.meet(now, examples)
    total = len(PULLS) * FOLDS + 1
    for number, pull in enumerate(PULLS):
        trial = room.try_out(pull, _shifted(progress, number * FOLDS, total))
        why = room.objections(trial)
        if not why:
            break
    layer = room.layer(pull, trial)
    progress(total, total)
    return Lesson(layer, not why, {**room.report(trial), "task": task, "pull": pull, "why": why})


def _shifted(progress: Progress, start: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(start + done, total)


def sorted_out(
    examples: Sequence[Example], held: Sequence[Example], left: Sequence[Text], model: LinearModel
) -> tuple[list[Example], list[Example], list[Text]]:
    """What of each set is learnt from, in an order of its own: how it came does not matter."""
    known = [one for one in examples if one.label in model.labels][:MOST]
    if model.labels == REQUESTS:  # of what asks for nothing nobody can learn what it asks for
        known = list(compress(known, asking.asks([one.text for one in known])))
        left = list(compress(left, asking.asks(left)))
    return _ordered(known), _ordered(held), sorted(left, key=_key)[:MOST]


def _ordered(examples: Sequence[Example]) -> list[Example]:
    return sorted(examples, key=lambda one: (*_key(one.text), one.label))


def _key(text: Text) -> tuple[str, str]:
    return text.title, text.body


@dataclass(frozen=True, slots=True)
class Trial:
    """Log odds of every text from fits that had not seen it: the examples, the guard, what was left as it was."""

    office: Floats
    guard: Floats
    left: Floats
    slope: float


class Room:
    """The texts of one lesson laid out once."""

    def __init__(
        self, task: str, model: LinearModel, examples: list[Example], held: list[Example], left: list[Text],
        lay_out: Callable[[Sequence[Text]], Batch],
    ) -> None:  # fmt: skip
        self.task, self.model, self.lay_out = task, model, lay_out
        self.texts, self.guard_texts, self.left_texts = [e.text for e in examples], [h.text for h in held], left
        self.office, self.gold = _told(examples, model, lay_out), _numbers(examples, model)
        self.guard, self.guard_gold = _told(held, model, lay_out), _numbers(held, model)
        self.left = _told([Example(text, model.labels[0]) for text in left], model, lay_out)
        self.fresh, self.now_is_right = np.zeros(0, np.int64), np.zeros(0, bool)
        self.folds = [folds(self.texts), folds(self.guard_texts), folds(left)]
        # What these teach is what the old model says of them, not their labels: they are there to hold, not to move.
        self.anchors = [
            replace(told, truth=linear.softmax(told.start), weight=told.weight * hold)
            for told, hold in ((self.guard, _hold(len(examples), len(held))), (self.left, HOLD_LEFT))
        ]

    def meet(self, now: Now | None, examples: Sequence[Example]) -> None:
        """Have trials compared with what is in force, too, on those of the examples that neither had learnt."""
        if now is None or not now.fresh:
            return
        seen = {_key(one.text) for one in examples[now.fresh :]}
        fresh = {_key(one.text) for one in examples[: now.fresh]} - seen
        numbers = [number for number, text in enumerate(self.texts) if _key(text) in fresh]
        self.fresh = np.array(numbers, dtype=np.int64)
        known = [Example(self.texts[number], self.model.labels[self.gold[number]]) for number in numbers]
        told = _told(known, now.model, self.lay_out)
        self.now_is_right = told.start.argmax(axis=1) == self.gold[self.fresh]

    def try_out(self, pull: float, progress: Callable[[int], None]) -> Trial:
        """Fit with a fold left out, score it, five times."""
        sets = (self.office, self.guard, self.left)
        scores = [told.start.copy() for told in sets]
        for fold in range(FOLDS):
            layer = self._fit(pull, [np.flatnonzero(folds != fold) for folds in self.folds])
            for found, told, folds in zip(scores, sets, self.folds, strict=True):
                out = np.flatnonzero(folds == fold)
                found[out] = near.scores(layer, near.pick(told, out))
            progress(fold + 1)
        office, held, left = scores
        return Trial(office, held, left, self._slope(office, held))

    def _fit(self, pull: float, chosen: list[Ints]) -> Near:
        told = [near.pick(one, each) for one, each in zip((self.office, *self.anchors), chosen, strict=True)]
        return near.fit(_together(told), pull)

    def _slope(self, office: Floats, held: Floats) -> float:
        """What the log odds must be multiplied by to be honest: least log loss, office and guard weighing the same.

        1 for requests: their log odds hold the weight of words, too, which the layer cannot stretch."""
        right = (self.office.start.argmax(axis=1) == self.gold).sum()
        if right < _REPRESENTATIVE or self.task == "request":
            return 1.0
        sets = ((office, self.gold, self.office.weight), (held, self.guard_gold, self.guard.weight))
        losses = [sum(_loss(scores * slope, gold, weight) for scores, gold, weight in sets) for slope in _SLOPES]
        return float(_SLOPES[int(np.argmin(losses))])

    def objections(self, trial: Trial) -> list[list[Any]]:
        """Why the lesson may not go live, as codes with numbers; empty: it may."""
        before, after = self._macro(self.office, self.gold, None), self._macro(self.office, self.gold, trial.office)
        held = self._macro(self.guard, self.guard_gold, None)
        held_after = self._macro(self.guard, self.guard_gold, trial.guard)
        why: list[list[Any]] = []
        if after <= before:
            why.append(["office", round(before, 4), round(after, 4)])
        if held_after < held - GUARD_MAY_LOSE:
            why.append(["guard", round(held, 4), round(held_after, 4)])
        if (turned := self._turned(trial)) > LEFT_MAY_TURN:
            why.append(["left", round(turned, 4), LEFT_MAY_TURN])
        if self._is_worse_than_now(trial):
            why.append(["now", *self._beside_now(trial).values()])
        return why

    def _is_right(self, trial: Trial) -> NDArray[np.bool_]:
        """Of the fresh examples."""
        return np.asarray(trial.office[self.fresh].argmax(axis=1) == self.gold[self.fresh], np.bool_)

    def _beside_now(self, trial: Trial) -> dict[str, int]:
        """How many fresh examples there are, and how many what is in force and the trial have right."""
        right = self._is_right(trial)
        return {"size": len(right), "before": int(self.now_is_right.sum()), "after": int(right.sum())}

    def _is_worse_than_now(self, trial: Trial) -> bool:
        """Whether more fresh answers were lost than won, by more than chance gives (one standard deviation)."""
        right = self._is_right(trial)
        lost, won = int((self.now_is_right & ~right).sum()), int((right & ~self.now_is_right).sum())
        return lost - won > float(np.sqrt(lost + won))

    def _turned(self, trial: Trial) -> float:
        """The share of what people left as it was that would get another label."""
        return float((trial.left.argmax(axis=1) != self.left.start.argmax(axis=1)).mean()) if len(trial.left) else 0.0

    def macro(self, trial: Trial) -> float:
        """Macro F1 of the office's examples."""
        return self._macro(self.office, self.gold, trial.office)

    def _macro(self, told: Told, gold: Ints, scores: Floats | None) -> float:
        said = (told.start if scores is None else scores).argmax(axis=1)
        return judged.macro_f1(gold, said, len(self.model.labels), told.weight)

    def layer(self, pull: float, trial: Trial) -> Layer:
        """The layer from all texts, rounded and small enough."""
        found = self._fit(pull, [np.arange(len(folds)) for folds in self.folds])
        room = _BUCKETS
        while True:
            layer = self._packed(found, room, trial.slope)
            if len(layer.dump()) <= BIGGEST:
                return layer
            room //= 2

    def _packed(self, found: Near, room: int, slope: float) -> Layer:
        """The ``room`` buckets that move most, in 127 steps either way. Moving all labels alike says nothing."""
        values = found.values - found.values.mean(axis=1, keepdims=True)
        size = np.abs(values).max(axis=1)
        kept = np.sort(np.argsort(-size, kind="stable")[:room])
        scale = np.maximum(np.abs(values[kept]).max(axis=0, initial=0), 1e-9).astype(np.float64) / 127
        rounded = np.rint(values[kept] / scale).astype(np.int8)
        told = np.flatnonzero(rounded.any(axis=1))
        return Layer(
            self.task, fingerprint(self.model), self.model.labels, found.buckets[kept][told].astype(np.uint32),
            np.ascontiguousarray(rounded[told].T), scale, found.bias.astype(np.float64), slope,
            {"examples": len(self.gold)},
        )  # fmt: skip

    def report(self, trial: Trial) -> dict[str, Any]:
        """Plain data: both sets before and after, what changed from which label to which, the words that moved it."""
        before, after = self.office.start.argmax(axis=1), trial.office.argmax(axis=1)
        return {
            "labels": list(self.model.labels),
            "office": self._set(self.office, self.gold, trial.office, trial.slope),
            "guard": self._set(self.guard, self.guard_gold, trial.guard, trial.slope),
            "left": {"size": len(trial.left), "turned": round(self._turned(trial), 4)},
            "moves": _moves(self.model.labels, before, after, self.gold),
            "words": self._words(),
            "now": self._beside_now(trial),
        }

    def _set(self, told: Told, gold: Ints, scores: Floats, slope: float) -> dict[str, Any]:
        labels = self.model.labels
        return {
            "before": judged.figures(labels, gold, linear.softmax(told.start), told.weight),
            "after": judged.figures(labels, gold, linear.softmax(scores * slope), told.weight),
        }

    def _words(self) -> dict[str, list[str]]:
        """Per label the words that occur in several examples and lean to it more than the old model thought."""
        batch = self.lay_out(self.texts)
        gap = self.office.truth - linear.softmax(self.office.start)
        lean: dict[str, Floats] = {}
        seen: dict[str, set[int]] = {}
        for word, doc in zip(batch.pieces, batch.word_doc.tolist(), strict=True):
            if len(word) > 1 and doc not in seen.setdefault(word, set()):
                seen[word].add(doc)
                lean[word] = lean.get(word, 0) + gap[doc] * self.office.weight[doc]
        common = [word for word, docs in seen.items() if len(docs) >= 3]
        result = {}
        for number, label in enumerate(self.model.labels):
            strong = sorted((-lean[word][number] / len(seen[word]) ** 0.5, word) for word in common)
            result[label] = [word for less, word in strong[:8] if less < -0.3]
        return result


def _hold(examples: int, guard: int) -> float:
    return float(np.clip(HOLD * examples / max(guard, 1), *HOLD_RANGE))


def _moves(labels: Sequence[str], before: Ints, after: Ints, gold: Ints) -> list[dict[str, Any]]:
    """From which label to which the answers went, the most frequent first, and how many of these are now right."""
    rows = []
    for old, new in sorted(set(zip(before.tolist(), after.tolist(), strict=True))):
        if old != new:
            here = (before == old) & (after == new)
            rows.append({
                "from": labels[old], "to": labels[new], "count": int(here.sum()),
                "right": int((here & (gold == new)).sum()), "wrong": int((here & (gold == old)).sum()),
            })  # fmt: skip
    return sorted(rows, key=lambda row: -row["count"])


def _told(examples: Sequence[Example], model: LinearModel, lay_out: Callable[[Sequence[Text]], Batch]) -> Told:
    parts: list[Rows] = []
    said = [np.zeros((0, len(model.labels)))]
    for at in range(0, len(examples), _BLOCK):
        batch = lay_out([one.text for one in examples[at : at + _BLOCK]])
        found = linear.rows(linear.occurrences(batch, model.recipe, model.stop), batch, model.recipe, model.idf)
        said.append(model.whole(batch, model.scores(found)))
        order = np.argsort(found.doc, kind="stable")
        parts.append(Rows(found.size, found.doc[order] + at, found.bucket[order], found.value[order]))
    empty = np.zeros(0, np.int64)
    rows = Rows(
        len(examples), np.concatenate([empty, *(part.doc for part in parts)]),
        np.concatenate([empty, *(part.bucket for part in parts)]),
        np.concatenate([np.zeros(0), *(part.value for part in parts)]),
    )  # fmt: skip
    start = np.concatenate(said) * model.slope + model.shift
    if model.labels == REQUESTS:
        start = start + asking.offsets([one.text for one in examples])
    truth = np.eye(len(model.labels))[_numbers(examples, model)]
    return Told(rows, start, truth, np.array([one.weight for one in examples], dtype=float))


def _together(parts: Sequence[Told]) -> Told:
    starts = np.cumsum([0, *(part.rows.size for part in parts)]).tolist()
    rows = Rows(
        starts[-1], np.concatenate([part.rows.doc + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.rows.bucket for part in parts]), np.concatenate([part.rows.value for part in parts]),
    )  # fmt: skip
    return Told(
        rows, np.concatenate([part.start for part in parts]), np.concatenate([part.truth for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )  # fmt: skip


def _numbers(examples: Sequence[Example], model: LinearModel) -> Ints:
    return np.array([model.labels.index(one.label) for one in examples], dtype=np.int64)


def folds(texts: Sequence[Text]) -> Ints:
    """By what a text says, so that copies of one text are left out together."""
    said = (text.whole.strip().encode("utf-8", "surrogatepass") for text in texts)
    return np.array([zlib.crc32(each) % FOLDS for each in said], dtype=np.int64)


def _loss(scores: Floats, gold: Ints, weight: Floats) -> float:
    if not len(gold):
        return 0.0
    p = linear.softmax(scores)[np.arange(len(gold)), gold]
    return float(-(np.log(np.maximum(p, 1e-12)) * weight).sum() / weight.sum())
