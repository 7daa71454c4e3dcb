"""Read what a writer wants, how urgent it is and whether it is sensitive, from lists of words that anyone may edit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from nlp import REQUESTS, alarms
from nlp.alarms import Sign
from nlp.base import Label
from nlp.finder import Finder
from nlp.segment import word_lists

URGENCIES = ("danger", "crowd", "outage", "deadline")
OFFICE, _NOT_MEANT = "office", "none"  # kinds of words: the office's own; longer words that only hold a listed one
ENOUGH = 2.0  # weight below which nothing is asked for
_LOOK = 6_000  # characters looked at: a cue later than that is no cue
_DENIED = re.compile(
    r"(?:预防|防止|防范|避免|杜绝|谨防|不会|不再|没有|并未|未曾|已恢复|演练|演习|不存在|消除|解除)[^,。!?;\n]{0,3}$"
)
_RUMOUR = re.compile(r"^[^,。!?;\n]{0,4}(?:演练|演习|知识|通知单|预案|应急预案|宣传)")
_NONE = Label("", 0.0)
_QUESTION_END = re.compile(r"(?:吗|呢|么|\?)[?!。\s]*$")


@dataclass(frozen=True, slots=True)
class WordList:
    """Words of several kinds; ``kinds`` says what each word stands for."""

    finder: Finder
    kinds: Mapping[str, str]

    def words(self, text: str) -> list[str]:
        """The words that occur, in reading order, the longest at each place."""
        return [word for _, _, word in self.finder.find(text[:_LOOK])]


def word_list(pairs: Iterable[tuple[str, str]]) -> WordList:
    """Build from (kind, word); of a word named twice the first kind holds."""
    kinds: dict[str, str] = {}
    for kind, word in pairs:
        kinds.setdefault(word, kind)
    return WordList(Finder(kinds), kinds)


@cache
def _listed(name: str, extra: tuple[str, ...] = ()) -> WordList:
    return word_list([*word_lists(name), *((OFFICE, word) for word in extra)])


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words say about the request: a weight per kind of ``REQUESTS``, and the words of each kind."""

    weights: tuple[float, ...]
    words: Mapping[str, tuple[str, ...]]

    @property
    def by_kind(self) -> dict[str, float]:
        """The weight of each kind by its name."""
        return dict(zip(REQUESTS, self.weights, strict=True))

    @property
    def is_open(self) -> bool:
        """Whether the words are too weak to say that anything is asked for."""
        return max(self.weights) < ENOUGH


_NOTHING = Wanted((0.0,) * len(REQUESTS), {})


def wanted(title: str, body: str, positive: float) -> Wanted:
    """Weigh the words of a request. ``positive``: probability of a positive tone, which praise needs."""
    listed, is_asked = _listed("requests"), bool(_QUESTION_END.search(title or body[-40:]))
    parts = ((title, 2.0), (body, 1.0)) if title else ((body, 1.0),)
    heard = [(word, factor) for part, factor in parts for word in dict.fromkeys(listed.words(part))]
    if not heard and not is_asked:
        return _NOTHING
    weights = dict.fromkeys(REQUESTS, 0.0)
    words: dict[str, dict[str, None]] = {}
    for word, factor in heard:
        kind = listed.kinds[word]
        weights[kind[:-1]] += factor * int(kind[-1])
        words.setdefault(kind[:-1], {})[word] = None
    if is_asked:
        weights["咨询"] += 2.0
    weights["表扬"] *= 2.0 if positive >= 0.6 else 0.25
    return Wanted(tuple(weights.values()), {kind: tuple(found) for kind, found in words.items()})


def urgency(text: str, title: str = "") -> Label:
    """The gravest cue class that is there rather than only supposed, how probable it is, and its words; "" for none.

    ``text``: all of it; ``title``: what it begins with, "" without one. Cues that are denied or only practised do not
    count. ``second``: the next class found; as graver ones come first, it may be the more probable one. For what the
    probability is and is not, see :data:`nlp.alarms.URGENT`."""
    found = _signs(_listed("urgency"), text)
    graded = [
        (kind, alarms.grade(signs, title, len(text)), signs)
        for kind in URGENCIES
        if (signs := alarms.of_kind(found, kind))
    ]
    if not graded:
        return _NONE
    graded.sort(key=lambda one: not one[1])  # stable: what is only supposed comes after what is there
    (kind, worth, signs), second = graded[0], graded[1] if len(graded) > 1 else ("", 0, [])
    p_second = alarms.URGENT[second[0]][second[1]] if second[0] else 0.0
    return Label(kind, alarms.URGENT[kind][worth], second[0], p_second, alarms.words(signs))


def sensitive(text: str, title: str = "", extra: Sequence[str] = ()) -> Label:
    """The label "sensitive" with its probability and words, or ""; the short list shipped, and ``extra`` of the office.

    The office's own words weigh as much as the strongest: whoever put one on the list has decided. For what the
    probability is and is not, see :data:`nlp.alarms.FLAGGED`."""
    found = _signs(_listed("sensitive", tuple(extra)), text)
    if not found:
        return _NONE
    own = any(sign.kind == OFFICE for sign in found)
    worth = len(alarms.FLAGGED) - 1 if own else alarms.grade(found, title, len(text))
    return Label("sensitive", alarms.FLAGGED[worth], words=alarms.words(found))


def _signs(listed: WordList, text: str) -> list[Sign]:
    """The words that are meant, in reading order."""
    return [
        Sign(word, listed.kinds[word], start, alarms.is_supposed(text, start, end) or alarms.is_told(text, start, end))
        for start, end, word in listed.finder.find(text[:_LOOK])
        if listed.kinds[word] != _NOT_MEANT and _meant(text, start, end)
    ]


def _meant(text: str, start: int, end: int) -> bool:
    return not _DENIED.search(text[max(0, start - 8) : start]) and not _RUMOUR.match(text[end : end + 10])
