"""Texts as people see them, masked, cut around the words a plan found, those words apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.models import Message
from nlp.watch import spans
from workflows.cases.timeline import shown

LENGTH, LEAD = 140, 30


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text; ``is_word``: one of the plan's words."""

    text: str
    is_word: bool


def pieces(text: str, words: Sequence[str], length: int = LENGTH) -> list[Piece]:
    """At most ``length`` characters around the first word, in parts; long texts begin and end with …"""
    line = " ".join(text.split())
    found = spans(line, words)
    start = max(0, found[0][0] - LEAD) if found and len(line) > length else 0
    end = min(len(line), start + length)
    parts, at = [Piece("…", False)] if start else [], start
    for begin, stop in found:
        if begin >= end:
            break
        parts += [Piece(line[at:begin], False), Piece(line[begin : min(stop, end)], True)]
        at = min(stop, end)
    parts.append(Piece(line[at:end] + ("…" if end < len(line) else ""), False))
    return [part for part in parts if part.text]


def of_message(message: Message, words: Sequence[str], length: int = LENGTH) -> tuple[list[Piece], list[Piece]]:
    """Title and text of a message; personal data stays hidden."""
    title, text = shown(message)
    return (pieces(title, words, length) if title.strip() else []), pieces(text, words, length)
