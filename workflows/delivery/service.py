"""What people do to deliveries: pause and lift, cancel, retry, send now, reschedule, and settle what nobody can tell.

Every one of these needs a right, most a reason, and each stands in the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import update
from sqlmodel import col, func, select

from connectors.base import Done
from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.i18n import _, moment, written
from hub.models import (
    Account,
    Attempt,
    AttemptResult,
    CircuitState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Pause,
    PauseScope,
    Post,
)
from hub.rights import Actor, May
from workflows import circuits
from workflows.delivery import door
from workflows.delivery.answers import record_sent
from workflows.delivery.ledger import CLEAN, change, load, settle
from workflows.delivery.outbox import ring
from workflows.delivery.sight import may_see
from workflows.delivery.states import STOPPABLE, label
from workflows.delivery.stopping import LIMITED, latest_for
from workflows.delivery.turning import words_of
from workflows.delivery.uploading import begin_again

S = DeliveryState
LONGEST_REASON = 500
KEEPS_APPROVAL = timedelta(days=7)
# Farther than this is a slip of the pen.
FARTHEST = timedelta(days=3660)


async def pause(unit: Unit, actor: Actor, reason: str, account_id: int | None = None) -> Pause:
    """Stop everything, or one account, at once: no sending begins after this transaction is committed.

    What waits, also for a person's hand, is held with the reason. Calls already on the wire end by
    themselves. Refused when already paused.
    """
    _need(actor, May.pause_sending)
    reason = _reason(reason)
    if actor.user_id is None:
        raise NotAllowed(_("暂停发布须由具名人员操作"))
    if account_id is not None and await unit.get(Account, account_id) is None:
        raise NotFound(_("没有这个账号"))
    await unit.lock_chain(door.DOOR)
    if await unit.first(select(Pause).where(col(Pause.lifted_at).is_(None), _same_scope(account_id))):
        raise Refused([_("已处于暂停状态")])
    scope = PauseScope.everything if account_id is None else PauseScope.account
    made = Pause(scope=scope, account_id=account_id, reason=reason, by_id=actor.user_id)
    unit.add(made)
    await unit.flush()
    await unit.run(
        update(Delivery)
        .where(col(Delivery.state).in_([S.waiting, S.by_hand]), *_of(account_id))
        .values(state=S.held, version=Delivery.version + 1, attempt_at=None, held_reason=words_of(made))
    )
    await audit.record(unit, actor, "sending.pause", _scope_name(account_id), reason=reason)
    return made


async def lift(unit: Unit, actor: Actor, pause_id: int, reason: str) -> int:
    """End a pause. What is still to come waits again by itself; what fell due meanwhile stays held, listed for a person
    to decide one by one. Returns how many wait again.
    """
    _need(actor, May.pause_sending)
    reason = _reason(reason)
    await unit.lock_chain(door.DOOR)
    made = await unit.get(Pause, pause_id)
    if made is None:
        raise NotFound(_("没有这条暂停记录"))
    now = clock.now()
    open_one = col(Pause.id) == pause_id, col(Pause.lifted_at).is_(None)
    if not await unit.claim(Pause, *open_one, lifted_at=now, lifted_by_id=actor.user_id):
        raise Refused([_("这次暂停已经解除")])
    freed = await unit.run(
        update(Delivery)
        .where(
            col(Delivery.state) == S.held,
            col(Delivery.scheduled_at) > now,
            *_of(made.account_id),
            ~door.is_paused(),
        )
        .values(state=S.waiting, version=Delivery.version + 1, attempt_at=Delivery.scheduled_at, held_reason="")
    )
    unit.later("sweep_deliveries")
    await audit.record(unit, actor, "sending.lift", _scope_name(made.account_id), reason=reason)
    return freed.rowcount


async def pauses(unit: Unit) -> Sequence[Pause]:
    """The pauses in force, the wider first."""
    return await unit.all(
        select(Pause).where(col(Pause.lifted_at).is_(None)).order_by(col(Pause.scope).desc(), col(Pause.id))
    )


async def cancel(unit: Unit, actor: Actor, delivery_id: int, reason: str) -> Delivery:
    """Give one delivery up. Refused when it may be on the platform."""
    delivery = await _find(unit, actor, delivery_id)
    reason = _reason(reason)
    done = await settle(
        unit, delivery_id, col(Delivery.state).in_(STOPPABLE), state=S.cancelled, attempt_at=None, held_reason=reason
    )
    await audit.record(unit, actor, "delivery.cancel", f"delivery:{delivery_id}", reason=reason)
    return done or _refuse(delivery, _("作废"))


async def send_now(unit: Unit, actor: Actor, delivery_id: int) -> Delivery:
    """A person decides that it goes out now: after a pause, when it was missed, or before its time."""
    return await _wait_again(unit, actor, delivery_id, clock.now(), "delivery.send_now", _("立即发布"))


async def reschedule(unit: Unit, actor: Actor, delivery_id: int, scheduled_at: datetime) -> Delivery:
    """A person gives one delivery another time, without touching the rest of the post."""
    if scheduled_at < clock.now():
        raise Refused([_("计划时间已经过去")])
    if scheduled_at > clock.now() + FARTHEST:
        raise Refused([_("时间离现在太远，请检查年份")])
    return await _wait_again(unit, actor, delivery_id, scheduled_at, "delivery.reschedule", _("改期"))


async def retry(unit: Unit, actor: Actor, delivery_id: int) -> Delivery:
    """Try a failed one again, once what made it fail is put right."""
    return await _wait_again(unit, actor, delivery_id, clock.now(), "delivery.retry", _("重试"), frozenset({S.failed}))


async def settle_by_hand(
    unit: Unit, actor: Actor, delivery_id: int, was_sent: bool, remote_id: str, reason: str
) -> Delivery:
    """A person looked at the platform: it is there (``remote_id`` if known), or it is not and may be sent again.

    ``remote_id`` may be the address of the item, as copied from the browser: its last part is taken for the id.
    Only for unknown outcomes. ``was_sent`` False lets it wait again at once; a post past its latest time is missed.
    """
    delivery = await _find(unit, actor, delivery_id)
    reason = _reason(reason)
    if delivery.state is not S.unknown:
        _refuse(delivery, _("人工核实"))
    remote_id, remote_url = _claimed(remote_id)
    if was_sent and remote_id:
        await refuse_taken(unit, delivery, remote_id)
    if was_sent:
        by = {"by_id": actor.user_id}
        done = Done(remote_id, remote_url, at=delivery.unknown_since)
        await record_sent(unit, delivery, delivery.attempts, done, AttemptResult.by_hand, **by)
    else:
        await _mark_attempt(unit, delivery, actor, AttemptResult.by_hand)
        unknown = col(Delivery.state) == S.unknown
        again: dict[str, Any] = {"state": S.waiting, "attempt_at": clock.now(), "unknown_since": None, "checks": 0}
        await settle(unit, delivery_id, unknown, **CLEAN, **again, settled_at=None)
    said = {"was_sent": was_sent, "remote_id": remote_id, "reason": reason}
    await audit.record(unit, actor, "delivery.settle", f"delivery:{delivery_id}", **said)
    settled = await load(unit, delivery_id)
    assert settled is not None
    ring(unit, settled)
    return settled


async def note_removal(unit: Unit, actor: Actor, delivery_id: int, what: str) -> None:
    """A person has seen to an item that was taken down on its platform; ``what`` was done stays with it.

    Refused for anything else, and the second time.
    """
    delivery = await _find(unit, actor, delivery_id)
    what = _reason(what)
    gone = (col(Delivery.state) == S.removed, col(Delivery.held_reason) == "")
    if not await change(unit, delivery_id, *gone, held_reason=written("平台下线，已处理：%(what)s", what=what)):
        _refuse(delivery, _("记录处理结果"))
    await audit.record(unit, actor, "delivery.removal", f"delivery:{delivery_id}", reason=what)


async def _wait_again(
    unit: Unit,
    actor: Actor,
    delivery_id: int,
    when: datetime,
    what: str,
    word: str,
    sources: frozenset[DeliveryState] = STOPPABLE,
) -> Delivery:
    delivery = await _find(unit, actor, delivery_id)
    if delivery.state not in sources:
        _refuse(delivery, word)
    await unit.lock_chain(door.DOOR)
    await _refuse_early(unit, delivery, when)
    await _refuse_far(unit, actor, delivery, when)
    await _mark_attempt(unit, delivery, actor, None)
    await begin_again(unit, delivery_id)
    changed = await settle(
        unit,
        delivery_id,
        col(Delivery.state).in_(sources),
        **CLEAN,
        state=S.waiting,
        scheduled_at=when,
        latest_at=latest_for(delivery.kind, when, None),
        attempt_at=when,
        settled_at=None,
    )
    if changed is None:
        _refuse(delivery, word)
    moved = {"from": delivery.scheduled_at.isoformat(), "to": when.isoformat()}
    await audit.record(unit, actor, what, f"delivery:{delivery_id}", **moved)
    assert changed is not None
    ring(unit, changed)
    return changed


async def _refuse_early(unit: Unit, delivery: Delivery, when: datetime) -> None:
    """Pauses and the platform's limits stand above a person's wish for one delivery."""
    reasons = []
    this_paused = select(func.count()).where(col(Delivery.id) == delivery.id, door.is_paused())
    paused = await unit.one(this_paused)
    if when <= clock.now() and paused:
        reasons.append(_("发布处于暂停状态，请先解除暂停"))
    account = await unit.get(Account, delivery.account_id)
    if when <= clock.now() and account is not None and account.circuit is CircuitState.open:
        reasons.append(circuits.words_of(account))
    until = await unit.one(
        select(func.max(Delivery.attempt_at)).where(
            Delivery.account_id == delivery.account_id,
            Delivery.state == S.waiting,
            col(Delivery.error_kind).in_(LIMITED),
        )
    )
    if until is not None and until > when + timedelta(seconds=1):
        reasons.append(_("平台对本账号限流至 %(until)s，之前不能发送", until=moment(until)))
    if reasons:
        raise Refused(reasons)


async def _refuse_far(unit: Unit, actor: Actor, delivery: Delivery, when: datetime) -> None:
    """As for the whole post: far from the approved time, the reviewers decide."""
    post = await unit.get(Post, delivery.post_id) if delivery.kind is DeliveryKind.post else None
    if post is None or post.scheduled_at is None or actor.can(May.review_post):
        return
    if abs(when - post.scheduled_at) > KEEPS_APPROVAL:
        raise Refused([_("与批准的时间相差超过 7 天，请对整稿改期并重新送审")])


def _claimed(typed: str) -> tuple[str, str]:
    """What a person copied, as (id, address): the last part of an address is the id on every platform we know."""
    typed = typed.strip()
    if not typed.startswith(("https://", "http://")):
        return typed[:255], ""
    try:
        path = urlsplit(typed).path.rstrip("/")
    except ValueError:
        raise Invalid({"remote_id": _("这不是一个网址，请从浏览器地址栏复制，或只填平台上的编号")}) from None
    return path.rpartition("/")[2][:255], typed[:2000]


async def refuse_taken(unit: Unit, delivery: Delivery, remote_id: str) -> None:
    """Refused when this item of the platform stands for another delivery already."""
    taken = await unit.first(
        select(col(Delivery.id)).where(
            Delivery.account_id == delivery.account_id, Delivery.remote_id == remote_id, Delivery.id != delivery.id
        )
    )
    if taken:
        raise Refused([_("平台上的这一条已对应另一次发送，不能重复认领")])


async def _mark_attempt(unit: Unit, delivery: Delivery, actor: Actor, result: AttemptResult | None) -> None:
    """A person's hand on the last attempt: the count of tries starts afresh after it."""
    values: dict[str, Any] = {"by_id": actor.user_id} | ({"result": result} if result else {})
    last = col(Attempt.delivery_id) == delivery.id, col(Attempt.number) == delivery.attempts
    await unit.run(update(Attempt).where(*last).values(**values))


async def _find(unit: Unit, actor: Actor, delivery_id: int) -> Delivery:
    _need(actor, May.settle_delivery)
    delivery = await unit.first(select(Delivery).where(Delivery.id == delivery_id, may_see(actor)))
    if delivery is None:
        raise NotFound(_("没有这次发送，或您无权查看"))
    return delivery


def _refuse(delivery: Delivery, word: str) -> Delivery:
    raise Refused([_("状态为「%(state)s」的发送不能%(word)s，请刷新后再看", state=label(delivery.state), word=word)])


def _need(actor: Actor, right: May) -> None:
    if not actor.can(right):
        raise NotAllowed(_("您没有这项操作的权限"))


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid({"reason": _("请填写理由")})
    return reason.strip()[:LONGEST_REASON]


def _same_scope(account_id: int | None) -> Any:
    if account_id is None:
        return Pause.scope == PauseScope.everything
    return (Pause.scope == PauseScope.account) & (Pause.account_id == account_id)


def _of(account_id: int | None) -> tuple[Any, ...]:
    return () if account_id is None else (col(Delivery.account_id) == account_id,)


def _scope_name(account_id: int | None) -> str:
    return "everything" if account_id is None else f"account:{account_id}"
