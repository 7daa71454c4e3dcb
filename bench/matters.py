"""A burst of 5,000 posts about one thing in ten minutes: one matter, for how much processor time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import insert
from sqlmodel import col, func, select

from bench import ground
from bench.figures import Figure
from hub import clock
from hub.db import reading, unit_of_work
from hub.models import Arrival, Matter, MatterMessage, MatterState, Message, MessageKind
from hub.settings import Settings
from workflows.house import House
from workflows.matters.jobs import place_messages
from workflows.matters.placing import enlist

POSTS, BEFORE = 5_000, 2_000
MARK = 10.0
# One thing said in many ways: nobody copies, everybody means the same.
_WHERE = ("鹿鸣湾小区", "鹿鸣湾三期", "鹿鸣湾花园南门", "鹿鸣湾小区北区", "我们鹿鸣湾")
_WHAT = ("停水", "又停水了", "水管爆了", "没水用", "自来水停了", "突然停水")
_LONG = ("已经两天", "从昨晚到现在", "一整天了", "三天没人管", "没有任何通知")
_ASK = ("请水务集团尽快抢修", "老人孩子没水做饭", "物业电话打不通", "什么时候恢复供水", "给个说法", "楼上高层最惨")


def run() -> Iterator[Figure]:
    """Processor seconds for placing, counting, naming and summing up; how many matters the burst became."""
    with ground.folder() as data:
        seconds, matters, largest, alone = asyncio.run(_measure(ground.settings_in(data)))
    assert matters >= 1, "the burst was not seen"
    yield Figure("matters_burst_cpu", round(seconds, 2), "s", MARK, round(seconds / MARK, 2),
                 f"{POSTS} similar posts in ten minutes beside {BEFORE} others; mark: at most")  # fmt: skip
    yield Figure("matters_burst_matters", matters, "matters", 1, float(matters), "the burst stays one")
    yield Figure("matters_burst_share", round(largest / POSTS, 4), "", 1, round(largest / POSTS, 4),
                 f"of the burst in its largest matter; {alone} posts stayed alone")  # fmt: skip


async def _measure(settings: Settings) -> tuple[float, int, int, int]:
    async with ground.open_house(settings) as house:
        start = clock.now() - timedelta(days=2)
        await _feed(house, ground.texts(BEFORE), start, timedelta(days=1))
        await place_messages(house)
        first = await _newest(house)
        rnd = random.Random(7)
        begun = time.process_time()
        for part in range(10):  # as they come: a minute's posts at a time
            at = clock.now() - timedelta(minutes=10 - part)
            await _feed(house, [_post(rnd) for _ in range(POSTS // 10)], at, timedelta(minutes=1))
            await place_messages(house)
        seconds = time.process_time() - begun
        return seconds, *await _outcome(house, first)


def _post(rnd: random.Random) -> str:
    parts = [rnd.choice(_WHERE) + rnd.choice(_WHAT), rnd.choice(_LONG), rnd.choice(_ASK)]
    end = rnd.choice(("！", "。", "？？", ""))
    return "，".join(parts) + end + "".join(rnd.choices("啊呀急求转", k=rnd.randrange(4)))


async def _feed(house: House, texts: list[str], start: object, span: timedelta) -> None:
    """Messages as tagging leaves them."""
    async with unit_of_work(house.ctx) as unit:
        base = await unit.first(select(func.max(col(Message.id)))) or 0
        arrivals, rows = [], []
        for number, text in enumerate(texts, base + 1):
            key = {"account_id": 1, "kind": MessageKind.mention, "external_id": str(number)}
            at = start + span * ((number - base) / len(texts))  # type: ignore[operator]
            arrivals.append({"id": number, "via": "bench", "payload": "{}", "state": "parsed", "error": "",
                             "received_at": at, **key})  # fmt: skip
            rows.append(Message(id=number, arrival_id=number, author_id=f"市民{number}", text=text, created_at=at,
                                received_at=at, tagged_at=at, sentiment="negative", **key))  # fmt: skip
        await unit.run(insert(Arrival), arrivals)
        unit.add(*rows)
        await unit.flush()
        await enlist(unit, rows)


async def _newest(house: House) -> int:
    async with reading(house.ctx) as unit:
        return await unit.first(select(func.max(col(Message.id)))) or 0


async def _outcome(house: House, first: int) -> tuple[int, int, int]:
    """Open matters that hold posts of the burst, the burst's posts in the largest, and those alone."""
    async with reading(house.ctx) as unit:
        rows = await unit.rows(
            select(MatterMessage.matter_id, func.count()).where(col(MatterMessage.message_id) > first)
            .group_by(col(MatterMessage.matter_id))
        )  # fmt: skip
        held = {row[0]: row[1] for row in rows}
        alone = held.pop(None, 0)
        still = select(func.count()).where(col(Matter.id).in_(list(held)), col(Matter.state) == MatterState.open)
        return await unit.one(still), max(held.values(), default=0), alone
