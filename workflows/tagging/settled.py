"""What follows for the finer tags once a person has settled the coarser ones: nothing may contradict the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.models import Message, Tagging
from nlp import GROUPS
from nlp.base import Analysis
from workflows.tagging.columns import fuller

SURPRISE = "surprise"


def agree(emotion: str, sentiment: str) -> bool:
    """Whether an emotion can go with a tone; surprise goes with every one, and so does "" (nobody knows)."""
    return emotion in ("", SURPRISE) or emotion in GROUPS.get(sentiment, ())


def implied(message: Message, said: Tagging | None, changed: Mapping[str, Any]) -> dict[str, str]:
    """Emotion and second level after a person ``changed`` tone or topic and left these two alone. ``said``: what the
    analyser says of the message, whose finer tags stay where they still fit."""
    found: dict[str, str] = {}
    if "sentiment" in changed and "emotion" not in changed:
        theirs = (said.emotion or "", said.emotion_second or "") if said is not None else ()
        found["emotion"] = _fitting((message.emotion, *theirs), changed["sentiment"])
    if "topic" in changed and "subtopic" not in changed:
        fits = said is not None and said.topic == changed["topic"]
        found["subtopic"] = (said.subtopic or "") if fits and said is not None else ""
    return {name: value for name, value in found.items() if value != getattr(message, name)}


def _fitting(known: Sequence[str], sentiment: str) -> str:
    """The first emotion ``known`` that fits the tone, else the only one of the tone; "" where there is none."""
    fits = [one for one in known if one and agree(one, sentiment)]
    only = GROUPS.get(sentiment, ())
    return fits[0] if fits else only[0] if len(only) == 1 else ""


def settle(tagging: Tagging, changed: Mapping[str, Any], followed: Mapping[str, str]) -> None:
    """Write what a person said (``changed``) and what follows from it into the new tagging: what is said is sure."""
    for name, value in {**followed, **changed}.items():
        if name != "place":
            setattr(tagging, name, value)
    if "place" in changed:
        tagging.places = [{"name": changed["place"], "level": "", "ambiguous": False}] if changed["place"] else []
    for name in changed:
        _sure(tagging, name)
    for name in followed:
        _unknown(tagging, name)


def _sure(tagging: Tagging, name: str) -> None:
    for column, value in _SURE.get(name, {}).items():
        setattr(tagging, column, value)


_SURE: dict[str, dict[str, Any]] = {
    "topic": {"topic_p": 1.0, "topic_second": "", "topic_second_p": 0.0, "topic_words": []},
    "sentiment": {
        "sentiment_p": 1.0, "sentiment_second": "", "sentiment_second_p": 0.0, "sentiment_words": [],
    },
    "emotion": {"emotion_p": 1.0, "emotion_second": "", "emotion_second_p": 0.0, "emotion_words": []},
    "request": {"request_p": 1.0, "request_second": "", "request_second_p": 0.0, "request_words": []},
    "subtopic": {"subtopic_p": 1.0, "subtopic_words": []},
    "urgency": {"urgency_p": 1.0, "urgency_second": "", "urgency_words": []},
    "is_sensitive": {"sensitive_p": 1.0},
}  # fmt: skip


def _unknown(tagging: Tagging, name: str) -> None:
    """What only follows has no odds of its own: nobody measured them."""
    for column in (name, f"{name}_second"):
        if hasattr(tagging, f"{column}_p"):
            setattr(tagging, f"{column}_p", None)
    setattr(tagging, f"{name}_words", [])
    if name == "emotion":
        tagging.emotion_second = ""


def fill(tagging: Tagging, message: Message, analysis: Analysis) -> None:
    """Add what an older tagging by a person does not hold yet, as far as it agrees with what the person settled."""
    values = fuller(analysis)
    if tagging.sentiment != analysis.sentiment.value:
        mood = analysis.emotion
        values |= {
            "sentiment_second": "", "sentiment_second_p": 0.0, "emotion_p": None, "emotion_second": "",
            "emotion_second_p": None, "emotion_words": [],
            "emotion": _fitting((message.emotion, mood.value, mood.second), tagging.sentiment),
        }  # fmt: skip
    if tagging.topic != analysis.topic.value:
        values |= {"subtopic": "", "subtopic_p": None, "subtopic_words": []}
    if tagging.request != analysis.request:
        values |= _SURE["request"]
    if tagging.urgency != analysis.urgency:
        values |= {"urgency_p": 1.0, "urgency_second": ""}
    if tagging.is_sensitive != analysis.sensitive:
        values |= _SURE["is_sensitive"]
    for name, value in values.items():
        setattr(tagging, name, value)
    message.emotion, message.subtopic = tagging.emotion or "", tagging.subtopic or ""
