"""What people said about tags, the models made from it, and which of them is in force."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, plain, ref, stored


class Because(StrEnum):
    """Why a tag was wrong, in the short list people choose from."""

    subject = "subject"
    tone = "tone"
    irony = "irony"
    quote = "quote"
    local = "local"
    mixed = "mixed"
    rule = "rule"
    slip = "slip"
    other = "other"
    right = "right"


class Correction(SQLModel, table=True):
    """One person's word about one tag of one message: set right, or (``before`` equal to ``after``) found right.

    ``field``: topic, sentiment, is_sensitive, request or place. ``p``: how sure the analyser was. ``version``: the
    analyser it is about. Withdrawn ones stay and teach nothing. The text itself stays with the message.
    """

    __table_args__ = (Index("ix_correction_field", "field", "id"),)
    id: int | None = key()
    message_id: int = ref("message.id", cascade=True)
    tagging_id: int | None = ref("tagging.id", nullable=True, cascade=True)
    by_id: int | None = ref("person.id", nullable=True)
    at: datetime = Field(default_factory=clock.now, index=True)
    field: str = Field(max_length=16)
    before: str = Field(default="", max_length=64)
    after: str = Field(default="", max_length=64)
    because: Because = stored(Because, default=Because.other)
    reason: str = Field(default="", sa_type=Text)
    p: float = 0.0
    version: str = Field(default="", max_length=64)
    withdrawn_at: datetime | None = None
    withdrawn_by_id: int | None = ref("person.id", index=False, nullable=True)
    withdrawn_why: str = Field(default="", sa_type=Text)


class LearnState(StrEnum):
    """waiting → running → done | failed."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"


class LearnRun(SQLModel, table=True):
    """One lesson: who asked for it, how far it is, what came of it. ``night``: the day it belongs to, one a night."""

    id: int | None = key()
    state: LearnState = stored(LearnState, default=LearnState.waiting, index=True)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    by_name: str = Field(default="", max_length=100)
    night: date | None = Field(default=None, unique=True)
    created_at: datetime = Field(default_factory=clock.now)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    lease_until: datetime | None = None
    tries: int = 0
    step: str = Field(default="", max_length=64)
    done: int = 0
    total: int = 0
    error: str = Field(default="", sa_type=Text)
    notes: dict[str, str] = plain(default_factory=dict)


class LearntModel(SQLModel, table=True):
    """What one lesson made of the corrections, accepted or not. ``data``: the .npz that goes on top of the shipped
    model with the fingerprint ``base``; ``digest``: its SHA-256. A refused one keeps its report, not its data."""

    __table_args__ = (UniqueConstraint("task", "number"), UniqueConstraint("run_id", "task"))
    id: int | None = key()
    task: str = Field(max_length=16)
    number: int
    run_id: int = ref("learnrun.id", index=False)
    made_at: datetime = Field(default_factory=clock.now)
    is_accepted: bool = False
    base: str = Field(max_length=64)
    digest: str = Field(default="", max_length=64)
    data: bytes = Field(default=b"", sa_type=LargeBinary)
    corrections: int = 0
    confirmations: int = 0
    report: dict[str, Any] = plain(default_factory=dict)


class LiveModel(SQLModel, table=True):
    """Which version of a task is in force; ``learnt_id`` None: the shipped model. ``is_held``: a person chose it, so
    that nightly lessons make versions without putting them in force."""

    task: str = Field(primary_key=True, max_length=16)
    learnt_id: int | None = ref("learntmodel.id", index=False, nullable=True)
    is_held: bool = False
    version: int = 1
    at: datetime = Field(default_factory=clock.now)


class ModelChange(SQLModel, table=True):
    """History of :class:`LiveModel`; number 0 is the shipped model."""

    id: int | None = key()
    task: str = Field(index=True, max_length=16)
    at: datetime = Field(default_factory=clock.now)
    from_number: int = 0
    to_number: int = 0
    is_held: bool = False
    by_id: int | None = ref("person.id", index=False, nullable=True)
    by_name: str = Field(default="", max_length=100)
    reason: str = Field(default="", sa_type=Text)


__all__ = ["Because", "Correction", "LearnRun", "LearnState", "LearntModel", "LiveModel", "ModelChange"]
