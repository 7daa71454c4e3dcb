"""What people do by hand where no program can: reminded as time passes, ended with the link, or with why not.

A pause, the latest time and the approval hold for it as for everything else: it comes here through the same door.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlmodel import col, select

from connectors.base import Done, Unparsable
from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.i18n import _, written
from hub.models import Account, AttemptResult, Delivery, DeliveryKind, DeliveryState, User
from hub.rights import Actor, May
from workflows.delivery.answers import next_reminder, record_sent
from workflows.delivery.ledger import change, close_attempt, load, settle
from workflows.delivery.service import refuse_taken
from workflows.delivery.sight import may_see
from workflows.delivery.states import GIVEN_UP, label
from workflows.house import House

S = DeliveryState
LONGEST_REASON = 500
# Apps put the address into a sentence when they share it.
# Only what an address may hold as it stands: no markup beside it gets in.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
# Still a person's: also when a pause or its time stands in the way, for it may have been done already.
OPEN = (S.by_hand, S.held, S.missed)


async def remind(unit: Unit, delivery_id: int) -> DeliveryState | None:
    """Its next moment has come: remind who is to do it, or give it up as missed. Safe to run twice."""
    now, delivery = clock.now(), await load(unit, delivery_id)
    if delivery is None or delivery.attempt_at is None or delivery.attempt_at > now:
        return None
    still = col(Delivery.state) == S.by_hand, col(Delivery.version) == delivery.version
    if delivery.latest_at is not None and delivery.latest_at < now:
        error = written("已过最晚发布时间，还没有人工发布")
        missed = await settle(unit, delivery_id, *still, state=S.missed, attempt_at=None, error=error)
        return S.missed if missed else None
    following = next_reminder(delivery.scheduled_at, now, delivery.latest_at)
    reminded = await change(unit, delivery_id, *still, reminders=Delivery.reminders + 1, attempt_at=following)
    return S.by_hand if reminded else None


async def finish(house: House, unit: Unit, actor: Actor, delivery_id: int, *, link: str, without: str = "") -> Delivery:
    """It is done: ``link`` is the address of it on the platform, read and checked; sent from now on, like any other.

    ``without``: why there is no link (a private message has none), kept in the audit log. :class:`Invalid` with what
    is wrong with the link; refused for a link that stands for another sending.
    """
    delivery, account = await find(unit, actor, delivery_id)
    _refuse_closed(delivery, _("登记为已发布"))
    link = link.strip()
    if not link and not without.strip():
        raise Invalid({"link": _("请贴上平台上这一条的链接；平台确实不给链接的，写明原因。")})
    remote_id = _read(house, account, link) if link else ""
    if remote_id:
        await refuse_taken(unit, delivery, remote_id)
    done = Done(remote_id, _address(link, remote_id))
    if not await record_sent(unit, delivery, delivery.attempts, done, AttemptResult.by_hand, by_id=actor.user_id):
        await _refuse_late(unit, delivery, _("登记为已发布"))
    said = {"remote_id": remote_id, "without_link": without.strip()[:LONGEST_REASON]}
    await audit.record(unit, actor, "delivery.by_hand", f"delivery:{delivery_id}", **said)
    return await load(unit, delivery_id) or delivery


async def give_up(unit: Unit, actor: Actor, delivery_id: int, reason: str) -> Delivery:
    """It was not done, because …: failed with the person's reason, to be tried again or cancelled."""
    delivery, _account = await find(unit, actor, delivery_id)
    if not reason.strip():
        raise Invalid({"reason": _("请写明为什么没有发布")})
    _refuse_closed(delivery, _("登记为没有发布"))
    why = written("%(name)s：%(reason)s", name=actor.name, reason=reason.strip()[:LONGEST_REASON])
    refused = AttemptResult.refused
    await close_attempt(unit, delivery_id, delivery.attempts, refused, error_kind=GIVEN_UP, error=why)
    open_one = col(Delivery.state).in_(OPEN)
    changed = await settle(
        unit, delivery_id, open_one, state=S.failed, attempt_at=None, error_kind=GIVEN_UP, error=why, held_reason=""
    )
    if changed is None:
        await _refuse_late(unit, delivery, _("登记为没有发布"))
    await audit.record(unit, actor, "delivery.not_by_hand", f"delivery:{delivery_id}", reason=reason.strip())
    return changed or delivery


async def hand_to(unit: Unit, actor: Actor, delivery_id: int, person_id: int) -> Delivery:
    """Give the work to somebody else."""
    delivery, _account = await find(unit, actor, delivery_id)
    _refuse_closed(delivery, _("转交"))
    person = await unit.get(User, person_id)
    if person is None or not person.is_active:
        raise Invalid({"assignee": _("没有这个人，或已停用")})
    changed = await change(unit, delivery_id, col(Delivery.state).in_(OPEN), assignee_id=person_id)
    if changed is None:
        await _refuse_late(unit, delivery, _("转交"))
    await audit.record(unit, actor, "delivery.hand_to", f"delivery:{delivery_id}", person=person.username)
    return changed or delivery


def may_do(delivery: Delivery, actor: Actor) -> bool:
    """Who may end it: who is to do it, who settles deliveries, and who writes such texts."""
    if delivery.assignee_id is not None and delivery.assignee_id == actor.user_id:
        return True
    writes = May.write_post if delivery.kind is DeliveryKind.post else May.draft_reply
    return actor.can(May.settle_delivery) or actor.can(writes)


async def find(unit: Unit, actor: Actor, delivery_id: int) -> tuple[Delivery, Account]:
    """One that is or was done by hand, for somebody who may do it; NotFound when the person may not see it."""
    delivery = await unit.first(
        select(Delivery).where(Delivery.id == delivery_id, may_see(actor)).execution_options(populate_existing=True)
    )
    if delivery is None or not delivery.steps:
        raise NotFound(_("没有这项人工发布任务，或您无权查看"))
    if not may_do(delivery, actor):
        raise NotAllowed(_("这项任务由别人负责，您没有登记结果的权限"))
    account = await unit.get(Account, delivery.account_id)
    assert account is not None
    return delivery, account


async def hands(unit: Unit) -> Sequence[tuple[int, str]]:
    """Everybody the work can be given to: id and name, by name."""
    rows = await unit.rows(select(User.id, User.name).where(col(User.is_active)).order_by(col(User.name)))
    return [(row[0], row[1]) for row in rows]


async def sign_ins(unit: Unit) -> Sequence[tuple[str, str]]:
    """The same people by their sign-in names, as accounts name them."""
    rows = await unit.rows(select(User.username, User.name).where(col(User.is_active)).order_by(col(User.name)))
    return [(row[0], f"{row[1]}（{row[0]}）") for row in rows]


def _read(house: House, account: Account, link: str) -> str:
    try:
        return house.connector(account).read_link(house.ref(account), link)
    except Unparsable as error:
        raise Invalid({"link": str(error)}) from None


async def _refuse_late(unit: Unit, delivery: Delivery, word: str) -> None:
    """Somebody else ended it a moment ago."""
    _refuse_closed(await load(unit, delivery.id or 0) or delivery, word)


def _refuse_closed(delivery: Delivery, word: str) -> None:
    if delivery.state not in OPEN:
        raise Refused(
            [_("状态为「%(state)s」的任务不能%(word)s，请刷新后再看", state=label(delivery.state), word=word)]
        )


def _address(link: str, remote_id: str) -> str:
    """Where the item is, to be kept: what stands behind its id in the path is no part of it; its query may be."""
    found = _ADDRESS.search(link)
    if found is None:
        return ""
    parts = urlsplit(found[0])
    at = parts.path.rfind(remote_id) if remote_id else -1
    path = parts.path[: at + len(remote_id)] if at >= 0 else parts.path
    path += "/" if at >= 0 and parts.path[len(path) :] == "/" else ""
    return parts._replace(path=path, fragment="").geturl()[:2000]
