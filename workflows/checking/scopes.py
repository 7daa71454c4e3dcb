"""Whose an entry of the word lists is: the whole office's, or a department's, where it holds for those below it too."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select

from hub.db import Unit
from hub.errors import NotAllowed, NotFound
from hub.i18n import _
from hub.models import Department, OfficeWord
from hub.rights import Actor, May


def may_keep(actor: Actor, department: Department | None) -> bool:
    """Whether the person changes the lists of this department (none: of the whole office)."""
    if actor.can(May.manage_words):
        return True
    return department is not None and actor.can(May.manage_tree_words) and _is_below(department.path, actor.path)


def _is_below(path: str, above: str) -> bool:
    return bool(above) and path.startswith(above)


async def kept_by(unit: Unit, actor: Actor) -> Sequence[Department]:
    """The departments whose lists the person changes, those above first."""
    query = select(Department).where(col(Department.is_active)).order_by(col(Department.path))
    return [one for one in await unit.all(query) if may_keep(actor, one)]


async def find(unit: Unit, actor: Actor, department_id: int | None) -> Department | None:
    """The department by its id; None for the whole office. NotFound for one whose lists the person does not see."""
    if department_id is None:
        return None
    department = await unit.get(Department, department_id)
    if department is None or not (may_keep(actor, department) or _holds_for(actor, department)):
        raise NotFound(_("没有这个部门，或者您无权查看它的词表。"))
    return department


def _holds_for(actor: Actor, department: Department) -> bool:
    return actor.can(May.manage_tree_words) and _is_below(actor.path, department.path)


async def need(unit: Unit, actor: Actor, department_id: int | None) -> None:
    """NotAllowed for whoever does not keep these lists; NotFound for a department whose lists they do not see."""
    keeps = actor.can(May.manage_words) or actor.can(May.manage_tree_words)
    if not keeps or not may_keep(actor, await find(unit, actor, department_id)):
        raise NotAllowed(_("您没有修改词表的权限"))


def own(actor: Actor) -> int | None:
    """Whose lists what the person ignores while writing goes to: the whole office's where they keep these."""
    return None if actor.can(May.manage_words) else actor.department_id


def holds_in(department_id: int | None) -> ColumnElement[bool]:
    """Entries that hold in a department: the whole office's, its own, and those of the departments above it."""
    scope = col(OfficeWord.department_id)
    if department_id is None:
        return scope.is_(None)
    path = select(Department.path).where(col(Department.id) == department_id).scalar_subquery()
    # Paths hold digits and slashes alone: nothing in them is a wildcard.
    above = select(col(Department.id)).where(path.startswith(col(Department.path))).correlate(None)
    return or_(scope.is_(None), scope.in_(above))
