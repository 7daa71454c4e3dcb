"""How published posts do: their figures read at growing ages, account by account, when nothing else needs the calls.

What is due stands in the rows (``Delivery.figures_at``), and moves on in the transaction that keeps the reading: a
process that dies in between leaves nothing behind, and the same posts are read again, kept once. People's calls and the
reading of messages go first: see :class:`connectors.budget.Purpose`, and :func:`_next_turn` for the pace.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, func, select

from connectors.base import AccountRef, Capability, ConnectorError, ErrorKind, Granted, Metric, Published, Purpose
from hub import clock, log
from hub.db import Unit, reading, unit_of_work
from hub.i18n import written
from hub.insert import insert
from hub.models import Account, Delivery, DeliveryState, FigureReading, FigureRound
from hub.policy.sending import sending
from workflows import circuits
from workflows.delivery.answers import next_figures
from workflows.delivery.ledger import tell_pages
from workflows.house import House
from workflows.intake.streams import sharers
from workflows.metering import BUDGET, Key, pace, standing, tallied
from workflows.tokens import Line

S = DeliveryState
NAMES = ("reads", "likes", "comments", "reposts")
# One call takes at most 20 s and prolongs it; shorter means sooner after a kill.
LEASE = timedelta(seconds=45)
BUDGET_OF_TIME = timedelta(seconds=30)
ACCOUNTS, AT_ONCE, CALLS = 50, 2, 20
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=6)
# Asking sooner does not mend these.
FOR_PEOPLE = frozenset({ErrorKind.auth_human, ErrorKind.auth_expired, ErrorKind.permission, ErrorKind.account_risk})
# What cannot be read for so long after its last age is left alone.
GIVEN_UP = timedelta(days=30)
LARGEST = 2**63 - 1
_random = secrets.SystemRandom()
_log = log.get(__name__)


async def read_figures(house: House) -> int:
    """Read how published posts do that have come to a new age; how many. Safe to run anywhere, twice, or late."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(account_id: int) -> int:
        async with gate:
            return await _turn(house, account_id)

    return sum(await asyncio.gather(*[one(account_id) for account_id in await _due(house)]))


async def _due(house: House) -> Sequence[int]:
    """Accounts with posts to be read, that may be called and whose turn it is; the longest due first."""
    now = clock.now()
    wanted: Any = (
        select(col(Delivery.account_id))
        .join(Account, col(Account.id) == col(Delivery.account_id))
        .join(FigureRound, col(FigureRound.account_id) == col(Delivery.account_id), isouter=True)
        .where(*_is_due(now), *_is_callable(), or_(col(FigureRound.account_id).is_(None), _is_free(now)))
        .group_by(col(Delivery.account_id))
        .order_by(func.min(Delivery.figures_at))
        .limit(ACCOUNTS)
    )
    async with reading(house.ctx) as unit:
        return list(await unit.all(wanted))


def _is_due(now: datetime) -> tuple[Any, ...]:
    return col(Delivery.figures_at) <= now, col(Delivery.state) == S.sent


def _is_callable() -> tuple[Any, ...]:
    return col(Account.is_active), col(Account.disconnected_at).is_(None), circuits.is_closed()


def _is_free(now: datetime) -> Any:
    free = or_(col(FigureRound.lease_until).is_(None), col(FigureRound.lease_until) < now)
    return (col(FigureRound.due_at) <= now) & free


async def _turn(house: House, account_id: int) -> int:
    """One account's posts, until none is due, the time is over or the platform fails; how many readings were kept."""
    taken = await _lease(house, account_id)
    if taken is None:
        return 0
    account, mine = taken
    connector, ref = house.connector(account), house.ref(account, Purpose.figures)
    if connector.capabilities(ref)[Capability.metrics].granted is not Granted.yes:
        return await _pass_over(house, mine)
    # What fails together is tried in smaller parts: one odd post must not keep the others from being read.
    most = max(1, connector.limits(ref).counted_at_once >> 2 * min(mine.failures, 5))
    line, kept, until = Line(house, ref), 0, clock.now() + BUDGET_OF_TIME
    with tallied() as spent:
        for _call in range(CALLS):
            batch = await _batch(house, account_id, most)
            if not batch or clock.now() > until:
                break
            try:
                told = await _ask(house, line, batch)
            except ConnectorError as error:
                await _failed(house, mine, batch, error)
                return kept
            kept += await _keep(house, mine, batch, told)
        await _release(house, mine, due_at=await _next_turn(house, line.ref, spent, more=len(batch) > 0))
    return kept


async def _lease(house: House, account_id: int) -> tuple[Account, FigureRound] | None:
    """The account and its turn, ours for a ``LEASE``; None when somebody else reads it or it was switched off."""
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        fresh = {"due_at": now, "lease_until": None, "failures": 0, "error_kind": "", "error": ""}
        await unit.run(insert(unit, FigureRound).values(account_id=account_id, **fresh).on_conflict_do_nothing())
        mine = (col(FigureRound.account_id) == account_id, _is_free(now))
        if not await unit.claim(FigureRound, *mine, lease_until=now + LEASE):
            return None
        account = await unit.first(select(Account).where(col(Account.id) == account_id, *_is_callable()))
        if account is None or account.platform not in house.platforms:
            await _release_in(unit, account_id, due_at=now + LEASE)
            return None
        turn = await unit.get(FigureRound, account_id)
        assert turn is not None
        return account, turn


async def _batch(house: House, account_id: int, most: int) -> Sequence[Delivery]:
    """The posts that are due, the longest due first."""
    now = clock.now()
    due = select(Delivery).where(Delivery.account_id == account_id, *_is_due(now))
    async with reading(house.ctx) as unit:
        return await unit.all(due.order_by(col(Delivery.figures_at), col(Delivery.id)).limit(most))


async def _ask(house: House, line: Line, batch: Sequence[Delivery]) -> Mapping[str, Metric]:
    """What the platform tells, by its own ids. Whatever goes wrong comes as a :class:`ConnectorError`."""
    ids = [one.remote_id for one in batch]
    own = tuple(Published(one.remote_id, one.sent_at or one.created_at, dict(one.extra)) for one in batch)

    async def metrics(ref: AccountRef) -> list[Metric]:
        return await house.platforms[ref.platform].metrics(replace(ref, published=own), ids)

    try:
        async with asyncio.timeout(sending().longest_call.total_seconds()):
            return {one.external_id: one for one in await line.call(metrics)}
    except TimeoutError:
        human = written("平台没有在限定时间内回应，系统会稍后处理")
        raise ConnectorError(ErrorKind.transient, human, code="timeout") from None
    except ConnectorError:
        raise
    except Exception as error:
        _log.error("figures broke", account=line.ref.id, error=type(error).__name__)
        human = written("程序出错（%(name)s），请把日志交给管理员", name=type(error).__name__)
        raise ConnectorError(ErrorKind.bug, human, code=type(error).__name__) from error


async def _keep(house: House, turn: FigureRound, batch: Sequence[Delivery], told: Mapping[str, Metric]) -> int:
    """Keep one reading of each and move it on to its next age, in one transaction; how many were ours to keep."""
    now, kept = clock.now(), 0
    async with unit_of_work(house.ctx) as unit:
        for one in batch:
            assert one.sent_at is not None
            step = _step(one.sent_at, now)
            same = (
                col(Delivery.id) == one.id,
                col(Delivery.figures_at) == one.figures_at,
                col(Delivery.state) == S.sent,
            )
            if not await unit.claim(Delivery, *same, figures_at=next_figures(one.sent_at, now)):
                continue
            figures = _figures(told.get(one.remote_id))
            row = insert(unit, FigureReading).values(delivery_id=one.id, step=step, read_at=now, by_name="", **figures)
            kept += (await unit.run(row.on_conflict_do_nothing())).rowcount
            await tell_pages(unit, one)
        words = {"failures": 0, "error_kind": "", "error": ""}
        await _release_in(unit, turn.account_id, turn.lease_until, **words, lease_until=now + LEASE)
    turn.lease_until = now + LEASE
    return kept


def _step(sent_at: datetime, now: datetime) -> int:
    """Which of the ages it has come to: the last one passed, however late."""
    return max(0, sum(sent_at + age <= now for age in sending().figures) - 1)


def _figures(told: Metric | None) -> dict[str, int | None]:
    """What can be kept of an answer; a platform's number beyond all measure is none."""
    given = {name: getattr(told, name, None) for name in NAMES}
    return {name: value if value is None or value <= LARGEST else None for name, value in given.items()}


async def _pass_over(house: House, turn: FigureRound) -> int:
    """The account has no such interface, or nobody has been granted it: each post waits for its next age."""
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        due = select(Delivery).where(Delivery.account_id == turn.account_id, *_is_due(now)).limit(1000)
        for one in await unit.all(due):
            one.figures_at = next_figures(one.sent_at or now, now)
        words = {"failures": 0, "error_kind": "", "error": ""}
        await _release_in(unit, turn.account_id, turn.lease_until, due_at=now + sending().figures_gap, **words)
    return 0


async def _failed(house: House, turn: FigureRound, batch: Sequence[Delivery], error: ConnectorError) -> None:
    """Leave the words and the next time. Sending and reading go on: nothing is wrong with the account for that.

    Waiting for our own budget is no failure: nobody was asked. Else those asked for stand behind the others.
    """
    now, waits = clock.now(), error.code == BUDGET
    failures = turn.failures if waits else turn.failures + 1
    wait = min(FIRST_WAIT * 2 ** min(max(failures, 1) - 1, 10), LONGEST_WAIT)
    if error.kind in FOR_PEOPLE:
        wait = max(wait, LONGEST_WAIT / 6)
    due_at = max(error.retry_at or now, now if waits and error.retry_at else now + wait)
    due_at += timedelta(seconds=_random.uniform(0.0, 120.0))
    async with unit_of_work(house.ctx) as unit:
        for one in [] if waits else batch:
            late = one.sent_at is None or one.sent_at + sending().figures[-1] + GIVEN_UP < now
            same = (col(Delivery.id) == one.id, col(Delivery.figures_at) == one.figures_at)
            await unit.claim(Delivery, *same, figures_at=None if late else now)
            await tell_pages(unit, one)
        words = {"failures": failures, "error_kind": BUDGET if waits else error.kind.value, "error": error.human}
        await _release_in(unit, turn.account_id, turn.lease_until, due_at=due_at, **words)
    _log.warning("figures not read", account=turn.account_id, kind=error.kind.value, code=error.code)


async def _next_turn(house: House, ref: AccountRef, spent: Mapping[Key, int], *, more: bool) -> datetime:
    """A while later; where calls are scarce, once for so many readings of messages; soon when more is due."""
    pack, now = sending(), clock.now()
    gap = timedelta(seconds=30) if more else pack.figures_gap
    if spent:
        shared = await sharers(house, ref)
        async with reading(house.ctx) as unit:
            lefts = await standing(unit, ref, house.platforms[ref.platform].budgets(ref))
        anew = max((one.ends_at - now for one in lefts if one.ends_at), default=timedelta())
        gap = max(gap, min(pace(lefts, spent, ref, shared) * pack.figures_turns, anew))
    return now + gap


async def _release(house: House, turn: FigureRound, **values: Any) -> None:
    async with unit_of_work(house.ctx) as unit:
        await _release_in(unit, turn.account_id, turn.lease_until, **values)


async def _release_in(unit: Unit, account_id: int, held_until: datetime | None = None, **values: Any) -> bool:
    """Write what a turn brought, if it is still ours; the lease ends unless ``values`` prolongs it."""
    mine: list[Any] = [col(FigureRound.account_id) == account_id]
    if held_until is not None:
        mine.append(col(FigureRound.lease_until) == held_until)
    return await unit.claim(FigureRound, *mine, **{"lease_until": None, **values})
