"""People by login name and departments by name: for the command line and for seeding."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_
from sqlmodel import col, select

from hub import crypto
from hub.db import Unit
from hub.models import Department, Role, User
from hub.people import departments, staff
from hub.rights import Actor


async def find_or_make_department(unit: Unit, actor: Actor, name: str) -> int:
    """The id of the department with this code, full or short name; made under the (first) root when there is none."""
    wanted = name.strip()
    same = or_(col(Department.code) == wanted, col(Department.name) == wanted, col(Department.short_name) == wanted)
    found = await unit.first(select(col(Department.id)).where(same).order_by(col(Department.path)).limit(1))
    if found is not None:
        return found
    top = select(col(Department.id)).where(col(Department.parent_id).is_(None)).order_by(col(Department.id)).limit(1)
    given = departments.Description(
        code=f"d-{crypto.digest(wanted)[:12]}", name=wanted, short_name=wanted[:64], parent_id=await unit.first(top)
    )
    return (await departments.create(unit, actor, given)).id or 0


async def add_user(
    unit: Unit, actor: Actor, *, username: str, name: str, department_id: int, password: str,
    roles: Iterable[Role], post: str = "", must_change: bool = False,
) -> User:  # fmt: skip
    """A new user; refuses what :func:`hub.people.staff.create` refuses."""
    particulars = staff.Particulars(name=name, department_id=department_id, roles=frozenset(roles), post=post)
    return await staff.create(unit, actor, username, particulars, password, must_change=must_change)


async def set_password(unit: Unit, actor: Actor, *, username: str, password: str) -> None:
    """A new password by login name; unlocks and ends every session of the person."""
    user = await staff.find(unit, username)
    await staff.set_password(unit, actor, user.id or 0, password, must_change=False)
