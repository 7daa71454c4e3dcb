"""The second level under a topic, by words; silent unless one level is clearly ahead."""

from __future__ import annotations

from functools import cache

from nlp.base import Label
from nlp.finder import Finder
from nlp.segment import word_lists

_LOOK = 2_000
_TITLE = 2.0  # what a word of the title counts; one of the body counts one
LEAST, AHEAD = 2.0, 2.0  # weight of the first, and how many times that of the second
# How often a level that is said is right: of 60 letters that were not looked at when the words were written, 37 got one
# and 33 of these were judged right by hand (95 % interval .75 to .96). One number for all: more would be guessing.
P_SAID = 0.89
_NONE = Label("", 0.0)


@cache
def _listed() -> tuple[Finder, dict[str, tuple[tuple[str, str], ...]]]:
    """The finder, and for each word the (topic, second level) pairs it shows."""
    shows: dict[str, tuple[tuple[str, str], ...]] = {}
    for kind, word in word_lists("seconds"):
        topic, _, second = kind.partition("/")
        shows[word] = (*shows.get(word, ()), (topic, second))
    return Finder(shows), shows


@cache
def levels() -> dict[str, tuple[str, ...]]:
    """The second levels under each topic, in the order of the list."""
    found: dict[str, dict[str, None]] = {}
    for kind, _word in word_lists("seconds"):
        topic, _, second = kind.partition("/")
        found.setdefault(topic, {})[second] = None
    return {topic: tuple(names) for topic, names in found.items()}


def subtopic(topic: Label, title: str, body: str) -> Label:
    """The second level under ``topic``, or an empty label. Its probability is at most that of the topic.

    ``second`` is the runner-up where words spoke for one; nobody has measured how often that one is right."""
    if not topic.value:
        return _NONE
    finder, shows = _listed()
    weights: dict[str, float] = {}
    words: dict[str, dict[str, None]] = {}
    for part, factor in ((title, _TITLE), (body[:_LOOK], 1.0)) if title else ((body[:_LOOK], 1.0),):
        for word in dict.fromkeys(found for _, _, found in finder.find(part)):
            for above, second in shows[word]:
                if above == topic.value:
                    weights[second] = weights.get(second, 0.0) + factor
                    words.setdefault(second, {})[word] = None
    first, second = (*sorted(weights, key=lambda name: -weights[name]), "", "")[:2]
    if weights.get(first, 0.0) < LEAST or weights[first] < AHEAD * weights.get(second, 0.0):
        return _NONE
    return Label(first, round(P_SAID * topic.p, 4), second, 0.0, tuple(words[first])[:3])
