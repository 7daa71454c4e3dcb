"""Where a work order stands, told to the system it came from: each event once, none lost, none that was not wanted."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, func, select

from hub import clock
from hub.db import Context, make_engine, reading, unit_of_work
from hub.models import Account, Case, CaseEvent, Delivery, DeliveryKind, DeliveryState, MessageKind
from hub.settings import Settings
from tests.sims.exchange import KEY, KEY_ID, Hotline, hotline
from tests.workflows.cases.town import Town, analysis, build_town
from tests.workflows.delivery.test_kills import OPEN, start
from workflows.cases.moves import Move
from workflows.cases.service import make_move
from workflows.delivery import engine, lists, service
from workflows.delivery.states import label
from workflows.house import House, open_house

ALL = "受理,签收,转办,退单,办结"


@pytest.fixture
def city() -> Iterator[Hotline]:
    with hotline() as found:
        yield found


@dataclass
class Exchange:
    """The town, and the account of the city's hotline."""

    town: Town
    house: House
    account_id: int

    async def order(self, number: str, **given: Any) -> Case:
        values = {"account_id": self.account_id, "kind": MessageKind.letter, "external_id": number} | given
        return await self.town.case(**values)

    async def move(self, case: Case, what: Move, by: str, **given: Any) -> Case:
        async with unit_of_work(self.town.ctx) as unit:
            found = await unit.one(select(Case).where(Case.id == case.id))
            return await make_move(unit, case.id or 0, what, self.town[by], version=found.version, **given)

    async def deliveries(self) -> list[Delivery]:
        async with reading(self.town.ctx) as unit:
            return list(await unit.all(select(Delivery).order_by(col(Delivery.id))))

    async def history(self, case: Case, *whats: str) -> list[CaseEvent]:
        return [event for event in await self.town.events(case) if event.what in whats]


async def opened(ctx: Context, city: Hotline, stages: str, **options: str) -> Exchange:
    town = await build_town(ctx)
    house = open_house(ctx.settings)
    house.ctx = ctx
    async with unit_of_work(ctx) as unit:
        account = Account(
            platform="exchange", name="12345", base_url=city.base_url, sealed=ctx.vault.seal({"key": KEY}),
            options={"key_id": KEY_ID, "stages": stages} | options,
        )  # fmt: skip
        unit.add(account)
        await unit.flush()
        assert account.id
    return Exchange(town, house, account.id)


def unsure() -> Any:
    return analysis(p=0.1)


async def test_the_city_hears_of_every_step_in_order(any_ctx: Context, city: Hotline) -> None:
    there = await opened(any_ctx, city, ALL)
    case = await there.order("GD1")
    await there.move(case, Move.sign, "clerk")
    await there.move(case, Move.hand_back, "head", note="不归我们管")
    await there.move(case, Move.dispatch, "desk", department_id=there.town.departments["traffic"])
    await engine.sweep(there.house)
    told = list(city.events.values())
    assert [(one["status"], one["department"]) for one in told] == [
        ("accepted", "housing"), ("transferred", "housing"), ("signed", "housing"), ("transferred", "traffic"),
    ]  # fmt: skip
    assert {one["order_id"] for one in told} == {"GD1"}
    assert len({one["event_id"] for one in told}) == 4
    assert all("reason" not in one for one in told), "why a department handed it back is the house's own"
    assert {delivery.state for delivery in await there.deliveries()} == {DeliveryState.sent}
    noted = await there.history(case, "stage_told")
    assert [event.data["receipt"] for event in noted] == ["R1", "R2", "R3", "R4"]
    assert city.attempts == 4
    await engine.sweep(there.house)
    assert city.attempts == 4


async def test_what_is_not_taken_up_goes_back_with_its_reason(ctx: Context, city: Hotline) -> None:
    there = await opened(ctx, city, "退单", statuses="退单=04")
    case = await there.order("GD2", by=unsure())
    await there.move(case, Move.accept, "desk")
    await there.move(case, Move.refuse, "desk", note="不属于本级政府职责范围，请转市水务局")
    await engine.sweep(there.house)
    (told,) = city.events.values()
    assert (told["order_id"], told["status"], told["reason"]) == ("GD2", "04", "不属于本级政府职责范围，请转市水务局")
    async with reading(ctx) as unit:
        (view,) = await lists.of_case(unit, there.town["desk"], case.id or 0)
    assert (view.title, view.state) == ("工单进度：退单", label(DeliveryState.sent))


@pytest.mark.parametrize("stages", ["", "办结"])
async def test_nothing_is_told_that_the_city_did_not_ask_for(ctx: Context, city: Hotline, stages: str) -> None:
    there = await opened(ctx, city, stages)
    case = await there.order("GD3")
    await there.move(case, Move.sign, "clerk")
    weibo = await there.town.case()
    await there.move(weibo, Move.sign, "clerk")
    await engine.sweep(there.house)
    assert (await there.deliveries(), city.events) == ([], {})


async def test_a_move_that_was_not_made_is_not_told(ctx: Context, city: Hotline) -> None:
    there = await opened(ctx, city, "签收")
    case = await there.order("GD4")

    async def given_up() -> None:
        async with unit_of_work(ctx) as unit:
            found = await unit.one(select(Case).where(Case.id == case.id))
            await make_move(unit, case.id or 0, Move.sign, there.town["clerk"], version=found.version)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await given_up()
    assert await there.deliveries() == []


async def test_an_answer_that_was_lost_is_looked_up_and_told_no_second_time(ctx: Context, city: Hotline) -> None:
    there = await opened(ctx, city, "受理,转办")
    city.drops = 1
    with clock.frozen(clock.now()) as move:
        await there.order("GD5")
        await engine.sweep(there.house)
        assert [one.state for one in await there.deliveries()] == [DeliveryState.unknown, DeliveryState.sent]
        move(clock.now() + timedelta(seconds=1))
        await engine.sweep(there.house)
    assert {one.state for one in await there.deliveries()} == {DeliveryState.sent}
    assert ([one["status"] for one in city.events.values()], city.attempts) == (["accepted", "transferred"], 2)


async def test_what_the_city_refuses_waits_for_a_person(ctx: Context, city: Hotline) -> None:
    there = await opened(ctx, city, "签收")
    case = await there.order("GD6")
    city.statuses = [422]
    await there.move(case, Move.sign, "clerk")
    await engine.sweep(there.house)
    (failed,) = await there.deliveries()
    assert (failed.kind, failed.state) == (DeliveryKind.stage, DeliveryState.failed)
    (trouble,) = await there.history(case, "stage_trouble")
    assert "状态对照" in trouble.data["error"]
    async with unit_of_work(ctx) as unit:
        await service.retry(unit, there.town["press"], failed.id or 0)
    await engine.sweep(there.house)
    (sent,) = await there.deliveries()
    assert (sent.state, sent.remote_id) == (DeliveryState.sent, *city.events)
    assert sent.watch_at is None, "nobody takes down what was said"


@pytest.mark.faults
async def test_killed_again_and_again(tmp_path: Path, db_url: str, city: Hotline) -> None:
    """kill -9 of real workers: every event is there once, under its own number, though answers were lost too."""
    dice = random.Random(11)
    settings = Settings(data=tmp_path, db_url=db_url, redis_url="unix:///nowhere/at/all.sock")
    there = await opened(Context(settings, make_engine(db_url)), city, ALL)
    city.slow = 0.3
    city.drops = 3
    for number in range(12):
        case = await there.order(f"GD{number}")
        await there.move(case, Move.sign, "clerk")
    for _ in range(3):
        process, seen, until = start(tmp_path, db_url), city.attempts, time.monotonic() + 30
        while city.attempts < seen + 3 and time.monotonic() < until:
            await asyncio.sleep(0.05)
        await asyncio.sleep(dice.random() / 2)
        process.kill()
        process.wait()
    process = start(tmp_path, db_url)
    try:
        until = time.monotonic() + 75
        while await _unsettled(there):
            assert time.monotonic() < until, [one.state for one in await there.deliveries()]
            await asyncio.sleep(0.5)
    finally:
        process.terminate()
        process.wait()
    said = Counter((one["order_id"], one["status"]) for one in city.events.values())
    assert said == Counter({(f"GD{n}", what): 1 for n in range(12) for what in ("accepted", "transferred", "signed")})
    assert {one.remote_id for one in await there.deliveries()} == set(city.events)
    await there.town.ctx.close()


async def _unsettled(there: Exchange) -> int:
    async with reading(there.town.ctx) as unit:
        waiting = col(Delivery.state).in_([*OPEN, DeliveryState.unknown])
        return await unit.one(select(func.count(col(Delivery.id))).where(waiting))
