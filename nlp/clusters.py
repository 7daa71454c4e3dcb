"""Hot issues: which messages of a file are about the same matter.

Messages become word TF-IDF vectors (title words twice); two groups become one while they are near enough
(:mod:`nlp.linkage`), the nearest first. Messages that lie months apart count as a little less alike. Long files go
through in windows, and groups found earlier take part in later windows, so cost and memory grow with the length of the
file, not with its square."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nlp import keywords, linear, personal
from nlp.base import Text
from nlp.features import Ints
from nlp.linear import Recipe
from nlp.linkage import Linkage
from nlp.pipeline import Analyser

RECIPE = Recipe(weighting="tfidf", title=2, bits=20)
NEAR = 0.18  # how near two groups are that become one
DAYS, APART = 120.0, 0.8  # what is written long after counts only this share; two thirds are gone after so many days
WINDOW = 4_400  # messages looked at together: 80 MB of similarities
CARRIED = 1_500  # groups taken along into the next window, the last ones that had several messages
COMMON = 20  # from this many messages on, further ones of a group teach nothing about which words are rare
_BATCH = 500
BROAD, BROAD_FROM = 0.15, 200  # words of more than this share of so many messages say nothing
LED_BY = 200  # the language counts as much as this many messages

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Member:
    """A message or an earlier group: the sum of its messages' vectors, how many they are, and the days (since any day)
    of the first and the last of them; where nobody knows the days, all are the same."""

    bucket: Ints
    value: Floats32
    size: int
    first: float = 0.0
    last: float = 0.0

    @property
    def cohesion(self) -> float:
        """The average similarity of its messages among themselves, 0..1; 1 for a single one."""
        return float(self.value @ self.value) / max(self.size, 1) ** 2

    def at(self, first: float, last: float | None = None) -> Member:
        """The same, written on these days."""
        return replace(self, first=first, last=first if last is None else last)


def rarity_of(plain: Sequence[Member]) -> Floats32:
    """idf of every feature in these messages; 0 for words of every day."""
    counts = np.zeros(1 << RECIPE.bits, np.int64)
    for at in range(0, len(plain), _BATCH):
        met = np.concatenate([one.bucket for one in plain[at : at + _BATCH]])
        counts += np.bincount(met, minlength=len(counts))
    known = np.exp(-language())
    idf = np.log((1 + len(plain) + LED_BY) / (1 + counts + LED_BY * known)) + 1
    if len(plain) >= BROAD_FROM:
        idf[counts > BROAD * len(plain)] = 0
    idf[language() == 0] = 0
    return np.asarray(idf, np.float32)


def language() -> Floats32:
    """idf of every feature in the language at large; 0 for stop words."""
    return np.repeat(keywords.rarity() / np.float32(keywords.SCALE), 1 << (RECIPE.bits - keywords.BITS))


def members(analyser: Analyser, texts: Sequence[Text]) -> Iterable[Member]:
    """Each text as a vector of length one in which all words weigh the same (no entries in an empty one)."""
    flat = np.ones(1 << RECIPE.bits, np.float32)
    for at in range(0, len(texts), _BATCH):
        part = texts[at : at + _BATCH]
        batch = analyser.batch([Text(personal.without(one.body), personal.without(one.title)) for one in part])
        found = linear.rows(linear.occurrences(batch, RECIPE), batch, RECIPE, flat)
        bounds = np.searchsorted(found.doc, np.arange(batch.size + 1)).tolist()
        value = found.value.astype(np.float32)
        for low, high in pairwise(bounds):
            yield Member(found.bucket[low:high], value[low:high], 1)


def weighed(plain: Member, idf: Floats32) -> Member:
    """The same text with its words weighed, of length one again."""
    value = plain.value * idf[plain.bucket]
    told = np.flatnonzero(value)
    value = value[told]
    length = np.float32(max(float(value @ value), 1e-12) ** 0.5)
    return replace(plain, bucket=plain.bucket[told], value=value / length)


def group(
    analyser: Analyser, texts: Sequence[Text], near: float = NEAR, days: Sequence[float] | None = None
) -> list[int]:
    """A group number per text, in the order given (by time); -1 for a text that stands alone. ``days``: when each was
    written.

    A group's number is the place of its first text, so it stays when later texts join."""
    plain = list(members(analyser, texts))
    if days is not None:
        plain = [one.at(day) for one, day in zip(plain, days, strict=True)]
    return parted(plain, near)


def parted(
    plain: Sequence[Member], near: float = NEAR, progress: Callable[[int], object] = lambda done: None
) -> list[int]:
    """The same from what :func:`members` made of the texts. ``progress`` hears how many were looked at: all, twice."""
    rough = _grouped([weighed(one, language()) for one in plain], near, progress)
    idf = rarity_of(_teaching(plain, rough))
    chosen = _grouped([weighed(one, idf) for one in plain], near, lambda done: progress(len(plain) + done))
    count = np.bincount(chosen, minlength=len(plain))
    return [number if count[number] > 1 else -1 for number in chosen]


def _teaching(plain: Sequence[Member], groups: Sequence[int]) -> list[Member]:
    """The messages that say which words are rare: the first ones of each rough group. What half the town writes about
    one thing would make its own words common, and the thing would fall apart."""
    met: Counter[int] = Counter()
    found = []
    for one, number in zip(plain, groups, strict=True):
        met[number] += 1
        if met[number] <= COMMON:
            found.append(one)
    return found


def _grouped(singles: Sequence[Member], near: float, progress: Callable[[int], object]) -> list[int]:
    """For each message the place of the first one of its group."""
    chosen = np.arange(len(singles))
    carried: dict[int, Member] = {}
    for at in range(0, len(singles), WINDOW):
        numbers = [*carried, *range(at, min(at + WINDOW, len(singles)))]
        taking = [*carried.values(), *singles[at : at + WINDOW]]
        first = np.array([numbers[root] for root in _linked(taking, near)])
        chosen[at : at + WINDOW] = first[len(carried) :]
        joined = {old: new for old, new in zip(carried, first.tolist(), strict=False) if old != new}
        chosen[:at] = [joined.get(number, number) for number in chosen[:at].tolist()]
        carried = _carry(taking, first)
        progress(min(at + WINDOW, len(singles)))
    return [int(number) for number in chosen]


def _carry(taking: list[Member], first: Ints) -> dict[int, Member]:
    """The groups of several messages, summed up, latest last."""
    places: dict[int, list[Member]] = {}
    for member, number in zip(taking, first.tolist(), strict=True):
        places.setdefault(number, []).append(member)
    grown = [(number, added(parts)) for number, parts in places.items()]
    return dict([(number, member) for number, member in grown if member.size > 1][-CARRIED:])


def added(parts: Sequence[Member]) -> Member:
    """The group of all these."""
    bucket, place = np.unique(np.concatenate([part.bucket for part in parts]), return_inverse=True)
    value = np.bincount(place, np.concatenate([part.value for part in parts]), minlength=len(bucket))
    first, last = min(part.first for part in parts), max(part.last for part in parts)
    return Member(bucket, value.astype(np.float32), sum(part.size for part in parts), first, last)


def fade(table: Floats32, rows: Sequence[Member], columns: Sequence[Member]) -> None:
    """Lessen the similarities in ``table`` of what lies apart in time."""
    first, last = (np.array([getattr(one, side) for one in columns]) for side in ("first", "last"))
    for number, one in enumerate(rows):
        gap = np.maximum(np.maximum(first - one.last, one.first - last), 0)
        table[number] *= APART + (1 - APART) * np.exp(-gap / DAYS)


def similarities(rows: Sequence[Member], columns: Sequence[Member]) -> Floats32:
    """The average similarity of each of ``rows`` to each of ``columns``."""
    table = np.zeros((len(rows), len(columns)), np.float32)
    if not rows or not columns:
        return table
    owner = np.repeat(np.arange(len(columns)), [len(member.bucket) for member in columns])
    bucket = np.concatenate([member.bucket for member in columns])
    value = np.concatenate([member.value / member.size for member in columns])
    order = np.argsort(bucket, kind="stable")
    bucket, owner, value = bucket[order], owner[order], value[order]
    for number, member in enumerate(rows):
        low = np.searchsorted(bucket, member.bucket)
        spans = np.searchsorted(bucket, member.bucket, side="right") - low
        at = np.repeat(low - (np.cumsum(spans) - spans), spans) + np.arange(spans.sum())
        shares = np.repeat(member.value / member.size, spans) * value[at]
        table[number] = np.bincount(owner[at], shares, minlength=len(columns))
    return table


def _linked(taking: list[Member], near: float) -> list[int]:
    """For each member the first member of its group."""
    table = similarities(taking, taking)
    fade(table, taking, taking)
    return Linkage(table, [one.size for one in taking], [one.cohesion for one in taking]).run(near)
