"""A matter's figures, counted anew when it changed and kept in its row, so that pages read one row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select as columns
from sqlalchemy import update
from sqlmodel import col, select

from hub import clock, feed
from hub.db import reading, unit_of_work
from hub.models import Case, Matter, MatterMessage, MatterState, Message
from workflows.house import House
from workflows.matters.leading import with_case
from workflows.opinion import heat
from workflows.opinion.rollups import hour_of

AT_ONCE = 200
HOURS, DAYS = 24 * 4, 60
MOST_NAMED = 8
# Departments and corrections move without a word to the matter: what is hot is counted again now and then.
AGAIN = timedelta(minutes=10)
LIVE = timedelta(days=14)
_HOTTEST = 20
# A large matter is not counted at every message: one second of patience for so many messages.
PATIENCE = 2_000


async def count_stale(house: House) -> int:
    """Count matters that changed, at most AT_ONCE; how many. Safe to run twice and beside others."""
    now = clock.now()
    async with reading(house.ctx) as unit:
        rows = await unit.rows(_due().limit(AT_ONCE))
    ids = [row.id for row in rows if row.counted_at is None or now - row.counted_at >= _patience(row.messages)]
    for number in ids:
        await recount(house, number)
    return len(ids)


def _due() -> Any:
    wanted = columns(col(Matter.id), col(Matter.counted_at), col(Matter.messages))
    return wanted.where(col(Matter.is_stale)).order_by(col(Matter.counted_at), col(Matter.id))


def _patience(messages: int) -> timedelta:
    return timedelta(seconds=messages / PATIENCE)


async def look_again(house: House) -> int:
    """Mark the hottest matters for counting when their figures are ten minutes old; how many."""
    now = clock.now()
    hottest = (
        select(col(Matter.id))
        .where(col(Matter.state) == MatterState.open, col(Matter.last_at) > now - LIVE)
        .order_by(col(Matter.heat).desc())
        .limit(_HOTTEST)
    )
    async with reading(house.ctx) as unit:
        old = (col(Matter.id).in_(list(await unit.all(hottest))), col(Matter.counted_at) < now - AGAIN)
        ids = list(await unit.all(select(col(Matter.id)).where(*old, ~col(Matter.is_stale))))
    if ids:
        async with unit_of_work(house.ctx) as unit:
            await unit.run(update(Matter).where(col(Matter.id).in_(ids)).values(is_stale=True))
    return len(ids)


async def recount(house: House, matter_id: int) -> None:
    """One matter's figures from its messages. A message that comes while it is counted leaves it marked."""
    async with unit_of_work(house.ctx) as unit:
        await unit.claim(Matter, col(Matter.id) == matter_id, is_stale=False)
    async with reading(house.ctx) as unit:
        rows = await unit.rows(_members(matter_id))
    values = _columns(counted(rows))
    async with unit_of_work(house.ctx) as unit:
        await unit.claim(Matter, col(Matter.id) == matter_id, **values, counted_at=clock.now())
        feed.tell(unit, "opinion", matter_id)


def _members(matter_id: int) -> Any:
    wanted: tuple[Any, ...] = (
        MatterMessage.message_id, MatterMessage.at, MatterMessage.is_copy, MatterMessage.reposts, Message.likes,
        Message.author_id, Message.author_name, Message.account_id, Message.sentiment, Message.is_sensitive,
        Message.topic, Message.place, Case.department_id,
    )  # fmt: skip
    members = columns(*wanted).join(Message, col(Message.id) == col(MatterMessage.message_id))
    return (
        with_case(members)
        .where(col(MatterMessage.matter_id) == matter_id)
        .order_by(col(MatterMessage.at), col(MatterMessage.message_id))
    )


@dataclass
class Count:
    """What was counted. ``named``: by kind (moods, topics, places, departments, accounts) how many of each."""

    messages: int = 0
    copies: int = 0
    likes: int = 0
    reposts: int = 0
    sensitive: int = 0
    people: int = 0
    heat: float = -1e9
    times: list[datetime] = field(default_factory=list)
    named: dict[str, Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))


def counted(rows: Iterable[Any]) -> Count:
    """Of messages, the oldest first. Copies count as copies and as people, not as messages and not for the heat."""
    count = Count()
    people: set[tuple[Any, ...]] = set()
    voices = []
    for row in rows:
        person = (row.account_id, row.author_id or row.author_name or row.message_id)
        count.times.append(row.at)
        count.likes += row.likes
        count.reposts += row.reposts
        if row.is_copy:
            count.copies += 1
        else:
            count.messages += 1
            count.sensitive += int(row.is_sensitive)
            voices.append((heat.voice(row.likes, row.reposts, again=person in people), row.at))
            _name(count.named, row)
        people.add(person)
    count.people, count.heat = len(people), heat.warmth(voices)
    return count


def _name(named: Mapping[str, Counter[Any]], row: Any) -> None:
    for kind, value in (
        ("moods", row.sentiment), ("topics", row.topic), ("places", row.place), ("departments", row.department_id),
        ("accounts", row.account_id),
    ):  # fmt: skip
        if value:
            named[kind][value] += 1


def _columns(count: Count) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: getattr(count, name) for name in ("messages", "copies", "likes", "reposts", "people", "heat")
    }
    if count.times:
        values |= {"first_at": min(count.times), "last_at": max(count.times)}
    figures: dict[str, Any] = {kind: _most(counter) for kind, counter in count.named.items()}
    return values | {"figures": figures | _by_time(count.times) | {"sensitive": count.sensitive}}


def _most(counter: Counter[Any]) -> list[list[Any]]:
    ordered = sorted(counter.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [[value, n] for value, n in ordered[:MOST_NAMED]]


def _by_time(times: Sequence[datetime]) -> dict[str, dict[str, int]]:
    """The last hours and days up to the newest message: {"2026-11-23T07": 4}, {"2026-11-23": 9} (office days)."""
    hours = Counter(hour_of(at).strftime("%Y-%m-%dT%H") for at in times)
    days = Counter(clock.local(at).date().isoformat() for at in times)
    return {"hours": dict(sorted(hours.items())[-HOURS:]), "days": dict(sorted(days.items())[-DAYS:])}


__all__ = ["Count", "count_stale", "counted", "look_again", "recount"]
