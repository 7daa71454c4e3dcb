"""What a model's summary rests on: every message it names is looked up, so that an invented source is seen as such."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlmodel import col, select

from hub.db import Unit
from hub.models import MatterMessage, ModelDraft

_SOURCES = re.compile(r"\[\s*\d{1,18}(?:\s*[,，、]\s*\d{1,18})*\s*\]")
_NUMBER = re.compile(r"\d+")
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]?(?: {0,3}\[[\d ,，、]{1,200}\])*")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the text. ``message_id``: the message it names, 0 for plain text; ``is_here``: that one belongs to the
    matter."""

    text: str
    message_id: int = 0
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class Cited:
    """The text in pieces; how many sentences name no message, and how many names lead nowhere."""

    parts: list[Part]
    bare: int
    astray: int


async def cited(unit: Unit, draft: ModelDraft) -> Cited:
    """The summary's sources, checked against the messages that stand in the matter now."""
    named = {int(number) for found in _SOURCES.findall(draft.text) for number in _NUMBER.findall(found)}
    here = select(col(MatterMessage.message_id)).where(
        col(MatterMessage.matter_id) == draft.matter_id, col(MatterMessage.message_id).in_(named)
    )
    return read(draft.text, frozenset(await unit.all(here)) if named else frozenset())


def read(text: str, here: frozenset[int]) -> Cited:
    """The pieces of ``text``, where the messages ``here`` are the matter's."""
    parts: list[Part] = []
    at = 0
    for found in _SOURCES.finditer(text):
        parts.append(Part(text[at : found.start()]))
        numbers = [int(number) for number in _NUMBER.findall(found[0])]
        parts += [Part(f"[{number}]", number, number in here) for number in numbers]
        at = found.end()
    parts.append(Part(text[at:]))
    bare = sum(_says_something(sentence) and not _SOURCES.search(sentence) for sentence in _SENTENCE.findall(text))
    astray = sum(bool(part.message_id) and not part.is_here for part in parts)
    return Cited([part for part in parts if part.text], bare, astray)


def _says_something(sentence: str) -> bool:
    return any(one.isalnum() for one in sentence)
