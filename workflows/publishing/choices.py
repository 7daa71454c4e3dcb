"""The accounts a post can go to, as the composer offers them: names, lengths, and why one cannot be chosen."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select

from connectors.base import Capability, Granted, PostForm
from hub.db import Unit
from hub.i18n import _
from hub.models import Account
from workflows.counting import rule_of
from workflows.house import House
from workflows.pictures.fitting import form_of


@dataclass(frozen=True, slots=True)
class Choice:
    """One account. ``counting``: weibo | mastodon | plain; ``limit``: the longest text in those units.

    ``why_not``: the reason why nothing can be published there now; empty: it can. ``forms``: what a post can be there,
    the usual one first; ``by_hand``: a person publishes it.
    """

    id: int
    name: str
    platform: str
    label: str
    counting: str
    limit: int
    why_not: str
    forms: tuple[PostForm, ...] = ()
    by_hand: bool = False

    def form(self, name: str) -> PostForm:
        """The form of this name, else the usual one."""
        return form_of(self.forms, name)


async def accounts(house: House, unit: Unit) -> list[Choice]:
    """Every account posts can be published on, by name; switched-off ones and those without the right say why not.

    Accounts whose platform offers no publishing at all (files, letters) are left out.
    """
    rows = await unit.all(select(Account).order_by(col(Account.name)))
    found = [_choice(house, account) for account in rows if account.platform in house.platforms]
    return [choice for choice in found if choice is not None]


def _choice(house: House, account: Account) -> Choice | None:
    connector, ref = house.connector(account), house.ref(account)
    grant = connector.capabilities(ref).get(Capability.publish)
    if grant is None or grant.granted is Granted.no:
        return None
    forms = connector.post_forms(ref)
    why = "" if grant.granted is Granted.yes else grant.reason or _("没有发布权限")
    return Choice(
        id=account.id or 0,
        name=account.name,
        platform=account.platform,
        label=_(connector.label),
        counting=rule_of(connector),
        limit=forms[0].length,
        forms=forms,
        by_hand=connector.limits(ref).by_hand,
        why_not=why if account.is_active else _("账号已停用"),
    )
