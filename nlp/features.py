"""From texts to hashed features, a whole batch at once with numpy.

Words and character runs are hashed by one prefix sum: with S[i] = sum of c[j] * B**j (mod 2**64), the run [a, b)
has the value (S[b] - S[a]) * B**-a, which depends on its characters only. So equal runs have equal hashes in any
batch, and no Python loop runs over n-grams.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nlp.segment import Segmenter, prepared

BITS = 18
BUCKETS = 1 << BITS
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_WORD_SALT, _PAIR_SALT = np.uint64(0xD6E8FEB86659FD93), np.uint64(0xA0761D6478BD642F)

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Many texts as one row of code points, with the words found in it. Blanks belong to no word and no run."""

    size: int
    codes: NDArray[np.uint32]
    doc: Ints  # document of each character
    pieces: list[str]  # words only
    starts: Ints  # of each word, in characters
    ends: Ints
    word_doc: Ints
    prefix: Hashes


@cache
def _powers(base: int, size: int) -> Hashes:
    values = np.full(size, np.uint64(base))
    values[0] = 1
    return np.multiply.accumulate(values)


def _power_table(base: int, size: int) -> Hashes:
    room = 1 << max(16, int(size).bit_length())
    return _powers(base, room)[:size]


def make_batch(texts: Sequence[str], segmenter: Segmenter) -> Batch:
    """Cut and lay out texts already in their model form."""
    pieces = [segmenter.cut(prepared(text)) for text in texts]
    joined = "".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    doc = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    flat = [piece for row in pieces for piece in row]
    lengths = np.fromiter(map(len, flat), np.int64, len(flat))
    ends = np.cumsum(lengths)
    kept = np.fromiter((piece != "" and not piece.isspace() for piece in flat), bool, len(flat))
    starts = (ends - lengths)[kept]
    terms = (codes.astype(np.uint64) + np.uint64(1)) * _power_table(_BASE, len(codes))
    prefix = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    words = [piece for piece, keep in zip(flat, kept, strict=True) if keep]
    return Batch(len(texts), codes, doc, words, starts, ends[kept], doc[starts], prefix)


def word_hashes(batch: Batch) -> Hashes:
    """One 64-bit hash per word."""
    return _span_hash(batch, batch.starts, batch.ends) ^ _WORD_SALT


def pair_hashes(batch: Batch, words: Hashes) -> tuple[Hashes, Ints]:
    """A hash per pair of neighbouring words in one text, and its document."""
    same = batch.word_doc[1:] == batch.word_doc[:-1]
    mixed = (_mix(words[:-1]) * np.uint64(31)) ^ words[1:] ^ _PAIR_SALT
    return mixed[same], batch.word_doc[1:][same]


def run_hashes(batch: Batch, length: int) -> tuple[Hashes, Ints]:
    """A hash per run of ``length`` characters inside one text and without a blank, and where it starts."""
    count = len(batch.codes) - length + 1
    if count <= 0:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    whole = batch.doc[:count] == batch.doc[length - 1 :]
    blank = batch.codes == 32
    for offset in range(length):
        whole &= ~blank[offset : offset + count]
    starts = np.flatnonzero(whole)
    return _span_hash(batch, starts, starts + length), starts


def bucket(hashes: Hashes, bits: int = BITS) -> Ints:
    """Hashes to buckets."""
    return (_mix(hashes) >> np.uint64(64 - bits)).astype(np.int64)


def _span_hash(batch: Batch, starts: Ints, ends: Ints) -> Hashes:
    inverse = _power_table(_INVERSE, len(batch.codes) + 1)
    return (batch.prefix[ends] - batch.prefix[starts]) * inverse[starts]


def _mix(value: Hashes) -> Hashes:
    value = (value ^ (value >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    value = (value ^ (value >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return value ^ (value >> np.uint64(32))


class Parted:
    """A stand-in for a segmenter where words are already parted by blanks."""

    name = "parted"

    def cut(self, text: str) -> list[str]:
        """Words and the blanks between them."""
        return re.split(r"( )", text) if text else []
