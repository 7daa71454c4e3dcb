"""Two matters become one: when they grew alike and nobody touched them, or because a person says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select as columns
from sqlalchemy import update
from sqlmodel import col, select

from hub.db import Unit, reading, unit_of_work
from hub.models import Matter, MatterEvent, MatterMessage, MatterState
from hub.rights import system
from nlp import matters
from nlp.clusters import Member
from workflows.house import House

# How far apart in time two matters, or a message and a matter, may lie that are one.
MATTER_DAYS, MOST_MATTERS = timedelta(days=180), 1_500


def day(at: datetime) -> float:
    """Days since 1970, as the language room counts time."""
    return at.timestamp() / 86_400


def profile_of(row: Any) -> Member:
    """The vector of a matter, from its row or columns (profile, size, first_at, last_at)."""
    return matters.unpack(row.profile, row.size).at(day(row.first_at), day(row.last_at))


PROFILE: tuple[Any, ...] = (Matter.id, Matter.profile, Matter.size, Matter.first_at, Matter.last_at)


async def unite(house: House, touched: Sequence[int]) -> None:
    """Matters that grew to be the same become one, unless a person has touched either."""
    if not touched:
        return
    async with reading(house.ctx) as unit:
        free = (col(Matter.state) == MatterState.open, ~col(Matter.is_kept), col(Matter.size) > 0)
        wanted = columns(*PROFILE).where(*free)
        rows = await unit.rows(wanted.order_by(col(Matter.last_at).desc()).limit(MOST_MATTERS))
    members = {row.id: profile_of(row) for row in rows}
    mine = [number for number in touched if number in members]
    pairs = await asyncio.to_thread(matters.alike, [members[n] for n in mine], list(members.values()))
    ids = list(members)
    if pairs:
        async with unit_of_work(house.ctx) as unit:
            for one, two in pairs:
                await _unite_two(unit, mine[one], ids[two])


async def _unite_two(unit: Unit, one: int, two: int) -> None:
    known = await standing(unit, (one, two))
    first, second = sorted((known[one], known[two]), key=lambda matter: matter.id or 0)
    if first is second or first.is_kept or second.is_kept:
        return
    if first.state is not MatterState.open or second.state is not MatterState.open:
        return
    if max(second.first_at - first.last_at, first.first_at - second.last_at) > MATTER_DAYS:
        return  # the same trouble a year later is another matter
    ids = await absorb(unit, second, first)
    for matter, what, other, moved in ((first, "took_in", second, ids), (second, "merged", first, [])):
        data = {"matter_id": other.id, "name": other.name} | ({"ids": moved} if moved else {})
        unit.add(MatterEvent(matter_id=matter.id or 0, what=what, by_name=system().name, data=data))


async def absorb(unit: Unit, child: Matter, into: Matter) -> list[int]:
    """All messages of ``child`` to ``into``; their ids. The caller writes the history."""
    here = select(col(MatterMessage.message_id)).where(MatterMessage.matter_id == child.id)
    ids = list(await unit.all(here.order_by(col(MatterMessage.message_id))))
    moved = update(MatterMessage).where(col(MatterMessage.matter_id) == child.id).values(matter_id=into.id)
    await unit.run(moved)
    parts = [matters.unpack(one.profile, one.size) for one in (into, child) if one.size]
    if parts:
        whole = matters.joined(parts)
        into.profile, into.size = matters.pack(whole), whole.size
    into.first_at, into.last_at = min(into.first_at, child.first_at), max(into.last_at, child.last_at)
    into.is_stale = True
    child.state, child.merged_into_id, child.is_stale = MatterState.merged, into.id, False
    await unit.flush()
    return ids


async def standing(unit: Unit, ids: Iterable[int]) -> dict[int, Matter]:
    """The matters with these ids, held until the commit; one that was merged answers with the one it went into."""
    wanted = set(ids)
    found: dict[int, Matter] = {}
    while wanted:
        some = select(Matter).where(col(Matter.id).in_(wanted)).order_by(col(Matter.id)).with_for_update()
        found |= {matter.id or 0: matter for matter in await unit.all(some)}
        wanted = {m.merged_into_id for m in found.values() if m.merged_into_id is not None} - set(found)
    return {number: _root(found, matter) for number, matter in found.items()}


def _root(found: dict[int, Matter], matter: Matter) -> Matter:
    while matter.merged_into_id is not None:
        matter = found[matter.merged_into_id]
    return matter
