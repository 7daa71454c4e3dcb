"""How published posts do: read at their ages, kept once, whatever breaks; typed where no program is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from connectors.base import AccountRef, Capability, Grant, Granted, Metric, Purpose
from connectors.budget import Window
from connectors.http import Http
from connectors.manual.client import ManualConnector
from connectors.sandbox.client import SandboxConnector
from connectors.weibo.client import WeiboConnector
from hub import clock
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.models import Account, AuditEntry, Delivery, DeliveryState, FigureReading, FigureRound
from hub.policy.sending import sending
from tests.connectors.weibo import weibo, weibo_process
from tests.sims.weibo import LINK, WeiboControl
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import byhand, figures
from workflows.delivery.figures import Standing
from workflows.delivery.measuring import FIRST_WAIT, LEASE, read_figures
from workflows.delivery.watch import watch_removed
from workflows.metering import BUDGET, RowMeter, standing

__all__ = ["weibo", "weibo_process"]
HOUR = 3600
DAY = timedelta(days=1)


async def sent(office: Office, *accounts: int, text: str = "") -> list[Delivery]:
    ids = await office.approved(text, accounts)
    await office.sweep()
    found = [await office.delivery(key) for key in ids]
    assert {one.state for one in found} == {DeliveryState.sent}
    return found


async def kept(office: Office, one: Delivery) -> list[tuple[int | None, ...]]:
    """Likes, comments, reposts and reads of every reading, oldest first."""
    async with office.read() as unit:
        rows = await unit.all(
            select(FigureReading).where(FigureReading.delivery_id == one.id).order_by(col(FigureReading.id))
        )
    return [(row.likes, row.comments, row.reposts, row.reads) for row in rows]


async def shown(office: Office, one: Delivery, who: str = "press") -> Standing:
    async with office.read() as unit:
        return (await figures.of_post(office.house, unit, office[who], one.post_id or 0))[0]


def set_figures(office: Office, one: Delivery, likes: int, reposts: int) -> None:
    office.sandbox.figures(one.remote_id, likes, reposts)


async def test_figures_are_read_at_every_age_and_never_in_between(any_office: Office, hands: Hands) -> None:
    office = any_office
    (one,) = await sent(office)
    assert await read_figures(office.house) == 0
    assert "第一次读取" in (await shown(office, one)).note
    for number, age in enumerate(sending().figures, 1):
        set_figures(office, one, 10 * number, number)
        hands.move(one.sent_at + age + timedelta(seconds=1))  # type: ignore[operator]
        assert await read_figures(office.house) == 1, age
        assert await read_figures(office.house) == 0
        assert await kept(office, one) == [(10 * n, 0, n, None) for n in range(1, number + 1)]
    hands.on(400 * 24 * HOUR)
    assert await read_figures(office.house) == 0
    assert (await office.delivery(one.id or 0)).figures_at is None
    view = await shown(office, one)
    assert view.known == {"reads": None, "likes": 60, "comments": 0, "reposts": 6}
    assert [each.growth for each in view.figures] == [None, 10, 0, 1]
    assert (view.note, len(view.readings), view.may_type) == ("", 6, False)


async def test_after_an_outage_each_is_read_once_at_the_age_it_has(office: Office, hands: Hands) -> None:
    (one,) = await sent(office)
    hands.on(5 * 24 * HOUR)
    assert await read_figures(office.house) == 1
    async with office.read() as unit:
        (row,) = await unit.all(select(FigureReading))
    assert row.step == 3
    assert (await office.delivery(one.id or 0)).figures_at == one.sent_at + timedelta(days=7)  # type: ignore[operator]


async def test_figures_may_go_down(office: Office, hands: Hands) -> None:
    (one,) = await sent(office)
    for likes, hours in ((50, 1), (38, 6)):
        set_figures(office, one, likes, 0)
        hands.move(one.sent_at + timedelta(hours=hours, seconds=1))  # type: ignore[operator]
        await read_figures(office.house)
    view = await shown(office, one)
    assert (view.known["likes"], view.figures[1].growth) == (38, -12)


async def test_posts_of_an_account_are_read_together(office: Office, hands: Hands) -> None:
    calls: list[int] = []

    class Counting(SandboxConnector):
        async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
            assert account.purpose is Purpose.figures
            assert [own.external_id for own in account.published] == list(ids)
            calls.append(len(ids))
            return await super().metrics(account, ids)

    office.house = replace(office.house, platforms={"sandbox": Counting(Http(live=False))})
    for _ in range(3):
        await sent(office)
    hands.on(HOUR + 60)
    assert await read_figures(office.house) == 3
    assert calls == [3]


class Dying(SandboxConnector):
    """The process is gone as soon as the platform has answered."""

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        await super().metrics(account, ids)
        raise asyncio.CancelledError


async def test_a_process_killed_between_reading_and_keeping_loses_nothing_and_repeats_nothing(
    any_office: Office, hands: Hands
) -> None:
    office = any_office
    (one,) = await sent(office)
    set_figures(office, one, 7, 2)
    hands.on(HOUR + 1)
    dying = replace(office.house, platforms={"sandbox": Dying(Http(live=False))})
    with pytest.raises(asyncio.CancelledError):
        await read_figures(dying)
    assert await kept(office, one) == []
    assert await read_figures(office.house) == 0, "held until the lease of the dead is over"
    hands.on(LEASE.total_seconds() + 1)
    assert await read_figures(office.house) == 1
    assert await kept(office, one) == [(7, 0, 2, None)]


async def test_a_slow_answer_after_another_worker_took_over_is_kept_once(office: Office, hands: Hands) -> None:
    (one,) = await sent(office)
    hands.on(HOUR + 1)

    class Slow(SandboxConnector):
        async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
            told = await super().metrics(account, ids)
            hands.on(LEASE.total_seconds() + 1)
            assert await read_figures(office.house) == 1, "the other worker"
            return told

    slow = replace(office.house, platforms={"sandbox": Slow(Http(live=False))})
    assert await read_figures(slow) == 0
    assert len(await kept(office, one)) == 1


async def test_what_the_platform_no_longer_has_keeps_its_last_figures(office: Office, hands: Hands) -> None:
    (one,) = await sent(office)
    set_figures(office, one, 9, 1)
    hands.on(HOUR + 1)
    await read_figures(office.house)
    office.sandbox.take_down(one.remote_id)
    hands.on(5 * HOUR)
    assert await read_figures(office.house) == 1
    assert (await kept(office, one))[-1] == (None, None, None, None), "nothing told is not 0"
    view = await shown(office, one)
    assert view.known["likes"] == 9
    assert "可能已删除" in view.note
    assert await watch_removed(office.house) == 1
    assert "不再读取" in (await shown(office, one)).note
    hands.on(30 * 24 * HOUR)
    assert await read_figures(office.house) == 0


async def test_a_platform_that_fails_says_so_and_is_asked_again(office: Office, hands: Hands) -> None:
    (one,) = await sent(office)
    fault = office.sandbox.fault("refuse", operation="figures", code=10001)
    hands.on(HOUR + 1)
    assert await read_figures(office.house) == 0
    view = await shown(office, one)
    assert view.is_error
    assert view.note.startswith("读取失败：")
    assert await read_figures(office.house) == 0
    async with office.read() as unit:
        assert (await unit.one(select(FigureRound))).failures == 1
        account = await unit.one(select(Account))
    assert account.failures == 0, "sending and reading have nothing to do with it"
    office.sandbox.lift(fault)
    hands.on(FIRST_WAIT.total_seconds() + 121)
    assert await read_figures(office.house) == 1
    assert (await shown(office, one)).note == ""


async def test_one_odd_post_does_not_keep_the_others_from_being_read(office: Office, hands: Hands) -> None:
    posts = [(await sent(office))[0] for _ in range(6)]
    odd = posts[0]

    class Odd(SandboxConnector):
        async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
            if odd.remote_id in ids:
                raise KeyError("odd")
            return await super().metrics(account, ids)

    office.house = replace(office.house, platforms={"sandbox": Odd(Http(live=False))})
    hands.on(HOUR + 1)
    for _ in range(8):
        await read_figures(office.house)
        hands.on(HOUR / 2)
    assert await kept(office, odd) == []
    assert all([await kept(office, one) for one in posts[1:]])
    assert "KeyError" in (await shown(office, odd)).note


@pytest.mark.parametrize("how", ["switched off", "disconnected", "circuit"])
async def test_an_account_that_may_not_be_called_waits_and_goes_on(office: Office, hands: Hands, how: str) -> None:
    (one,) = await sent(office)
    off: dict[str, dict[str, Any]] = {
        "switched off": {"is_active": False}, "disconnected": {"disconnected_at": clock.now(), "is_active": False},
        "circuit": {"circuit": "open", "circuit_reason": "授权已失效，需要管理员重新授权"},
    }  # fmt: skip
    on = {"is_active": True, "disconnected_at": None, "circuit": "closed", "circuit_reason": ""}
    async with office.work() as unit:
        await unit.run(update(Account).values(**off[how]))
    hands.on(HOUR + 1)
    assert await read_figures(office.house) == 0
    assert "恢复以后接着读取" in (await shown(office, one)).note
    async with office.work() as unit:
        await unit.run(update(Account).values(**on))
    hands.on(2 * HOUR)
    assert await read_figures(office.house) == 1
    assert len(await kept(office, one)) == 1


async def test_a_missing_grant_is_no_failure(office: Office, hands: Hands) -> None:
    class Ungranted(SandboxConnector):
        def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
            needs = Grant(Granted.needs, "请管理员在平台申请数据权限")
            return {**super().capabilities(account), Capability.metrics: needs}

        async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
            raise AssertionError

    (one,) = await sent(office)
    office.house = replace(office.house, platforms={"sandbox": Ungranted(Http(live=False))})
    hands.on(HOUR + 1)
    assert await read_figures(office.house) == 0
    assert (await shown(office, one)).note == "还不能读取：请管理员在平台申请数据权限"
    assert (await office.delivery(one.id or 0)).figures_at == one.sent_at + timedelta(hours=6)  # type: ignore[operator]


def metered(office: Office, daily: Window) -> RowMeter:
    """Have the office's platform allow so many calls."""
    meter = RowMeter(office.ctx)

    class Metered(SandboxConnector):
        def budgets(self, account: AccountRef) -> tuple[Window, ...]:
            return (daily,)

        async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
            await meter.take(account, [daily], "all")
            return await super().metrics(account, ids)

    office.house = replace(office.house, platforms={"sandbox": Metered(Http(live=False))})
    return meter


async def test_figures_take_nothing_that_people_or_messages_need(any_office: Office, hands: Hands) -> None:
    """Half of what people leave of a window is the reading's alone; figures wait for the next one."""
    office, daily = any_office, Window("all", 20, DAY)
    (one,) = await sent(office)
    meter = metered(office, daily)
    async with office.read() as unit:
        reader = office.house.ref(await unit.one(select(Account)), Purpose.reading)
    hands.move(clock.now().replace(hour=17) + DAY)  # soon after midnight in Beijing
    for _ in range(7):
        await meter.take(reader, [daily], "all")
    assert await read_figures(office.house) == 0
    view = await shown(office, one)
    assert not view.is_error
    assert "留给人工答复、发布和收取留言" in view.note
    async with office.read() as unit:
        turn = await unit.one(select(FigureRound))
        [left] = await standing(unit, reader, [daily])
    assert (turn.error_kind, turn.failures, left.used) == (BUDGET, 0, 7), "nobody was asked"
    for _ in range(7):
        await meter.take(reader, [daily], "all")
    for _ in range(6):
        await meter.take(replace(reader, purpose=Purpose.people), [daily], "all")
    hands.move(turn.due_at + timedelta(seconds=1))
    assert await read_figures(office.house) == 1


async def test_where_calls_are_scarce_turns_are_rare(office: Office, hands: Hands) -> None:
    daily = Window("all", 100, DAY)
    metered(office, daily)
    hands.move(clock.now().replace(hour=16, minute=0) + DAY)
    for _ in range(46):  # a post every half an hour, until shortly before midnight
        await sent(office)
        hands.on(HOUR / 2)
        await read_figures(office.house)
    async with office.read() as unit:
        [left] = await standing(unit, office.house.ref(await unit.one(select(Account))), [daily])
    assert 6 <= left.used <= 35, "never more than half of what people leave"


async def test_weibo_tells_likes_comments_and_reposts_of_a_hundred_posts_in_one_call(
    office: Office, weibo: WeiboControl, hands: Hands
) -> None:
    there = weibo.account("临江微博")
    ref = weibo.ref(there)
    client = WeiboConnector(Http(live=False, clock=clock.now, read=4.0, total=8.0, meter=RowMeter(office.ctx)))
    office.house = replace(office.house, platforms={**office.house.platforms, "weibo": client})
    async with office.work() as unit:
        account = Account(
            platform="weibo", name="临江微博", external_id=ref.external_id, base_url=ref.base_url,
            sealed=office.ctx.vault.seal(dict(ref.secrets)), options=dict(ref.options),
        )  # fmt: skip
        unit.add(account)
        await unit.flush()
    (one,) = await sent(office, account.id or 0, text=f"明早停水，请提前储水。{LINK}")
    (two,) = await sent(office, account.id or 0, text=f"周末地铁延长运营一小时。{LINK}")
    weibo.figures(one.remote_id, 12, 3)
    weibo.comments("几点恢复？", post=one.remote_id)
    before = [row["path"] for row in weibo.asked()]
    hands.on(HOUR + 60)
    assert await read_figures(office.house) == 2
    asked = [row["path"] for row in weibo.asked()][len(before) :]
    assert [path.rpartition("/2/")[2].removesuffix(".json") for path in asked] == ["statuses/count"]
    assert await kept(office, one) == [(12, 1, 3, None)]
    assert await kept(office, two) == [(0, 0, 0, None)]
    weibo.take_down(two.remote_id)
    hands.on(5 * HOUR)
    assert await read_figures(office.house) == 2
    assert (await kept(office, two))[-1] == (None, None, None, None)
    weibo.end(there["uid"], "revoked")
    hands.on(18 * HOUR)
    assert await read_figures(office.house) == 0
    view = await shown(office, one)
    assert view.is_error
    assert "授权" in view.note
    assert view.known["likes"] == 12


async def by_hand(office: Office, *, done: bool = True) -> Delivery:
    office.house.platforms = {**office.house.platforms, "manual": ManualConnector()}
    async with office.work() as unit:
        account = Account(platform="manual", name="临江发布（抖音）", options={"site": "douyin"})
        unit.add(account)
        await unit.flush()
    (key,) = await office.approved("周末停水", [account.id or 0])
    await office.sweep()
    if done:
        async with office.work() as unit:
            link = "https://www.douyin.com/video/7301234567890123456"
            await byhand.finish(office.house, unit, office["press"], key, link=link)
    return await office.delivery(key)


async def type_in(office: Office, who: str, one: Delivery, **given: int) -> FigureReading:
    async with office.work() as unit:
        return await figures.type_in(office.house, unit, office[who], one.post_id or 0, one.id or 0, given)


async def test_what_a_person_published_a_person_counts(any_office: Office, hands: Hands) -> None:
    office = any_office
    one = await by_hand(office)
    hands.on(HOUR + 1)
    assert await read_figures(office.house) == 0
    view = await shown(office, one)
    assert (view.may_type, view.is_told, view.read_at) == (True, False, None)
    await type_in(office, "press", one, reads=1200, likes=30)
    hands.on(24 * HOUR)
    await type_in(office, "press", one, reads=1500, likes=29, comments=0)
    view = await shown(office, one)
    assert view.known == {"reads": 1500, "likes": 29, "comments": 0, "reposts": None}
    assert [each.growth for each in view.figures] == [300, -1, None, None]
    assert (view.by_name, view.read_at) == (office["press"].name, clock.now())
    async with office.read() as unit:
        logged = await unit.all(select(AuditEntry).where(AuditEntry.what == "delivery.figures"))
    assert [(entry.object, entry.data["reads"]) for entry in logged] == [
        (f"delivery:{one.id}", n) for n in (1200, 1500)
    ]


async def test_typing_is_refused_where_it_makes_no_sense(office: Office) -> None:
    one = await by_hand(office)
    for given, where in (({}, "reads"), ({"likes": 10**13}, "likes"), ({"reposts": -1}, "reposts")):
        with pytest.raises(Invalid) as wrong:
            await type_in(office, "press", one, **given)
        assert list(wrong.value.problems) == [where]
    with pytest.raises(NotFound):
        await type_in(office, "clerk", one, reads=1)
    (read,) = await sent(office)
    with pytest.raises(Refused, match="由系统读取"):
        await type_in(office, "press", read, reads=1)
    with pytest.raises(NotFound):
        await type_in(office, "press", replace_post(one, read), reads=1)


def replace_post(one: Delivery, other: Delivery) -> Delivery:
    return Delivery.model_construct(id=one.id, post_id=other.post_id)


async def test_nothing_is_typed_before_it_is_published(office: Office) -> None:
    one = await by_hand(office, done=False)
    with pytest.raises(Refused):
        await type_in(office, "press", one, reads=1)
    with pytest.raises((NotAllowed, NotFound)):
        await type_in(office, "clerk", one, reads=1)
