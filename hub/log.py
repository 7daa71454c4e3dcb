"""Structured logs on standard error: one event a line, no secrets, no message text."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = re.compile(r"token|secret|password|passwd|cookie|authorization|signature|sealed|csrf|api_key", re.I)
_TEXT_KEYS = frozenset({"text", "body", "payload", "content", "title", "draft"})
_IN_URL = re.compile(r"((?:access_token|token|secret|signature|code|key)=)[^&\s\"']+", re.I)
_BEARER = re.compile(r"(Bearer|Basic|OAuth2)\s+[\w.~+/=-]+", re.I)


def scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop secrets and message text by key, and secrets inside any string."""
    for name, value in list(event.items()):
        if _SECRET_KEYS.search(name) or name in _TEXT_KEYS:
            event[name] = "[removed]"
        elif isinstance(value, str):
            event[name] = _BEARER.sub(r"\1 [removed]", _IN_URL.sub(r"\1[removed]", value))
    return event


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
        structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else structlog.dev.ConsoleRenderer()
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
