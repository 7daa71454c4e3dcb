"""Answers of platforms that put every failure into the body: a bare status there is a gateway's, not the platform's."""

from __future__ import annotations

from typing import Any

from connectors.base import ConnectorError, ErrorKind
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


def _said(kind: ErrorKind) -> ErrorKind:
    """A gateway's 404 does not know the item that was asked for: taken at its word, a post would count as gone."""
    return ErrorKind.protocol if kind is ErrorKind.not_found else kind
