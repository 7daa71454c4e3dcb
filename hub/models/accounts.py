"""Official accounts on platforms, how far their streams are read, and the flags that hold sending back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, plain, ref, stored


class CircuitState(StrEnum):
    """closed: calls go through; open: none is made, nothing is read and nothing leaves, until it is closed again."""

    closed = "closed"
    open = "open"


class Account(SQLModel, table=True):
    """One official account. ``sealed`` holds its secrets, encrypted; they are never shown.

    ``expires_at``: until when its access lives, where the platform says so; ``renew_at``: when the refresher is due;
    ``is_renewable``: whether that needs no person, None while nobody has tried. ``failures``: failed calls in a row.
    ``probe_at``: when an open circuit is tried by itself, NULL: a person must close it; ``trips``: openings in a row.
    """

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
    disconnected_at: datetime | None = None
    expires_at: datetime | None = None
    renew_at: datetime | None = Field(default=None, index=True)
    renew_lease: datetime | None = None
    renewed_at: datetime | None = None
    is_renewable: bool | None = None
    renew_failures: int = 0
    renew_error: str = Field(default="", sa_type=Text)
    failures: int = 0
    circuit: CircuitState = stored(CircuitState, default=CircuitState.closed)
    circuit_kind: str = Field(default="", max_length=32)
    circuit_reason: str = Field(default="", sa_type=Text)
    circuit_since: datetime | None = None
    probe_at: datetime | None = Field(default=None, index=True)
    trips: int = 0
    version: int = 1


class Stream(SQLModel, table=True):
    """How far one stream of an account is read. The cursor moves in the same transaction as the items it covers.

    ``listener``: the process that hears when something has come, until ``listen_until``; where the platform calls.
    """

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
    listener: str = Field(default="", max_length=100)
    listen_until: datetime | None = None


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
