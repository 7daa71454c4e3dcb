"""After sending: looking whether our items still stand, so that a take-down is noticed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlmodel import col, select

from connectors.base import AccountRef, ConnectorError, Published, Purpose
from hub import clock, log
from hub.db import reading, unit_of_work
from hub.i18n import _
from hub.models import Account, Delivery, DeliveryState
from hub.policy.sending import sending
from workflows.delivery.answers import next_watch
from workflows.delivery.ledger import settle
from workflows.house import House
from workflows.tokens import Line

S = DeliveryState
BATCH = 50
_log = log.get(__name__)


async def watch_removed(house: House) -> int:
    """Look at the sent items whose time has come; how many were found taken down. Safe to run anywhere, any time."""
    async with reading(house.ctx) as unit:
        due = await unit.all(
            select(col(Delivery.id))
            .where(col(Delivery.watch_at) <= clock.now(), Delivery.state == S.sent)
            .order_by(col(Delivery.watch_at))
            .limit(BATCH)
        )
    gone = 0
    for delivery_id in due:
        gone += await _look(house, delivery_id or 0)
    return gone


async def _look(house: House, delivery_id: int) -> bool:
    """One item; its next look is set before the call, so that several workers look once."""
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        delivery = await unit.get(Delivery, delivery_id)
        if delivery is None or delivery.sent_at is None:
            return False
        mine = col(Delivery.id) == delivery_id, col(Delivery.watch_at) == delivery.watch_at
        if not await unit.claim(Delivery, *mine, watch_at=next_watch(delivery.sent_at, now)):
            return False
        account = await unit.get(Account, delivery.account_id)
    assert account is not None
    try:
        async with asyncio.timeout(sending().longest_call.total_seconds()):
            line, there = Line(house, _ref(house, account, delivery)), house.connector(account)
            if await line.call(lambda ref: there.exists(ref, delivery.remote_id)):
                return False
    except (ConnectorError, TimeoutError):
        return False  # no answer is no proof; the next look comes
    async with unit_of_work(house.ctx) as unit:
        removed = await settle(
            unit,
            delivery_id,
            col(Delivery.state) == S.sent,
            state=S.removed,
            watch_at=None,
            figures_at=None,
            error=_("平台上已找不到这一条，可能被平台下线或在平台上被删除"),
        )
    _log.warning("delivery_removed", delivery=delivery_id, account=delivery.account_id)
    return removed is not None


def _ref(house: House, account: Account, delivery: Delivery) -> AccountRef:
    """The account with what was kept of the item's acceptance: some platforms tell of a take-down only by that."""
    assert delivery.sent_at is not None
    item = Published(delivery.remote_id, delivery.sent_at, dict(delivery.extra))
    return replace(house.ref(account, Purpose.reading), published=(item,))
