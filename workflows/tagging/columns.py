"""From an analysis to rows: the tagging, the columns copied to the message, the spans of personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hub import privacy
from hub.models import Message
from nlp.base import Analysis, Named, Place

# The region a figure is kept for; a spot is too small, a province too large where anything else was named.
_REGION = ("district", "street", "city", "province", "spot")
_WIDTH = 64


def tagging(message_id: int, analysis: Analysis, at: datetime) -> dict[str, Any]:
    """One row of what this analyser version says."""
    return {
        "message_id": message_id, "version": analysis.version, "by_id": None, "reason": "", "at": at,
        "is_current": True, "topic": analysis.topic.value, "topic_p": analysis.topic.p,
        "topic_second": analysis.topic.second, "topic_second_p": analysis.topic.p_second,
        "topic_words": list(analysis.topic.words), "sentiment": analysis.sentiment.value,
        "sentiment_p": analysis.sentiment.p, "sentiment_words": list(analysis.sentiment.words),
        "is_sensitive": analysis.sensitive, "sensitive_words": list(analysis.sensitive_words),
        "request": analysis.request, "urgency": analysis.urgency, "urgency_words": list(analysis.urgency_words),
        "keywords": list(analysis.keywords), "places": [_place(place) for place in analysis.places],
        **fuller(analysis),
    }  # fmt: skip


def fuller(analysis: Analysis) -> dict[str, Any]:
    """The columns of a tagging that are NULL where it was made before they were kept."""
    tone, mood, asked, second = analysis.sentiment, analysis.emotion, analysis.asked, analysis.subtopic
    return {
        "sentiment_second": tone.second, "sentiment_second_p": tone.p_second, "emotion": mood.value,
        "emotion_p": mood.p, "emotion_second": mood.second, "emotion_second_p": mood.p_second,
        "emotion_words": list(mood.words), "request_p": asked.p, "request_second": asked.second,
        "request_second_p": asked.p_second, "request_words": list(asked.words), "subtopic": second.value,
        "subtopic_p": second.p, "subtopic_words": list(second.words), "urgency_p": analysis.urgent.p,
        "urgency_second": analysis.urgent.second, "sensitive_p": analysis.flagged.p, **_found(analysis),
    }  # fmt: skip


def _found(analysis: Analysis) -> dict[str, Any]:
    """What was found in the text; the language room says how many at most."""
    return {
        "departments": [_named(one) for one in analysis.departments],
        "persons": [_named(one) for one in analysis.persons],
        "times": [asdict(one) for one in analysis.times],
        "personal": sorted({one.kind for one in analysis.personal}),
    }


def _named(one: Named) -> dict[str, Any]:
    return {"name": one.name[:_WIDTH], "role": one.role[:_WIDTH], "start": one.start, "end": one.end}


def _place(place: Place) -> dict[str, Any]:
    return {
        "name": place.name, "level": place.level, "code": place.code, "start": place.start, "end": place.end,
        "ambiguous": place.ambiguous, "within": place.within,
    }  # fmt: skip


def region(places: Sequence[Place]) -> str:
    """The one place a message is counted for: sure before ambiguous, district before street, the first named."""
    if not places:
        return ""
    levels = {level: n for n, level in enumerate(_REGION)}
    best = min(places, key=lambda place: (place.ambiguous, levels.get(place.level, len(levels)), place.start))
    return best.name[:_WIDTH]


def copied(message: Message, analysis: Analysis) -> dict[str, Any]:
    """The columns of the message that lists and filters read."""
    return {
        "topic": analysis.topic.value, "sentiment": analysis.sentiment.value, "is_sensitive": analysis.sensitive,
        "request": analysis.request, "urgency": analysis.urgency, "place": region(analysis.places),
        "emotion": analysis.emotion.value, "subtopic": analysis.subtopic.value, "personal": personal(message, analysis),
    }  # fmt: skip


def personal(message: Message, analysis: Analysis) -> list[list[Any]]:
    """Spans counted in ``Message.text``; those in the title, which stands before it, have negative ones."""
    shift = _before(message)
    return [[found.kind, found.start - shift, found.end - shift] for found in analysis.personal]


def masked_title(message: Message) -> str:
    """The title with the personal data found in it hidden; for the text ``privacy.masked(text, personal)`` is right."""
    shift = _before(message)
    return privacy.masked(message.title, [(kind, start + shift, end + shift) for kind, start, end in message.personal])


def _before(message: Message) -> int:
    return len(message.title) + 1 if message.title else 0
