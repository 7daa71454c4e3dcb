"""Users: creating, changing, passwords, unlocking. Every change is in the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import col, select

from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, NotFound, Refused, Stale
from hub.i18n import LANGUAGES, _
from hub.models import Department, Role, User, UserRole
from hub.people import passwords, sessions, tokens
from hub.rights import Actor

THEMES = ("", "light", "dark")
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


@dataclass(frozen=True, slots=True)
class Person:
    """A user with what stands around them."""

    user: User
    department: Department
    roles: frozenset[Role]

    @property
    def is_locked(self) -> bool:
        """Whether too many wrong passwords lock them out right now."""
        return self.user.locked_until is not None and self.user.locked_until > clock.now()


@dataclass(frozen=True, slots=True)
class Particulars:
    """What an administrator types about a person."""

    name: str
    department_id: int
    roles: frozenset[Role]
    post: str = ""


async def create(
    unit: Unit, actor: Actor, username: str, particulars: Particulars, password: str, *, must_change: bool = True
) -> User:
    """A new user. Refuses a taken or unfit login name, a weak password, a missing department, no role."""
    login = username.strip().lower()
    problems = await _problems(unit, particulars)
    if not _USERNAME.fullmatch(login):
        problems["username"] = _("登录名用 2 至 64 个小写字母、数字、点、横线或下划线，以字母或数字开头。")
    elif await unit.first(select(col(User.id)).where(User.username == login)) is not None:
        problems["username"] = _("登录名「%(name)s」已被使用。", name=login)
    if problem := passwords.problems(password, login):
        problems["password"] = problem
    if problems:
        raise Invalid(problems)
    user = User(
        username=login, name=particulars.name.strip(), post=particulars.post.strip(),
        department_id=particulars.department_id, password_hash="",
    )  # fmt: skip
    passwords.apply(user, password, must_change=must_change)
    unit.add(user)
    await unit.flush()
    _add_roles(unit, user.id or 0, particulars.roles)
    await audit.record(unit, actor, "user.create", f"user/{user.id}", username=login, roles=_names(particulars.roles))
    return user


async def _problems(unit: Unit, particulars: Particulars) -> dict[str, str]:
    problems = {}
    if not particulars.name.strip() or len(particulars.name) > 100:
        problems["name"] = _("请填写姓名，最多 100 个字。")
    if len(particulars.post) > 100:
        problems["post"] = _("职务最多 100 个字。")
    department = await unit.get(Department, particulars.department_id)
    if department is None or not department.is_active:
        problems["department_id"] = _("请选择一个在用的部门。")
    if not particulars.roles:
        problems["roles"] = _("请至少选择一个角色，否则此人登录后什么也做不了。")
    return problems


def _add_roles(unit: Unit, user_id: int, roles: Iterable[Role]) -> None:
    unit.add(*(UserRole(user_id=user_id, role=role) for role in sorted(roles)))


def _names(roles: Iterable[Role]) -> list[str]:
    return sorted(role.value for role in roles)


async def change(unit: Unit, actor: Actor, user_id: int, particulars: Particulars, *, version: int) -> User:
    """New particulars. Refuses to take the administrator role from the last active administrator."""
    person = await get(unit, user_id)
    if problems := await _problems(unit, particulars):
        raise Invalid(problems)
    if Role.administrator not in particulars.roles:
        await _keep_an_administrator(unit, person)
    values = {
        "name": particulars.name.strip(),
        "post": particulars.post.strip(),
        "department_id": particulars.department_id,
    }
    changed = {name: value for name, value in values.items() if getattr(person.user, name) != value}
    await _store(unit, person.user, version, **values)
    if person.roles != particulars.roles:
        await unit.run(delete(UserRole).where(col(UserRole.user_id) == user_id))
        _add_roles(unit, user_id, particulars.roles)
        changed["roles"] = _names(particulars.roles)
    await audit.record(unit, actor, "user.change", f"user/{user_id}", changed=changed)
    return person.user


async def _store(unit: Unit, user: User, version: int, **values: object) -> None:
    if user.version != version or not await unit.compare_and_set(user, **values):
        raise Stale([_("此人的资料刚被他人改过，请刷新后再改。")])


async def _keep_an_administrator(unit: Unit, person: Person) -> None:
    if Role.administrator not in person.roles or not person.user.is_active:
        return
    others = (
        select(col(User.id))
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(UserRole.role == Role.administrator, col(User.is_active), col(User.id) != person.user.id)
        .limit(1)
    )
    if await unit.first(others) is None:
        raise Refused([_("这是最后一位在用的管理员，不能停用，也不能去掉管理员角色。请先指定另一位管理员。")])


async def set_active(unit: Unit, actor: Actor, user_id: int, active: bool, *, version: int) -> User:
    """Let a person in again, or lock them out at once: their sessions and tokens end with the same commit."""
    person = await get(unit, user_id)
    if not active:
        if user_id == actor.user_id:
            raise Refused([_("不能停用自己的账号，请另一位管理员操作。")])
        await _keep_an_administrator(unit, person)
        await sessions.revoke(unit, user_id)
        await tokens.revoke_all(unit, user_id)
    await _store(unit, person.user, version, is_active=active)
    await audit.record(unit, actor, "user.activate" if active else "user.deactivate", f"user/{user_id}")
    return person.user


async def set_password(unit: Unit, actor: Actor, user_id: int, password: str, *, must_change: bool = True) -> None:
    """A new password given by an administrator; unlocks, and ends all sessions of the person."""
    user = (await get(unit, user_id)).user
    passwords.check(password, user.username)
    passwords.apply(user, password, must_change=must_change)
    unit.add(user)
    await sessions.revoke(unit, user_id)
    await audit.record(unit, actor, "user.set_password", f"user/{user_id}")


async def change_own_password(unit: Unit, actor: Actor, new: str, *, right: bool, keep_session: int) -> None:
    """The person's own new password; ``right``: whether the old one was. Ends their other sessions."""
    user = (await get(unit, actor.user_id or 0)).user
    if not right:
        raise Invalid({"old": _("现在的密码不对。")})
    if await sessions.matches(user, new):
        raise Invalid({"password": _("新密码与现在的相同，请换一个。")})
    passwords.check(new, user.username)
    passwords.apply(user, new, must_change=False)
    unit.add(user)
    await sessions.revoke(unit, user.id or 0, but=keep_session)
    await audit.record(unit, actor, "user.change_password", f"user/{user.id}")


async def unlock(unit: Unit, actor: Actor, user_id: int) -> None:
    """Let a locked-out person try again. Safe to run twice."""
    user = (await get(unit, user_id)).user
    user.failures, user.locked_until = 0, None
    unit.add(user)
    await audit.record(unit, actor, "user.unlock", f"user/{user_id}")


async def end_sessions(unit: Unit, actor: Actor, user_id: int) -> int:
    """End every session of a person; returns how many there were. Safe to run twice."""
    await get(unit, user_id)
    ended = await sessions.revoke(unit, user_id)
    await audit.record(unit, actor, "user.end_sessions", f"user/{user_id}", ended=ended)
    return ended


async def set_tastes(unit: Unit, actor: Actor, *, language: str | None = None, theme: str | None = None) -> None:
    """The person's own language ("" follows the browser) and theme ("" follows the system)."""
    user = (await get(unit, actor.user_id or 0)).user
    if language is not None:
        if language and language not in LANGUAGES:
            raise Invalid({"language": _("没有这种语言。")})
        user.language = language
    if theme is not None:
        if theme not in THEMES:
            raise Invalid({"theme": _("没有这种配色。")})
        user.theme = theme
    unit.add(user)


async def get(unit: Unit, user_id: int) -> Person:
    """One person; :class:`NotFound` when there is none."""
    user = await unit.get(User, user_id)
    if user is None:
        raise NotFound(_("没有这个人。"))
    department = await unit.one(select(Department).where(Department.id == user.department_id))
    roles = await unit.all(select(col(UserRole.role)).where(col(UserRole.user_id) == user_id))
    return Person(user, department, frozenset(roles))


async def everybody(unit: Unit, *, words: str = "", department_path: str = "") -> list[Person]:
    """All people by department and name; ``words`` is looked for in name, login name and post."""
    statement = (
        select(User, Department)
        .join(Department, col(Department.id) == col(User.department_id))
        .order_by(col(Department.path), col(User.id))
    )
    if department_path:
        statement = statement.where(col(Department.path).startswith(department_path, autoescape=True))
    found = (await unit.session.exec(statement)).all()
    roles = await _roles(unit)
    people = [Person(user, department, roles.get(user.id or 0, frozenset())) for user, department in found]
    wanted = words.strip().lower()
    return [p for p in people if wanted in f"{p.user.name}\n{p.user.username}\n{p.user.post}".lower()]


async def _roles(unit: Unit) -> Mapping[int, frozenset[Role]]:
    held: dict[int, set[Role]] = {}
    for row in await unit.all(select(UserRole)):
        held.setdefault(row.user_id, set()).add(row.role)
    return {user_id: frozenset(roles) for user_id, roles in held.items()}


async def find(unit: Unit, username: str) -> User:
    """The user with a login name; :class:`NotFound` when there is none."""
    user = await unit.first(select(User).where(User.username == username.strip().lower()))
    if user is None:
        raise NotFound(_("没有登录名为「%(name)s」的人。", name=username))
    return user


async def with_role(unit: Unit, role: Role) -> Sequence[User]:
    """Active people who hold a role."""
    statement = select(User).join(UserRole, col(UserRole.user_id) == col(User.id))
    return await unit.all(statement.where(UserRole.role == role, col(User.is_active)).order_by(col(User.id)))
