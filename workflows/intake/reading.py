"""From stored arrivals to messages. What cannot be read is kept in quarantine and never holds up the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text, update
from sqlmodel import col, select

from connectors.base import AccountRef, Inbound, Kind, RawItem, Unparsable
from hub import feed, log
from hub.db import Unit, reading, unit_of_work
from hub.i18n import _
from hub.models import Account, Arrival, ArrivalState
from workflows.house import House
from workflows.intake import messages, storable
from workflows.intake.unfit import UNFIT, is_unfit

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """One arrival after its connector looked at it: ``inbound``, or ``why`` not."""

    arrival_id: int
    account: AccountRef
    received_at: datetime
    inbound: Inbound | None
    why: str = ""


async def read_waiting(house: House, limit: int = 500) -> int:
    """Turn at most ``limit`` stored arrivals into messages or quarantine them; how many were settled.

    Safe to run twice and at the same time: each arrival is settled by one transaction that finds it still stored.
    """
    async with reading(house.ctx) as unit:
        waiting = await unit.rows(_waiting(limit))
        accounts = await _accounts(house, unit, {row.account_id for row in waiting})
    read = [_understand(house, accounts[row.account_id], row) for row in waiting]
    if not read:
        return 0
    try:
        return await _settle(house, read)
    except UNFIT as error:
        if not is_unfit(error):
            raise
        return sum([await _settle_alone(house, one) for one in read])


def _waiting(limit: int) -> Any:
    columns: list[Any] = [
        Arrival.id, Arrival.account_id, Arrival.kind, Arrival.external_id, Arrival.payload, Arrival.received_at
    ]  # fmt: skip
    # The literal condition lets both databases use the partial index.
    waits = (text("arrival.state != 'parsed'"), col(Arrival.state) == ArrivalState.stored)
    return select(*columns).where(*waits).order_by(col(Arrival.id)).limit(limit)


async def _accounts(house: House, unit: Unit, ids: set[int]) -> Mapping[int, AccountRef]:
    rows = await unit.all(select(Account).where(col(Account.id).in_(ids)))
    return {account.id or 0: house.ref(account) for account in rows}


def _understand(house: House, account: AccountRef, row: Any) -> _Read:
    """Ask the connector. A fault of the connector itself is treated as an item it cannot read."""
    item = RawItem(Kind(row.kind.value), row.external_id, row.payload)
    try:
        inbound = understand(house, account, item)
    except Unparsable as error:
        return _Read(row.id, account, row.received_at, None, storable.text(str(error)))
    return _Read(row.id, account, row.received_at, inbound)


def understand(house: House, account: AccountRef, item: RawItem) -> Inbound:
    """What the item says, as its connector reads it; Unparsable for anything that cannot become a message."""
    connector = house.platforms.get(account.platform)
    if connector is None:
        raise Unparsable(_("没有「%(name)s」平台的连接器", name=account.platform))
    try:
        inbound = connector.parse(account, item)
    except Unparsable:
        raise
    except Exception as error:  # one hostile item must never stop the others, whatever it breaks
        _log.warning("parse failed", platform=account.platform, error=type(error).__name__)
        raise Unparsable(_("程序无法读取这条内容（%(name)s）", name=type(error).__name__)) from error
    if inbound.created_at.tzinfo is None:
        raise Unparsable(_("发布时间没有时区"))
    return inbound


async def _settle(house: House, read: Sequence[_Read]) -> int:
    async with unit_of_work(house.ctx) as unit:
        mine = await _claim(unit, read)
        for account in {one.account.id: one.account for one in mine}.values():
            await messages.write(unit, account, [
                messages.Understood(one.arrival_id, one.received_at, one.inbound)
                for one in mine if one.inbound is not None and one.account.id == account.id
            ])  # fmt: skip
        await _mark(unit, mine)
        if any(one.inbound is not None for one in mine):
            unit.later("tag_messages")
    return len(mine)


async def _claim(unit: Unit, read: Sequence[_Read]) -> list[_Read]:
    """Those nobody else settles at this moment."""
    ids = [one.arrival_id for one in read]
    still: Any = select(Arrival.id).where(col(Arrival.id).in_(ids), col(Arrival.state) == ArrivalState.stored)
    free = {row[0] for row in await unit.rows(still.order_by(col(Arrival.id)).with_for_update(skip_locked=True))}
    return [one for one in read if one.arrival_id in free]


async def _mark(unit: Unit, mine: Sequence[_Read]) -> None:
    parsed = [one.arrival_id for one in mine if one.inbound is not None]
    if parsed:
        await unit.run(update(Arrival).where(col(Arrival.id).in_(parsed)).values(state=ArrivalState.parsed, error=""))
    failed = [{"number": one.arrival_id, "why": one.why} for one in mine if one.inbound is None]
    if failed:
        quarantine = update(Arrival).where(col(Arrival.id) == bindparam("number"))
        await unit.run(quarantine.values(state=ArrivalState.quarantined, error=bindparam("why")), failed)
        feed.tell(unit, "quarantine")


async def _settle_alone(house: House, one: _Read) -> int:
    """The batch was refused by the database: find the item at fault and put it aside."""
    try:
        return await _settle(house, [one])
    except UNFIT as error:
        if not is_unfit(error):
            raise
        _log.warning("arrival refused by the database", arrival=one.arrival_id, error=type(error).__name__)
        why = _("数据库不接受这条内容（%(name)s）", name=type(error).__name__)
        return await _settle(house, [_Read(one.arrival_id, one.account, one.received_at, None, why)])
