"""Counts that are kept equal what counting would find."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hub.db import open_context, unit_of_work
from hub.models import Message, MessageKind, Rollup
from tests.workflows.intake import town
from workflows.house import House
from workflows.opinion import rollups
from workflows.opinion.rollups import Delta

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
TOPICS = ["城乡建设", "交通运输", ""]
SENTIMENTS = ["negative", "neutral", "positive"]


def _message(rnd: random.Random) -> Message:
    return Message(
        account_id=rnd.randrange(3), arrival_id=0, kind=MessageKind.letter, external_id="", text="",
        topic=rnd.choice(TOPICS), sentiment=rnd.choice(SENTIMENTS), place=rnd.choice(["", "滨江区"]),
        likes=rnd.randrange(5), is_sensitive=rnd.random() < 0.2,
        created_at=NOW - timedelta(minutes=rnd.randrange(60 * 24)),
    )  # fmt: skip


async def _kept(house: House) -> dict[tuple[Any, ...], tuple[int, int, int]]:
    rows = await town.all_rows(house, Rollup)
    key = [(r.hour, r.account_id, r.topic, r.sentiment, r.place) for r in rows]
    counts = [(r.messages, r.likes, r.sensitive) for r in rows]
    return {k: c for k, c in zip(key, counts, strict=True) if any(c)}


def _recount(messages: list[Message]) -> dict[tuple[Any, ...], tuple[int, int, int]]:
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for m in messages:
        hour = datetime(*m.created_at.timetuple()[:4], tzinfo=UTC)
        cell = sums.setdefault((hour, m.account_id, m.topic, m.sentiment, m.place), Counter())
        cell.update({"messages": 1, "likes": m.likes, "sensitive": int(m.is_sensitive)})
    return {key: (c["messages"], c["likes"], c["sensitive"]) for key, c in sums.items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_comings_goings_and_corrections(any_house: House, seed: int) -> None:
    rnd = random.Random(seed)
    present: list[Message] = []
    for _ in range(30):
        deltas = []
        for _ in range(rnd.randrange(20)):
            present.append(_message(rnd))
            deltas.append(rollups.delta(present[-1]))
        for _ in range(min(len(present), rnd.randrange(8))):
            message = rnd.choice(present)
            deltas.append(rollups.delta(message, -1))
            message.topic, message.is_sensitive = rnd.choice(TOPICS), not message.is_sensitive
            deltas.append(rollups.delta(message))
        if present and rnd.random() < 0.5:
            deltas.append(rollups.delta(present.pop(), -1))
        async with unit_of_work(any_house.ctx) as unit:
            await rollups.move(unit, deltas)
    assert await _kept(any_house) == _recount(present)


async def test_writers_beside_each_other_lose_nothing(any_house: House) -> None:
    rnd = random.Random(5)
    batches = [[_message(rnd) for _ in range(40)] for _ in range(24)]
    contexts = [open_context(any_house.ctx.settings) for _ in range(6)]

    async def write(n: int) -> None:
        for batch in batches[n::6]:
            async with unit_of_work(contexts[n]) as unit:
                await rollups.move(unit, [rollups.delta(message) for message in batch])

    await asyncio.gather(*[write(n) for n in range(6)])
    for one in contexts:
        await one.close()
    assert await _kept(any_house) == _recount([message for batch in batches for message in batch])


async def test_nothing_to_move_and_what_cancels_out_writes_nothing(house: House) -> None:
    message = _message(random.Random(1))
    async with unit_of_work(house.ctx) as unit:
        await rollups.move(unit, [])
        await rollups.move(unit, [rollups.delta(message), rollups.delta(message, -1)])
    assert await town.count(house, Rollup) == 0


async def test_more_cells_than_one_statement_holds(any_house: House) -> None:
    cells = [Delta(NOW.replace(minute=0), n, "", "neutral", "", 1, 0, 0) for n in range(3000)]
    for _ in range(2):
        async with unit_of_work(any_house.ctx) as unit:
            await rollups.move(unit, cells)
    assert {r.messages for r in await town.all_rows(any_house, Rollup)} == {2}


def test_hours_are_of_utc() -> None:
    east = timezone(timedelta(hours=8))
    assert rollups.hour_of(datetime(2026, 11, 23, 0, 59, 59, tzinfo=east)) == datetime(2026, 11, 22, 16, tzinfo=UTC)
    with pytest.raises(ValueError, match="naive"):
        rollups.hour_of(datetime(2026, 1, 1))  # noqa: DTZ001 -- what is refused
