"""A small network beside the linear weights: characters two and three in a row, and words by what they mean.

It was taught by a large one (``nlp.training.teacher``), so it knows words the labelled texts do not hold. Here only
numpy is needed: what a filter makes of a character is worked out once per character, so a text costs look-ups and sums.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nlp import features
from nlp.features import Batch, Hashes, Ints

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
_ROOM = 2_000  # characters laid out at a time: what the filters make of them stays near the processor
_BLANK = 32
# Texts multiplied at a time: so few that the library of matrices stays on one core. With a thousand it wakes its
# threads, and the whole pass takes twice the processor time.
_TOGETHER = 24
FORMAT, FILE = 1, "network.npz"
_PARTS = ("letters", "letter_vectors", "letter_scale", "lean", "words", "word_vectors", "word_scale", "out", "bias")


@dataclass(frozen=True)
class Network:
    """The weights. ``letters`` and ``words``: sorted code points and hashes; of their vectors (int8, times the
    scale of their column) the first row stands for all others. ``filters``: one per width, (width x column) x filter;
    ``hidden``: what they make of filters and word columns together, columns x hidden, none in older files;
    ``out``: what hidden ones, filters and columns say of each label; ``strength``: what that counts beside the linear
    scores."""

    letters: NDArray[np.uint32]
    letter_vectors: NDArray[np.int8]
    letter_scale: Floats32
    filters: tuple[NDArray[np.float16], ...]
    lean: Floats32
    words: Hashes | NDArray[np.uint32]
    word_vectors: NDArray[np.int8]
    word_scale: Floats32
    out: Floats32
    bias: Floats32
    hidden: Floats32 | None = None
    hidden_bias: Floats32 | None = None
    strength: float = 1.0

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """How many characters each kind of filter looks at."""
        return tuple(len(one) // self.letter_vectors.shape[1] for one in self.filters)

    @cached_property
    def table(self) -> Floats32:
        """What every place of every filter makes of a character: row 0 for no character, row 1 for an unknown one."""
        vectors = self.letter_vectors.astype(np.float32) * self.letter_scale
        columns = vectors.shape[1]
        places = [
            one.astype(np.float32).reshape(width, columns, -1)
            for one, width in zip(self.filters, self.widths, strict=True)
        ]
        told = np.concatenate([place for one in places for place in one], axis=1)
        return np.concatenate([np.zeros((1, told.shape[1]), np.float32), vectors @ told])

    @cached_property
    def means(self) -> Floats32:
        """What each word means."""
        return np.asarray(self.word_vectors.astype(np.float32) * self.word_scale)

    def scores(self, batch: Batch) -> Floats:
        """What is added to the linear scores, texts x labels; a text's scores do not depend on its neighbours."""
        told = np.concatenate([self._strongest(batch), self._meant(batch)], axis=1)
        found = np.zeros((batch.size, len(self.bias)))
        for at in range(0, batch.size, _TOGETHER):
            found[at : at + _TOGETHER] = self._answers(told[at : at + _TOGETHER])
        return found * self.strength

    def _answers(self, told: Floats32) -> Floats32:
        if self.hidden is not None and self.hidden_bias is not None:
            told = np.concatenate([np.maximum(told @ self.hidden + self.hidden_bias, 0), told], axis=1)
        return np.asarray(told @ self.out + self.bias)

    def _strongest(self, batch: Batch) -> Floats32:
        """The strongest answer of each filter anywhere in a text."""
        spoken = batch.codes != _BLANK
        rows, doc = features.place(self.letters, batch.codes[spoken]) + 1, batch.doc[spoken]
        counts = np.bincount(doc, minlength=batch.size)
        found = np.zeros((batch.size, len(self.lean)), np.float32)
        ends = np.cumsum(counts)
        for low, high in _slices(ends):
            start = int(ends[low] - counts[low])
            found[low:high] = self._slid(rows[start : ends[high - 1]], counts[low:high])
        return np.asarray(np.maximum(found + self.lean, 0))

    def _slid(self, rows: Ints, counts: Ints) -> Floats32:
        """The filters slid over some texts, laid out in one row with gaps between them."""
        gap = max(self.widths) - 1
        begins = np.cumsum(counts) - counts + gap * np.arange(len(counts))
        laid = np.zeros(len(rows) + gap * (len(counts) + 1), np.int64)
        laid[np.arange(len(rows)) + gap * (np.repeat(np.arange(len(counts)), counts) + 1)] = rows
        told, size = self.table[laid], len(laid) - gap
        parts, column = [], 0
        for width, one in zip(self.widths, self.filters, strict=True):
            wide = one.shape[1]
            whole = told[:size, column : column + wide].copy()
            for place in range(1, width):
                at = column + place * wide
                whole += told[place : place + size, at : at + wide]
            column += width * wide
            parts.append(np.maximum.reduceat(whole, begins, axis=0))
        return np.asarray(np.maximum(np.concatenate(parts, axis=1), 0))

    def _meant(self, batch: Batch) -> Floats32:
        """The sum of what the known words mean, by the root of their number."""
        known = np.flatnonzero(batch.ends - batch.starts > 1)
        rows = features.find_words(self.words, batch.words[known])
        known, rows = known[rows > 0], rows[rows > 0]
        found = np.zeros((batch.size, self.means.shape[1]), np.float32)
        doc = batch.word_doc[known]
        if len(doc):
            begins = np.flatnonzero(np.diff(doc, prepend=-1))
            counts = np.diff(begins, append=len(doc))
            found[doc[begins]] = np.add.reduceat(self.means[rows], begins, axis=0) / np.sqrt(counts)[:, None]
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps of it."""
        kept = {f"net_{name}": getattr(self, name) for name in _PARTS}
        kept |= {f"net_filters_{number}": one for number, one in enumerate(self.filters)}
        if self.hidden is not None and self.hidden_bias is not None:
            kept |= {"net_hidden": self.hidden, "net_hidden_bias": self.hidden_bias}
        return {**kept, "net_strength": np.array([self.strength])}

    def save(self, target: IO[bytes], meta: Mapping[str, Any]) -> None:
        """Write an .npz of its own."""
        head = json.dumps({"format": FORMAT, "meta": meta}, ensure_ascii=False).encode()
        np.savez_compressed(target, allow_pickle=False, **self.arrays(), head=np.frombuffer(head, np.uint8))


def load(data: bytes) -> Network:
    """Read a file of a network alone; raises ValueError on a newer format or anything that needs pickle."""
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        head = json.loads(kept["head"].tobytes())
        found = stored(kept, set(kept.files))
        if head["format"] > FORMAT or found is None:
            raise ValueError(f"network format {head['format']} is newer than {FORMAT}, or there is no network")
        return found


def stored(arrays: Mapping[str, NDArray[Any]], names: set[str]) -> Network | None:
    """The network of a model file, or None where it has none."""
    if "net_strength" not in names:
        return None
    count = sum(name.startswith("net_filters_") for name in names)
    plain = {name: arrays[f"net_{name}"] for name in (*_PARTS, "hidden", "hidden_bias") if f"net_{name}" in names}
    filters = tuple(arrays[f"net_filters_{number}"] for number in range(count))
    return Network(filters=filters, strength=float(arrays["net_strength"][0]), **plain)


def _slices(ends: Ints) -> Iterator[tuple[int, int]]:
    """Neighbouring texts with about ``_ROOM`` characters together."""
    low, done = 0, 0
    while low < len(ends):
        high = max(low + 1, int(np.searchsorted(ends, done + _ROOM, side="right")))
        yield low, high
        low, done = high, int(ends[high - 1])
