"""The case, its history, and the answers written in it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, plain, ref, stored
from hub.models.messages import MessageKind

_OPEN: Any = {"sqlite_where": text("is_open"), "postgresql_where": text("is_open")}


class CaseState(StrEnum):
    """The ten states; everything else about a case is a field or a row beside it."""

    new = "new"
    triaged = "triaged"
    dispatched = "dispatched"
    handling = "handling"
    waiting = "waiting"
    review = "review"
    replied = "replied"
    closed = "closed"
    void = "void"
    merged = "merged"


class CaseClass(StrEnum):
    """Which clock pack applies."""

    urgent = "urgent"
    livelihood = "livelihood"
    general = "general"
    hard = "hard"


class Case(SQLModel, table=True):
    """One matter of one citizen. ``is_open``: not replied, closed, void or merged. Due times are stored."""

    __table_args__ = (
        Index("ix_case_open_department", "department_id", "due_at", "id", **_OPEN),
        Index("ix_case_open_newest", "last_message_at", "id", **_OPEN),
        Index("ix_case_state_newest", "state", "last_message_at", "id"),
        Index("ix_case_one_open_per_thread", "account_id", "thread_key", unique=True, **_OPEN),
        Index("ix_case_newest", "last_message_at", "id"),
        Index("ix_case_heat", "heat", "id"),
    )
    id: int | None = key()
    number: str = Field(unique=True, max_length=32)
    state: CaseState = stored(CaseState, default=CaseState.new)
    version: int = 1
    is_open: bool = True
    title: str = Field(sa_type=Text)
    account_id: int = ref("account.id", index=False)
    kind: MessageKind = stored(MessageKind)
    thread_key: str = Field(max_length=255)
    first_message_id: int | None = Field(default=None)
    author_id: str = Field(default="", max_length=255)
    author_name: str = Field(default="", max_length=255)
    topic: str = Field(default="", max_length=64)
    place: str = Field(default="", max_length=64)
    sentiment: str = Field(default="", max_length=16)
    is_sensitive: bool = False
    urgency: CaseClass = stored(CaseClass, default=CaseClass.general)
    department_id: int | None = ref("department.id", index=False, nullable=True)
    handler_id: int | None = ref("person.id", nullable=True)
    routing: dict[str, Any] = plain(default_factory=dict)
    message_count: int = 0
    likes: int = 0
    heat: float = 0.0
    returns: int = 0
    redos: int = 0
    opened_at: datetime = Field(default_factory=clock.now)
    last_message_at: datetime = Field(default_factory=clock.now)
    accept_due_at: datetime | None = None
    dispatched_at: datetime | None = None
    sign_due_at: datetime | None = None
    signed_at: datetime | None = None
    due_at: datetime | None = None
    replied_at: datetime | None = Field(default=None, index=True)
    closed_at: datetime | None = None
    waiting_until: datetime | None = None
    paused_seconds: int = 0
    calendar_version: str = Field(default="", max_length=32)
    void_reason: str = Field(default="", sa_type=Text)
    merged_into_id: int | None = ref("case.id", nullable=True)


class Audience(StrEnum):
    """Who may read an entry of the timeline: the office only (default), or the citizen too."""

    office = "office"
    citizen = "citizen"


class CaseEvent(SQLModel, table=True):
    """One change or note. Written in the same transaction as the change; never altered."""

    __table_args__ = (Index("ix_case_event_thread", "case_id", "id"),)
    id: int | None = key()
    case_id: int = ref("case.id", index=False)
    at: datetime = Field(default_factory=clock.now)
    what: str = Field(max_length=32)
    from_state: str = Field(default="", max_length=32)
    to_state: str = Field(default="", max_length=32)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    by_name: str = Field(default="", max_length=100)
    note: str = Field(default="", sa_type=Text)
    data: dict[str, Any] = plain(default_factory=dict)
    audience: Audience = stored(Audience, default=Audience.office)


class ReplyState(StrEnum):
    """draft → reviewing → approved → sent | failed; returned goes back to draft by editing."""

    draft = "draft"
    reviewing = "reviewing"
    returned = "returned"
    approved = "approved"
    sent = "sent"
    failed = "failed"


class Reply(SQLModel, table=True):
    """One answer to the citizen. What is approved is the text with this ``content_hash``, nothing else.

    ``generated_by``: the model that drafted it, whatever was edited since; empty: people alone wrote it.
    """

    id: int | None = key()
    case_id: int = ref("case.id")
    message_id: int = ref("message.id", index=False)
    text: str = Field(default="", sa_type=Text)
    state: ReplyState = stored(ReplyState, default=ReplyState.draft)
    version: int = 1
    content_hash: str = Field(default="", max_length=64)
    author_id: int | None = ref("person.id", index=False, nullable=True)
    author_name: str = Field(default="", max_length=100)
    created_at: datetime = Field(default_factory=clock.now)
    submitted_at: datetime | None = None
    reviewer_id: int | None = ref("person.id", index=False, nullable=True)
    reviewer_name: str = Field(default="", max_length=100)
    reviewed_at: datetime | None = None
    review_note: str = Field(default="", sa_type=Text)
    approved_hash: str = Field(default="", max_length=64)
    delivery_id: int | None = ref("delivery.id", index=False, nullable=True)
    sent_at: datetime | None = None
    is_imported: bool = False
    generated_by: str = Field(default="", max_length=100, sa_column_kwargs={"server_default": ""})
