"""The letter pages of the office: which there are, and what each asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from connectors.base import AccountRef
from connectors.forms import is_site
from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Account
from workflows.house import House

KINDS = ("咨询", "求助", "投诉", "举报", "建议", "表扬")
HOURLY = 5
_PHONE = {"选填": False, "不要": None}


@dataclass(frozen=True, slots=True)
class LetterPage:
    """One page. ``phone``: True asked for, False may be given, None not asked. ``embed``: sites that may frame it."""

    account_id: int
    slug: str
    title: str
    intro: str
    kinds: tuple[str, ...]
    phone: bool | None
    embed: tuple[str, ...]
    hourly: int


async def page(house: House, unit: Unit, slug: str) -> LetterPage:
    """The open page under this address; :class:`NotFound` when there is none or it is switched off."""
    for one in await pages(house, unit):
        if one.slug == slug:
            return one
    raise NotFound(_("没有这个写信页面，或者它已停用。"))


async def pages(house: House, unit: Unit) -> list[LetterPage]:
    """Every open page, the first made first."""
    blank = AccountRef(0, "", "", "", "")
    platforms = [name for name, found in house.platforms.items() if found.limits(blank).takes_letters]
    accounts = select(Account).where(col(Account.is_active), col(Account.platform).in_(platforms))
    return [_page(account) for account in await unit.all(accounts.order_by(col(Account.id)))]


def _page(account: Account) -> LetterPage:
    options: dict[str, Any] = account.options
    kinds = [kind.strip() for kind in str(options.get("kinds") or "").replace("，", "、").split("、") if kind.strip()]
    hourly = str(options.get("hourly") or "")
    return LetterPage(
        account_id=account.id or 0, slug=str(options.get("slug", "")), title=str(options.get("title") or account.name),
        intro=str(options.get("intro") or ""), kinds=tuple(kinds[:20]) or KINDS,
        phone=_PHONE.get(str(options.get("phone") or "").strip(), True),
        embed=tuple(site for site in str(options.get("embed") or "").split() if is_site(site)),
        hourly=int(hourly) if hourly.isdigit() and 0 < len(hourly) < 5 else HOURLY,
    )  # fmt: skip
