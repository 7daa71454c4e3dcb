"""Jieba's words of up to four characters and how common they are, kept as sorted numbers.

A third of a million words: as Python strings they would cost every process that checks some forty megabytes more.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nlp.checking import kinds
from nlp.checking.words import lines

LONGEST = kinds.LONGEST
NO_WORD = -math.inf
# How often the dictionary's corpus must have seen a word for its characters to fill a hole, by its length.
SEEN = {2: 450, 3: 30, 4: 3}
_NUL = chr(0)  # its number would be that of the word without it
_BITS = 16  # of a character: words beyond the basic plane are left out
_LETTER = (1 << _BITS) - 1
_KNOWN = 500  # how often those of ``known.txt`` count as seen at least

Keys = NDArray[np.uint64]


class Vocabulary:
    """Word → logarithm of its share of all occurrences. ``total``: logarithm of the whole."""

    def __init__(self, counts: Iterable[tuple[str, int]]) -> None:
        """From (word of at most four characters, how often it was seen); of words given twice the last counts."""
        keys = {size: array("Q") for size in range(1, LONGEST + 1)}
        seen = {size: array("q") for size in keys}
        beyond = dict[str, int]()
        for word, count in counts:
            key = _key(word)
            if key is None:
                beyond[word] = count
            else:
                keys[len(word)].append(key)
                seen[len(word)].append(count)
        ordered = {size: _last_of_each(keys[size], seen[size]) for size in keys}
        self.total = math.log(sum(beyond.values()) + sum(int(times.sum()) for _keys, times in ordered.values()))
        self._keys: dict[int, array[int]] = {}
        self._chances: dict[int, array[float]] = {}
        for size, (sorted_keys, times) in ordered.items():
            self._keys[size] = array("Q", sorted_keys[times > 0].tobytes())
            self._chances[size] = array("d", (np.log(times[times > 0]) - self.total).tobytes())

    def chance(self, word: str, otherwise: float = NO_WORD) -> float:
        """How common the word is; ``otherwise`` where it is none."""
        key = _key(word)
        if key is None:
            return otherwise
        keys = self._keys[len(word)]
        at = bisect_left(keys, key)
        return self._chances[len(word)][at] if at < len(keys) and keys[at] == key else otherwise

    def __contains__(self, word: str) -> bool:
        """Whether it is a word."""
        return self.chance(word) != NO_WORD

    def chances(self, text: str) -> tuple[list[float], ...]:
        """For each length from one to four, how common the word is that begins at each character; NO_WORD for none."""
        points = _points(text)
        return tuple(self._chances_of(points, size).tolist() for size in self._keys)

    def _chances_of(self, points: Keys, size: int) -> NDArray[np.float64]:
        found = np.full(len(points), NO_WORD)
        if len(points) < size:
            return found
        asked = points[: len(points) - size + 1].copy()
        for at in range(1, size):
            asked <<= np.uint64(_BITS)
            asked |= points[at : len(points) - size + at + 1]
        keys = np.frombuffer(self._keys[size], np.uint64)
        rows = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        there = np.flatnonzero(keys[rows] == asked)
        found[there] = np.frombuffer(self._chances[size], np.float64)[rows[there]]
        return found

    def common(self, size: int, seen: int) -> Iterator[tuple[str, float]]:
        """(word of this length, how common it is) of those seen so often at least."""
        least = math.log(seen) - self.total
        for key, chance in zip(self._keys[size], self._chances[size], strict=True):
            if chance >= least:
                yield _word(key, size), chance


@cache
def dictionary() -> Vocabulary:
    """Jieba's word list and the office's words of ``known.txt``. Read once, half a second."""
    known = {word for line in lines("known.txt") for word in line.split()}
    seen_in_list = dict[str, int]()

    def counts() -> Iterator[tuple[str, int]]:
        for word, count, _kind in kinds.rows():
            if len(word) <= LONGEST:
                if word in known:
                    seen_in_list[word] = count
                yield word, count
        for word in known:
            yield word, max(seen_in_list.get(word, 0), _KNOWN)

    return Vocabulary(counts())


def filling(stands: str, place: int) -> str:
    """The characters that make a word seen often enough of ``stands`` (two to four characters of the basic plane) in
    place of the one at ``place``; "" for none."""
    keys = _holes()[len(stands), place]
    rest = 0
    for letter in stands[:place] + stands[place + 1 :]:
        rest = rest << _BITS | ord(letter)
    first = at = bisect_left(keys, rest << _BITS)
    while at < len(keys) and keys[at] >> _BITS == rest:
        at += 1
    return "".join([chr(key & _LETTER) for key in keys[first:at]]) if at > first else ""


@cache
def _holes() -> dict[tuple[int, int], array[int]]:
    """(length, place left open) → the common words as sorted numbers, the character at that place moved to the end."""
    found = {}
    for size, seen in SEEN.items():
        words = [word for word, _chance in dictionary().common(size, seen)]
        for place in range(size):
            moved = (_key(word[:place] + word[place + 1 :] + word[place]) for word in words)
            found[size, place] = array("Q", sorted(key for key in moved if key is not None))
    return found


def _key(word: str) -> int | None:
    """The number of a word; None for what can be none: empty, too long, or beyond the basic plane."""
    if not 0 < len(word) <= LONGEST or word[0] == _NUL:
        return None
    key = 0
    for letter in word:
        if (point := ord(letter)) >> _BITS:
            return None
        key = key << _BITS | point
    return key


def _word(key: int, size: int) -> str:
    return "".join(chr(key >> _BITS * at & _LETTER) for at in range(size - 1, -1, -1))


def _points(text: str) -> Keys:
    """One code point a character; 0 beyond the basic plane."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    return np.where(points >> np.uint64(_BITS), np.uint64(0), points)


def _last_of_each(keys: array[int], counts: array[int]) -> tuple[Keys, NDArray[np.int64]]:
    key = np.frombuffer(keys, np.uint64)[::-1]
    unique, first = np.unique(key, return_index=True)
    return unique, np.frombuffer(counts, np.int64)[::-1][first]
