"""Finding out what became of an unknown outcome by reading the account's own list. Never sends anything.

found → sent; surely absent → waits again; no way to tell → parked: a person decides, and the list is still looked
at slowly for a day. After parking only a find settles by itself: the person may have acted meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, func, select

from connectors.base import (
    AccountRef,
    Capability,
    Connector,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Outgoing,
    OwnItem,
    OwnItems,
    Pending,
)
from hub import clock, log
from hub.db import Unit, unit_of_work
from hub.i18n import _
from hub.models import Account, Attempt, AttemptResult, Delivery, DeliveryState
from hub.policy.sending import sending
from workflows.delivery.answers import ACCEPTED, PENDING, record_sent
from workflows.delivery.door import DOOR
from workflows.delivery.ledger import CLEAN, change, close_attempt, settle
from workflows.delivery.matching import Trace, find_match, normalised
from workflows.delivery.outbox import outgoing
from workflows.house import House
from workflows.tokens import Line

S = DeliveryState
LOOK = timedelta(seconds=30)
KEY_HONOURED_FOR = timedelta(minutes=30)
# What a platform says of the item itself. All else says why nobody could ask, and it may have ended well.
VERDICTS = frozenset({ErrorKind.content_rejected, ErrorKind.target_refuses})
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """One look: what is looked for, where, and how the attempts stand."""

    delivery: Delivery
    ref: AccountRef
    connector: Connector
    out: Outgoing
    attempts: Sequence[Attempt]
    began_at: datetime

    @property
    def first_at(self) -> datetime:
        """When it may have arrived at the earliest."""
        return min(attempt.started_at for attempt in self.attempts)

    @property
    def absent_from(self) -> datetime:
        """From when on a complete list without it proves that it is not there."""
        last = self.attempts[-1]
        ended = last.ended_at or last.started_at + sending().lease
        lag = timedelta(seconds=self.connector.limits(self.ref).find_own_lag)
        return max(last.started_at + sending().absent_after, ended + lag)

    @property
    def park_from(self) -> datetime:
        """From when on a person is asked."""
        return max(self.attempts[-1].started_at + sending().park_after, self.absent_from + timedelta(seconds=5))


async def expire(unit: Unit, delivery_id: int) -> bool:
    """A lease ran out: the process died in the call, so nobody knows the outcome. Safe to run twice."""
    now = clock.now()
    started = await unit.one(select(func.max(Attempt.started_at)).where(Attempt.delivery_id == delivery_id))
    delivery = await change(
        unit,
        delivery_id,
        col(Delivery.state) == S.sending,
        col(Delivery.lease_until) <= now,
        state=S.unknown,
        lease_until=None,
        attempt_at=now,
        checks=0,
        unknown_since=started or now,
        error_kind="",
        error=_("发送时程序中断，正在向平台核实"),
    )
    if delivery is None:
        return False
    # Whatever the dead process had on the wire was cut off by its own time limit, before the lease ended.
    ended = (started or now) + sending().lease
    await close_attempt(unit, delivery_id, delivery.attempts, AttemptResult.unknown, ended_at=ended)
    return True


async def check(house: House, delivery_id: int) -> DeliveryState | None:
    """Look once at one unknown outcome; the state afterwards, None when it was not due or is somebody else's."""
    async with unit_of_work(house.ctx) as unit:
        look = await _claim(house, unit, delivery_id)
    if look is None:
        return None
    if look.attempts[-1].error_kind == PENDING:
        return await _ask_job(house, look)
    if look.connector.limits(look.ref).by_hand:
        return await _never_left(house, look)
    if _capable(look) is not Granted.yes:
        return await _undecided(house, look, _("该平台不提供自己内容的列表，无法自动核实"), is_blind=True)
    try:
        async with asyncio.timeout(sending().longest_call.total_seconds()):
            since, line = look.first_at - sending().clock_skew, Line(house, look.ref)
            own = await line.call(lambda ref: look.connector.find_own(ref, since, look.out))
    except TimeoutError:
        return await _undecided(house, look, _("平台没有在限定时间内返回列表，尚不能核实"))
    except ConnectorError as error:
        return await _undecided(house, look, _("平台的列表读不到，尚不能核实：%(why)s", why=error.human))
    return await _decide(house, look, own)


async def _claim(house: House, unit: Unit, delivery_id: int) -> Look | None:
    """Take this look: others leave it alone for half a minute."""
    now = clock.now()
    delivery = await change(
        unit,
        delivery_id,
        col(Delivery.state) == S.unknown,
        col(Delivery.attempt_at) <= now,
        attempt_at=now + LOOK,
        checks=Delivery.checks + 1,
    )
    if delivery is None:
        return None
    account = await unit.get(Account, delivery.account_id)
    attempts = await unit.all(
        select(Attempt)
        .where(
            Attempt.delivery_id == delivery_id,
            col(Attempt.result).in_([AttemptResult.unknown, AttemptResult.open, AttemptResult.absent]),
        )
        .order_by(col(Attempt.number))
    )
    assert account is not None
    assert attempts
    return Look(delivery, house.ref(account), house.connector(account), outgoing(delivery), attempts, now)


def _capable(look: Look) -> Granted:
    grant = look.connector.capabilities(look.ref).get(Capability.find_own)
    return grant.granted if grant else Granted.no


async def _ask_job(house: House, look: Look) -> DeliveryState | None:
    """The platform was still working on it: ask how it ended."""
    job = look.attempts[-1].error
    try:
        async with asyncio.timeout(sending().longest_call.total_seconds()):
            answer = await Line(house, look.ref).call(lambda ref: look.connector.poll_job(ref, job))
    except TimeoutError:
        return await _undecided(house, look, _("平台没有回答处理结果，尚不能核实"))
    except ConnectorError as error:
        if error.kind not in VERDICTS or error.effect is Effect.unknown:
            return await _undecided(house, look, error.human)
        return await _job_failed(house, look, error)
    if isinstance(answer, Pending):
        return await _undecided(house, look, _("平台仍在处理"), again_at=answer.poll_after)
    if not isinstance(answer, Done):
        return await _undecided(house, look, _("平台没有回答处理结果，尚不能核实"))
    async with unit_of_work(house.ctx) as unit:
        return await record_sent(unit, look.delivery, look.delivery.attempts, answer, AttemptResult.done)


async def _never_left(house: House, look: Look) -> DeliveryState | None:
    """The process died before it could say what a person is to do: nothing was sent, so it waits again."""
    number = look.delivery.id or 0
    async with unit_of_work(house.ctx) as unit:
        await close_attempt(unit, number, look.delivery.attempts, AttemptResult.absent)
        unknown = col(Delivery.state) == S.unknown
        values = {"state": S.waiting, "attempt_at": clock.now(), "unknown_since": None, "checks": 0}
        return S.waiting if await change(unit, number, unknown, **CLEAN, **values) else None


async def _job_failed(house: House, look: Look, error: ConnectorError) -> DeliveryState | None:
    async with unit_of_work(house.ctx) as unit:
        kind, number = error.kind.value, look.delivery.attempts
        await close_attempt(
            unit, look.delivery.id or 0, number, AttemptResult.refused, error_kind=kind, error=error.human
        )
        changed = await settle(
            unit,
            look.delivery.id or 0,
            col(Delivery.state) == S.unknown,
            state=S.failed,
            attempt_at=None,
            unknown_since=None,
            error_kind=kind,
            error=error.human,
        )
        return S.failed if changed else None


async def _decide(house: House, look: Look, own: OwnItems) -> DeliveryState | None:
    async with unit_of_work(house.ctx) as unit:
        # Begins wait for us and we for them: no twin can slip between our look at the rows and our claim of an item.
        await unit.lock_chain(DOOR)
        twins = await _twins(unit, look)
        item = find_match(await _trace(unit, look), own.items)
        if item is not None and item.key != look.out.key and any(twin.state is S.sending for twin in twins):
            item = None  # it may be the twin's that is on its way just now
        elif item is not None:
            return await _found(unit, look, item)
        elif own.complete and look.began_at >= look.absent_from:
            return await _absent(unit, look)
    why = _("列表里还没有这一条") if own.complete else _("平台只给出部分列表，尚不能确定")
    return await _undecided(house, look, why)


async def _twins(unit: Unit, look: Look) -> Sequence[Delivery]:
    """Others of the same account that say the same to the same item and are not settled by an id."""
    others = await unit.all(
        select(Delivery).where(
            Delivery.account_id == look.delivery.account_id,
            Delivery.target_id == look.delivery.target_id,
            col(Delivery.id) != look.delivery.id,
            col(Delivery.state).in_([S.sending, S.sent, S.removed]),
            col(Delivery.remote_id) == "",
        )
    )
    wanted = normalised(look.delivery.text)
    return [other for other in others if normalised(other.text) == wanted]


async def _trace(unit: Unit, look: Look) -> Trace:
    claimed = await unit.all(
        select(Delivery.remote_id).where(
            Delivery.account_id == look.delivery.account_id,
            col(Delivery.remote_id) != "",
            col(Delivery.id) != look.delivery.id,
            col(Delivery.created_at) > look.first_at - timedelta(days=90),
        )
    )
    since = look.first_at - sending().clock_skew
    by_hand = [twin for twin in await _twins(unit, look) if twin.state is not S.sending]
    spoken_for = sum((twin.sent_at or since) >= since for twin in by_hand)
    return Trace(look.out.text, look.out.key, since, look.out.target_id, set(claimed), spoken_for)


async def _found(unit: Unit, look: Look, item: OwnItem) -> DeliveryState | None:
    done = Done(item.external_id, item.url, item.created_at)
    return await record_sent(unit, look.delivery, look.delivery.attempts, done, AttemptResult.found)


async def _absent(unit: Unit, look: Look) -> DeliveryState | None:
    """It is surely not there: send it again, unless that would be wrong or a person was already asked."""
    delivery = look.delivery
    unknown = col(Delivery.state) == S.unknown
    if delivery.error_kind == ErrorKind.duplicate.value:
        changed = await settle(
            unit, delivery.id or 0, unknown, state=S.failed, attempt_at=None, unknown_since=None,
            error=_("平台说内容重复，但自己的列表里没有这一条"),
        )  # fmt: skip
        return S.failed if changed else None
    if delivery.held_reason or delivery.error_kind == ACCEPTED:
        reason = _("平台的列表里没有这一条，很可能没有发出；请到平台上看一眼再决定")
        await _park(unit, look, reason)
        return S.unknown
    await close_attempt(unit, delivery.id or 0, delivery.attempts, AttemptResult.absent)
    changed = await change(
        unit, delivery.id or 0, unknown, **CLEAN, state=S.waiting, attempt_at=clock.now(), unknown_since=None, checks=0
    )
    return S.waiting if changed else None


async def _undecided(
    house: House, look: Look, why: str, *, again_at: datetime | None = None, is_blind: bool = False
) -> DeliveryState | None:
    """Look again later; ask a person when it takes too long."""
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        if not is_blind and (now < look.park_from or (again_at and now < look.first_at + sending().give_up)):
            await change(
                unit,
                look.delivery.id or 0,
                col(Delivery.state) == S.unknown,
                attempt_at=again_at or _next_look(look, now),
            )
            return S.unknown
        if look.connector.limits(look.ref).honours_key and now < look.first_at + KEY_HONOURED_FOR:
            return await _send_again_with_key(unit, look)
        await _park(unit, look, why, is_blind=is_blind)
    return S.unknown


async def _send_again_with_key(unit: Unit, look: Look) -> DeliveryState | None:
    """Nobody can tell, but the platform returns the first item for a repeated key: asking again cannot double it."""
    changed = await change(
        unit,
        look.delivery.id or 0,
        col(Delivery.state) == S.unknown,
        col(Delivery.held_reason) == "",
        **CLEAN,
        state=S.waiting,
        attempt_at=clock.now(),
        unknown_since=None,
        checks=0,
    )
    return S.waiting if changed else None


def _next_look(look: Look, now: datetime) -> datetime:
    """Soon at first, then slower; one look falls right onto the moment that can prove absence."""
    looks = sending().looks
    number = min(look.delivery.checks, len(looks) - 1)
    gap = looks[number] - looks[number - 1] if number else looks[0]
    wanted = now + gap
    return look.absent_from if now < look.absent_from < wanted else wanted


async def _park(unit: Unit, look: Look, why: str, *, is_blind: bool = False) -> None:
    """A person decides with one click; the owner is told once, later looks only change the reason."""
    delivery = look.delivery
    later = clock.now() + sending().slow_look
    is_over = is_blind or later > look.first_at + sending().give_up
    values = {"held_reason": why, "attempt_at": None if is_over else later}
    unknown = col(Delivery.state) == S.unknown
    if delivery.held_reason:
        await change(unit, delivery.id or 0, unknown, **values)
        return
    await settle(unit, delivery.id or 0, unknown, **values, settled_at=None)
    _log.warning("delivery_parked", delivery=delivery.id, account=delivery.account_id)
