"""Join the nearest two groups, again and again, until none are near enough: average link with a lean to the middle.

Two groups are compared by the average similarity of their members, divided by a power of how much the members of each
are alike among themselves. Power 0 is plain average link, where a large and varied issue falls to pieces before two
small ones part; power 1 compares the sums, in which what single letters add cancels out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAN = 0.3
_TINY = 1e-9

Floats32 = NDArray[np.float32]


def closeness(average: Floats32, one: Floats32 | float, two: Floats32 | float) -> Floats32:
    """How near groups are whose members have this ``average`` similarity. ``one``, ``two``: their cohesions, 0..1,
    the average similarity of a group's members among themselves, each with itself included."""
    return np.asarray(average / np.maximum(np.multiply(one, two), _TINY) ** (LEAN / 2), np.float32)


class Linkage:
    """Groups on their way together. ``table``: average similarities, square, used up; ``size`` and ``cohesion`` of
    each group at the start."""

    def __init__(self, table: Floats32, size: Sequence[int], cohesion: Sequence[float]) -> None:
        count = len(table)
        self._table = table
        np.fill_diagonal(table, -1)
        self._size = np.array(size, np.float64)
        self._cohesion = np.array(cohesion, np.float32)
        self._alive = np.ones(count, bool)
        self._into = list(range(count))
        self._best = np.zeros(count, np.int64)
        self._near = np.full(count, -1, np.float32)  # where in doubt: no nearer than this
        self._doubt = np.zeros(count, bool)
        for number in range(count):
            self._look(number)

    def run(self, near: float) -> list[int]:
        """Join while two groups are at least so ``near``; for each group the first one it was joined with."""
        while len(self._near):
            one = int(self._near.argmax())
            if self._near[one] < near:
                break
            if self._doubt[one]:
                self._look(one)
            else:
                self._join(*sorted((one, int(self._best[one]))))
        return [self._root(number) for number in range(len(self._into))]

    def _closeness(self, number: int) -> Floats32:
        row = closeness(self._table[number], float(self._cohesion[number]), self._cohesion)
        row[~self._alive] = -1
        row[number] = -1
        return row

    def _look(self, number: int) -> Floats32:
        """Find the nearest of one group anew; what is answered is how near it is to each."""
        row = self._closeness(number)
        self._best[number] = row.argmax()
        self._near[number] = row[self._best[number]]
        self._doubt[number] = False
        return row

    def _join(self, keep: int, gone: int) -> None:
        size, other = self._size[keep], self._size[gone]
        both = size + other
        inner = size**2 * self._cohesion[keep] + other**2 * self._cohesion[gone]
        self._cohesion[keep] = (inner + 2 * size * other * self._table[keep, gone]) / both**2
        row = ((self._table[keep] * size + self._table[gone] * other) / both).astype(np.float32)
        self._table[keep] = self._table[:, keep] = row
        self._size[keep], self._alive[gone], self._into[gone] = both, False, keep
        self._near[gone] = -1
        self._settle(keep, gone)

    def _settle(self, keep: int, gone: int) -> None:
        """Who is nearest to whom after a join. Those that lost their nearest look again when their turn comes: in a
        burst of one thing everybody loses it at every join."""
        row = self._look(keep)
        near_one = (self._best == keep) | (self._best == gone)
        nearer = (row > self._near) | (near_one & (row == self._near) & ~self._doubt)
        nearer[keep] = False
        self._doubt |= near_one & ~nearer
        self._doubt[keep] = False
        self._best[nearer], self._near[nearer], self._doubt[nearer] = keep, row[nearer], False

    def _root(self, number: int) -> int:
        while self._into[number] != number:
            number = self._into[number]
        return number
