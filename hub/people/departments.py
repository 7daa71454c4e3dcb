"""The tree of departments. A department's ``path`` holds the ids from the root to itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import String, func, type_coerce, update
from sqlmodel import col, select

from hub import audit
from hub.db import Unit
from hub.errors import Invalid, NotFound, Refused
from hub.i18n import _
from hub.models import Case, Department, User
from hub.rights import Actor

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Description:
    """What an administrator types about a department. ``topics``: topics routed to it."""

    code: str
    name: str
    short_name: str
    parent_id: int | None = None
    duties: str = ""
    topics: list[str] = field(default_factory=list)


async def tree(unit: Unit) -> Sequence[Department]:
    """All departments, parents before children."""
    return await unit.all(select(Department).order_by(col(Department.path)))


async def get(unit: Unit, department_id: int) -> Department:
    """One department; :class:`NotFound` when there is none."""
    department = await unit.get(Department, department_id)
    if department is None:
        raise NotFound(_("没有这个部门。"))
    return department


async def create(unit: Unit, actor: Actor, given: Description) -> Department:
    """A new department. Refuses a taken code, a missing name or parent."""
    if problems := await _problems(unit, given, None):
        raise Invalid(problems)
    department = Department(**_values(given), parent_id=given.parent_id)
    unit.add(department)
    await unit.flush()
    department.path = await _path_under(unit, given.parent_id, department.id or 0)
    await audit.record(unit, actor, "department.create", f"department/{department.id}", name=department.name)
    return department


def _values(given: Description) -> dict[str, Any]:
    return {
        "code": given.code.strip(),
        "name": given.name.strip(),
        "short_name": given.short_name.strip() or given.name.strip()[:64],
        "duties": given.duties.strip(),
        "topics": given.topics,
    }


async def _problems(unit: Unit, given: Description, own_id: int | None) -> dict[str, str]:
    problems = {}
    if not _CODE.fullmatch(given.code.strip()):
        problems["code"] = _("代码用 1 至 64 个字母、数字、点、横线或下划线。")
    else:
        taken = await unit.first(select(col(Department.id)).where(Department.code == given.code.strip()))
        if taken is not None and taken != own_id:
            problems["code"] = _("代码「%(code)s」已被使用。", code=given.code.strip())
    if not given.name.strip() or len(given.name) > 200:
        problems["name"] = _("请填写部门全称，最多 200 个字。")
    if len(given.short_name) > 64:
        problems["short_name"] = _("简称最多 64 个字。")
    if given.parent_id is not None and await unit.get(Department, given.parent_id) is None:
        problems["parent_id"] = _("没有这个上级部门。")
    return problems


async def _path_under(unit: Unit, parent_id: int | None, own_id: int) -> str:
    parent = await unit.get(Department, parent_id) if parent_id is not None else None
    return f"{parent.path if parent else '/'}{own_id}/"


async def change(unit: Unit, actor: Actor, department_id: int, given: Description) -> Department:
    """New description; moving it under another parent moves its whole subtree. Refuses a parent below itself."""
    department = await get(unit, department_id)
    if problems := await _problems(unit, given, department_id):
        raise Invalid(problems)
    for name, value in _values(given).items():
        setattr(department, name, value)
    if given.parent_id != department.parent_id:
        await _move(unit, department, given.parent_id)
    unit.add(department)
    await audit.record(unit, actor, "department.change", f"department/{department_id}", name=department.name)
    return department


async def _move(unit: Unit, department: Department, parent_id: int | None) -> None:
    before, after = department.path, await _path_under(unit, parent_id, department.id or 0)
    if after.startswith(before):
        raise Refused([_("不能把部门移到它自己或它的下级之下。")])
    department.parent_id = parent_id
    await unit.flush()
    below = col(Department.path).startswith(before, autoescape=True)
    tail = type_coerce(after, String) + func.substr(col(Department.path), len(before) + 1)
    await unit.run(update(Department).where(below).values(path=tail))
    await unit.session.refresh(department)


async def set_active(unit: Unit, actor: Actor, department_id: int, active: bool) -> Department:
    """Close or reopen a department. Refuses to close one with active people, open cases or open departments below."""
    department = await get(unit, department_id)
    if not active and (reasons := await _reasons_to_keep(unit, department)):
        raise Refused(reasons)
    department.is_active = active
    unit.add(department)
    what = "department.open" if active else "department.close"
    await audit.record(unit, actor, what, f"department/{department_id}")
    return department


async def _reasons_to_keep(unit: Unit, department: Department) -> list[str]:
    own = department.id
    reasons = []
    if await unit.first(select(col(User.id)).where(User.department_id == own, col(User.is_active)).limit(1)):
        reasons.append(_("部门里还有在用的人员，请先调走或停用。"))
    if await unit.first(select(col(Case.id)).where(Case.department_id == own, col(Case.is_open)).limit(1)):
        reasons.append(_("部门还有未办结的工单，请先改派。"))
    below = select(col(Department.id)).where(Department.parent_id == own, col(Department.is_active)).limit(1)
    if await unit.first(below):
        reasons.append(_("还有在用的下级部门，请先停用或移走。"))
    return reasons
