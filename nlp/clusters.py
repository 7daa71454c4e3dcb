"""Hot issues: which messages of a file are about the same matter.

Messages become word TF-IDF vectors (title words twice) and are joined by average link: two groups become one while
their messages are similar enough on average. Long files go through in windows, and groups found earlier take part in
later windows, so cost and memory grow with the length of the file, not with its square."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nlp import keywords, linear
from nlp.base import Text
from nlp.features import Ints
from nlp.linear import Recipe
from nlp.pipeline import Analyser

RECIPE = Recipe(weighting="tfidf", title=2, bits=20)
NEAR = 0.15  # average similarity that makes two groups one
WINDOW = 4_400  # messages looked at together: 80 MB of similarities
CARRIED = 1_500  # groups taken along into the next window, the last ones that had several messages
_BATCH = 500
_BROAD = 0.15  # words of more than this share of the messages say nothing

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Member:
    """A message or an earlier group: the sum of its messages' vectors, and how many they are."""

    bucket: Ints
    value: Floats32
    size: int


def rarity_of(analyser: Analyser, texts: Sequence[Text]) -> Floats32:
    """idf of every feature in these texts; 0 for words of every day."""
    counts = np.zeros(1 << RECIPE.bits, np.int64)
    flat = np.ones(len(counts), np.float32)
    for at in range(0, len(texts), _BATCH):
        batch = analyser.batch(texts[at : at + _BATCH])
        found = linear.rows(linear.occurrences(batch, RECIPE), batch, RECIPE, flat)
        counts += np.bincount(found.bucket, minlength=len(counts))
    idf = np.log((1 + len(texts)) / (1 + counts)) + 1
    idf[(counts > max(20, _BROAD * len(texts))) | (counts == 0) | (language() == 0)] = 0
    return idf.astype(np.float32)


def language() -> Floats32:
    """idf of every feature in the language at large; 0 for stop words."""
    return np.repeat(keywords.rarity() / np.float32(keywords.SCALE), 1 << (RECIPE.bits - keywords.BITS))


def members(analyser: Analyser, texts: Sequence[Text], idf: Floats32) -> Iterable[Member]:
    """Each text as a vector of length one (no entries where a text has no telling word)."""
    for at in range(0, len(texts), _BATCH):
        batch = analyser.batch(texts[at : at + _BATCH])
        found = linear.rows(linear.occurrences(batch, RECIPE), batch, RECIPE, idf)
        bounds = np.searchsorted(found.doc, np.arange(batch.size + 1)).tolist()
        value = found.value.astype(np.float32)
        for low, high in pairwise(bounds):
            yield Member(found.bucket[low:high], value[low:high], 1)


def group(analyser: Analyser, texts: Sequence[Text], near: float = NEAR) -> list[int]:
    """A group number per text, in the order given (by time); -1 for a text that stands alone.

    A group's number is the place of its first text, so it stays when later texts join."""
    singles = list(members(analyser, texts, rarity_of(analyser, texts)))
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
    count = np.bincount(chosen, minlength=len(singles))
    return [number if count[number] > 1 else -1 for number in chosen.tolist()]


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
    return Member(bucket, value.astype(np.float32), sum(part.size for part in parts))


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
    """For each member the first member of its group: average link by nearest-neighbour chains."""
    table = similarities(taking, taking)
    np.fill_diagonal(table, -1)
    size = np.array([member.size for member in taking], np.float32)
    into = np.arange(len(taking))
    alive = np.ones(len(taking), bool)
    waiting = list(range(len(taking)))[::-1]
    chain: list[int] = []
    while waiting or chain:
        if not chain:
            chain.append(waiting.pop())
        here = chain[-1]
        best = int(table[here].argmax()) if alive[here] else here
        if len(chain) > 1 and table[here, best] <= table[here, chain[-2]]:
            best = chain[-2]
        if table[here, best] < near:  # nobody is near enough now, so nobody ever will be
            chain.pop()
            alive[here] = False
            table[:, here] = table[here] = -1
        elif len(chain) > 1 and best == chain[-2]:
            del chain[-2:]
            waiting.append(_merge(table, size, into, alive, here, best))
        else:
            chain.append(best)
    return [_root(into, number) for number in range(len(taking))]


def _merge(table: Floats32, size: NDArray[np.float32], into: Ints, alive: NDArray[np.bool_], one: int, two: int) -> int:
    """Make the later one part of the earlier one, which is answered."""
    keep, gone = min(one, two), max(one, two)
    row = (table[keep] * size[keep] + table[gone] * size[gone]) / (size[keep] + size[gone])
    row[[keep, gone]] = -1
    row[~alive] = -1
    table[keep] = table[:, keep] = row
    table[gone] = table[:, gone] = -1
    size[keep] += size[gone]
    alive[gone] = False
    into[gone] = keep
    return keep


def _root(into: Ints, number: int) -> int:
    while into[number] != number:
        number = int(into[number])
    return number
