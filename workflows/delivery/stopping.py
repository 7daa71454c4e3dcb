"""Stopping and moving all deliveries of one post, inside the transaction that changes the post."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import case, update
from sqlmodel import col, func, select

from hub import clock
from hub.db import Unit
from hub.errors import Refused
from hub.i18n import _
from hub.models import Delivery, DeliveryKind, DeliveryState
from hub.policy.sending import sending
from workflows import circuits
from workflows.delivery.states import LEFT, STOPPABLE
from workflows.metering import BUDGET

# What a new time for the post moves along. Failed deliveries stay failed: a new time does not cure them.
MOVABLE = frozenset({DeliveryState.waiting, DeliveryState.held, DeliveryState.missed, DeliveryState.by_hand})
# The platform named a time: no change of plan may try before it.
LIMITED = ("rate_limited", "quota_day")
# Not tried at all, so no try: our own count of calls says no, the account's circuit is open.
UNTRIED = (BUDGET, circuits.HELD)


def latest_for(kind: DeliveryKind, scheduled_at: datetime, latest_at: datetime | None) -> datetime | None:
    """The moment after which it is missed: the given one, or the office's default for posts."""
    if latest_at is not None or kind is not DeliveryKind.post:
        return latest_at
    return scheduled_at + sending().post_late


async def cancel_all(unit: Unit, post_id: int, reason: str) -> int:
    """Cancel whatever of the post surely has not left; refused (and so rolled back) when any of it has.

    One UPDATE against the door's own: a delivery is either cancelled here or already begun there, never both.
    """
    statement = (
        update(Delivery)
        .where(col(Delivery.post_id) == post_id, col(Delivery.state).in_(STOPPABLE))
        .values(
            state=DeliveryState.cancelled,
            version=Delivery.version + 1,
            attempt_at=None,
            lease_until=None,
            settled_at=clock.now(),
            held_reason=reason,
        )
    )
    await unit.flush()
    changed = (await unit.run(statement)).rowcount
    await _refuse_what_left(unit, post_id)
    return changed


async def move_all(unit: Unit, post_id: int, scheduled_at: datetime, latest_at: datetime | None) -> int:
    """Move whatever of the post surely has not left to another time; refused when any of it has.

    Failed deliveries stay failed: a new time does not cure them.
    """
    limited = col(Delivery.error_kind).in_(LIMITED) & (col(Delivery.attempt_at) > scheduled_at)
    statement = (
        update(Delivery)
        .where(
            col(Delivery.post_id) == post_id,
            col(Delivery.state).in_(MOVABLE),
        )
        .values(
            state=DeliveryState.waiting,
            version=Delivery.version + 1,
            scheduled_at=scheduled_at,
            latest_at=latest_for(DeliveryKind.post, scheduled_at, latest_at),
            attempt_at=case((limited, Delivery.attempt_at), else_=scheduled_at),
            settled_at=None,
            held_reason="",
        )
    )
    await unit.flush()
    changed = (await unit.run(statement)).rowcount
    await _refuse_what_left(unit, post_id)
    unit.later("sweep_deliveries")
    return changed


async def give_to(unit: Unit, post_id: int, hands: Mapping[int, int | None]) -> None:
    """Who publishes what waits of the post, by account id, where that is done by hand and somebody was chosen."""
    for account_id, person in hands.items():
        if person is not None:
            mine = col(Delivery.post_id) == post_id, col(Delivery.account_id) == account_id
            waiting = col(Delivery.state).in_(MOVABLE)
            await unit.run(update(Delivery).where(*mine, waiting).values(assignee_id=person))


async def _refuse_what_left(unit: Unit, post_id: int) -> None:
    left = await unit.one(select(func.count()).where(col(Delivery.post_id) == post_id, col(Delivery.state).in_(LEFT)))
    if left:
        raise Refused([_("已有账号正在发送、已发出或结果待核实，请刷新后处理")])
