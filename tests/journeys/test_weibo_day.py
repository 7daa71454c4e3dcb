"""Weibo with the whole hub behind it: granted by page, a day of 300 mentions on a hundred calls, answers in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlmodel import col, select

from connectors.base import Kind, Outgoing
from connectors.registry import connectors
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Arrival, Message, Stream
from tests.sims.sandbox import signed_query
from tests.sims.weibo import LINK, WeiboControl, WeiboProcess
from workflows.house import House
from workflows.intake import pulling
from workflows.intake.push import receive_push
from workflows.intake.reading import read_waiting
from workflows.metering import RowMeter, standing
from workflows.tokens import Line

# Midnight in Beijing: the window of a day begins.
MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
STEP = timedelta(minutes=1)
MENTIONS, COMMENTS, ANSWERS = 300, 24, 24


@pytest.fixture(scope="module")
def weibo_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WeiboProcess]:
    process = WeiboProcess(tmp_path_factory.mktemp("weibo"))
    process.start()
    yield process
    process.kill()


@pytest.fixture
def weibo(weibo_process: WeiboProcess) -> Iterator[WeiboControl]:
    control = WeiboControl(weibo_process.base_url)
    control.reset()
    yield control
    control.clock(None)


async def connected(ctx: Context, weibo: WeiboControl) -> tuple[House, int]:
    house = House(ctx, connectors(False, clock.now, RowMeter(ctx)))
    ref = weibo.ref(weibo.account("临江发布"))
    async with unit_of_work(ctx) as unit:
        account = Account(
            platform="weibo", name="临江发布", external_id=ref.external_id, base_url=ref.base_url,
            sealed=ctx.vault.seal(dict(ref.secrets)), options=dict(ref.options) | {"pull_every": 180},
        )  # fmt: skip
        unit.add(account)
        await unit.flush()
    return house, account.id or 0


async def answer(house: House, number: int, mention: str, n: int) -> None:
    """As the engine sends: for people."""
    async with reading(house.ctx) as unit:
        account = await unit.one(select(Account).where(Account.id == number))
    out = Outgoing(f"已派人维修（{n}）", f"k{n}", mention, Kind.mention, mention)
    await Line(house, house.ref(account)).call(lambda ref: house.platforms["weibo"].reply(ref, out))


async def arrived(house: House) -> set[tuple[Kind, str]]:
    async with reading(house.ctx) as unit:
        found = await unit.all(select(Arrival))
    assert len(found) == len({(one.kind, one.external_id) for one in found})
    return {(Kind(one.kind), one.external_id) for one in found}


async def test_a_day_on_a_hundred_calls(ctx: Context, weibo: WeiboControl) -> None:
    wanted: set[tuple[Kind, str]] = set()
    answered = 0
    with clock.frozen(MIDNIGHT) as move:
        weibo.clock(MIDNIGHT.timestamp())
        house, number = await connected(ctx, weibo)
        uid = weibo.accounts()[0]["uid"]
        [post] = weibo.posts(uid, f"通知 {LINK}")
        for minute in range(0, 24 * 60, 3):
            move(MIDNIGHT + minute * STEP)
            weibo.clock(clock.now().timestamp())
            if minute % 24 == 0:
                made = weibo.mentions(uid, f"路灯坏了 {minute} {{n}}", count=5)
                wanted |= {(Kind.mention, one) for one in made}
            if minute % 60 == 30:
                wanted |= {(Kind.comment, one) for one in weibo.comments(f"几点 {minute}？", post=post)}
                await answer(house, number, min(one for kind, one in wanted if kind is Kind.mention), answered)
                answered += 1
            await pulling.pull_due(house)
        move(MIDNIGHT + timedelta(hours=24, minutes=5))
        weibo.clock(clock.now().timestamp())
        async with unit_of_work(ctx) as unit:
            await unit.claim(Stream, col(Stream.account_id) == number, due_at=clock.now())
        await pulling.pull_due(house)
        assert (len(wanted), answered) == (MENTIONS + COMMENTS, ANSWERS)
        assert await arrived(house) == wanted
        calls = weibo.asked()
        assert all(call["code"] == 0 for call in calls), "the platform never had to refuse"
        first_day = [call for call in calls if call["at"] < (MIDNIGHT + timedelta(days=1)).timestamp()]
        read = [call for call in first_day if not call["path"].startswith("/2/comments/create")]
        assert len(first_day) <= 100
        at = [call["at"] for call in read]
        gaps = [later - earlier for earlier, later in pairwise([*at, at[0] + 24 * 3600])]
        assert max(gaps) < 2 * 3600, "spread over the day, not spent in its first hours"


async def test_calls_that_others_made_are_counted_too(ctx: Context, weibo: WeiboControl) -> None:
    """Whoever connected the account has called, and so may another program of the office with the same grant."""
    house, number = await connected(ctx, weibo)
    async with reading(ctx) as unit:
        ref = house.ref(await unit.one(select(Account).where(Account.id == number)))
    elsewhere = connectors(False)["weibo"]
    for _ in range(41):
        await elsewhere.exists(ref, weibo.posts(ref.external_id, "通知")[0])
    await pulling.pull_due(house)
    async with reading(ctx) as unit:
        [day] = [
            one for one in await standing(unit, ref, house.platforms["weibo"].budgets(ref)) if one.window.most == 100
        ]
    assert day.left == weibo.budget(ref.external_id)["remaining_user_hits"] < 59


async def test_a_push_and_the_list_bring_one_message(ctx: Context, weibo: WeiboControl) -> None:
    """The pushed mention is there at once; the list, read later, adds what was not pushed and doubles nothing."""
    house, number = await connected(ctx, weibo)
    uid = weibo.accounts()[0]["uid"]
    [told, silent] = weibo.mentions(uid, "路灯坏了 {n}", count=2)
    body = (
        f'{{"type": "mention", "receiver_id": {uid}, "sender_id": 7, "created_at": "Mon Jul 16 18:09:20 +0800 2026",'
        f' "text": "@临江发布 路灯坏了 1", "data": {{"subtype": "status", "key": "{told}"}}}}'
    ).encode()
    query = signed_query(weibo.apps()[0]["secret"])
    for _ in range(3):
        await receive_push(house, number, "POST", query, {}, body)
    assert await arrived(house) == {(Kind.mention, told)}
    await pulling.pull_due(house)
    assert await arrived(house) == {(Kind.mention, told), (Kind.mention, silent)}
    await read_waiting(house, 10)
    async with reading(ctx) as unit:
        names = {one.external_id: one.author_name for one in await unit.all(select(Message))}
    assert names[told] == "微博用户 7"
    assert set(names) == {told, silent}
