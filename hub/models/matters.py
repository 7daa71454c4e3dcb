"""Matters: what many citizens write about, message by message; drafts that a model wrote on demand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import BIG, key, plain, ref, stored


class MatterState(StrEnum):
    """open: shown; dismissed: by a person, still takes its messages in; merged: into another, by a person or not."""

    open = "open"
    dismissed = "dismissed"
    merged = "merged"


class Matter(SQLModel, table=True):
    """One issue that several messages are about. Its id stays for good; figures are counted by a job.

    ``is_kept``: a person named, merged, split or dismissed it, so the machine adds messages and does nothing else.
    ``profile``: the sum of ``size`` message vectors. ``figures``: counts by hour, mood, place, department, source.
    """

    __table_args__ = (
        Index("ix_matter_heat", "state", "heat", "id"),
        Index("ix_matter_last", "last_at"),
        Index("ix_matter_stale", "counted_at", sqlite_where=text("is_stale"), postgresql_where=text("is_stale")),
    )
    id: int | None = key()
    name: str = Field(default="", max_length=100)
    state: MatterState = stored(MatterState, default=MatterState.open)
    version: int = 1
    is_named: bool = False
    is_kept: bool = False
    merged_into_id: int | None = ref("matter.id", nullable=True)
    messages: int = 0
    copies: int = 0
    people: int = 0
    likes: int = 0
    reposts: int = 0
    heat: float = 0.0
    first_at: datetime
    last_at: datetime
    opened_at: datetime = Field(default_factory=clock.now)
    size: int = 0
    profile: bytes = Field(default=b"", sa_type=LargeBinary)
    figures: dict[str, Any] = plain(default_factory=dict)
    summary: list[dict[str, Any]] = plain(default_factory=list)
    summed_at: datetime | None = None
    summed_messages: int = 0
    is_stale: bool = False
    counted_at: datetime | None = None


class MatterMessage(SQLModel, table=True):
    """Where one citizen's message stands. ``matter_id`` None: alone. ``placed_at`` None: not looked at yet.

    ``is_copy``: the same text was there before; counted apart. ``is_held``: a person put it here, the machine leaves
    it. ``near``: the similarity it joined with; ``words``: what it is about. ``vector``: kept while it may be needed.
    """

    __table_args__ = (
        Index("ix_matter_message_matter", "matter_id", "at", "message_id"),
        Index("ix_matter_message_copy", "fingerprint"),
        Index(
            "ix_matter_message_waiting",
            "message_id",
            sqlite_where=text("placed_at IS NULL"),
            postgresql_where=text("placed_at IS NULL"),
        ),
        Index(
            "ix_matter_message_alone",
            "at",
            sqlite_where=text("matter_id IS NULL"),
            postgresql_where=text("matter_id IS NULL"),
        ),
    )
    message_id: int = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE", sa_type=BIG)
    matter_id: int | None = ref("matter.id", index=False, nullable=True)
    at: datetime
    placed_at: datetime | None = None
    fingerprint: int = Field(default=0, sa_type=BigInteger)
    is_copy: bool = False
    is_held: bool = False
    near: float = 0.0
    reposts: int = 0
    words: list[str] = plain(default_factory=list)
    vector: bytes | None = Field(default=None, sa_type=LargeBinary)


class MatterEvent(SQLModel, table=True):
    """One change of a matter: who, what, why. Written in the same transaction as the change."""

    __table_args__ = (Index("ix_matter_event_thread", "matter_id", "id"),)
    id: int | None = key()
    matter_id: int = ref("matter.id", index=False)
    at: datetime = Field(default_factory=clock.now)
    what: str = Field(max_length=32)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    by_name: str = Field(default="", max_length=100)
    note: str = Field(default="", sa_type=Text)
    data: dict[str, Any] = plain(default_factory=dict)


class WordTally(SQLModel, table=True):
    """How many messages hold each word (hashed, packed), for telling rare words from common ones. One row a purpose.

    ``lease_until``: one worker at a time places messages; whoever holds the lease of the row.
    """

    name: str = Field(primary_key=True, max_length=32)
    documents: int = 0
    counts: bytes = Field(default=b"", sa_type=LargeBinary)
    lease_until: datetime | None = None
    lease: str = Field(default="", max_length=32)


class WordShare(SQLModel, table=True):
    """In how many of a million messages a token of the search index stands; tokens not here are rarer."""

    token: str = Field(primary_key=True, max_length=64)
    per_million: int = 0


class ModelTask(StrEnum):
    """What a model was asked for."""

    reply = "reply"
    summary = "summary"


class ModelState(StrEnum):
    """waiting → running → done | failed."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"


class ModelDraft(SQLModel, table=True):
    """A text that a language model was asked for, and what came of it. Its text is marked as generated everywhere."""

    __table_args__ = (
        Index("ix_model_draft_waiting", "id", sqlite_where=text("finished_at IS NULL"),
              postgresql_where=text("finished_at IS NULL")),
        Index("ix_model_draft_case", "case_id", "id"),
        Index("ix_model_draft_matter", "matter_id", "id"),
    )  # fmt: skip
    id: int | None = key()
    task: ModelTask = stored(ModelTask)
    state: ModelState = stored(ModelState, default=ModelState.waiting)
    case_id: int | None = ref("case.id", index=False, nullable=True)
    matter_id: int | None = ref("matter.id", index=False, nullable=True)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    by_name: str = Field(default="", max_length=100)
    asked_at: datetime = Field(default_factory=clock.now)
    lease_until: datetime | None = None
    finished_at: datetime | None = None
    model: str = Field(default="", max_length=100)
    text: str = Field(default="", sa_type=Text)
    error: str = Field(default="", sa_type=Text)
    masked: int = 0
    sources: list[int] = plain(default_factory=list)


__all__ = [
    "Matter",
    "MatterEvent",
    "MatterMessage",
    "MatterState",
    "ModelDraft",
    "ModelState",
    "ModelTask",
    "WordShare",
    "WordTally",
]
