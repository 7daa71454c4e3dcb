"""Foreign values made fit for any database: nothing is lost that the stored arrival does not keep."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

ID_LENGTH = 255
NAME_LENGTH = 255
MOST = 2**31 - 1
# Platforms whose clock runs a little ahead are believed; a time beyond this cannot be when somebody wrote.
AHEAD = timedelta(days=1)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_BROKEN = "\ufffd"


def text(value: str) -> str:
    """Without NUL (PostgreSQL takes none) and without lone surrogates (no encoding takes them): both become �."""
    clean = value.replace("\x00", _BROKEN)
    return clean if clean.isprintable() else clean.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def payload(value: str) -> str:
    """The raw item, still the same JSON: what no database takes is written as its escape."""
    return value.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode()


def identity(value: str) -> str:
    """An id as it is, or the digest of one that is too long for its column; the same id always gives the same."""
    if len(value) <= ID_LENGTH and value == text(value):
        return value
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def name(value: str) -> str:
    """At most 255 characters, the rest shown as …"""
    clean = text(value)
    return clean if len(clean) <= NAME_LENGTH else clean[: NAME_LENGTH - 1] + "…"


def count(value: int) -> int:
    """Between nothing and what a column holds."""
    return max(0, min(value, MOST))


def moment(stated: datetime, received: datetime) -> datetime:
    """When it was written; a time that cannot be is replaced by when it came. ValueError for a naive one."""
    if stated.tzinfo is None:
        raise ValueError("naive time")
    return stated if EARLIEST <= stated <= received + AHEAD else received


def tree(value: Any) -> Any:
    """A JSON value with every text in it made storable."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {text(str(key)): tree(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [tree(part) for part in value]
    return value
