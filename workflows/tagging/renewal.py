"""Old messages brought to a new analyser in the background: where it stands, begun by itself or by an administrator.

The one row that says how far it is also is the lease: whoever changes its ``at`` from the value read has the next step.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, update
from sqlmodel import col, select

import nlp
from hub import audit, clock, feed
from hub.db import Unit, reading, unit_of_work
from hub.models import Heartbeat, Message
from hub.rights import Actor
from workflows.house import House
from workflows.learning import live
from workflows.tagging.retagging import retag

NAME = "retagging"
LEASE = timedelta(minutes=2)
BATCH = 200


@dataclass(frozen=True, slots=True)
class Renewal:
    """One pass over all messages. ``last``: the id it has come to, of ``until``; ``changed``: messages tagged anew.

    ``lease_until``, ``began_at``, ``ended_at``: ISO 8601, empty for none.
    """

    version: str
    until: int
    last: int = 0
    changed: int = 0
    by_name: str = ""
    began_at: str = ""
    ended_at: str = ""
    lease_until: str = ""

    @property
    def is_over(self) -> bool:
        """Whether every message was looked at."""
        return bool(self.ended_at)

    @property
    def over_at(self) -> datetime | None:
        """When it was over."""
        return datetime.fromisoformat(self.ended_at) if self.ended_at else None

    @property
    def is_current(self) -> bool:
        """Whether it is about the analyser of this process."""
        return self.version == nlp.VERSION


async def standing(unit: Unit) -> Renewal | None:
    """The pass under way, or the last one; None before the first."""
    row = await unit.get(Heartbeat, NAME)
    return _read(row.data) if row else None


async def start(unit: Unit, actor: Actor) -> Renewal:
    """Look at every message again from the first one; a pass under way begins anew. Safe to ask for twice."""
    renewal = await _begin(unit, actor.name, await live.version_in_force(unit))
    await audit.record(unit, actor, "tags.renew", "tagging", version=renewal.version, messages_until=renewal.until)
    return renewal


async def go_on(house: House, until: datetime) -> int:
    """Steps of the pass until ``until``; how many messages changed. Begins one when the analyser is another.

    New messages go first: while any waits for its tags, nothing is done here. Safe to run twice, to stop, and beside
    others: a step whose row was changed meanwhile is left to whoever changed it.
    """
    changed = 0
    while clock.now() < until:
        mine = await _take(house)
        if mine is None:
            return changed
        renewal, held_at = mine
        step = await retag(house, after=renewal.last, limit=BATCH)
        changed += step.changed
        if not await _note(house, renewal, held_at, step.changed, step.last):
            return changed
    return changed


async def _take(house: House) -> tuple[Renewal, datetime] | None:
    """The next step, leased: None when there is none, others have it, or new messages wait."""
    async with reading(house.ctx) as unit:
        row = await unit.get(Heartbeat, NAME)
        found = _read(row.data) if row else None
        if await _is_busy(unit, found):
            return None
    async with unit_of_work(house.ctx) as unit:
        if found is None or not found.is_current:
            await _begin(unit, "", nlp.VERSION)
            row = await unit.get(Heartbeat, NAME)
        assert row is not None
        now = clock.now()
        leased = replace(_read(row.data), lease_until=(now + LEASE).isoformat())
        if not await unit.claim(Heartbeat, *_still(row.at), at=now, data=asdict(leased)):
            return None
        return leased, now


async def _is_busy(unit: Unit, found: Renewal | None) -> bool:
    if found is not None and found.is_current:
        if found.is_over:
            return True
        if found.lease_until and datetime.fromisoformat(found.lease_until) > clock.now():
            return True
    waiting = select(col(Message.id)).where(col(Message.tagged_at).is_(None)).limit(1)
    return await unit.first(waiting) is not None


async def _note(house: House, renewal: Renewal, held_at: datetime, changed: int, last: int) -> bool:
    """Write down how far it is and free the lease; False when somebody began anew meanwhile."""
    now = clock.now()
    done = replace(
        renewal, last=last or renewal.until, changed=renewal.changed + changed, lease_until="",
        ended_at="" if last else now.isoformat(),
    )  # fmt: skip
    async with unit_of_work(house.ctx) as unit:
        if not await unit.claim(Heartbeat, *_still(held_at), at=_after(now, held_at), data=asdict(done)):
            return False
        feed.tell(unit, "status")
        if last:
            unit.later("retag_messages")
        return True


def _still(at: datetime) -> tuple[Any, ...]:
    return (col(Heartbeat.name) == NAME, col(Heartbeat.at) == at)


def _after(now: datetime, before: datetime) -> datetime:
    """Always another moment, also where the clock stands."""
    return max(now, before + timedelta(microseconds=1))


async def _begin(unit: Unit, by_name: str, version: str) -> Renewal:
    """A fresh row; two at once write the same, and the lease decides who works."""
    newest = await unit.first(select(func.max(Message.id)))
    fresh = Renewal(version, newest or 0, by_name=by_name, began_at=clock.now().isoformat())
    row = await unit.get(Heartbeat, NAME)
    if row is None:
        unit.add(Heartbeat(name=NAME, kind=NAME, at=clock.now(), data=asdict(fresh)))
        await unit.flush()
    else:
        at = _after(clock.now(), row.at)
        await unit.run(update(Heartbeat).where(col(Heartbeat.name) == NAME).values(at=at, data=asdict(fresh)))
        await unit.session.refresh(row)
    unit.later("retag_messages")
    feed.tell(unit, "status")
    return fresh


def _read(data: dict[str, Any]) -> Renewal:
    return Renewal(**data)
