"""Monitoring plans, what they hit, and their alarms."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import BIG, key, plain, ref, stored


class PlanMode(StrEnum):
    """simple: classes of words; expert: a rule with + | ! ( )."""

    simple = "simple"
    expert = "expert"


class WatchPlan(SQLModel, table=True):
    """What an office watches for. ``classes`` holds words by class (simple), ``expression`` the rule (expert).

    ``stop``: a rule of its own; messages it holds for are left out. ``alert_count`` hits within ``alert_minutes`` raise
    an alarm; 0: never. ``version`` rises with every change, so that compiled plans know that they are old.
    """

    id: int | None = key()
    name: str = Field(unique=True, max_length=100)
    mode: PlanMode = stored(PlanMode, default=PlanMode.simple)
    classes: dict[str, list[str]] = plain(default_factory=dict)
    expression: str = Field(default="", sa_type=Text)
    stop: str = Field(default="", sa_type=Text)
    is_active: bool = True
    alert_count: int = 0
    alert_minutes: int = 60
    alerted_at: datetime | None = None
    owner_id: int | None = ref("person.id", index=False, nullable=True)
    owner_name: str = Field(default="", max_length=100)
    created_at: datetime = Field(default_factory=clock.now)
    changed_at: datetime = Field(default_factory=clock.now)
    version: int = 1


class PlanHit(SQLModel, table=True):
    """One message one plan hit; ``at`` is when it was written, ``words`` those that stand in it."""

    __table_args__ = (UniqueConstraint("message_id", "plan_id"), Index("ix_planhit_newest", "plan_id", "at", "id"))
    id: int | None = key()
    plan_id: int = ref("watchplan.id", index=False, cascade=True)
    message_id: int = ref("message.id", index=False, cascade=True)
    at: datetime
    found_at: datetime = Field(default_factory=clock.now)
    words: list[str] = plain(default_factory=list)


class PlanAlert(SQLModel, table=True):
    """So many hits came within so many minutes; open until somebody says that they have seen it."""

    __table_args__ = (
        Index(
            "ix_planalert_open", "id",
            sqlite_where=text("seen_at IS NULL"), postgresql_where=text("seen_at IS NULL"),
        ),
    )  # fmt: skip
    id: int | None = key()
    plan_id: int = ref("watchplan.id", cascade=True)
    at: datetime = Field(default_factory=clock.now)
    hits: int
    minutes: int
    seen_at: datetime | None = None
    seen_by_id: int | None = ref("person.id", index=False, nullable=True)
    seen_by_name: str = Field(default="", max_length=100)


class RunState(StrEnum):
    """waiting → running → done | stopped (the plan was changed or put off meanwhile)."""

    waiting = "waiting"
    running = "running"
    done = "done"
    stopped = "stopped"


class PlanRun(SQLModel, table=True):
    """A plan over messages that came before it: those after ``after_id``, newest id ``until_id``, written ``since``."""

    id: int | None = key()
    plan_id: int = ref("watchplan.id", cascade=True)
    plan_version: int
    days: int
    since: datetime
    state: RunState = stored(RunState, default=RunState.waiting)
    after_id: int = Field(default=0, sa_type=BIG)
    until_id: int = Field(default=0, sa_type=BIG)
    total: int = 0
    seen: int = 0
    found: int = 0
    by_id: int | None = ref("person.id", index=False, nullable=True)
    by_name: str = Field(default="", max_length=100)
    created_at: datetime = Field(default_factory=clock.now)
    lease_until: datetime | None = None
    finished_at: datetime | None = None


__all__ = ["PlanAlert", "PlanHit", "PlanMode", "PlanRun", "RunState", "WatchPlan"]
