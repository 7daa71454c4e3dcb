"""The calendar of a month with 1,000 posts: server time and statements of one request, as the browser asks for it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import event

from bench import ground
from bench.figures import Figure
from hub import clock
from hub.db import reading, unit_of_work
from hub.models import Account, Delivery, DeliveryKind, DeliveryState, Post, PostState, PostTarget, Role, User
from hub.people.actors import actor_of
from hub.settings import Settings
from workflows.house import House
from workflows.publishing import calendar

POSTS, ACCOUNTS, ROUNDS = 1000, 3, 15
MARK_MS, MARK_STATEMENTS = 300.0, 10


def run() -> Iterator[Figure]:
    """Median of 15 reads after a first one."""
    with ground.folder() as data:
        milliseconds, statements = asyncio.run(_measure(ground.settings_in(data)))
    yield Figure("month_1000_posts", round(milliseconds, 1), "ms", MARK_MS, round(milliseconds / MARK_MS, 2),
                 "service time of the month's items; mark: at most")  # fmt: skip
    yield Figure("month_statements", statements, "statements", MARK_STATEMENTS,
                 round(statements / MARK_STATEMENTS, 2), "mark: at most")  # fmt: skip


async def _measure(settings: Settings) -> tuple[float, int]:
    async with ground.open_house(settings) as house:
        await _fill(house)
        actor = actor_of(User(id=1, username="press", name="press", department_id=1, password_hash="-"), "/1/",
                         [Role.press_officer])  # fmt: skip
        counted: list[str] = []
        event.listen(house.ctx.engine.sync_engine, "before_cursor_execute",
                     lambda *given: counted.append(given[2]))  # fmt: skip
        start = clock.now() - timedelta(days=15)
        times = []
        for _ in range(ROUNDS + 1):
            counted.clear()
            begun = time.perf_counter()
            async with reading(house.ctx) as unit:
                found = await calendar.items(unit, actor, start, start + timedelta(days=31))
            times.append((time.perf_counter() - begun) * 1000)
            assert len(found) == POSTS
    return statistics.median(times[1:]), len([one for one in counted if not one.startswith("BEGIN")])


async def _fill(house: House) -> None:
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        unit.add(User(id=1, username="press", name="press", department_id=1, password_hash="-"))
        accounts = [Account(platform="sandbox", name=f"账号{n}") for n in range(ACCOUNTS)]
        unit.add(*accounts)
        await unit.flush()
        for number in range(POSTS):
            at = now - timedelta(days=14) + timedelta(minutes=42 * number)
            post = Post(title=f"第{number}条", body="正文", state=PostState.approved, department_id=1, author_id=1,
                        author_name="press", scheduled_at=at)  # fmt: skip
            unit.add(post)
            await unit.flush()
            for account in accounts:
                delivery = Delivery(kind=DeliveryKind.post, account_id=account.id or 0, post_id=post.id, text="正文",
                                    content_hash="x", approved_hash="x", state=DeliveryState.sent,
                                    scheduled_at=at)  # fmt: skip
                unit.add(delivery)
                await unit.flush()
                unit.add(PostTarget(post_id=post.id or 0, account_id=account.id or 0, delivery_id=delivery.id))
