"""Budgets: never a call beyond the window, a share kept for people, corrected by what the platform says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import AccountRef, ConnectorError, ErrorKind, Purpose
from connectors.budget import Scope, Standing, Window
from hub import clock
from hub.db import Context, reading
from workflows.metering import BUDGET, RowMeter, allowance, end_of, pace, standing, tallied

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)
DAILY = Window("read", 100, DAY)


def account(number: int = 1, purpose: Purpose = Purpose.people, **options: Any) -> AccountRef:
    return AccountRef(number, "numbers", "信箱", "", "", options=options, purpose=purpose)


async def spend(meter: RowMeter, ref: AccountRef, times: int, *windows: Window, calls: str = "read") -> int:
    """Ask ``times`` times; how many passed."""
    passed = 0
    for _ in range(times):
        try:
            await meter.take(ref, windows, calls)
        except ConnectorError:
            continue
        passed += 1
    return passed


async def test_reading_stops_at_the_reserve_and_people_go_on_to_the_end(any_ctx: Context) -> None:
    meter = RowMeter(any_ctx)
    reader = account(purpose=Purpose.reading)
    with clock.frozen(NOW) as move:
        assert await spend(meter, reader, 90, DAILY) == 70
        assert await spend(meter, account(), 40, DAILY) == 30
        with pytest.raises(ConnectorError) as refused:
            await meter.take(account(), [DAILY], "read")
        assert refused.value.kind is ErrorKind.quota_day
        assert refused.value.code == BUDGET
        assert refused.value.retry_at == datetime(2026, 11, 23, 16, tzinfo=UTC), "midnight in Beijing"
        assert refused.value.human == "平台的读取接口每天允许 100 次，已用完，11-24 00:00 起继续"
        move(datetime(2026, 11, 23, 16, tzinfo=UTC))
        assert await spend(meter, reader, 90, DAILY) == 70


async def test_what_people_did_comes_out_of_what_is_kept_for_them(any_ctx: Context) -> None:
    """Whatever they do, reading has its share; what they leave of theirs is not taken."""
    meter = RowMeter(any_ctx)
    reader = account(purpose=Purpose.reading)
    with clock.frozen(NOW) as move:
        assert await spend(meter, account(), 24, DAILY) == 24
        async with reading(any_ctx) as unit:
            [left] = await standing(unit, reader, [DAILY])
        assert (left.left, left.left_to_read, left.kept) == (76, 70, 6)
        await meter.learn(account(), [Standing("read", DAY, left=76)])
        assert await spend(meter, reader, 90, DAILY) == 70
        with pytest.raises(ConnectorError, match="供系统读取的 94 次已用完"):
            await meter.take(reader, [DAILY], "read")
        assert await spend(meter, account(), 40, DAILY) == 6
        move(NOW + DAY)
        assert await spend(meter, account(), 40, DAILY) == 40
        assert await spend(meter, reader, 90, DAILY) == 60, "beyond their share people take from everybody's"


async def test_the_refusal_of_reading_says_what_is_kept_for_whom(ctx: Context) -> None:
    meter = RowMeter(ctx)
    reader = account(purpose=Purpose.reading)
    with clock.frozen(NOW):
        await spend(meter, reader, 70, DAILY)
        with pytest.raises(
            ConnectorError, match="供系统读取的 70 次已用完，其余留给人工答复和发布；11-24 00:00 起继续读取"
        ):
            await meter.take(reader, [DAILY], "read")


async def test_many_at_once_never_pass_the_limit(any_db_url: str, make_ctx: Callable[[str], Context]) -> None:
    """Eight processes' worth of contexts on one database."""
    contexts = [make_ctx(any_db_url) for _ in range(8)]
    try:
        with clock.frozen(NOW):
            passed = await asyncio.gather(*[spend(RowMeter(ctx), account(), 20, DAILY) for ctx in contexts])
            assert sum(passed) == 100
            async with reading(contexts[0]) as unit:
                [left] = await standing(unit, account(), [DAILY])
            assert (left.used, left.left, left.left_to_read) == (100, 0, 0)
    finally:
        for ctx in contexts:
            await ctx.close()


async def test_of_several_windows_all_are_charged_or_none(any_ctx: Context) -> None:
    meter = RowMeter(any_ctx)
    hourly = Window("read", 5, timedelta(hours=1), scope=Scope.app)
    with clock.frozen(NOW) as move:
        assert await spend(meter, account(app_key="k"), 9, DAILY, hourly) == 5
        async with reading(any_ctx) as unit:
            day, hour = await standing(unit, account(app_key="k"), [DAILY, hourly])
            assert (day.used, hour.used) == (5, 5), "what was refused is charged nowhere"
            [other] = await standing(unit, account(2, app_key="k"), [DAILY])
            assert other.used == 0
        assert await spend(meter, account(2, app_key="k"), 9, DAILY, hourly) == 0, "the app's window is shared"
        assert await spend(meter, account(2, app_key="another"), 2, DAILY, hourly) == 2
        with pytest.raises(ConnectorError) as refused:
            await meter.take(account(app_key="k"), [DAILY, hourly], "read")
        assert refused.value.kind is ErrorKind.rate_limited
        move(NOW + timedelta(minutes=30))
        assert await spend(meter, account(app_key="k"), 9, DAILY, hourly) == 5


async def test_other_classes_and_platforms_without_windows_cost_nothing(ctx: Context) -> None:
    meter = RowMeter(ctx)
    await meter.take(account(), [], "read")
    await meter.take(account(), [DAILY], "reply")
    async with reading(ctx) as unit:
        assert [left.used for left in await standing(unit, account(), [DAILY])] == [0]
        assert await standing(unit, account(), []) == []


async def test_the_offices_own_numbers_win(any_ctx: Context) -> None:
    meter = RowMeter(any_ctx)
    own = {"budgets": {"read/86400": {"most": 10, "reserve": 0.5}}}
    with clock.frozen(NOW):
        assert await spend(meter, account(purpose=Purpose.reading, **own), 20, DAILY) == 5
        assert await spend(meter, account(**own), 20, DAILY) == 5
    assert allowance(account(), DAILY).most == 100


async def test_nothing_allowed_is_nothing_done(any_ctx: Context) -> None:
    meter = RowMeter(any_ctx)
    with clock.frozen(NOW):
        assert await spend(meter, account(purpose=Purpose.reading), 3, Window("read", 1, DAY)) == 0
        assert await spend(meter, account(), 3, Window("read", 1, DAY)) == 1


async def test_what_the_platform_says_corrects(any_ctx: Context) -> None:
    meter = RowMeter(any_ctx)
    with clock.frozen(NOW) as move:
        await spend(meter, account(), 3, DAILY)
        until = NOW + timedelta(hours=5)
        await meter.learn(account(), [Standing("read", DAY, left=4, most=150, resets_at=until)])
        assert await spend(meter, account(), 9, DAILY) == 4
        async with reading(any_ctx) as unit:
            [left] = await standing(unit, account(), [DAILY])
        assert (left.used, left.allowance.most, left.ends_at) == (150, 150, until)
        await meter.learn(account(), [Standing("read", DAY, left=2)])
        assert await spend(meter, account(), 9, DAILY) == 2
        move(until)
        assert await spend(meter, account(), 200, DAILY) == 150, "the number it named is remembered"


async def test_a_platform_that_says_only_what_is_left_is_believed(ctx: Context) -> None:
    meter = RowMeter(ctx)
    with clock.frozen(NOW):
        await spend(meter, account(), 1, DAILY)
        await meter.learn(account(), [Standing("read", DAY, left=0)])
        assert await spend(meter, account(), 5, DAILY) == 0


def test_windows_begin_with_the_calendar_of_china() -> None:
    assert end_of(DAILY, NOW) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert end_of(Window("read", 1, timedelta(hours=1)), NOW) == datetime(2026, 11, 23, 2, tzinfo=UTC)


async def test_readings_are_spread_over_what_is_left(ctx: Context) -> None:
    """Not all calls in the first hour and none until midnight."""
    meter, reader = RowMeter(ctx), account(purpose=Purpose.reading)
    with clock.frozen(NOW):
        with tallied() as spent:
            await spend(meter, reader, 2, DAILY)
        async with reading(ctx) as unit:
            lefts = await standing(unit, reader, [DAILY])
        rest = datetime(2026, 11, 23, 16, tzinfo=UTC) - NOW
        assert pace(lefts, spent, reader, {Scope.account: 1}) == rest / 34
        assert pace(lefts, spent, reader, {Scope.account: 2}) == rest / 17
        assert pace(lefts, {}, reader, {}) == timedelta()
        await spend(meter, reader, 68, DAILY)
        async with reading(ctx) as unit:
            assert pace(await standing(unit, reader, [DAILY]), spent, reader, {}) == rest
