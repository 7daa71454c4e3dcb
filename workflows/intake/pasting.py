"""Comments pasted for accounts that no program reads: the same intake as everything else, nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from connectors.files import BROUGHT
from connectors.manual.pasted import Pasted, item_of, read
from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, NotAllowed
from hub.i18n import _
from hub.models import Account, Delivery, DeliveryKind, DeliveryState, Post
from hub.queries import visible
from hub.rights import Actor, May
from workflows.intake.arrivals import Stored, store

LONGEST = 200_000
MOST_POSTS = 50


@dataclass(frozen=True, slots=True)
class Under:
    """An own item that comments can stand under: the delivery's number, its title and address."""

    id: int
    title: str
    url: str


def may_paste(actor: Actor) -> bool:
    """Whoever brings files in, and whoever publishes."""
    return actor.can(May.import_files) or actor.can(May.write_post)


def understood(pasted: str) -> list[Pasted]:
    """What would be taken in. :class:`Invalid` when there is nothing in it, or far too much."""
    if len(pasted) > LONGEST:
        raise Invalid({"pasted": _("一次最多粘贴 %(n)s 字，请分几次", n=LONGEST)})
    found = read(pasted, clock.now())
    if not found:
        raise Invalid({"pasted": _("没有认出评论。每条评论之间空一行，或写成「昵称：内容」一行一条。")})
    return found


async def accounts(unit: Unit) -> Sequence[Account]:
    """Those whose items people bring, by name."""
    wanted = (
        select(Account).where(col(Account.platform).in_(BROUGHT), col(Account.is_active)).order_by(col(Account.name))
    )
    return await unit.all(wanted)


async def items_of(unit: Unit, actor: Actor, account_id: int) -> list[Under]:
    """What the person sees of what was published there lately, the newest first."""
    rows = await unit.rows(
        select(Delivery.id, Post.title, Delivery.remote_url)
        .join(Post, col(Post.id) == col(Delivery.post_id))
        .where(
            Delivery.account_id == account_id,
            Delivery.kind == DeliveryKind.post,
            Delivery.state == DeliveryState.sent,
            visible.posts(actor),
        )
        .order_by(col(Delivery.sent_at).desc())
        .limit(MOST_POSTS)
    )
    return [Under(row[0], row[1], row[2]) for row in rows]


async def take(unit: Unit, actor: Actor, account_id: int, pasted: str, under_id: int | None = None) -> Stored:
    """Store what was pasted. Safe to run twice: the same words of the same person under the same item come once."""
    if not may_paste(actor):
        raise NotAllowed(_("没有导入文件的权限"))
    account = await unit.get(Account, account_id)
    if account is None or account.platform not in BROUGHT:
        raise Invalid({"account": _("请选择账号")})
    under = next((one for one in await items_of(unit, actor, account_id) if one.id == under_id), None)
    url, title = (under.url, under.title) if under else ("", "")
    stored = await store(unit, account, [item_of(one, url, title) for one in understood(pasted)], "paste")
    said = {"new": len(stored.new), "known": stored.known}
    await audit.record(unit, actor, "comments.paste", f"account:{account.name}", **said)
    return stored
