"""What the teacher says of each labelled text, from lessons that did not hold the text; and of texts without labels."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from nlp.features import Ints
from nlp.training.solver import SEED
from nlp.training.teacher.weights import Floats32

Tensor = Any
FOLDS, BLOCK = 5, 50  # whole blocks of neighbours: the same matter is often told twice in a row
PASSES, RATE, DECAY, BATCH = 5, 1e-3, 0.05, 128
HIDDEN, DROP_SEEN, DROP = 256, 0.2, 0.5
SMOOTH, KINDS_COUNT = 0.05, 0.3


@dataclass(frozen=True, slots=True)
class Known:
    """Labelled texts: what was read of them (texts x columns), a tone number or -1, a number of their finer emotion."""

    read: Floats32
    tones: Ints
    kinds: Ints


def fold(count: int) -> Ints:
    """The part each of ``count`` texts belongs to."""
    return np.arange(count) // BLOCK % FOLDS


def apart(known: Known, folds: Ints) -> Floats32:
    """The share of each tone in each text, from lessons without its fold; two numbers per lesson: texts x tones."""
    found = np.zeros((len(known.tones), int(known.tones.max()) + 1), np.float32)
    for number in sorted(set(folds.tolist())):
        out = folds == number
        found[out] = Lesson(known, np.flatnonzero(~out)).shares(known.read[out])
    return found


class Lesson:
    """One hidden layer on top of what was read, taught on some of the known texts; the same input, the same weights."""

    def __init__(self, known: Known, chosen: Ints) -> None:
        self.torch: Any = import_module("torch")
        self.torch.set_num_threads(1)  # sums in one order only
        self.torch.manual_seed(SEED)
        self.middle, self.spread = known.read[chosen].mean(axis=0), known.read[chosen].std(axis=0) + 1e-6
        self.tones = int(known.tones.max()) + 1
        width, count = known.read.shape[1], self.tones + int(known.kinds.max()) + 1
        self.parts = [self._random(HIDDEN, width), self._zeros(HIDDEN), self._random(count, HIDDEN), self._zeros(count)]
        self._teach(known, chosen)

    def shares(self, read: Floats32) -> Floats32:
        """The share of each tone, texts x tones."""
        with self.torch.no_grad():
            said = self._said(self.torch.from_numpy((read - self.middle) / self.spread), teaching=False)
            return np.asarray(said[:, : self.tones].softmax(1).numpy(), np.float32)

    def _teach(self, known: Known, chosen: Ints) -> None:
        cross, total = self.torch.nn.functional.cross_entropy, PASSES * -(-len(chosen) // BATCH)
        walk = self.torch.optim.AdamW(self.parts, lr=RATE, weight_decay=DECAY)
        pace = self.torch.optim.lr_scheduler.OneCycleLR(walk, RATE, total_steps=total, pct_start=0.1)
        draw, even = np.random.default_rng(SEED), self.torch.tensor(_even(known.tones[chosen]))
        for _pass in range(PASSES):
            order = draw.permutation(chosen)
            for at in range(0, len(order), BATCH):
                some = order[at : at + BATCH]
                said = self._said(self.torch.from_numpy((known.read[some] - self.middle) / self.spread), teaching=True)
                loss = KINDS_COUNT * cross(said[:, self.tones :], self.torch.tensor(known.kinds[some]))
                told = known.tones[some] >= 0
                if told.any():
                    right = self.torch.tensor(known.tones[some][told])
                    tones = said[self.torch.tensor(told)][:, : self.tones]
                    loss = loss + cross(tones, right, weight=even, label_smoothing=SMOOTH)
                walk.zero_grad()
                loss.backward()
                walk.step()
                pace.step()

    def _said(self, read: Tensor, *, teaching: bool) -> Tensor:
        inner, inner_bias, outer, outer_bias = self.parts
        linear, drop = self.torch.nn.functional.linear, self.torch.dropout
        hidden = linear(drop(read, DROP_SEEN, teaching), inner, inner_bias).relu()
        return linear(drop(hidden, DROP, teaching), outer, outer_bias)

    def _random(self, rows: int, columns: int) -> Tensor:
        return ((self.torch.rand(rows, columns) * 2 - 1) * columns**-0.5).requires_grad_()

    def _zeros(self, size: int) -> Tensor:
        return self.torch.zeros(size, requires_grad=True)


def _even(tones: Ints) -> Floats32:
    """Rarer tones weigh more, though not so much that all weigh the same."""
    counts = np.bincount(tones[tones >= 0])
    return np.asarray((counts.sum() / len(counts) / counts) ** 0.7, np.float32)
