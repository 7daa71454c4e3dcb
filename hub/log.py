"""Structured logs on standard error: one event a line, no secrets, no message text."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = re.compile(r"token|secret|password|passwd|cookie|authorization|signature|sealed|csrf|api_key", re.I)
_TEXT_KEYS = frozenset({"text", "body", "payload", "content", "title", "draft"})
_IN_URL = re.compile(r"((?:access_token|token|secret|signature|code|key)=)[^&\s\"']+", re.I)
# "…" or '…' (also with the other kind inside), and values of rows as databases quote them: Key (name)=(…).
_QUOTED = re.compile(r"""(["'])(?:(?!\1)[^\\]|\\.)*\1""", re.S)
_ROW = re.compile(r"=\([^)]{0,500}\)")
_SAID_MOST = 1_000
_LINE_ENDS = re.compile("[\\x7f-\\x9f\\u2028\\u2029]")
_BEARER = re.compile(r"(Bearer|Basic|OAuth2)\s+[\w.~+/=-]+", re.I)


def scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop secrets and message text by key, and secrets inside any string."""
    for name, value in list(event.items()):
        if _SECRET_KEYS.search(name) or name in _TEXT_KEYS:
            event[name] = "[removed]"
        elif isinstance(value, str):
            told = _trace(value) if name == "exception" else value
            event[name] = _BEARER.sub(r"\1 [removed]", _IN_URL.sub(r"\1[removed]", told))
    return event


def _line(event: object, **options: Any) -> str:
    """One object on one line, also for readers to whom U+2028 and its like end a line."""
    text = json.dumps(event, ensure_ascii=False, **options)
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def outline(text: str) -> str:
    """What an error says, without what it quotes: that may be what somebody wrote."""
    return _ROW.sub("=(…)", _QUOTED.sub(r"\1…\1", text[:_SAID_MOST]))


def _trace(text: str) -> str:
    """A stack trace with its places and lines of code; what the errors say only in outline."""
    parts = re.split(r'^(  File ".*\n(?:    .*\n)*)', text, flags=re.M)
    return "".join(part if place % 2 else outline(part) for place, part in enumerate(parts))


def configure(level: str = "INFO", form: str = "json") -> None:
    """Set up logging for this process, the standard library's included."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        scrub,
    ]
    last: Any = (
        structlog.processors.JSONRenderer(serializer=_line) if form == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def get(name: str) -> Any:
    """A logger. Events are short English words, values go as keyword arguments."""
    return structlog.get_logger(name)
