"""Departments as a tree, people, roles, sessions and API tokens."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, plain, ref, stored


class Role(StrEnum):
    """What a person is in the office; one person may be several."""

    press_officer = "press_officer"
    reviewer1 = "reviewer1"
    reviewer2 = "reviewer2"
    reviewer3 = "reviewer3"
    dispatcher = "dispatcher"
    handler = "handler"
    head = "head"
    leader = "leader"
    auditor = "auditor"
    administrator = "administrator"


class Department(SQLModel, table=True):
    """A unit of the office. ``path`` is "/1/4/": ids from the root to itself, so that a subtree is a prefix."""

    id: int | None = key()
    parent_id: int | None = ref("department.id", nullable=True)
    code: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=200)
    short_name: str = Field(max_length=64)
    path: str = Field(default="", index=True, max_length=500)
    topics: list[str] = plain(default_factory=list)
    duties: str = Field(default="", sa_type=Text)
    is_active: bool = True


class User(SQLModel, table=True):
    """A person who signs in."""

    __tablename__ = "person"
    id: int | None = key()
    username: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=100)
    post: str = Field(default="", max_length=100)
    department_id: int = ref("department.id")
    password_hash: str = Field(max_length=300)
    is_active: bool = True
    failures: int = 0
    locked_until: datetime | None = None
    must_change_password: bool = False
    language: str = Field(default="", max_length=16)
    theme: str = Field(default="", max_length=16)
    created_at: datetime = Field(default_factory=clock.now)
    version: int = 1


class UserRole(SQLModel, table=True):
    """One role of one person."""

    __table_args__ = (UniqueConstraint("user_id", "role"),)
    id: int | None = key()
    user_id: int = ref("person.id", cascade=True)
    role: Role = stored(Role)


class SignIn(SQLModel, table=True):
    """A server-side session. The cookie holds the token, the row only its digest."""

    id: int | None = key()
    user_id: int = ref("person.id", cascade=True)
    token_hash: str = Field(unique=True, max_length=64)
    csrf: str = Field(max_length=64)
    created_at: datetime = Field(default_factory=clock.now)
    seen_at: datetime = Field(default_factory=clock.now)
    expires_at: datetime
    revoked_at: datetime | None = None
    address: str = Field(default="", max_length=64)
    agent: str = Field(default="", max_length=300)


class ApiToken(SQLModel, table=True):
    """A personal token for ``/api/v1``. Shown once; only its digest is kept."""

    id: int | None = key()
    user_id: int = ref("person.id", cascade=True)
    name: str = Field(max_length=100)
    token_hash: str = Field(unique=True, max_length=64)
    hint: str = Field(max_length=12)
    scopes: list[str] = plain(default_factory=list)
    created_at: datetime = Field(default_factory=clock.now)
    used_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class IdempotencyKey(SQLModel, table=True):
    """The answer given to an API write with an ``Idempotency-Key``, kept 24 hours."""

    __table_args__ = (UniqueConstraint("user_id", "key"),)
    id: int | None = key()
    user_id: int = ref("person.id", cascade=True)
    key: str = Field(max_length=128)
    request_hash: str = Field(max_length=64)
    status: int = 0
    body: dict[str, Any] | None = plain(default=None, nullable=True)
    created_at: datetime = Field(default_factory=clock.now, index=True)
