"""What is said about one message, ready to be read: each tag with its odds, the runner-up and the words behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.models import Message, Tagging
from nlp import mask
from workflows.cases.timeline import shown

MOST_PLACES = 12


@dataclass(frozen=True, slots=True)
class Said:
    """One tag. ``p``: how probable, 0..1; None where nobody knows (it only follows from what a person settled, or the
    message was tagged before odds were kept). ``second``: the next one, with ``second_p``."""

    value: str
    p: float | None = None
    second: str = ""
    second_p: float | None = None
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlaceSaid:
    """A place named; ``code``: six digits or ""; ``within``: the regions around it as one name."""

    name: str
    level: str
    code: str
    ambiguous: bool
    within: str


@dataclass(frozen=True, slots=True)
class NamedSaid:
    """A department or person as the text has it; ``role``: a person's title."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class TimeSaid:
    """A time as the text has it; ``value``, ``until``: ISO 8601 as far as it tells."""

    text: str
    kind: str
    value: str
    until: str


@dataclass(frozen=True, slots=True)
class Analysed:
    """Everything said of a message. ``is_whole``: False while it waits to be tagged again for what was not kept before.
    ``personal``: kinds of personal data found; the data itself is nowhere here."""

    topic: Said
    subtopic: Said
    sentiment: Said
    emotion: Said
    request: Said
    urgency: Said
    sensitive: Said
    places: list[PlaceSaid]
    departments: list[NamedSaid]
    persons: list[NamedSaid]
    times: list[TimeSaid]
    personal: list[str]
    keywords: list[str]
    by_person: bool
    is_whole: bool


def analysed(message: Message, tags: Tagging) -> Analysed:
    """From the tagging in force. Personal numbers among words and names are left out."""
    return Analysed(
        topic=Said(tags.topic, tags.topic_p, tags.topic_second, tags.topic_second_p, _clean(tags.topic_words)),
        subtopic=Said(tags.subtopic or "", tags.subtopic_p, words=_clean(tags.subtopic_words)),
        sentiment=Said(
            tags.sentiment, tags.sentiment_p, tags.sentiment_second or "", tags.sentiment_second_p,
            _clean(tags.sentiment_words),
        ),
        emotion=Said(
            tags.emotion or "", tags.emotion_p, tags.emotion_second or "", tags.emotion_second_p,
            _clean(tags.emotion_words),
        ),
        request=Said(
            tags.request, tags.request_p, tags.request_second or "", tags.request_second_p, _clean(tags.request_words)
        ),
        urgency=Said(tags.urgency, tags.urgency_p, tags.urgency_second or "", None, _clean(tags.urgency_words)),
        sensitive=Said(
            "sensitive" if tags.is_sensitive else "", tags.sensitive_p, words=_clean(tags.sensitive_words)
        ),
        places=[_place(one) for one in tags.places[:MOST_PLACES]], departments=_named(tags.departments),
        persons=_named(tags.persons), times=_times(message, tags), personal=tags.personal or [],
        keywords=_clean(tags.keywords), by_person=tags.by_id is not None, is_whole=tags.emotion is not None,
    )  # fmt: skip


def _clean(words: Sequence[str] | None) -> list[str]:
    """A telephone number may be a telling word to the analyser, but it is not shown as one."""
    return [word for word in words or () if mask(word) == word]


def _place(one: dict[str, Any]) -> PlaceSaid:
    return PlaceSaid(
        one["name"], one.get("level") or "", one.get("code") or "", bool(one.get("ambiguous")), one.get("within") or ""
    )


def _named(found: Sequence[dict[str, Any]] | None) -> list[NamedSaid]:
    return [NamedSaid(one["name"], one.get("role") or "") for one in found or () if mask(one["name"]) == one["name"]]


def _times(message: Message, tags: Tagging) -> list[TimeSaid]:
    """As they stand in the masked text, each once; what was masked has no words left to show."""
    title, text = shown(message)
    whole = f"{title}\n{text}" if message.title else text
    found = {
        words: TimeSaid(words, one["kind"], one["value"], one["until"])
        for one in tags.times or ()
        if (words := " ".join(whole[one["start"] : one["end"]].split())) and "*" not in words
    }
    return list(found.values())
