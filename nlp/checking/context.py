"""Characters and words written for others of their sound or shape, found by what stands around them.

What stands there may be a word itself (统一 for 同意). Every likely other reading of every place is weighed against
what stands there by how often the runs of characters around it are seen in official prose; only where the other reading
is far likelier it is told. A place whose own surroundings are known is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlp.checking import evidence
from nlp.checking.base import Findings, Severity, made
from nlp.checking.evidence import Evidence, Ints
from nlp.checking.spelling import NAMELY, NEAR_SOUNDS, SURNAMES, Run, alike, is_grammar, runs, sounds
from nlp.checking.vocabulary import NO_WORD, dictionary

Floats = NDArray[np.float64]
Alike = tuple[tuple[str, ...], tuple[float, ...]]  # others, and how common the word is that each of them makes
BLOCK = 4_000  # readings judged at once
AROUND = 3  # characters to both sides that speak
FIGURES = 29  # weighed of each reading
_SEEN = 60  # how often the dictionary's corpus must have seen a word that is put forward
_SEEN_WHOLE = 1500  # the same where both characters are others
# Log odds from which it is told as an error, and as a hint: 0.5 and 0.8 false alarms per 10,000 characters of replies.
SURE, LIKELY = 4.8, 3.8


class Reading(NamedTuple):
    """``right`` instead of what stands at ``start``. ``word``: how common the word it makes is (logarithm of its
    share); ``stands``: how common the word is that stands there, -20 for none."""

    start: int
    right: str
    word: float = 0.0
    stands: float = 0.0


@dataclass(slots=True)
class Readings:
    """Readings of one or two characters (``size``), column by column: a long text has tens of thousands."""

    size: int
    starts: list[int] = field(default_factory=list)
    rights: list[str] = field(default_factory=list)
    words: list[float] = field(default_factory=list)
    stands: list[float] = field(default_factory=list)

    def add(self, start: int, others: Alike, stands: float) -> None:
        """Others for what stands at ``start``."""
        rights, words = others
        self.starts += [start] * len(rights)
        self.rights += rights
        self.words += words
        self.stands += [stands] * len(rights)

    def __iter__(self) -> Iterator[Reading]:
        """One after the other."""
        return map(Reading, self.starts, self.rights, self.words, self.stands)

    def only(self, wanted: Iterable[bool]) -> list[Reading]:
        """Those that are wanted."""
        return list(compress(self, wanted))


def find(text: str) -> Findings:
    """Every place where another reading is far likelier; the likeliest of those that overlap."""
    told = evidence.shipped()
    if told is None:
        return
    taken: set[int] = set()
    for odds, reading in sorted(weighed(text, told), key=lambda one: -one[0]):
        places = range(reading.start, reading.start + len(reading.right))
        if odds < LIKELY or not taken.isdisjoint(places):
            continue
        taken.update(places)
        severity = Severity.error if odds >= SURE else Severity.hint
        start, end, right = _as_word(text, reading)
        yield made("context", text, start, end, right, severity=severity)


def _as_word(text: str, one: Reading) -> tuple[int, int, str]:
    """(start, end, what it should be) of the word a lone character belongs to: so it is told, and so it is ignored."""
    if len(one.right) > 1:
        return one.start, one.start + len(one.right), one.right
    words, at = dictionary(), one.start
    before = text[at - 1 : at] + one.right if at else ""
    after = one.right + text[at + 1 : at + 2]
    if at and words.chance(before) >= words.chance(after):
        return at - 1, at + 1, before
    return at, at + 2, after


def weighed(text: str, told: Evidence) -> list[tuple[float, Reading]]:
    """(log odds, reading) of every other reading worth weighing."""
    kept, features = measures(text, readings(text), told)
    if not kept:
        return []
    return list(zip(judged(features, told.weights).tolist(), kept, strict=True))


# Other readings


def readings(text: str) -> tuple[Readings, Readings]:
    """Every other reading of one character that makes a word with a neighbour; and of two, as a word of two others of
    these sounds."""
    ones, twos = Readings(1), Readings(2)
    for run in runs(text):
        letters, stands, behind = run.letters, _standing(run), _NO_OTHERS
        for place, here in enumerate(stands):
            ahead, beyond, both = _of_pair(letters[place : place + 2])
            if behind[0] or ahead[0]:
                ones.add(run.start + place, _commonest(behind, ahead), here)
            if both[0]:
                twos.add(run.start + place, both, max(here, stands[place + 1]))
            behind = beyond
    return ones, twos


@lru_cache(maxsize=65_536)
def _of_pair(pair: str) -> tuple[Alike, Alike, Alike]:
    """Others for the first of two characters that make a word with the second, for the second with the first, and for
    both; none for a character without another behind it."""
    if len(pair) < 2:
        return _NO_OTHERS, _NO_OTHERS, _NO_OTHERS
    words, (first, second) = dictionary(), (pair[0], pair[1])
    follows, leads = _partners()
    ahead = sorted(alike().get(first, _NOBODY) & leads.get(second, _NOBODY))
    behind = sorted(alike().get(second, _NOBODY) & follows.get(first, _NOBODY))
    return (
        (tuple(ahead), tuple(words.chance(right + second) for right in ahead)),
        (tuple(behind), tuple(words.chance(first + right) for right in behind)),
        homophones(pair),
    )


_NO_OTHERS: Alike = ((), ())


def _looks(text: str, one: Reading) -> tuple[float, ...]:
    """What is weighed besides the counts: the word's commonness, whether sound or shape are only alike, what stands
    there, how much it looks like a part of a name (0 to 2), whether it is a word of grammar."""
    letter, before = text[one.start], text[one.start - 1] if one.start else ""
    near, shape = _likeness(letter, one.right) if len(one.right) == 1 else (False, False)
    named = (letter in NAMELY) + (before in SURNAMES)
    return one.word, near, shape, one.stands, named, len(one.right) == 1 and is_grammar(letter)


def _standing(run: Run) -> list[float]:
    """Per character how common the word it lies in is; -20 for characters that stand alone."""
    found = list[float]()
    for (start, end), chance in zip(run.cuts, run.chances, strict=True):
        found += [chance] * (end - start) if end - start > 1 else [-20.0]
    return found


def _commonest(behind: Alike, ahead: Alike) -> Alike:
    """The commonest word that each makes with a neighbour."""
    if not behind[0] or not ahead[0]:
        return behind if behind[0] else ahead
    found = dict(zip(*behind, strict=True))
    for right, word in zip(*ahead, strict=True):
        found[right] = max(found.get(right, NO_WORD), word)
    return tuple(found), tuple(found.values())


_NOBODY: set[str] = set()


@cache
def _partners() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """(character → those that follow it in words of two, character → those that lead it)."""
    follows: dict[str, set[str]] = {}
    leads: dict[str, set[str]] = {}
    one: dict[str, str] = {}  # one object per character
    for word, _chance in dictionary().common(2, _SEEN):
        first, second = one.setdefault(word[0], word[0]), one.setdefault(word[1], word[1])
        follows.setdefault(first, set()).add(second)
        leads.setdefault(second, set()).add(first)
    return follows, leads


def homophones(pair: str) -> Alike:
    """Words of two characters that sound like these, both of them others, and how common they are."""
    by_sound, found = _by_sound(), dict[str, float]()
    for one in _plain(pair[0]):
        for other in _plain(pair[1]):
            found |= by_sound.get((one, other), _NONE)
    others = [word for word in sorted(found) if word[0] != pair[0] and word[1] != pair[1]]
    return tuple(others), tuple(found[word] for word in others)


_NONE: dict[str, float] = {}


@cache
def _by_sound() -> dict[tuple[str, str], dict[str, float]]:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for word, chance in dictionary().common(2, _SEEN_WHOLE):
        for one in _plain(word[0]):
            for other in _plain(word[1]):
                found.setdefault((one, other), {})[word] = chance
    return found


@lru_cache(maxsize=65_536)
def _likeness(letter: str, right: str) -> tuple[bool, bool]:
    """(only nearly the same sound, only the same shape)."""
    exact = not set(sounds().get(letter, ())).isdisjoint(sounds().get(right, ()))
    near = not exact and not _plain(letter).isdisjoint(_plain(right))
    return near, not exact and not near


@cache
def _plain(letter: str) -> frozenset[str]:
    """Its sounds with those that are taken for each other made one."""
    found = set()
    for sound in sounds().get(letter, ()):
        for long, short in NEAR_SOUNDS:
            sound = sound.replace(long, short, 1)
        found.add(sound)
    return frozenset(found)


# What stands around


def measures(text: str, found: Iterable[Readings], told: Evidence) -> tuple[list[Reading], Floats]:
    """(readings worth weighing, a row of figures for each): how often the runs of characters across the place are seen
    with it and with what stands there."""
    letters = np.concatenate([np.zeros(AROUND, np.int64), evidence.ids(text), np.zeros(AROUND + 2, np.int64)])
    kept: list[Reading] = []
    rows = []
    for each in found:
        if not each.starts:
            continue
        stands = letters[np.array(each.starts)[:, None] + np.arange(2 * AROUND + each.size)]
        other = stands.copy()
        other[:, AROUND : AROUND + each.size] = evidence.ids("".join(each.rights)).reshape(-1, each.size)
        seen = _is_seen(other, each.size, told)
        if chosen := each.only(seen.tolist()):
            kept += chosen
            looks = np.array([_looks(text, one) for one in chosen], np.float64)
            rows.append(_figures(stands[seen], other[seen], each.size, looks, told))
    return kept, np.concatenate(rows) if rows else np.zeros((0, FIGURES))


def _is_seen(other: Ints, size: int, told: Evidence) -> NDArray[np.bool_]:
    """Whether any run of three with the other reading was ever seen."""
    near = other[:, AROUND - 2 : AROUND + size + 2]
    return np.asarray((told.counts(evidence.keys(near, 3), 3) > 0).any(axis=1), np.bool_)


def _figures(stands: Ints, other: Ints, size: int, looks: Floats, told: Evidence) -> Floats:
    here, there = _support(stands, size, told), _support(other, size, told)
    gain = (there[:, 0] - here[:, 0])[:, None]
    columns = [gain, there, here, looks, (looks[:, 3] > -19)[:, None], np.full((len(looks), 1), size == 2)]
    return np.concatenate(columns, axis=1)


def _support(window: Ints, size: int, told: Evidence) -> Floats:
    """Per row: logarithm of its likelihood, then of runs of two, three and four across the place how many are seen and
    how often the commonest, and the commonest of those of three and four that go beyond a word of two."""
    seen = {length: told.counts(evidence.keys(window, length), length) for length in (1, 2, 3, 4)}
    chance = seen[1][:, AROUND:] / max(float(told.singles.sum()), 1.0) + 1e-7
    width = chance.shape[1]
    for length, weight in ((2, 5.0), (3, 3.0), (4, 2.0)):
        first = AROUND - length + 1
        run = seen[length][:, first : first + width]
        lead = np.maximum(seen[length - 1][:, first : first + width], run)
        chance = (run + weight * chance) / (lead + weight)
    columns = [np.log(chance).sum(1), np.log(chance).min(1)]
    for length in (2, 3, 4):
        across = seen[length][:, AROUND - length + 1 : AROUND + size]
        columns += [(across > 0).mean(1), np.log1p(across.max(1))]
    sides = seen[2][:, (AROUND - 1, AROUND + size - 1)]
    columns += [np.log1p(sides.min(1)), np.log1p(seen[1][:, AROUND : AROUND + size].min(1))]
    return np.stack(columns, axis=1).astype(np.float64)


def expanded(features: Floats) -> Floats:
    """A one, the figures, and their products two by two."""
    first, second = np.triu_indices(features.shape[1])
    return np.concatenate([np.ones((len(features), 1)), features, features[:, first] * features[:, second]], axis=1)


def judged(features: Floats, weights: NDArray[np.float32]) -> Floats:
    """Log odds of each row; ``weights``: means, scales, then those of :func:`expanded`."""
    size, last = features.shape[1], weights[2 * features.shape[1] :].astype(np.float64)
    odds = np.empty(len(features))
    for at in range(0, len(features), BLOCK):  # every row becomes hundreds of products: some at a time
        rows = features[at : at + BLOCK]
        odds[at : at + BLOCK] = expanded(np.clip((rows - weights[:size]) * weights[size : 2 * size], -4, 4)) @ last
    return odds
