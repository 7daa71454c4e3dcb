"""Rotating the key of secrets at rest: everything sealed is sealed anew with the newest key, while the hub runs.

Every process must know both keys first (``HUB_SECRET_KEY`` the new one, ``HUB_OLD_KEYS`` the earlier ones). Rows that
change meanwhile are left to whoever changed them: they seal with the newest key anyway. Safe to run twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from hub import audit, clock
from hub.db import reading, unit_of_work
from hub.models import Account, Authorisation, Heartbeat, Letter
from hub.rights import Actor
from workflows.house import House

BATCH = 200
# A worker heard of so lately still runs.
ALIVE = timedelta(seconds=15)
# Every table with something sealed.
SEALED: tuple[type[Any], ...] = (Account, Authorisation, Letter)


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many rows were sealed anew, and which (table and number) no known key opens."""

    rows: int
    unreadable: tuple[str, ...]


async def reseal(house: House, actor: Actor, progress: Callable[[int], object] = lambda rows: None) -> Resealed:
    """Seal everything anew; ``progress`` hears how many rows are done."""
    done, unreadable = 0, []
    for model in SEALED:
        last = 0
        while rows := await _rows(house, model, last):
            last = rows[-1][0]
            async with unit_of_work(house.ctx) as unit:
                for number, sealed in rows:
                    try:
                        fresh = house.ctx.vault.renew(sealed)
                    except ValueError:
                        unreadable.append(f"{model.__tablename__}/{number}")
                        continue
                    done += await unit.claim(model, model.id == number, model.sealed == sealed, sealed=fresh)
            progress(done)
    async with unit_of_work(house.ctx) as unit:
        await audit.record(unit, actor, "key.rotate", rows=done, unreadable=len(unreadable))
    return Resealed(done, tuple(unreadable))


async def _rows(house: House, model: Any, last: int) -> list[tuple[int, str]]:
    page = select(model.id, model.sealed).where(model.id > last, model.sealed != "").order_by(model.id).limit(BATCH)
    async with reading(house.ctx) as unit:
        return [(row[0], row[1]) for row in await unit.rows(page)]


async def is_running(house: House) -> bool:
    """Whether a worker works on this database now: it would go on with the key it read at its start."""
    alive = select(col(Heartbeat.name)).where(col(Heartbeat.at) > clock.now() - ALIVE)
    async with reading(house.ctx) as unit:
        return await unit.first(alive.limit(1)) is not None


async def pushed_to(house: House) -> int:
    """How many accounts are pushed to: their addresses contain a mark made with the key."""
    async with reading(house.ctx) as unit:
        return len(await unit.all(select(col(Account.id)).where(col(Account.last_push_at).is_not(None))))
