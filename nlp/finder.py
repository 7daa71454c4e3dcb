"""Find any of many words in a text: one pass of an Aho–Corasick automaton over it, however many words there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import ahocorasick_rs

_LONGEST = ahocorasick_rs.MatchKind.LeftmostLongest
_HALVES = re.compile("[\ud800-\udfff]")  # halves of characters: no automaton takes them


def matches(pattern: re.Pattern[str], heads: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """``pattern.finditer(text)`` where every match begins with a character of the class ``heads``: many times as fast
    where such characters are rare, because looking for one of a class is all but free."""
    done = 0
    for head in heads.finditer(text):
        if head.start() >= done and (found := pattern.match(text, head.start())):
            done = found.end()
            yield found


class Finder:
    """Looks for words of two characters or more; single characters are left out, they say too little."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted({word for word in words if len(word) > 1})
        self._automaton = ahocorasick_rs.AhoCorasick(self._words, matchkind=_LONGEST)

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, word) in reading order, the longest at each place, none inside another."""
        try:
            found = self._automaton.find_matches_as_indexes(text)
        except UnicodeEncodeError:
            found = self._automaton.find_matches_as_indexes(_HALVES.sub("\ufffd", text))
        words = self._words
        return [(start, end, words[number]) for number, start, end in found]
