"""What the top of every page says: whether sending is paused, and to whom it belongs to change that."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select
from starlette.requests import Request

from hub.i18n import _
from hub.models import Pause, PauseScope
from hub.rights import May
from web.request import identity, looking


async def signals(request: Request) -> dict[str, Any]:
    """``pause`` and ``banners`` of the shell; nothing before sign-in."""
    who = identity(request)
    if who is None:
        return {}
    may = who.actor.can(May.pause_sending)
    if not (may or who.actor.can(May.read_posts)):
        return {}
    statement = select(Pause).where(Pause.scope == PauseScope.everything, col(Pause.lifted_at).is_(None))
    async with looking(request) as unit:
        held = await unit.first(statement.order_by(col(Pause.id)).limit(1))
    pause = {"may": may, "on": held is not None, "href": PAUSE_PAGE}
    if held is None:
        return {"pause": pause}
    text = _("全部发布已暂停：%(reason)s", reason=held.reason)
    return {"pause": pause, "banners": [{"kind": "pause", "text": text, "link_text": _("查看"), "href": PAUSE_PAGE}]}


PAUSE_PAGE = "/pause"
