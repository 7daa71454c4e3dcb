"""The audit chain, the change feed of live pages, and the signs of life of processes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, plain


class AuditEntry(SQLModel, table=True):
    """One thing a person did. ``digest`` covers the row and the digest before it."""

    id: int | None = key()
    at: datetime = Field(index=True)
    by_id: int | None = None
    by_name: str = Field(default="", max_length=100)
    what: str = Field(index=True, max_length=64)
    object: str = Field(default="", index=True, max_length=100)
    data: dict[str, Any] = plain(default_factory=dict)
    address: str = Field(default="", max_length=64)
    before: str = Field(max_length=64)
    digest: str = Field(max_length=64)


class Change(SQLModel, table=True):
    """Something open pages may want to show. Read by the live feed, swept after ten minutes."""

    id: int | None = key()
    at: datetime = Field(default_factory=clock.now, index=True)
    topic: str = Field(max_length=16)
    object_id: int | None = None
    department_id: int | None = None


class Heartbeat(SQLModel, table=True):
    """A process says that it lives; ``kind``: worker | web | sandbox."""

    name: str = Field(primary_key=True, max_length=100)
    kind: str = Field(max_length=16)
    at: datetime = Field(default_factory=clock.now)
    data: dict[str, Any] = plain(default_factory=dict)
