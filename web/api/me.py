"""Who asks: the person behind the token and what they may do."""

from __future__ import annotations

from pydantic import Field

from hub.i18n import N_
from hub.models import Role
from hub.rights import May
from web.api.operation import Call, operation
from web.api.schema import Answer
from web.routes.table import Gate


class Me(Answer):
    """The person as every service sees them."""

    id: int
    username: str
    name: str
    department_id: int | None
    roles: list[Role]
    rights: list[May]
    scopes: list[str] | None = Field(description=N_("令牌的范围；浏览器登录时为 null。"))


@operation("GET", "/me", N_("令牌背后的人、角色和权限"), scope="", needs=Gate.signed_in)
async def get_me(call: Call[None, None]) -> Me:
    """Who I am here; any valid token may ask."""
    who, actor = call.who, call.actor
    return Me(
        id=actor.user_id or 0, username=who.username, name=actor.name, department_id=actor.department_id,
        roles=sorted(actor.roles), rights=sorted(actor.may),
        scopes=None if who.scopes is None else sorted(who.scopes),
    )  # fmt: skip


OPERATIONS = (get_me,)
