"""Find any of many words in a text: by their first two characters, so that a text without them costs nearly nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nlp.clean import pairs

_FEW = 6  # heads that are looked for one by one


class Finder:
    """Looks for words of two characters or more; single characters are left out, they say too little."""

    def __init__(self, words: Iterable[str]) -> None:
        self._begins: dict[str, list[str]] = {}
        for word in sorted(set(words), key=lambda word: (-len(word), word)):
            if len(word) > 1:
                self._begins.setdefault(word[:2], []).append(word)
        self._heads = frozenset(self._begins)

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """(start, end, word) in reading order, the longest at each place, none inside another."""
        last = 0
        for start in _places(text, pairs(text) & self._heads):
            if start < last:
                continue
            for word in self._begins[text[start : start + 2]]:
                if text.startswith(word, start):
                    last = start + len(word)
                    yield start, last, word
                    break


def _places(text: str, heads: frozenset[str]) -> Iterable[int]:
    """Where any of ``heads`` (two characters each) stands, in reading order."""
    if len(heads) > _FEW:
        return (start for start, pair in enumerate(map(str.__add__, text, text[1:])) if pair in heads)
    found: list[int] = []
    for head in heads:
        at = text.find(head)
        while at >= 0:
            found.append(at)
            at = text.find(head, at + 1)
    found.sort()
    return found
