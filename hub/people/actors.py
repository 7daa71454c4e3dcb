"""From rows to the person as every service sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, select

from hub.db import Unit
from hub.models import Department, Role, User, UserRole
from hub.rights import Actor, rights_of


@dataclass(frozen=True, slots=True)
class Identity:
    """Who stands behind a request: a session (``sign_in_id``, ``csrf``) or a personal token (``scopes``)."""

    actor: Actor
    username: str
    department: str = ""
    theme: str = ""
    must_change_password: bool = False
    sign_in_id: int | None = None
    csrf: str = ""
    scopes: frozenset[str] | None = None


def actor_of(user: User, path: str, roles: Iterable[Role], address: str = "") -> Actor:
    """The actor for rows already read. ``path``: the department's path."""
    held = frozenset(roles)
    return Actor(
        user_id=user.id, name=user.name, department_id=user.department_id, path=path, roles=held,
        may=rights_of(held), language=user.language, address=address,
    )  # fmt: skip


async def load_actor(unit: Unit, user_id: int, address: str = "") -> Actor | None:
    """The person with their rights; None when unknown or no longer active."""
    user = await unit.get(User, user_id)
    if user is None or not user.is_active:
        return None
    path = await unit.first(select(Department.path).where(col(Department.id) == user.department_id))
    roles = await unit.all(select(col(UserRole.role)).where(col(UserRole.user_id) == user_id))
    return actor_of(user, path or "", roles, address)
