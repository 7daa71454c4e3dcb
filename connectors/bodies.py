"""Answers of platforms that put every failure into the body: a bare status there is a gateway's, not the platform's."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from connectors.base import ConnectorError, Effect, ErrorKind
from connectors.http import Answer, kind_of_status


def body_of(answer: Answer) -> Any:
    """The body as JSON; what is none is a :class:`ConnectorError`, and never says that something is not there."""
    try:
        return answer.json()
    except ConnectorError as error:
        raise ConnectorError(_said(error.kind), error.human, code=error.code, effect=error.effect) from None


def bare_kind(status: int) -> ErrorKind:
    """The kind of a failure whose body carries no code that is known."""
    return _said(kind_of_status(status))


def unknown_kind(answer: Answer) -> ErrorKind:
    """The kind of a code that is not known: reading may be tried again, writing is for a person to look at."""
    if answer.status >= 400:
        return bare_kind(answer.status)
    return ErrorKind.protocol if answer.write else ErrorKind.transient


def effect_of(answer: Answer, code: int | None, known: Container[int], maybe_done: Container[int]) -> Effect:
    """What a failure with this code did: a known code is a clear refusal, whatever the status, but for those that say
    "perhaps"; an unknown one says no more than the status."""
    if not answer.write:
        return Effect.not_done
    if code is not None and code in maybe_done:
        return Effect.unknown
    return Effect.not_done if code is not None and code in known else answer.effect


def _said(kind: ErrorKind) -> ErrorKind:
    """A gateway's 404 does not know the item that was asked for: taken at its word, a post would count as gone."""
    return ErrorKind.protocol if kind is ErrorKind.not_found else kind
