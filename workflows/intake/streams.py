"""The streams of each account: made from what its connector offers, leased while one worker reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import or_
from sqlmodel import col, func, select

from connectors.base import AccountRef, Published, Purpose
from connectors.budget import Scope
from hub import clock
from hub.db import Unit, reading, unit_of_work
from hub.insert import insert
from hub.models import Account, CircuitState, Delivery, DeliveryState, Stream
from workflows import circuits
from workflows.house import House

# One page takes at most 40 s (the connectors' total limit) and prolongs it; shorter means sooner after a kill.
LEASE = timedelta(seconds=45)
# Own items that are followed at once; the newest of them.
FOLLOWED = 500
SHARING_FRESH = timedelta(minutes=1)
# By database and platform: who shares budgets.
_sharing: WeakKeyDictionary[Any, dict[str, Sharing]] = WeakKeyDictionary()
# By database: the mark under which every account had its streams.
_complete: WeakKeyDictionary[Any, tuple[int, ...]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Leased:
    """A stream that is ours until ``lease_until``; nobody else's results count meanwhile.

    ``is_recovering``: calls of the account failed before, so going well is worth a note.
    """

    id: int
    name: str
    cursor: Mapping[str, Any]
    failures: int
    lease_until: datetime
    account: AccountRef
    is_recovering: bool = False


async def make_missing(house: House) -> int:
    """Give every active account the streams its connector reads; how many were made. Safe to run twice.

    Looks closer only when accounts or streams were added or taken away since this process looked last.
    """
    engine = house.ctx.engine.sync_engine
    mark = await _mark(house)
    if _complete.get(engine) == mark:
        return 0
    async with reading(house.ctx) as unit:
        accounts = await unit.rows(select(Account.id, Account.platform).where(col(Account.is_active)))
        there = {(row[0], row[1]) for row in await unit.rows(select(Stream.account_id, Stream.name))}
    wanted = [
        (number, name)
        for number, platform in accounts
        if platform in house.platforms
        for name in house.platforms[platform].streams
    ]
    missing = sorted(set(wanted) - there)
    if missing:
        async with unit_of_work(house.ctx) as unit:
            await unit.run(insert(unit, Stream).on_conflict_do_nothing(), [_fresh(*one) for one in missing])
    else:
        _complete[engine] = mark
    return len(missing)


async def _mark(house: House) -> tuple[int, ...]:
    """What changes whenever an account or a stream comes or goes, or a platform reads more than it did."""
    active = select(func.count(col(Account.id))).where(col(Account.is_active)).scalar_subquery()
    newest = select(func.max(col(Account.id))).scalar_subquery()
    there = select(func.count(col(Stream.id))).scalar_subquery()
    async with reading(house.ctx) as unit:
        row = (await unit.rows(select(active, newest, there)))[0]
    return (*(int(one or 0) for one in row), sum(len(one.streams) for one in house.platforms.values()))


def _fresh(account_id: int, name: str) -> dict[str, Any]:
    return {
        "account_id": account_id, "name": name, "cursor": {}, "due_at": clock.now(), "lease_until": None,
        "pulled_at": None, "failures": 0, "error_kind": "", "error": "",
    }  # fmt: skip


async def due(house: House, limit: int = 100) -> list[int]:
    """Ids of streams of active accounts whose time has come and that nobody reads, the longest due first."""
    now = clock.now()
    statement = select(Stream.id).join(Account, col(Account.id) == col(Stream.account_id))
    statement = statement.where(col(Account.is_active), circuits.is_closed(), col(Stream.due_at) <= now, _is_free(now))
    async with reading(house.ctx) as unit:
        return [row[0] for row in await unit.rows(statement.order_by(col(Stream.due_at)).limit(limit))]


async def lease(house: House, stream_id: int) -> Leased | None:
    """Take the stream for a ``LEASE``; None when somebody else reads it or its account is gone or switched off."""
    now = clock.now()
    until = now + LEASE
    async with unit_of_work(house.ctx) as unit:
        if not await unit.claim(Stream, col(Stream.id) == stream_id, _is_free(now), lease_until=until):
            return None
        both = select(Stream, Account).join(Account, col(Account.id) == col(Stream.account_id))
        found = (await unit.session.exec(both.where(Stream.id == stream_id))).first()
        if found is None or not _is_readable(house, found[1]):
            await release(unit, stream_id, until, due_at=now + LEASE)
            return None
        stream, account = found
        ref = await _following(house, unit, house.ref(account, Purpose.reading), now)
        recovering = bool(account.failures or account.trips)
        return Leased(stream_id, stream.name, dict(stream.cursor), stream.failures, until, ref, recovering)


def _is_readable(house: House, account: Account) -> bool:
    is_open = account.circuit is not CircuitState.closed
    return account.is_active and not is_open and account.platform in house.platforms


async def _following(house: House, unit: Unit, ref: AccountRef, now: datetime) -> AccountRef:
    """The account with its own items of late, where its platform reads what is said under each of them."""
    days = house.platforms[ref.platform].limits(ref).follow_own
    if days <= 0:
        return ref
    sent = select(Delivery.remote_id, Delivery.sent_at, Delivery.extra).where(
        Delivery.account_id == ref.id, Delivery.state == DeliveryState.sent, col(Delivery.remote_id) != "",
        col(Delivery.sent_at) >= now - timedelta(days=days),
    )  # fmt: skip
    rows = await unit.rows(sent.order_by(col(Delivery.sent_at).desc(), col(Delivery.id).desc()).limit(FOLLOWED))
    return replace(ref, published=tuple(Published(remote_id, at, dict(extra)) for remote_id, at, extra in rows))


@dataclass(frozen=True, slots=True)
class Sharing:
    """How many streams are read on one platform: by account, by app, and altogether; as counted ``at``."""

    at: datetime
    accounts: Mapping[int, int]
    apps: Mapping[str, int]


async def sharers(house: House, account: AccountRef) -> Mapping[Scope, int]:
    """How many streams are read on the budget of this account, of its app, and of this house on the platform.

    Counted once a minute per process: it only sets the pace.
    """
    counted = _sharing.setdefault(house.ctx.engine.sync_engine, {})
    now, found = clock.now(), counted.get(account.platform)
    if found is None or not timedelta() <= now - found.at < SHARING_FRESH:
        found = counted[account.platform] = await _count_sharers(house, account.platform, now)
    return {
        Scope.account: found.accounts.get(account.id, 1),
        Scope.app: found.apps.get(account.app, 1),
        Scope.house: max(1, sum(found.accounts.values())),
    }


async def _count_sharers(house: House, platform: str, now: datetime) -> Sharing:
    per_account = (
        select(Account.id, Account.options, func.count(col(Stream.id)))
        .join(Stream, col(Stream.account_id) == col(Account.id))
        .where(Account.platform == platform, col(Account.is_active), circuits.is_closed())
        .group_by(col(Account.id))
    )
    accounts: dict[int, int] = {}
    apps: Counter[str] = Counter()
    async with reading(house.ctx) as unit:
        for number, options, count in await unit.rows(per_account):
            accounts[number] = count
            apps[str((options or {}).get("app_key", ""))] += count
    return Sharing(now, accounts, apps)


async def release(unit: Unit, stream_id: int, held_until: datetime, **values: Any) -> bool:
    """Write what a lease brought, if it is still ours; the lease ends unless ``values`` prolongs it."""
    mine = (col(Stream.id) == stream_id, col(Stream.lease_until) == held_until)
    return await unit.claim(Stream, *mine, **{"lease_until": None, **values})


def _is_free(now: datetime) -> Any:
    return or_(col(Stream.lease_until).is_(None), col(Stream.lease_until) < now)
