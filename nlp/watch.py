"""Many monitoring rules against many texts: one Aho–Corasick automaton over all their words, compiled once. Pure.

A rule is looked at only for texts that hold one of its anchors (words without which it cannot hit).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ahocorasick_rs

from nlp.base import Text
from nlp.clean import clean
from nlp.plans import Rule, anchors, every_word, form, holds, stands_free, words_of

MATCHED_CHARACTERS = 20_000  # no further: a citizen's longest letter is about 10,000 characters


def compared(text: Text) -> str:
    """Title and body in the form words are compared in; a word never reaches from one into the other."""
    whole = f"{text.title[:MATCHED_CHARACTERS]}\n{text.body}" if text.title else text.body
    return form(whole[: 2 * MATCHED_CHARACTERS])[:MATCHED_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Hit:
    """Rule ``key`` hits; ``words``: those asked for that stand in the text, as the office wrote them, in its order."""

    key: int
    words: tuple[str, ...]


class Matcher:
    """Rules by key, compiled. Immutable and safe to share between threads."""

    def __init__(self, rules: Mapping[int, Rule]) -> None:
        self._rules = dict(rules)
        forms = dict.fromkeys(word.form for rule in rules.values() for word in every_word(rule))
        self._forms = list(forms)
        number = {text: index for index, text in enumerate(self._forms)}
        # Only such words need a look at what stands beside them.
        self._latin = [any(one.isascii() and one.isalnum() for one in (t[0], t[-1])) for t in self._forms]
        self._anchored: dict[int, list[int]] = defaultdict(list)
        for key, rule in self._rules.items():
            for anchor in anchors(rule) or ():
                self._anchored[number[anchor]].append(key)
        self._automaton = ahocorasick_rs.AhoCorasick(self._forms) if self._forms else None

    def __len__(self) -> int:
        return len(self._rules)

    def match(self, text: Text) -> list[Hit]:
        """Every rule that hits the text, in the order the rules were given."""
        return self.match_form(compared(text)) if self._automaton is not None else []

    def match_all(self, texts: Iterable[Text]) -> list[list[Hit]]:
        """The same for many texts."""
        return [self.match(text) for text in texts]

    def match_form(self, text: str) -> list[Hit]:
        """The same for a text already in the form words are compared in."""
        found = self._found(text)
        keys = {key for index in found for key in self._anchored.get(index, ())}
        if not keys:
            return []
        stands = {self._forms[index] for index in found}.__contains__
        return [self._hit(key, stands) for key in self._in_order(keys) if holds(self._rules[key], stands)]

    def _in_order(self, keys: set[int]) -> Sequence[int]:
        return [key for key in self._rules if key in keys] if len(keys) > 1 else list(keys)

    def _found(self, text: str) -> set[int]:
        """Numbers of the words that stand in the text."""
        if self._automaton is None:
            return set()
        found: set[int] = set()
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if index not in found and (not self._latin[index] or stands_free(text, start, end)):
                found.add(index)
        return found

    def _hit(self, key: int, stands: object) -> Hit:
        assert callable(stands)
        asked = {word.form: word.text for word in words_of(self._rules[key]) if stands(word.form)}
        return Hit(key, tuple(asked.values()))


def spans(shown: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words stand in ``shown`` (any text, as people see it), not overlapping, in order: for highlighting."""
    cleaned = clean(shown)
    lower = cleaned.text.lower()
    if len(lower) != len(cleaned.text):  # a few letters grow when made small; no highlight is better than a wrong one
        return []
    squeezed, origin = _squeezed(lower)
    found: list[tuple[int, int]] = []
    for wanted in sorted({form(word).replace("\n", " ").strip() for word in words} - {""}, key=len, reverse=True):
        found += [cleaned.span(origin[a], origin[b - 1] + 1) for a, b in _places(squeezed, wanted)]
    return _apart(found)


def _squeezed(text: str) -> tuple[str, list[int]]:
    """As :func:`nlp.plans.form` leaves blanks out, with where each character stood."""
    kept: list[str] = []
    origin: list[int] = []
    blank_at = -1
    for index, character in enumerate(text):
        if character.isspace() and character != "\n":
            blank_at = index if blank_at < 0 else blank_at
            continue
        if blank_at >= 0 and kept and kept[-1].isascii() and character.isascii():
            kept.append(" ")
            origin.append(blank_at)
        blank_at = -1
        kept.append(character)
        origin.append(index)
    return "".join(kept), origin


def _places(text: str, wanted: str) -> Iterable[tuple[int, int]]:
    at = text.find(wanted)
    while at >= 0:
        if stands_free(text, at, at + len(wanted)):
            yield at, at + len(wanted)
        at = text.find(wanted, at + 1)


def _apart(found: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping spans joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


__all__ = ["MATCHED_CHARACTERS", "Hit", "Matcher", "compared", "spans"]
