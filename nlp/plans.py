"""Monitoring rules as people write them: words joined by + | ! ( ), what they mean, and why one cannot be read. Pure.

``+`` and, ``|`` or, ``!`` not, ``( )`` groups; ``+`` binds closer than ``|``. Full-width signs count the same. A word
with signs of its own stands in quotation marks: "C++". A rule must ask for at least one word: a rule that only leaves
out would hit nearly everything. Words are compared in the form of :func:`form`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from nlp.clean import clean

MOST_CHARACTERS, MOST_WORDS, LONGEST_WORD, DEEPEST = 4000, 400, 40, 20
_SIGNS = {"+": "+", "＋": "+", "|": "|", "｜": "|", "!": "!", "！": "!", "(": "(", "（": "(", ")": ")", "）": ")"}
_QUOTES = {'"': '"', "“": "”", "”": "”", "「": "」", "『": "』", "＂": "＂"}
# Marks that may stand inside a word; everything else but letters, digits and Han is refused by name.
_INSIDE = frozenset("-_.·#@%&/:℃°'’")
_GAPS = re.compile(r"(?<=[^\x00-\x7f])[^\S\n]+|(?<![^\S\n])[^\S\n]+(?=[^\x00-\x7f])")  # a run is tried once
_BLANKS = re.compile(r"[^\S\n]+")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class Trouble(StrEnum):
    """Why a rule cannot be read. ``sign`` of the error: the sign or word it is about."""

    empty = "empty"
    too_long = "too_long"
    too_many_words = "too_many_words"
    too_deep = "too_deep"
    long_word = "long_word"
    strange_sign = "strange_sign"
    list_mark = "list_mark"
    minus = "minus"
    two_words = "two_words"
    word_expected = "word_expected"
    sign_expected = "sign_expected"
    not_alone = "not_alone"
    unclosed = "unclosed"
    unopened = "unopened"
    open_quote = "open_quote"
    no_word = "no_word"


class BadRule(ValueError):
    """A rule that cannot be read. ``start``, ``end``: where, in characters of the text as it was typed."""

    def __init__(self, trouble: Trouble, start: int, end: int, sign: str = "") -> None:
        super().__init__(f"{trouble.value} at {start}")
        self.trouble, self.start, self.end, self.sign = trouble, start, end, sign

    def place(self, text: str) -> tuple[int, int]:
        """Line and column in ``text``, both from 1."""
        before = text[: self.start]
        return before.count("\n") + 1, self.start - (before.rfind("\n") + 1) + 1


@dataclass(frozen=True, slots=True)
class Word:
    """``text`` as typed, ``form`` as compared."""

    text: str
    form: str


@dataclass(frozen=True, slots=True)
class Not:
    """The part must not hold."""

    part: Rule


@dataclass(frozen=True, slots=True)
class All:
    """Every part must hold."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part must hold."""

    parts: tuple[Rule, ...]


Rule = Word | Not | All | Some


def form(text: str) -> str:
    """How texts and words are compared: simplified, half width, lower case; blanks beside Chinese characters count as
    nothing, other blanks as one; line ends part."""
    folded = clean(text).text.lower()
    if " " in folded or "\t" in folded:
        folded = _BLANKS.sub(" ", _GAPS.sub("", folded))
    return folded


def word(text: str) -> Word:
    """A word as it will be compared; BadRule when nothing of it is left or it is too long."""
    found = form(text).replace("\n", " ").strip()
    if not found or not any(character.isalnum() for character in found):
        raise BadRule(Trouble.no_word, 0, len(text), text)
    if len(found) > LONGEST_WORD:
        raise BadRule(Trouble.long_word, 0, len(text), text)
    return Word(" ".join(text.split()), found)


def parse(text: str) -> Rule:
    """What a rule means. Raises :class:`BadRule` pointing into ``text``."""
    if len(text) > MOST_CHARACTERS:
        raise BadRule(Trouble.too_long, MOST_CHARACTERS, len(text))
    reader = _Reader(text, list(_tokens(text)))
    if not reader.tokens:
        raise BadRule(Trouble.empty, 0, 0)
    return reader.rule()


def from_classes(classes: Sequence[Sequence[str]]) -> Rule | None:
    """Word classes of the simple mode: any word of a class, but of every class that has words; None when all are
    empty."""
    groups = [_any_of(words) for words in classes if words]
    if not groups:
        return None
    return groups[0] if len(groups) == 1 else All(tuple(groups))


def without(rule: Rule, stop: Rule | None) -> Rule:
    """The rule, but not where ``stop`` holds."""
    if stop is None:
        return rule
    parts = rule.parts if isinstance(rule, All) else (rule,)
    return All((*parts, Not(stop)))


def _any_of(words: Sequence[str]) -> Rule:
    parts = tuple({found.form: found for found in map(word, words)}.values())
    return parts[0] if len(parts) == 1 else Some(parts)


def words_of(rule: Rule) -> Iterator[Word]:
    """All words that are asked for, in order; those left out are not among them."""
    if isinstance(rule, Word):
        yield rule
    elif not isinstance(rule, Not):
        for part in rule.parts:
            yield from words_of(part)


def every_word(rule: Rule) -> Iterator[Word]:
    """All words, also those left out."""
    if isinstance(rule, Word):
        yield rule
    elif isinstance(rule, Not):
        yield from every_word(rule.part)
    else:
        for part in rule.parts:
            yield from every_word(part)


def anchors(rule: Rule) -> frozenset[str] | None:
    """Forms of which at least one stands in every text the rule hits; the fewest that say so. None: there are none."""
    if isinstance(rule, Word):
        return frozenset({rule.form})
    if isinstance(rule, Not):
        return None
    found = [anchors(part) for part in rule.parts]
    if isinstance(rule, Some):
        return None if None in found else frozenset().union(*(one for one in found if one is not None))
    given = [one for one in found if one is not None]
    return min(given, key=len) if given else None


def holds(rule: Rule, found: Callable[[str], bool]) -> bool:
    """Whether the rule hits a text in which ``found(form)`` says what stands."""
    if isinstance(rule, Word):
        return found(rule.form)
    if isinstance(rule, Not):
        return not holds(rule.part, found)
    if isinstance(rule, All):
        return all(holds(part, found) for part in rule.parts)
    return any(holds(part, found) for part in rule.parts)


def written(rule: Rule) -> str:
    """The rule in signs, as :func:`parse` reads it back."""
    if isinstance(rule, Word):
        plain = all(_may_stand_in_word(one) for one in rule.text) and rule.text[0] not in "-－"
        return rule.text if plain else f'"{rule.text.replace(chr(34), "”")}"'
    if isinstance(rule, Not):
        return "!" + _grouped(rule.part, (Some, All))
    inner = (Some,) if isinstance(rule, All) else ()
    return ("+" if isinstance(rule, All) else "|").join(_grouped(part, inner) for part in rule.parts)


def _grouped(rule: Rule, kinds: tuple[type, ...]) -> str:
    return f"({written(rule)})" if isinstance(rule, kinds) else written(rule)


def stands_free(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` is a word of its own where it begins or ends with a Latin letter or a digit."""
    cut_before = start > 0 and text[start] in _LATIN and text[start - 1] in _LATIN
    cut_after = end < len(text) and text[end - 1] in _LATIN and text[end] in _LATIN
    return not cut_before and not cut_after


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "word" or one of + | ! ( )
    start: int
    end: int
    word: Word | None = None


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        character = text[at]
        if character.isspace() or unicodedata.category(character) in ("Cf", "Cc"):
            at += 1
        elif character in _SIGNS:
            yield _Token(_SIGNS[character], at, at + 1)
            at += 1
        elif character in _QUOTES:
            end = _closing(text, at)
            yield _Token("word", at, end, _word_at(text[at + 1 : end - 1], at, end))
            at = end
        else:
            end = _end_of_word(text, at)
            yield _Token("word", at, end, _word_at(text[at:end], at, end))
            at = end


def _closing(text: str, at: int) -> int:
    closing = _QUOTES[text[at]]
    ends = [found for mark in {closing, text[at]} if (found := text.find(mark, at + 1)) >= 0]
    if not ends:
        raise BadRule(Trouble.open_quote, at, at + 1, text[at])
    return min(ends) + 1


def _end_of_word(text: str, at: int) -> int:
    start = at
    while at < len(text) and text[at] not in _SIGNS and text[at] not in _QUOTES:
        character = text[at]
        if character.isspace():
            if not _joins(text, at):
                break
        elif not _may_stand_in_word(character):
            raise _strange(character, at)
        elif at == start and character in "-－":
            raise BadRule(Trouble.minus, at, at + 1, character)
        at += 1
    return at


def _joins(text: str, at: int) -> bool:
    """Whether a blank is inside a word of Latin letters: New York."""
    after = text[at:].lstrip(" ")[:1]
    return text[at] == " " and text[at - 1].isascii() and text[at - 1].isalnum() and after.isascii() and after.isalnum()


def _may_stand_in_word(character: str) -> bool:
    folded = unicodedata.normalize("NFKC", character)
    return all(one.isalnum() or one in _INSIDE for one in folded) or unicodedata.category(character)[0] in "MC"


def _strange(character: str, at: int) -> BadRule:
    kind = Trouble.list_mark if character in "、，,；;" else Trouble.strange_sign
    return BadRule(kind, at, at + 1, character)


def _word_at(text: str, start: int, end: int) -> Word:
    try:
        return word(text)
    except BadRule as bad:
        raise BadRule(bad.trouble, start, end, bad.sign) from None


@dataclass
class _Reader:
    """Recursive descent over the tokens; every error knows where it is."""

    text: str
    tokens: list[_Token]
    at: int = 0
    opened: list[_Token] = field(default_factory=list)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)  # by id of every part read, all of them alive
    words: int = 0

    def rule(self) -> Rule:
        """Everything, to the end."""
        found = self._some()
        if (left := self._next()) is not None:
            if left.kind == ")":
                raise BadRule(Trouble.unopened, left.start, left.end, ")")
            self._refuse_neighbour(left)
        if anchors(found) is None:
            raise BadRule(Trouble.not_alone, *self._without_word(found))
        return found

    def _without_word(self, rule: Rule) -> tuple[int, int]:
        """Where the alternative stands that asks for no word; the whole where all parts together ask for none."""
        while isinstance(rule, Some):
            rule = next(part for part in rule.parts if anchors(part) is None)
        return self.spans[id(rule)]

    def _next(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _some(self) -> Rule:
        parts = [self._all()]
        while (token := self._next()) is not None and token.kind == "|":
            self.at += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _all(self) -> Rule:
        first = self._next()
        parts = [self._one()]
        while (token := self._next()) is not None and token.kind == "+":
            self.at += 1
            parts.append(self._one())
        if (token := self._next()) is not None and token.kind not in ("|", ")"):
            self._refuse_neighbour(token)
        found = parts[0] if len(parts) == 1 else All(tuple(parts))
        assert first is not None
        self.spans[id(found)] = first.start, self.tokens[self.at - 1].end
        return found

    def _refuse_neighbour(self, token: _Token) -> None:
        """Something follows a finished part without a sign between."""
        kind = Trouble.two_words if token.kind == "word" else Trouble.sign_expected
        raise BadRule(kind, token.start, token.end, self.text[token.start : token.end])

    def _one(self) -> Rule:
        token = self._next()
        if token is None:
            raise self._missing()
        self.at += 1
        if token.kind == "word":
            return self._counted(token)
        if token.kind == "!":
            return Not(self._negated(token))
        if token.kind == "(":
            return self._group(token)
        raise BadRule(Trouble.word_expected, token.start, token.end, self.text[token.start : token.end])

    def _missing(self) -> BadRule:
        """The rule ends where a word should stand."""
        last = self.tokens[-1]
        sign = self.text[last.start : last.end]
        return BadRule(Trouble.unclosed if last.kind == "(" else Trouble.word_expected, last.start, last.end, sign)

    def _negated(self, token: _Token) -> Rule:
        following = self._next()
        if following is not None and following.kind == "!":
            raise BadRule(Trouble.word_expected, following.start, following.end, "!")
        if following is None:
            raise BadRule(Trouble.word_expected, token.start, token.end, "!")
        return self._one()

    def _counted(self, token: _Token) -> Word:
        self.words += 1
        if self.words > MOST_WORDS:
            raise BadRule(Trouble.too_many_words, token.start, token.end)
        assert token.word is not None
        return token.word

    def _group(self, opening: _Token) -> Rule:
        self.opened.append(opening)
        if len(self.opened) > DEEPEST:
            raise BadRule(Trouble.too_deep, opening.start, opening.end)
        found = self._some()
        closing = self._next()
        if closing is None:
            raise BadRule(Trouble.unclosed, opening.start, opening.end, "(")
        if closing.kind != ")":
            self._refuse_neighbour(closing)
        self.at += 1
        self.opened.pop()
        return found


__all__ = [
    "DEEPEST", "LONGEST_WORD", "MOST_CHARACTERS", "MOST_WORDS", "All", "BadRule", "Not", "Rule", "Some", "Trouble",
    "Word", "anchors", "every_word", "form", "from_classes", "holds", "parse", "stands_free", "without", "word",
    "words_of", "written",
]  # fmt: skip
