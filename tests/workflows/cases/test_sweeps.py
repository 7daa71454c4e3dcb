"""Thirty days by a fake clock: each reminder once, in order, at working times; suspensions and follow-ups end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from connectors.registry import connectors
from hub import clock
from hub.clock import local
from hub.db import unit_of_work
from hub.models import Case, CaseState
from hub.policy.calendar import Calendar
from tests.workflows.cases.town import Town, analysis
from workflows.cases import service, sweeps
from workflows.cases.moves import Move
from workflows.house import House

Later = Callable[[timedelta], None]


@pytest.fixture
def house(town: Town) -> House:
    return House(town.ctx, connectors(live=False))


async def test_reminders_come_once_in_order_and_never_at_night(house: House, town: Town, at_work: Later) -> None:
    case = await town.case()
    for _hour in range(12 * 24):
        at_work(timedelta(hours=1))
        await sweeps.sweep_cases(house)
    said = [event for event in await town.events(case) if event.by_name == sweeps.REMINDER]
    assert [event.what for event in said] == ["sign_overdue", "due_soon", "overdue"]
    calendar = Calendar()
    assert all(calendar.is_working_time(event.at) for event in said)
    # Three quarters are over on a Saturday evening, the deadline on a Monday after work: said the next morning.
    assert [f"{local(event.at):%m-%d %H:%M}" for event in said] == ["03-11 09:00", "03-16 09:00", "03-17 09:00"]


async def test_urgent_ones_are_reminded_at_night_too(house: House, town: Town, at_work: Later) -> None:
    case = await town.case("燃气泄漏", by=analysis(urgency="danger"))
    at_work(timedelta(hours=13))  # ten in the evening
    async with unit_of_work(town.ctx) as unit:
        given: dict[str, Any] = {"version": 1, "department_id": town.departments["housing"]}
        await service.dispatch_now(unit, case.id or 0, town["desk"], **given)
    at_work(timedelta(minutes=16))
    assert await sweeps.remind(house) == 1
    assert await sweeps.remind(house) == 0
    at_work(timedelta(hours=3))
    await sweeps.remind(house)
    assert [event.what for event in await town.events(case)][-2:] == ["sign_overdue", "overdue"]


async def test_a_new_deadline_is_reminded_of_anew(house: House, town: Town, at_work: Later) -> None:
    case = await town.case()
    at_work(timedelta(days=8))
    await sweeps.remind(house)
    await _set(town, case, due_at=clock.now() + timedelta(days=1))
    assert await sweeps.remind(house) == 1  # near, since the case's round began
    at_work(timedelta(days=1, hours=1))
    assert await sweeps.remind(house) == 1
    whats = [event.what for event in await town.events(case) if event.by_name == sweeps.REMINDER]
    assert sorted(whats) == ["due_soon", "overdue", "overdue", "sign_overdue"]


async def _set(town: Town, case: Case, **values: Any) -> None:
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Case).where(col(Case.id) == case.id).values(**values))


async def test_a_suspension_ends_by_itself(house: House, town: Town, at_work: Later) -> None:
    case = await town.case()
    async with unit_of_work(town.ctx) as unit:
        await service.make_move(unit, case.id or 0, Move.sign, town["clerk"], version=1)
    async with unit_of_work(town.ctx) as unit:
        until = clock.now() + timedelta(days=3)
        given: dict[str, Any] = {"version": 2, "note": "等待鉴定", "until": until}
        waiting = await service.make_move(unit, case.id or 0, Move.suspend, town["desk"], **given)
        promised = waiting.due_at
    assert await sweeps.resume_waiting(house) == 0
    at_work(timedelta(days=3))
    assert await sweeps.resume_waiting(house) == 1
    again = await town.again(case)
    assert (again.state, again.waiting_until, again.due_at) == (CaseState.handling, None, promised)
    assert await sweeps.resume_waiting(house) == 0


async def test_an_unrated_answer_is_closed_after_the_follow_up(house: House, town: Town, at_work: Later) -> None:
    case = await town.case()
    await _set(town, case, state=CaseState.replied, is_open=False, replied_at=clock.now())
    at_work(timedelta(days=6))
    assert await sweeps.close_answered(house) == 0  # the fifth working day is not over
    at_work(timedelta(days=2))
    assert await sweeps.close_answered(house) == 1
    assert (await town.again(case)).state is CaseState.closed
    assert (await town.events(case))[-1].data == {"rating": "none"}
    assert await sweeps.close_answered(house) == 0
