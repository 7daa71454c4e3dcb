"""Idioms with one character written for another of its sound or shape (立秆见影), also where the slip makes a word with
its neighbour (严惩不怠), which the rule on lone characters passes by; and idioms and words that stand together in
official prose with one character lost (深开展)."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from nlp.checking import evidence
from nlp.checking.base import Findings, made
from nlp.checking.kinds import idioms
from nlp.checking.spelling import LONGEST, alike, cut, dictionary, is_grammar, may_name, set_words

_RUN = re.compile("[\u4e00-\u9fff]{3,}")
_LESS, _HALF = LONGEST - 1, LONGEST // 2
_NUMBERS = frozenset("一二三四五六七八九十百千万亿两几半")
_NONE: tuple[str, ...] = ()


def find(text: str) -> Findings:
    """What was never seen so in official prose, is no word, and is one character off. On 350,000 characters of official
    prose kept apart it spoke twice, and was right."""
    heads, tails = _halves()
    shortened = _shortened()
    for match in _RUN.finditer(text):
        run, start, done = match[0], match.start(), 0
        pairs = [one + other for one, other in pairwise(run)]
        for at, pair in enumerate(pairs[:-1]):
            lacking = pair + run[at + 2]
            if lacking in shortened and (right := _whole(run, at, shortened[lacking])):
                yield made("missing", text, start + at, start + at + _LESS, right)
            other = pairs[at + 2] if at + 2 < len(pairs) else ""
            if at >= done and (pair in heads or other in tails) and other:
                stands = pair + other
                if right := _meant(stands, (*heads.get(pair, _NONE), *tails.get(other, _NONE))):
                    yield made("spelling", text, start + at, start + at + LONGEST, right)
                    done = at + LONGEST


def _meant(stands: str, near: tuple[str, ...]) -> str:
    """The one of these idioms that differs in one character alike, "" for none."""
    for right in near:
        differs = [(one, other) for one, other in zip(stands, right, strict=True) if one != other]
        if len(differs) == 1 and differs[0][1] in alike().get(differs[0][0], ()):
            return "" if stands in dictionary()[0] or evidence.is_seen(stands) else right
    return ""


@cache
def _halves() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """(the first two characters → idioms, the last two → idioms). Those with 的 or 地 are turns of speech."""
    heads: dict[str, tuple[str, ...]] = {}
    tails: dict[str, tuple[str, ...]] = {}
    for word in idioms():
        if "的" not in word and "地" not in word:
            heads[word[:_HALF]] = (*heads.get(word[:_HALF], _NONE), word)
            tails[word[_HALF:]] = (*tails.get(word[_HALF:], _NONE), word)
    return heads, tails


# One lost


def _whole(run: str, at: int, rights: tuple[tuple[str, int], ...]) -> str:
    """The one of these that the three characters at ``at`` were, "" for none."""
    for right, place in rights:
        if _may_lack(run, at, place) and _lacks_one(run, at):
            return right
    return ""


def _may_lack(run: str, at: int, place: int) -> bool:
    """The last one is lost where the run ends: with it, the rest was seen as well. The others where it never was."""
    if place == _LESS:
        return at + _LESS == len(run)
    return not evidence.is_seen(run[at : at + _LESS])


def _lacks_one(run: str, at: int) -> bool:
    """Whether the three stand by themselves, one of them alone, which no word of grammar, number or short form is."""
    if run[at : at + _LESS] in dictionary()[0]:
        return False
    cuts = cut(run)
    edges = {begin for begin, _end in cuts} | {len(run)}
    alone = {begin for begin, end in cuts if end - begin == 1}
    if at not in edges or at + _LESS not in edges or at - 1 in alone or at + _LESS in alone:
        return False
    return not any(
        is_grammar(run[one]) or may_name(run[one]) or run[one] in _NUMBERS for one in alone if at <= one < at + _LESS
    )


@cache
def _shortened() -> dict[str, tuple[tuple[str, int], ...]]:
    """Three of the four characters → (the whole, which of them is lost); the first is never taken for lost."""
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    for word in dict.fromkeys((*set_words(), *idioms())):
        if "的" not in word and "地" not in word:
            for place in range(1, LONGEST):
                stands = word[:place] + word[place + 1 :]
                found[stands] = (*found.get(stands, ()), (word, place))
    return found
