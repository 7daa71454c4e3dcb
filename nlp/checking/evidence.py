"""How often runs of two to four characters stand in official prose: a hashed table of bytes, looked up by numpy."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
FIRST, LAST = 0x4E00, 0x9FFF
BASE = LAST - FIRST + 2  # 0 is everything that is no Chinese character
BITS = 21
LEVELS = np.array([0, 1, 2, 3.5, 7, 16, 50, 200], np.float32)  # what the eight counts kept stand for
_EDGES = (2, 3, 5, 10, 24, 90)  # counts from which the next level is kept
_MARK_BITS = 5
_MIX = np.uint64(0x9E3779B97F4A7C15)

Ints = NDArray[np.int64]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Evidence:
    """``table``: per slot three bits of count and five by which a run is known again, so that one unseen run in fifty
    seems seen. ``singles``: occurrences of each character. ``weights``: of the judgement built on it. ``meta``:
    provenance and figures."""

    table: NDArray[np.uint8]
    singles: Floats32
    weights: Floats32
    meta: dict[str, Any] = field(default_factory=dict)

    def counts(self, keys: Ints, length: int) -> Floats32:
        """About how often each run was seen; ``keys`` of :func:`keys`, of any shape."""
        if length == 1:
            return self.singles[keys]
        first, second, mark = _slots(keys, length)
        one, other = self.table[first], self.table[second]
        level = np.where((one & 31) == mark, one >> _MARK_BITS, 0)
        return LEVELS[np.maximum(level, np.where((other & 31) == mark, other >> _MARK_BITS, 0))]

    def save(self, out: IO[bytes]) -> None:
        """As .npz without pickle."""
        head = np.frombuffer(json.dumps({"format": FORMAT, "meta": self.meta}, ensure_ascii=False).encode(), np.uint8)
        singles = np.rint(np.log1p(self.singles) * 16).astype(np.uint8)
        np.savez_compressed(out, allow_pickle=False, head=head, table=self.table, singles=singles, weights=self.weights)


def read(data: bytes) -> Evidence:
    """From the bytes of a file that :meth:`Evidence.save` wrote; ValueError for a newer format."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        head = json.loads(stored["head"].tobytes())
        if head["format"] > FORMAT:
            raise ValueError(f"evidence format {head['format']} is newer than {FORMAT}")
        singles = np.expm1(stored["singles"].astype(np.float32) / 16)
        return Evidence(stored["table"], singles, stored["weights"], head["meta"])


@cache
def shipped() -> Evidence | None:
    """The table that comes with the program; None where it was taken away: the rule on context then finds nothing."""
    path = files("nlp").joinpath("models", "context.npz")
    return read(path.read_bytes()) if path.is_file() else None


def is_seen(text: str) -> bool:
    """Whether three or four characters stand so in the table; False for other lengths and without a table."""
    told = shipped()
    if told is None or len(text) not in (3, 4):
        return False
    return bool(told.counts(keys(ids(text), len(text)), len(text))[0])


def ids(text: str) -> Ints:
    """One number a character; 0 for what is no Chinese character."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
    return np.where((points >= FIRST) & (points <= LAST), points - FIRST + 1, 0)


def keys(letters: Ints, length: int) -> Ints:
    """Key of every run of ``length`` along the last axis."""
    size = letters.shape[-1] - length + 1
    key = letters[..., :size].copy()
    for step in range(1, length):
        key = key * BASE + letters[..., step : size + step]
    return key


def fill(keys_of: dict[int, Ints], counts: dict[int, NDArray[np.float64]]) -> NDArray[np.uint8]:
    """The table of these runs, by length; the most frequent are placed first, what finds no free slot is left out."""
    table = np.zeros(1 << BITS, np.uint8)
    key = np.concatenate([keys_of[length] for length in keys_of])
    length_of = np.concatenate([np.full(len(keys_of[length]), length) for length in keys_of])
    count = np.concatenate([counts[length] for length in keys_of])
    level = (np.digitize(count, _EDGES) + 1).astype(np.uint8)
    for wanted in range(len(LEVELS) - 1, 0, -1):
        for length in keys_of:
            chosen = key[(level == wanted) & (length_of == length)]
            _place(table, chosen, length, wanted)
    return table


def _place(table: NDArray[np.uint8], chosen: Ints, length: int, level: int) -> None:
    first, second, mark = _slots(chosen, length)
    byte = (level << _MARK_BITS | mark).astype(np.uint8)
    left = np.ones(len(chosen), bool)
    for slots in (first, second):
        free = left & (table[slots] == 0)
        table[slots[free]] = byte[free]
        left &= table[slots] != byte


def _slots(key: Ints, length: int) -> tuple[Ints, Ints, Ints]:
    """(first slot, second slot, mark) of runs."""
    mixed = (key.astype(np.uint64) * np.uint64(8) + np.uint64(length)) * _MIX
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MIX
    first = (mixed >> np.uint64(64 - BITS)).astype(np.int64)
    second = ((mixed >> np.uint64(20)) & np.uint64((1 << BITS) - 1)).astype(np.int64)
    return first, second, (mixed & np.uint64(31)).astype(np.int64)
