"""What a person may choose from when they make a move: departments, people, cases to join."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.models import Case, Department, User, UserRole
from hub.rights import ROLE_MAY, Actor, May
from workflows.cases.clocks import dispatch_fields
from workflows.cases.facts import policy_of
from workflows.cases.moves import Move

_HANDLING = [role for role, may in ROLE_MAY.items() if May.sign in may]


async def departments(unit: Unit, actor: Actor, move: Move, case: Case | None = None) -> list[tuple[int, str]]:
    """Active departments (id, name) a case may be sent to with this move, parents before children.

    Whoever has no right to dispatch may forward within their own tree only.
    """
    wanted = select(Department).where(col(Department.is_active)).order_by(col(Department.path))
    if move is Move.forward:
        wanted = wanted.where(col(Department.id) != (case.department_id if case else None))
        if not actor.can(May.dispatch):
            wanted = wanted.where(col(Department.path).startswith(actor.path or "-", autoescape=True))
    return [(one.id or 0, one.short_name or one.name) for one in await unit.all(wanted)]


async def handlers(unit: Unit, department_id: int | None) -> list[tuple[int, str]]:
    """The people (id, name) of a department who may handle a case."""
    may = select(UserRole.user_id).where(col(UserRole.role).in_(_HANDLING))
    there = (col(User.department_id) == department_id, col(User.is_active), col(User.id).in_(may))
    return [(one.id or 0, one.name) for one in await unit.all(select(User).where(*there).order_by(col(User.id)))]


def clocks_from_now(unit: Unit, case: Case) -> tuple[datetime, datetime]:
    """When signing and answering will be due if the case is dispatched now: what a person is told before they do it."""
    fields = dispatch_fields(policy_of(unit), case.urgency, clock.now(), case.due_at)
    sign, finish = fields["sign_due_at"], fields["due_at"]
    assert isinstance(sign, datetime)
    assert isinstance(finish, datetime)
    return sign, finish


async def case_id_of(unit: Unit, number: str) -> int | None:
    """The case with this number; whether it may be joined is for the move to say."""
    return await unit.first(select(col(Case.id)).where(col(Case.number) == number.strip()))
