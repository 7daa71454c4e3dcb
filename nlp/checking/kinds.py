"""Jieba's word list, and what kinds of words it tells: idioms, verbs, nouns, those there by more than chance."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

LONGEST = 4
BY_CHANCE = 10  # what its corpus has more rarely is mostly forms the list was filled up with (行行, 始终不易)
COMMON = 450
ACTS = frozenset({"v", "vn", "n"})


def idioms() -> tuple[str, ...]:
    """Idioms of four characters."""
    return _read()[0]


def of_kind(*kinds: str) -> frozenset[str]:
    """The common words of two characters that are v (verbs), vn (verbs and nouns), n (nouns)."""
    return frozenset(word for word, kind in _read()[1].items() if kind in kinds)


def is_doubled(letter: str) -> bool:
    """Whether it is said twice as one word: 常常, 人人."""
    return letter in _read()[2]


@cache
def _read() -> tuple[tuple[str, ...], dict[str, str], frozenset[str]]:
    """(idioms, common words of two → kind, characters said twice)."""
    phrases, acts, doubled = [], dict[str, str](), []
    for word, count, kind in rows():
        if count < BY_CHANCE:
            continue
        if len(word) == LONGEST and kind == "i":
            phrases.append(word)
        elif len(word) == 2 and word[0] == word[1]:
            doubled.append(word[0])
        elif len(word) == 2 and kind in ACTS and count >= COMMON:
            acts[word] = kind
    return tuple(phrases), acts, frozenset(doubled)


def rows() -> Iterator[tuple[str, int, str]]:
    """(word, how often its corpus has it, kind) of every word; half a second."""
    spec = find_spec("jieba")
    assert spec is not None
    assert spec.origin is not None
    with (Path(spec.origin).parent / "dict.txt").open(encoding="utf-8") as lines:
        for row in lines:
            word, count, kind = row.rstrip().split(" ")
            yield word, int(count), kind
