"""What the top of every page says: whether sending is paused, and, to administrators, which accounts need them."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select
from starlette.requests import Request

from hub.i18n import _, ngettext
from hub.models import Account, Pause
from hub.rights import May
from web import accountwords
from web.request import identity, looking
from workflows.accounts import attention

PAUSE_PAGE = "/pause"
ACCOUNTS_PAGE = "/accounts?health=needs"
# So many accounts are named in the banner; more are counted.
NAMED = 2


async def signals(request: Request) -> dict[str, Any]:
    """``pause`` and ``banners`` of the shell; nothing before sign-in. Everybody sees the banner."""
    who = identity(request)
    if who is None:
        return {}
    async with looking(request) as unit:
        rows = await unit.session.exec(
            select(Pause, Account.name)
            .join(Account, col(Account.id) == col(Pause.account_id), isouter=True)
            .where(col(Pause.lifted_at).is_(None))
            .order_by(col(Pause.id))
        )
        held = [(pause, name or "") for pause, name in rows]
        needing = await attention(unit) if who.actor.can(May.manage_accounts) else ()
    pause = {"may": who.actor.can(May.pause_sending), "on": _everything(held) is not None, "href": PAUSE_PAGE}
    banners = []
    if held:
        banners.append({"kind": "pause", "text": _words(held), "link_text": _("查看"), "href": PAUSE_PAGE})
    if needing:
        href = f"/accounts/{needing[0].account_id}" if len(needing) == 1 else ACCOUNTS_PAGE
        banners.append({"kind": "danger", "text": accountwords.warning(needing), "link_text": _("查看"), "href": href})
    return {"pause": pause, "banners": banners}


def _everything(held: list[tuple[Pause, str]]) -> Pause | None:
    return next((pause for pause, _name in held if pause.account_id is None), None)


def _words(held: list[tuple[Pause, str]]) -> str:
    """One sentence: the pause of everything, or which accounts are stopped."""
    if (widest := _everything(held)) is not None:
        return _("全部发布已暂停：%(reason)s", reason=widest.reason)
    if len(held) > NAMED:
        return ngettext("%(n)s 个账号的发布已暂停。", "%(n)s 个账号的发布已暂停。", len(held))
    said = [_("「%(name)s」的发布已暂停：%(reason)s", name=name, reason=pause.reason) for pause, name in held]
    return _("；").join(said)
