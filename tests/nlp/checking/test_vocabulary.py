"""The packed word list says what jieba's own list says, and finds what fills a hole as a search through all would."""

from __future__ import annotations

import math
import random
from functools import cache

import pytest

from nlp.checking import kinds
from nlp.checking.vocabulary import LONGEST, NO_WORD, SEEN, Vocabulary, dictionary, filling
from nlp.checking.words import lines


@cache
def counted() -> dict[str, int]:
    """What the list says, read plainly."""
    counts = {word: count for word, count, _kind in kinds.rows() if len(word) <= LONGEST}
    for line in lines("known.txt"):
        for word in line.split():
            counts[word] = max(counts.get(word, 0), 500)
    return counts


@cache
def some() -> list[str]:
    return random.Random(4).sample(sorted(counted()), 3000)


def test_every_word_is_as_common_as_the_list_says() -> None:
    total = math.log(sum(counted().values()))
    words = dictionary()
    assert words.total == pytest.approx(total)
    for word in some():
        expected = math.log(counted()[word]) - total if counted()[word] else NO_WORD
        assert words.chance(word) == pytest.approx(expected), word


def test_what_is_no_word_is_none() -> None:
    words = dictionary()
    for stands in ("", "恐怖\U00020000", "\0中", "\0\0", "经济发展部", "鱻鱻", "\ud800"):
        assert stands not in words
        assert words.chance(stands, -7.0) == -7.0


def test_a_text_is_looked_up_at_once_as_piece_by_piece() -> None:
    words = dictionary()
    for text in ("", "市", "关于印发全市“放管服”改革方案的通知，A股\0中国\U00020000人民\ud800", "".join(some()[:300])):
        for size, chances in enumerate(words.chances(text), 1):
            assert len(chances) == len(text)
            for at, chance in enumerate(chances):
                piece = text[at : at + size]
                if "\0" not in piece and len(piece) == size:
                    assert chance == words.chance(piece), piece


def test_a_word_given_twice_counts_once_and_what_was_never_seen_does_not() -> None:
    words = Vocabulary([("中国", 1), ("人", 5), ("中国", 15), ("国人", 0), ("\U00020000", 80)])
    assert words.total == pytest.approx(math.log(100))
    assert words.chance("中国") == pytest.approx(math.log(0.15))
    assert "国人" not in words
    assert list(words.common(2, 10)) == [("中国", pytest.approx(math.log(0.15)))]


def test_a_hole_is_filled_as_by_a_search_through_all_words() -> None:
    every = [(word, count) for word, count in counted().items() if len(word) >= 2 and count >= SEEN[len(word)]]
    rests: dict[tuple[int, int, str], set[str]] = {}
    for word, _count in every:
        for at, letter in enumerate(word):
            rests.setdefault((len(word), at, word[:at] + word[at + 1 :]), set()).add(letter)
    for word in some():
        for at in range(len(word) if len(word) > 1 else 0):
            found = filling(word[:at] + "口" + word[at + 1 :], at)
            assert set(found) == rests.get((len(word), at, word[:at] + word[at + 1 :]), set()), word
            assert len(found) == len(set(found))
