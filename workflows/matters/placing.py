"""Each tagged message to its matter. One worker at a time holds the lease; thinking happens outside transactions."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, update
from sqlalchemy import select as columns
from sqlmodel import col, select

import nlp
from hub import clock, feed
from hub.db import Unit, reading, unit_of_work
from hub.insert import insert
from hub.models import Matter, MatterEvent, MatterMessage, MatterState, Message, WordTally
from hub.rights import system
from nlp import matters
from nlp.base import Text
from nlp.clusters import Member
from nlp.matters import Tally, Traits
from workflows.house import House
from workflows.matters import uniting
from workflows.matters.uniting import MATTER_DAYS, MOST_MATTERS
from workflows.tagging.markup import without_markup

TALLY = "matters"
BATCH = 500
LEASE = timedelta(seconds=90)
# How far around a message's own time a lone message may lie that it can join.
ALONE_DAYS, MOST_ALONE = timedelta(days=120), 3_000
_REPOSTS = ("reposts_count", "reblogs_count", "reposts", "forwards", "转发数")

Key = tuple[str, int]  # ("matter", its id) or ("alone", id of the message a matter would begin with)


async def enlist(unit: Unit, batch: Sequence[Message]) -> None:
    """Tagged citizens' messages wait for their place, in the transaction of the tagging. Safe to run twice."""
    given: list[dict[str, Any]] = [
        {
            "message_id": one.id, "at": one.created_at, "fingerprint": 0, "is_copy": False,
            "is_held": False, "near": 0.0, "reposts": 0, "words": [],
        }
        for one in batch
        if not one.is_own
    ]  # fmt: skip
    if given:
        await unit.run(insert(unit, MatterMessage).on_conflict_do_nothing(), given)
        unit.later("place_messages")


async def place_waiting(house: House, limit: int = BATCH) -> int:
    """Place at most ``limit`` waiting messages, the first come first; how many. 0 also while another worker does it."""
    async with reading(house.ctx) as unit:
        if await unit.first(_WAITING.limit(1)) is None:
            return 0
    lease = await _take(house)
    if not lease:
        return 0
    try:
        return await _place(house, lease, limit)
    finally:
        async with unit_of_work(house.ctx) as unit:
            await unit.claim(WordTally, col(WordTally.name) == TALLY, col(WordTally.lease) == lease, lease_until=None)


_WAITING: Any = select(MatterMessage.message_id).where(col(MatterMessage.placed_at).is_(None))


async def _take(house: House) -> str:
    """The lease, or "" while somebody else holds it."""
    lease, now = secrets.token_hex(8), clock.now()
    async with unit_of_work(house.ctx) as unit:
        await unit.run(
            insert(unit, WordTally).on_conflict_do_nothing(),
            {"name": TALLY, "documents": 0, "counts": Tally.empty().packed(), "lease": ""},
        )
        free = or_(col(WordTally.lease_until).is_(None), col(WordTally.lease_until) < now)
        mine = await unit.claim(WordTally, col(WordTally.name) == TALLY, free, lease=lease, lease_until=now + LEASE)
    return lease if mine else ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message without a place."""

    id: int
    text: Text
    at: datetime
    case_id: int | None
    reposts: int


async def _place(house: House, lease: str, limit: int) -> int:
    async with reading(house.ctx) as unit:
        waiting = await _read_waiting(unit, limit)
        stored = await unit.get(WordTally, TALLY)
        tally = Tally.unpack(stored.documents, stored.counts) if stored else Tally.empty()
    if not waiting:
        return 0
    texts, days = [one.text for one in waiting], [uniting.day(one.at) for one in waiting]
    traits = await asyncio.to_thread(matters.traits, nlp.analyser(), texts, tally, days)
    async with reading(house.ctx) as unit:
        ground = await _ground(unit, waiting, traits)
    plan = await asyncio.to_thread(_decide, waiting, traits, ground)
    tally = tally.with_words(_teaching(traits, plan, ground))
    async with unit_of_work(house.ctx) as unit:
        held = (col(WordTally.name) == TALLY, col(WordTally.lease) == lease)
        if not await unit.claim(WordTally, *held, documents=tally.documents, counts=tally.packed()):
            return 0  # somebody else took over: they place these messages
        touched = await _write(unit, waiting, traits, plan)
        if touched:
            feed.tell(unit, "opinion")
    await uniting.unite(house, touched)
    return len(waiting)


async def _read_waiting(unit: Unit, limit: int) -> list[Waiting]:
    wanted = columns(
        col(Message.id), col(Message.title), col(Message.text), col(Message.created_at), col(Message.case_id),
        col(Message.extra),
    ).join(MatterMessage, col(MatterMessage.message_id) == col(Message.id))  # fmt: skip
    found = wanted.where(col(MatterMessage.placed_at).is_(None)).order_by(col(MatterMessage.message_id)).limit(limit)
    return [
        Waiting(
            row.id,
            Text(without_markup(row.text), without_markup(row.title)),
            row.created_at,
            row.case_id,
            _reposts(row.extra or {}),
        )
        for row in await unit.rows(found)
    ]


def _reposts(extra: dict[str, Any]) -> int:
    """How often the platform says it was passed on; 0 when it says nothing sensible."""
    for name in _REPOSTS:
        text = str(extra.get(name, ""))
        if text.isascii() and text.isdigit() and len(text) < 10:
            return int(text)
    return 0


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known around the batch. ``copies``: fingerprint → where its text stands; ``cases``: case → matter."""

    keys: list[Key]
    members: list[Member]
    copies: dict[int, Key]
    cases: dict[int, int]


async def _ground(unit: Unit, waiting: Sequence[Waiting], traits: Sequence[Traits]) -> Ground:
    first, last = min(one.at for one in waiting), max(one.at for one in waiting)
    keys, members = await _known(unit, first, last)
    prints = {one.copy_of for one in traits if one.copy_of}
    mine = {one.id for one in waiting}
    copies: dict[int, Key] = {}
    wanted = columns(col(MatterMessage.fingerprint), col(MatterMessage.message_id), col(MatterMessage.matter_id))
    span = (col(MatterMessage.at) > first - MATTER_DAYS, col(MatterMessage.at) < last + MATTER_DAYS)
    known = wanted.where(col(MatterMessage.fingerprint).in_(prints), ~col(MatterMessage.is_held), *span)
    for row in await unit.rows(known.order_by(col(MatterMessage.message_id))):
        if row.message_id not in mine:
            key = ("matter", row.matter_id) if row.matter_id else ("alone", row.message_id)
            copies.setdefault(row.fingerprint, key)
    return Ground(keys, members, copies, await _matters_of_cases(unit, waiting))


async def _known(unit: Unit, first: datetime, last: datetime) -> tuple[list[Key], list[Member]]:
    """Matters and lone messages near these times, as groups to join."""
    live = (col(Matter.state) != MatterState.merged, col(Matter.size) > 0)
    span = (col(Matter.last_at) > first - MATTER_DAYS, col(Matter.first_at) < last + MATTER_DAYS)
    wanted = columns(*uniting.PROFILE).where(*live, *span)
    rows = await unit.rows(wanted.order_by(col(Matter.last_at).desc()).limit(MOST_MATTERS))
    keys: list[Key] = [("matter", row.id) for row in rows]
    members = [uniting.profile_of(row) for row in rows]
    near = (col(MatterMessage.at) > first - ALONE_DAYS, col(MatterMessage.at) < last + ALONE_DAYS)
    free = (col(MatterMessage.matter_id).is_(None), col(MatterMessage.vector).is_not(None))
    alone = columns(col(MatterMessage.message_id), col(MatterMessage.vector), col(MatterMessage.at))
    rows = await unit.rows(
        alone.where(*free, *near, ~col(MatterMessage.is_held)).order_by(col(MatterMessage.at).desc()).limit(MOST_ALONE)
    )
    keys += [("alone", row.message_id) for row in rows]
    return keys, members + [matters.unpack(row.vector).at(uniting.day(row.at)) for row in rows]


async def _matters_of_cases(unit: Unit, waiting: Sequence[Waiting]) -> dict[int, int]:
    """The matter that the other messages of each case are in, the latest one."""
    cases = {one.case_id for one in waiting if one.case_id is not None}
    wanted = columns(col(Message.case_id), col(MatterMessage.matter_id)).join(
        MatterMessage, col(MatterMessage.message_id) == col(Message.id)
    )
    placed = wanted.where(col(Message.case_id).in_(cases), col(MatterMessage.matter_id).is_not(None))
    return {row.case_id: row.matter_id for row in await unit.rows(placed.order_by(col(Message.id)))}


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one message. ``key`` None: it stays alone."""

    key: Key | None
    near: float = 0.0
    is_copy: bool = False


def _decide(waiting: Sequence[Waiting], traits: Sequence[Traits], ground: Ground) -> list[Step]:
    """Copies to their text, telling ones by their words, short ones to the matter of their case."""
    steps: list[Step | None] = [None] * len(waiting)
    copies = dict(ground.copies)
    for number, one in enumerate(traits):
        if one.copy_of in copies:
            steps[number] = Step(copies[one.copy_of], 1.0, is_copy=True)
        elif one.copy_of:
            copies[one.copy_of] = ("alone", waiting[number].id)
    telling = [n for n, one in enumerate(traits) if steps[n] is None and one.says_enough]
    telling.sort(key=lambda n: (waiting[n].at, n))
    placed = matters.place([traits[n].member for n in telling], ground.members)
    keys = [*ground.keys, *(("alone", waiting[n].id) for n in telling)]
    for n, where in zip(telling, placed, strict=True):
        steps[n] = Step(keys[where.group], where.near)
    short = [n for n, step in enumerate(steps) if step is None]
    for n in short:
        found = ground.cases.get(waiting[n].case_id or 0)
        steps[n] = Step(("matter", found) if found else ("alone", waiting[n].id))
    return _followed([step or Step(None) for step in steps], waiting)


def _teaching(traits: Sequence[Traits], plan: Sequence[Step], ground: Ground) -> list[Member]:
    """The messages that say which words are rare: the first ones of each matter and those that stay alone."""
    sizes = Counter({key: member.size for key, member in zip(ground.keys, ground.members, strict=True)})
    found = []
    for trait, step in zip(traits, plan, strict=True):
        if step.is_copy or not len(trait.member.bucket):
            continue
        if step.key is not None:
            sizes[step.key] += 1
        if step.key is None or sizes[step.key] <= matters.COMMON:
            found.append(trait.member)
    return found


def _followed(steps: list[Step], waiting: Sequence[Waiting]) -> list[Step]:
    """A copy of a message of this batch goes where that message went."""
    went = {("alone", one.id): step for one, step in zip(waiting, steps, strict=True) if not step.is_copy}
    return [
        Step(went[step.key].key or step.key, step.near, is_copy=True)
        if step.is_copy and step.key in went and went[step.key].key
        else step
        for step in steps
    ]


async def _write(unit: Unit, waiting: Sequence[Waiting], traits: Sequence[Traits], plan: Sequence[Step]) -> list[int]:
    """Everything the plan says; the ids of all matters that changed."""
    by_key: dict[Key, list[int]] = defaultdict(list)
    for number, step in enumerate(plan):
        if step.key is not None:
            by_key[step.key].append(number)
    homes = await _homes(unit, by_key, {one.id: one.at for one in waiting})
    for key, home in homes.items():
        _grow(home, [(waiting[n], traits[n], plan[n]) for n in by_key[key]])
    await unit.flush()
    rows = [
        _row(one, trait, step, homes[step.key].id if step.key in homes else None)
        for one, trait, step in zip(waiting, traits, plan, strict=True)
    ]
    await unit.run(_PLACE, rows)
    return sorted({home.id or 0 for home in homes.values()})


async def _homes(unit: Unit, by_key: dict[Key, list[int]], batch: Mapping[int, datetime]) -> dict[Key, Matter]:
    """The matter behind each key: the one it stands for, the one its message has joined meanwhile, or a new one.
    Keys of messages that nobody joins have none."""
    seeds = await _seeds(unit, [number for kind, number in by_key if kind == "alone" and number not in batch])
    ids = {number for kind, number in by_key if kind == "matter"}
    ids |= {seed.matter_id for seed in seeds.values() if seed.matter_id is not None}
    known = await uniting.standing(unit, ids)
    homes: dict[Key, Matter] = {}
    for (kind, number), joining in by_key.items():
        seed = seeds.get(number) if kind == "alone" else None
        matter_id = number if kind == "matter" else (seed.matter_id if seed else None)
        if matter_id is not None:
            homes[kind, number] = known[matter_id]
        elif seed is not None and not seed.is_held:
            homes[kind, number] = await _open(unit, seed.at, seed)
        elif len(joining) > 1:
            homes[kind, number] = await _open(unit, batch.get(number, clock.now()))
    return homes


async def _seeds(unit: Unit, numbers: Sequence[int]) -> dict[int, MatterMessage]:
    found = await unit.all(select(MatterMessage).where(col(MatterMessage.message_id).in_(numbers)).with_for_update())
    return {seed.message_id: seed for seed in found}


async def _open(unit: Unit, at: datetime, seed: MatterMessage | None = None) -> Matter:
    """A new matter, with the lone message it begins with where that came earlier."""
    matter = Matter(first_at=at, last_at=at)
    unit.add(matter)
    await unit.flush()
    unit.add(MatterEvent(matter_id=matter.id or 0, what="opened", by_name=system().name))
    if seed is not None:
        seed.matter_id = matter.id
        if seed.vector:
            matter.profile, matter.size = seed.vector, 1
    return matter


def _grow(matter: Matter, joining: Sequence[tuple[Waiting, Traits, Step]]) -> None:
    parts = [trait.member for _one, trait, step in joining if not step.is_copy and len(trait.member.bucket)]
    if matter.size:
        parts.insert(0, matters.unpack(matter.profile, matter.size))
    if parts:
        whole = matters.joined(parts)
        matter.profile, matter.size = matters.pack(whole), whole.size
    times = [one.at for one, _trait, _step in joining]
    matter.first_at, matter.last_at = min(matter.first_at, *times), max(matter.last_at, *times)
    matter.is_stale = True


_PLACE: Any = (
    update(MatterMessage.__table__)  # type: ignore[attr-defined]
    .where(col(MatterMessage.message_id) == bindparam("b_id"), col(MatterMessage.placed_at).is_(None))
    .values(
        matter_id=bindparam("b_matter"), placed_at=bindparam("b_now"), fingerprint=bindparam("b_print"),
        is_copy=bindparam("b_copy"), near=bindparam("b_near"), reposts=bindparam("b_reposts"),
        words=bindparam("b_words"), vector=bindparam("b_vector"),
    )
)  # fmt: skip


def _row(one: Waiting, trait: Traits, step: Step, matter_id: int | None) -> dict[str, Any]:
    return {
        "b_id": one.id, "b_matter": matter_id, "b_now": clock.now(), "b_print": trait.copy_of,
        "b_copy": step.is_copy and matter_id is not None, "b_near": round(step.near, 4), "b_reposts": one.reposts,
        "b_words": list(trait.words), "b_vector": matters.pack(trait.member) if trait.says_enough else None,
    }  # fmt: skip
