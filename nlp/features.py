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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.clean import EMOTICON_FIRST, LINK
from nlp.segment import Segmenter

_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_WORD_SALT, _PAIR_SALT, _STYLE_SALT = (
    np.uint64(salt) for salt in (0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)
)
_HAN_FIRST, _HAN_LAST = 0x4E00, 0x9FD5
_STYLE_STEP = 64  # kinds of style marks have this many values at most

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
    in_title: NDArray[np.bool_]  # of each word
    prefix: Hashes
    words: Hashes  # one per word


@cache
def _powers(base: int, size: int) -> Hashes:
    values = np.full(size, np.uint64(base))
    values[0] = 1
    return np.multiply.accumulate(values)


def _power_table(base: int, size: int) -> Hashes:
    room = 1 << max(16, int(size).bit_length())
    return _powers(base, room)[:size]


def make_batch(texts: Sequence[str], segmenter: Segmenter, titles: Sequence[int] | None = None) -> Batch:
    """Cut and lay out texts already in their model form. ``titles``: how many leading characters are the title."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    joined = "".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    spoken = _spoken(codes)
    flat = _cut(np.where(spoken, codes, np.uint32(32)), lengths, segmenter)
    piece_ends = np.cumsum(np.fromiter(map(len, flat), np.int64, len(flat)))
    piece_starts = np.concatenate([np.zeros(min(1, len(flat)), np.int64), piece_ends[:-1]])
    kept = spoken[piece_starts]
    starts, ends = piece_starts[kept], piece_ends[kept]
    doc = np.repeat(np.arange(len(texts)), lengths)
    word_doc = doc[starts]
    title_ends = np.cumsum(lengths) - lengths + (0 if titles is None else np.asarray(titles))
    terms = (codes.astype(np.uint64) + np.uint64(1)) * _power_table(_BASE, len(codes))
    prefix = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    pieces = [flat[number] for number in np.flatnonzero(kept).tolist()]
    words = _span_hash(prefix, starts, ends) ^ _WORD_SALT
    return Batch(len(texts), codes, doc, pieces, starts, ends, word_doc, starts < title_ends[word_doc], prefix, words)


def _spoken(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which characters may stand in a word: Han, letters, digits, emoticons."""
    low = codes | np.uint32(32)  # lower case
    latin = ((low >= 97) & (low <= 122)) | ((codes >= 48) & (codes <= 57))
    return latin | ((codes >= _HAN_FIRST) & (codes <= _HAN_LAST)) | (codes >= EMOTICON_FIRST)


def _cut(codes: NDArray[np.uint32], lengths: Ints, segmenter: Segmenter) -> list[str]:
    joined = codes.tobytes().decode("utf-32-le", "surrogatepass")
    flat: list[str] = []
    at = 0
    for length in lengths.tolist():
        flat += segmenter.cut(joined[at : at + length])
        at += length
    return flat


def word_hashes(batch: Batch) -> Hashes:
    """One 64-bit hash per word."""
    return batch.words


def find_words(known: NDArray[Any], words: Hashes) -> Ints:
    """One more than where each word stands among ``known`` (sorted hashes), 0 where it does not.

    Files up to format 3 keep 32 bits of a hash, in which the first character of a word leaves no trace."""
    return place(known, (words >> np.uint64(32)).astype(np.uint32) if known.dtype == np.uint32 else words)


def place(known: NDArray[Any], wanted: NDArray[Any]) -> Ints:
    """One more than where each stands in the sorted row, 0 where it does not."""
    if not len(known):
        return np.zeros(len(wanted), np.int64)
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[at] == wanted, at + 1, 0)


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
    solid = batch.codes != 32
    for offset in range(length):
        whole &= solid[offset : offset + count]
    starts = np.flatnonzero(whole)
    return _span_hash(batch.prefix, starts, starts + length), starts


def style_hashes(batch: Batch) -> tuple[Hashes, Ints]:
    """How a text is written rather than what it says: length, digits, links, tags, quotations, emoticons, marks."""
    codes = batch.codes
    lengths = np.bincount(batch.doc, minlength=batch.size)
    digits = _share(batch, (codes >= 48) & (codes <= 57))
    sentences = _share(batch, (codes == ord(",")) | (codes == ord("。")))
    kinds = [
        np.minimum(np.log2(lengths + 1).astype(np.int64), 9),
        np.minimum(digits * 40 // np.maximum(lengths, 1), 5),
        np.minimum(_share(batch, codes == LINK), 1),
        np.minimum(_share(batch, codes == ord("【")), 1),
        np.minimum(_share(batch, codes == ord("#")) // 2, 4),
        np.minimum(_share(batch, codes == ord("@")), 4),
        np.minimum(_share(batch, (codes >= EMOTICON_FIRST) & (codes != LINK)), 4),
        np.minimum(_share(batch, codes == ord("!")), 4),
        np.minimum(sentences, 8) // 2,
        np.minimum(_share(batch, codes == ord("我")), 1),
    ]
    marks = np.stack([kind + number * _STYLE_STEP for number, kind in enumerate(kinds)], axis=1).ravel()
    return _mix(marks.astype(np.uint64) ^ _STYLE_SALT), np.repeat(np.arange(batch.size), len(kinds))


def _share(batch: Batch, which: NDArray[np.bool_]) -> Ints:
    """How many of the characters chosen stand in each text."""
    return np.bincount(batch.doc[which], minlength=batch.size)


def bucket(hashes: Hashes, bits: int) -> Ints:
    """Hashes to 2**bits buckets; with fewer bits the same bucket, shifted right."""
    return (_mix(hashes) >> np.uint64(64 - bits)).astype(np.int64)


def _span_hash(prefix: Hashes, starts: Ints, ends: Ints) -> Hashes:
    inverse = _power_table(_INVERSE, len(prefix))
    return np.asarray((prefix[ends] - prefix[starts]) * inverse[starts])


def _mix(value: Hashes) -> Hashes:
    value = (value ^ (value >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    value = (value ^ (value >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(value ^ (value >> np.uint64(32)))


class Parted:
    """A stand-in for a segmenter where words are already parted by blanks."""

    name = "parted"

    def cut(self, text: str) -> list[str]:
        """Words and the blanks between them."""
        return [piece for piece in re.split(r"( )", text) if piece]

    def knows(self, word: str) -> bool:
        """Every word, since somebody has parted them."""
        return bool(word)
