"""Idioms with one character written for another of its sound or shape (立秆见影), also where the slip makes a word with
its neighbour (严惩不怠), which the rule on lone characters passes by; and idioms and words that stand together in
official prose with one character lost (深开展)."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from nlp.checking import evidence
from nlp.checking.base import Findings, made
from nlp.checking.kinds import LONGEST, idioms
from nlp.checking.spelling import alike, cut, is_grammar, may_name, run_around, set_words
from nlp.checking.vocabulary import dictionary

_LESS, _HALF = LONGEST - 1, LONGEST // 2
_NUMBERS = frozenset("一二三四五六七八九十百千万亿两几半")
_NONE: tuple[str, ...] = ()


def find(text: str) -> Findings:
    """What was never seen so in official prose, is no word, and is one character off. On 350,000 characters of official
    prose kept apart it spoke twice, and was right."""
    pairs = [one + other for one, other in pairwise(text)]
    yield from _changed(text, pairs)
    yield from _lost(text, pairs)


def _changed(text: str, pairs: list[str]) -> Findings:
    heads, tails = _halves()
    places = {at for at, pair in enumerate(pairs) if pair in heads}
    places |= {at - _HALF for at, pair in enumerate(pairs) if pair in tails and at >= _HALF}
    done = 0
    for at in sorted(places):
        stands = text[at : at + LONGEST]
        if at < done or len(stands) < LONGEST:
            continue
        right = _meant(stands, (*heads.get(pairs[at], _NONE), *tails.get(pairs[at + _HALF], _NONE)))
        if right:
            yield made("spelling", text, at, at + LONGEST, right)
            done = at + LONGEST


def _meant(stands: str, near: tuple[str, ...]) -> str:
    """The one of these idioms that differs in one character alike, "" for none."""
    for right in near:
        differs = [(one, other) for one, other in zip(stands, right, strict=True) if one != other]
        if len(differs) == 1 and differs[0][1] in alike().get(differs[0][0], ()):
            return "" if stands in dictionary() or evidence.is_seen(stands) else right
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


def _lost(text: str, pairs: list[str]) -> Findings:
    shortened = _shortened()
    threes = [pair + other for pair, other in zip(pairs, text[2:], strict=False)]
    for start in [at for at, three in enumerate(threes) if three in shortened]:
        three, rights = threes[start], shortened[threes[start]]
        ends_there = not "\u4e00" <= text[start + _LESS : start + LONGEST] <= "\u9fff"
        if three in dictionary() or not (ends_there or any(place < _LESS for _right, place in rights)):
            continue
        if _lacks_one(text, start):
            # The last is lost where the run ends: with it, the rest was seen as well. Others where the rest never was.
            is_seen = evidence.is_seen(three)
            missing = (right for right, place in rights if (ends_there if place == _LESS else not is_seen))
            if right := next(missing, ""):
                yield made("missing", text, start, start + _LESS, right)


def _lacks_one(text: str, start: int) -> bool:
    """Whether the three stand by themselves, one of them alone, which no word of grammar, number or short form is."""
    run, at = run_around(text, start)
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
