"""Official accounts on platforms, how far their streams are read, and the flags that hold sending back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, plain, ref, stored


class Account(SQLModel, table=True):
    """One official account. ``sealed`` holds its secrets, encrypted; they are never shown."""

    id: int | None = key()
    platform: str = Field(max_length=32)
    name: str = Field(unique=True, max_length=100)
    external_id: str = Field(default="", max_length=200)
    base_url: str = Field(default="", max_length=300)
    sealed: str = Field(default="", sa_type=Text)
    options: dict[str, Any] = plain(default_factory=dict)
    department_id: int | None = ref("department.id", nullable=True)
    is_active: bool = True
    created_at: datetime = Field(default_factory=clock.now)
    last_push_at: datetime | None = None
    version: int = 1


class Stream(SQLModel, table=True):
    """How far one stream of an account is read. The cursor moves in the same transaction as the items it covers."""

    __table_args__ = (UniqueConstraint("account_id", "name"),)
    id: int | None = key()
    account_id: int = ref("account.id", cascade=True)
    name: str = Field(max_length=32)
    cursor: dict[str, Any] = plain(default_factory=dict)
    due_at: datetime = Field(default_factory=clock.now, index=True)
    lease_until: datetime | None = None
    pulled_at: datetime | None = None
    failures: int = 0
    error_kind: str = Field(default="", max_length=32)
    error: str = Field(default="", sa_type=Text)


class PauseScope(StrEnum):
    """What a pause holds back."""

    everything = "everything"
    account = "account"


class Pause(SQLModel, table=True):
    """Sending is held back while ``lifted_at`` is empty. A force: compulsory reason, mark that stays."""

    id: int | None = key()
    scope: PauseScope = stored(PauseScope)
    account_id: int | None = ref("account.id", nullable=True)
    reason: str = Field(sa_type=Text)
    by_id: int = ref("person.id", index=False)
    at: datetime = Field(default_factory=clock.now)
    lifted_at: datetime | None = Field(default=None, index=True)
    lifted_by_id: int | None = ref("person.id", index=False, nullable=True)
