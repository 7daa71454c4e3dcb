"""How an account is doing, as one condition over its row and its streams: the same for lists, counts and warnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, or_
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.models import Account, CircuitState, Stream
from workflows.tokens import SOON, SOONER, WORRYING, Life, life_of


class Health(StrEnum):
    """From what a person must see to first to what is over. waiting: for its budget, by itself."""

    broken = "broken"
    expiring = "expiring"
    failing = "failing"
    waiting = "waiting"
    fine = "fine"
    off = "off"
    gone = "gone"


@dataclass(frozen=True, slots=True)
class Attention:
    """One account that a person must see to. ``life``: of its access; ``reason``: why its circuit is open, or empty."""

    account_id: int
    name: str
    life: Life
    expires_at: datetime | None
    reason: str


def health_of(now: datetime) -> Any:
    """The health of an account, as a column."""
    streams = exists().where(col(Stream.account_id) == col(Account.id))
    return case(
        (col(Account.disconnected_at).is_not(None), Health.gone.value),
        (col(Account.is_active).is_(False), Health.off.value),
        (col(Account.circuit) == CircuitState.open, Health.broken.value),
        (_is_ending(now), Health.expiring.value),
        (streams.where(col(Stream.failures) > 0), Health.failing.value),
        (streams.where(col(Stream.error) != ""), Health.waiting.value),
        else_=Health.fine.value,
    )


def needs_person(now: datetime) -> ColumnElement[bool]:
    """The accounts that do not mend themselves: the circuit is open, or access ends and nothing renews it."""
    used = and_(col(Account.is_active), col(Account.disconnected_at).is_(None))
    return and_(used, or_(col(Account.circuit) == CircuitState.open, _is_ending(now)))


def _is_ending(now: datetime) -> ColumnElement[bool]:
    renewed = and_(col(Account.is_renewable).is_(True), col(Account.renew_failures) < WORRYING)
    return and_(col(Account.expires_at) <= now + SOON, or_(col(Account.is_renewable).is_(None), ~renewed))


async def attention(unit: Unit, limit: int = 20) -> Sequence[Attention]:
    """The accounts that need a person, the most urgent first; at most ``limit``."""
    now = clock.now()
    rows = await unit.all(
        select(Account)
        .where(needs_person(now))
        .order_by(
            case((col(Account.circuit) == CircuitState.open, 0), else_=1), col(Account.expires_at), col(Account.id)
        )
        .limit(limit)
    )
    return [Attention(row.id or 0, row.name, life_of(row, now), row.expires_at, row.circuit_reason) for row in rows]


__all__ = ["SOON", "SOONER", "Attention", "Health", "attention", "health_of", "needs_person"]
