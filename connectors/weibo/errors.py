"""What an answer of the platform means when it is no success: by the code in its body, before its HTTP status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.base import ConnectorError, Effect, ErrorKind
from connectors.bodies import bare_kind, effect_of
from connectors.http import Answer, retry_at, scrub
from connectors.weibo.codes import ACCEPTED_LATE, ARTICLE_CODES, ARTICLE_MAYBE_DONE, CODES, MAYBE_DONE

Codes = Mapping[int, tuple[ErrorKind, str]]
ARTICLE_DONE = 100000


def error_of(
    answer: Answer, body: Any, now: datetime, secrets: Iterable[str], codes: Codes = CODES
) -> ConnectorError | None:
    """The error an answer carries, by its body before its status; None for a success."""
    code, text = code_of(body, "error_code", "error")
    if not code and answer.ok:
        return None if isinstance(body, Mapping) or not answer.write else _strange()
    return _error(answer, code, text, codes, _effect(answer, code, codes, MAYBE_DONE), now, secrets)


def article_error(answer: Answer, body: Any, now: datetime, secrets: Iterable[str]) -> ConnectorError | None:
    """The same for the address of long articles, which answers ``{"code": "100000", "msg", "data"}``."""
    if code_of(body, "error_code", "error")[0]:
        return error_of(answer, body, now, secrets)
    code, text = code_of(body, "code", "msg")
    if answer.ok and code == ARTICLE_DONE:
        return None
    effect = _effect(answer, code, ARTICLE_CODES, ARTICLE_MAYBE_DONE)
    return _error(answer, code, text, ARTICLE_CODES, effect, now, secrets)


def code_of(body: Any, number: str, words: str) -> tuple[int, str]:
    """Code (a number or its text) and message of a body; (0, "") where it carries none, -1 where it is no number."""
    given = body.get(number) if isinstance(body, Mapping) else None
    if given is None or given == "":
        return 0, ""
    try:
        return int(given), str(body.get(words) or "")
    except (TypeError, ValueError, OverflowError):
        return -1, str(given)[:40]


def _strange() -> ConnectorError:
    """Every write is answered with an object: anything else says nothing of what became of it."""
    human = "平台的回答无法识别，系统会核实后处理"
    return ConnectorError(ErrorKind.protocol, human, code="no object", effect=Effect.unknown)


def _error(
    answer: Answer, code: int, text: str, codes: Codes, effect: Effect, now: datetime, secrets: Iterable[str]
) -> ConnectorError:
    kind, human = codes.get(code, (_unknown_kind(answer), f"平台返回了未知的错误（{code or answer.status}）"))
    shown = scrub(f"{code or answer.status} {text}".strip()[:200], secrets)
    return ConnectorError(kind, human, code=shown, effect=effect, retry_at=retry_at(answer.headers, now))


def _unknown_kind(answer: Answer) -> ErrorKind:
    """An unknown code: reading may be tried again, writing is for a person to look at."""
    if answer.status >= 400 and answer.status != 400:
        return bare_kind(answer.status)
    return ErrorKind.protocol if answer.write else ErrorKind.transient


def _effect(answer: Answer, code: int, codes: Codes, maybe_done: frozenset[int]) -> Effect:
    """A code that is known says more than the HTTP status."""
    if answer.write and code in ACCEPTED_LATE and code in codes:
        return Effect.done
    return effect_of(answer, code, codes, maybe_done)
