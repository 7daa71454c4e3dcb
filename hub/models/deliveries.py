"""Anything that leaves the house: one table, one state machine."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, known, plain, ref, stored


class DeliveryKind(StrEnum):
    """What leaves. stage: where a case stands, for the system its work order came from."""

    post = "post"
    reply = "reply"
    stage = "stage"


class DeliveryState(StrEnum):
    """waiting → sending → sent | failed | unknown → (read back) sent | waiting; or held, missed, cancelled.

    by_hand: no program can do it there; it waits for a person, who ends it as sent or failed.
    """

    waiting = "waiting"
    sending = "sending"
    sent = "sent"
    failed = "failed"
    unknown = "unknown"
    held = "held"
    missed = "missed"
    cancelled = "cancelled"
    removed = "removed"
    by_hand = "by_hand"


class Delivery(SQLModel, table=True):
    """One text to one account. ``attempt_at``: when to act next (send, read back while unknown, remind); NULL: nothing.

    ``content_hash`` must equal ``approved_hash`` at the door. ``latest_at``: later than this it is missed.
    ``attachments``: pictures in order, ``video``: both as in :class:`hub.models.Post`. ``form``: of a post, or which
    stage is told. ``extra``: who is in charge of the case; what the platform told on acceptance and later calls need.
    ``steps``: what a person does by hand; ``assignee_id``: who; ``reminders``: how many so far. ``watch_at``: when to
    look next whether it still stands, ``figures_at``: how it does.
    """

    __table_args__ = (
        Index(
            "ix_delivery_due",
            "attempt_at",
            "id",
            sqlite_where=text("attempt_at IS NOT NULL"),
            postgresql_where=text("attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_delivery_figures",
            "figures_at",
            "account_id",
            sqlite_where=text("figures_at IS NOT NULL"),
            postgresql_where=text("figures_at IS NOT NULL"),
        ),
        Index("ix_delivery_state", "state", "id"),
        Index("ix_delivery_remote", "account_id", "remote_id"),
        UniqueConstraint("reply_id"),
        UniqueConstraint("post_id", "account_id", "round"),
    )
    id: int | None = key()
    kind: DeliveryKind = stored(DeliveryKind)
    account_id: int = ref("account.id", index=False)
    post_id: int | None = Field(default=None)
    reply_id: int | None = Field(default=None)
    case_id: int | None = Field(default=None, index=True)
    round: int = 1
    text: str = Field(sa_type=Text)
    form: str = Field(default="", max_length=32)
    title: str = Field(default="", max_length=200)
    attachments: list[dict[str, Any]] = plain(default_factory=list)
    video: dict[str, Any] | None = known()
    target_id: str = Field(default="", max_length=255)
    target_kind: str = Field(default="", max_length=16)
    target_thread_id: str = Field(default="", max_length=255)
    target_author_id: str = Field(default="", max_length=255)
    content_hash: str = Field(max_length=64)
    approved_hash: str = Field(max_length=64)
    state: DeliveryState = stored(DeliveryState, default=DeliveryState.waiting)
    version: int = 1
    scheduled_at: datetime
    latest_at: datetime | None = None
    attempt_at: datetime | None = None
    lease_until: datetime | None = None
    attempts: int = 0
    checks: int = 0
    unknown_since: datetime | None = None
    remote_id: str = Field(default="", max_length=255)
    remote_url: str = Field(default="", sa_type=Text)
    extra: dict[str, str] = plain(default_factory=dict)
    assignee_id: int | None = ref("person.id", nullable=True)
    steps: list[str] = plain(default_factory=list)
    reminders: int = 0
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    error_kind: str = Field(default="", max_length=32)
    error: str = Field(default="", sa_type=Text)
    held_reason: str = Field(default="", sa_type=Text)
    watch_at: datetime | None = Field(default=None, index=True)
    figures_at: datetime | None = None
    created_at: datetime = Field(default_factory=clock.now)


class AttemptResult(StrEnum):
    """open: begun and not yet answered (or the process died)."""

    open = "open"
    done = "done"
    refused = "refused"
    retry = "retry"
    unknown = "unknown"
    found = "found"
    absent = "absent"
    by_hand = "by_hand"


class Attempt(SQLModel, table=True):
    """One try of one delivery; committed before the call. ``key`` goes to the platform where it takes one."""

    id: int | None = key()
    delivery_id: int = ref("delivery.id")
    number: int
    key: str = Field(unique=True, max_length=64)
    content_hash: str = Field(max_length=64)
    started_at: datetime = Field(default_factory=clock.now)
    ended_at: datetime | None = None
    result: AttemptResult = stored(AttemptResult, default=AttemptResult.open)
    error_kind: str = Field(default="", max_length=32)
    error: str = Field(default="", sa_type=Text)
    by_id: int | None = ref("person.id", index=False, nullable=True)
