"""A day in fast time on an account of a hundred calls a day that is mentioned three hundred times."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import pytest
from sqlmodel import col, func, select

from connectors.base import Kind, Outgoing
from hub import clock, crypto
from hub.db import Context, reading, unit_of_work
from hub.models import Arrival, Department, Role, SignIn, Stream, User, UserRole
from tests.sims.toll import Toll, serving
from tests.workflows import tollhouse
from web.app import create_app
from web.auth import COOKIE
from workflows.house import House
from workflows.intake import pulling
from workflows.tending import tend_accounts
from workflows.tokens import Line

# Midnight in Beijing: the window of a day begins.
MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
DAY = timedelta(days=1)
STEP = timedelta(minutes=1)
MENTIONS, REPLIES = 300, 30


@pytest.fixture
async def toll() -> AsyncIterator[Toll]:
    async with serving(Toll(daily=100)) as there:
        yield there


async def _arrived(house: House) -> int:
    async with reading(house.ctx) as unit:
        return await unit.one(select(func.count(col(Arrival.id))))


async def _reply(house: House, number: int, n: int) -> None:
    """As the engine sends: for people, with the purpose of people."""
    line = Line(house, house.ref(await tollhouse.account_of(house, number)))
    out = Outgoing(f"已派人维修（{n}）", f"k{n}", str(n + 1), Kind.mention)
    await line.call(lambda ref: house.platforms["toll"].reply(ref, out))


async def test_nothing_is_lost_and_no_reply_is_refused(ctx: Context, toll: Toll) -> None:
    """Mentions come all day, with a storm of a hundred at noon; thirty replies go out in office hours."""
    house = tollhouse.open_toll_house(ctx)
    with clock.frozen(MIDNIGHT) as move:
        number = await tollhouse.connect(house, toll)
        for minute in range(0, 24 * 60, 2):
            move(MIDNIGHT + minute * STEP)
            if minute == 12 * 60:
                for n in range(100):
                    toll.mention(f"停电了 {n}")
            elif minute % 6 == 2 and len(toll.mentions) < MENTIONS - (100 if minute < 12 * 60 else 0):
                toll.mention(f"路灯坏了 {minute}")
            if 9 * 60 <= minute < 18 * 60 and minute % 18 == 0:
                await _reply(house, number, len(toll.replies))
            await pulling.pull_due(house)
            if minute % 60 == 0:
                await tend_accounts(house)
        assert toll.refused == 0, "never a call beyond the budget"
        assert len(toll.replies) == REPLIES
        assert len(toll.calls) <= 100
        read = [at for at, call in toll.calls if call != "reply"]
        assert len(read) <= 70
        gaps = [later - earlier for earlier, later in pairwise(read)]
        assert max(gaps) < timedelta(hours=3), "spread over the day, not spent in its first hour"
        while len(toll.mentions) < MENTIONS:
            toll.mention("晚上的")
        await _until_read(house, move)
        assert await _arrived(house) == MENTIONS
        assert toll.refused == 0
        async with reading(ctx) as unit:
            ids = await unit.all(select(col(Arrival.external_id)))
        assert sorted(map(int, ids)) == list(range(1, MENTIONS + 1)), "all of them, each once"


async def _until_read(house: House, move: Callable[[datetime], None]) -> None:
    """The next morning."""
    for minute in range(0, 6 * 60, 5):
        move(MIDNIGHT + DAY + minute * STEP)
        await pulling.pull_due(house)


async def test_when_the_budget_is_gone_the_page_says_why_and_until_when(ctx: Context, toll: Toll) -> None:
    """Somebody presses "read now" all morning: reading stops at its share, replies go on, the page says so."""
    house = tollhouse.open_toll_house(ctx)
    with clock.frozen(MIDNIGHT + timedelta(hours=9)) as move:
        number = await tollhouse.connect(house, toll)
        for _ in range(90):
            toll.mention("又坏了")
            async with unit_of_work(ctx) as unit:
                await unit.claim(Stream, col(Stream.account_id) == number, due_at=clock.now())
            await pulling.pull_due(house)
        assert len(toll.calls) == 70
        for n in range(30):
            await _reply(house, number, n)
        assert (len(toll.replies), toll.refused) == (30, 0)
        stream = await tollhouse.stream_of(house, number)
        assert "供系统读取的 70 次已用完，其余留给人工答复和发布；11-24 00:00 起继续读取" in stream.error
        assert stream.failures == 0
        assert MIDNIGHT + DAY <= stream.due_at <= MIDNIGHT + DAY + timedelta(minutes=3)
        page = await _page_of(house, number)
        assert "等待额度" in page
        assert "期间的内容不会丢失" in page
        assert "已用完，到时自动继续" in page
        move(MIDNIGHT + DAY + timedelta(minutes=3))
        await pulling.pull_due(house)
        assert await _arrived(house) == 90, "nothing was lost meanwhile"
        assert (await tollhouse.stream_of(house, number)).error == ""


async def _page_of(house: House, number: int) -> str:
    """The account's page as its administrator sees it."""
    app = create_app(house)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        client.cookies.set(COOKIE, await _administrator(house))
        answer = await client.get(f"/accounts/{number}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def _administrator(house: House) -> str:
    """An administrator who has just signed in; their session."""
    token = crypto.new_token()
    async with unit_of_work(house.ctx) as unit:
        department = Department(code="office", name="市政府办公室", short_name="市政府办", path="/1/")
        unit.add(department)
        await unit.flush()
        person = User(username="admin", name="管理员", department_id=department.id or 0, password_hash="-")
        unit.add(person)
        await unit.flush()
        unit.add(UserRole(user_id=person.id or 0, role=Role.administrator))
        until = clock.now() + DAY
        unit.add(SignIn(user_id=person.id or 0, token_hash=crypto.digest(token), csrf="c", expires_at=until))
    return token
