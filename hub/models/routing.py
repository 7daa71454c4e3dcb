"""Routing: the office's own rules, what was suggested at each dispatch and what became of it, the learnt router."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, plain, ref


class RoutingRule(SQLModel, table=True):
    """Messages for which everything given holds go to ``department_id``. The lowest ``position`` that fits wins.

    Empty ``topic``, ``place``, ``keywords`` (a rule with + | ! ( )) and no account ask for nothing; one must be given.
    ``may_dispatch``: the hub may dispatch by this rule alone; otherwise it is a suggestion to the desk.
    """

    id: int | None = key()
    name: str = Field(unique=True, max_length=100)
    position: int = Field(default=0, index=True)
    topic: str = Field(default="", max_length=64)
    place: str = Field(default="", max_length=64)
    keywords: str = Field(default="", sa_type=Text)
    account_id: int | None = ref("account.id", index=False, nullable=True)
    department_id: int = ref("department.id", index=False)
    may_dispatch: bool = False
    is_active: bool = True
    changed_by: str = Field(default="", max_length=100)
    changed_at: datetime = Field(default_factory=clock.now)
    version: int = 1


class Dispatch(SQLModel, table=True):
    """One dispatch of a case: where it went, who sent it, and what had been suggested with its grounds.

    ``basis``: rule | learnt | signs, or empty when nothing was suggested; ``by_id`` empty: the hub itself.
    """

    __table_args__ = (Index("ix_dispatch_at", "at", "id"), Index("ix_dispatch_case", "case_id", "id"))
    id: int | None = key()
    case_id: int = ref("case.id", index=False)
    at: datetime = Field(default_factory=clock.now)
    department_id: int = ref("department.id", index=False)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    is_first: bool = True
    suggested_id: int | None = ref("department.id", index=False, nullable=True)
    basis: str = Field(default="", max_length=16)
    rule_id: int | None = ref("routingrule.id", index=False, nullable=True)
    rule_name: str = Field(default="", max_length=100)
    p: float = 0.0
    words: list[str] = plain(default_factory=list)


class Router(SQLModel, table=True):
    """What was learnt from the office's own dispatches; the current one is in force. ``data``: an npz, no pickle."""

    __table_args__ = (
        Index("ix_router_current", "id", sqlite_where=text("is_current"), postgresql_where=text("is_current")),
    )
    id: int | None = key()
    made_at: datetime = Field(default_factory=clock.now)
    is_current: bool = False
    cases: int = 0
    departments: int = 0
    scores: dict[str, Any] = plain(default_factory=dict)
    data: bytes = Field(default=b"", sa_type=LargeBinary)


__all__ = ["Dispatch", "Router", "RoutingRule"]
