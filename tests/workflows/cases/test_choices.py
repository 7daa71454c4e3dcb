"""What a person may choose from, what may be the same matter, and the desk's own order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.db import reading, unit_of_work
from hub.errors import NotFound
from hub.models import Case, CaseState, Tagging
from hub.queries import search
from tests.workflows.cases.town import Town, analysis
from workflows.cases import choices, lists, similar
from workflows.cases.facts import is_visible, numbered
from workflows.cases.lists import Which
from workflows.cases.moves import Move

Later = Callable[[timedelta], None]


async def test_departments_to_send_to_depend_on_the_right(any_town: Town) -> None:
    case = await any_town.case()  # dispatched to housing by the router
    async with reading(any_town.ctx) as unit:
        everywhere = await choices.departments(unit, any_town["desk"], Move.dispatch, case)
        below = await choices.departments(unit, any_town["head"], Move.forward, case)
        elsewhere = await choices.departments(unit, any_town["desk"], Move.forward, case)
    assert [name for _id, name in everywhere] == ["office", "housing", "repairs", "traffic"]
    assert [name for _id, name in below] == ["repairs"]
    assert [name for _id, name in elsewhere] == ["office", "repairs", "traffic"]


async def test_people_are_those_who_may_sign_there(any_town: Town) -> None:
    async with reading(any_town.ctx) as unit:
        found = await choices.handlers(unit, any_town.departments["housing"])
        none = await choices.handlers(unit, None)
    assert [name for _id, name in found] == ["clerk", "head"]
    assert none == []


async def test_the_clocks_told_before_are_those_that_run_after(any_town: Town) -> None:
    case = await any_town.case(by=analysis("", 0.0))
    async with unit_of_work(any_town.ctx) as unit:
        from workflows.cases.service import dispatch_now

        found = await unit.get(Case, case.id)
        assert found is not None
        told = choices.clocks_from_now(unit, found)
        sent = await dispatch_now(
            unit, case.id or 0, any_town["desk"], version=found.version, department_id=any_town.departments["traffic"]
        )
    assert told == (sent.sign_due_at, sent.due_at)


async def test_a_case_by_its_number_is_as_hidden_as_by_its_id(any_town: Town) -> None:
    case = await any_town.case()
    async with reading(any_town.ctx) as unit:
        assert (await numbered(unit, case.number, any_town["clerk"])).id == case.id
        assert await choices.case_id_of(unit, f" {case.number} ") == case.id
        assert await choices.case_id_of(unit, "没有") is None
        assert await is_visible(unit, case.id or 0, any_town["clerk"])
        assert not await is_visible(unit, case.id or 0, any_town["other_clerk"])
        with pytest.raises(NotFound):
            await numbered(unit, case.number, any_town["other_clerk"])


async def test_open_cases_alike_come_closest_first_and_answered_ones_not(any_town: Town) -> None:
    near = await _about(any_town, "滨河路路灯不亮", "路灯 滨河路 不亮", author_id="same")
    far = await _about(any_town, "解放路路灯坏了", "路灯 解放路")
    closed = await _about(any_town, "滨河路路灯又不亮", "路灯 滨河路 不亮")
    asked = await _about(any_town, "滨河路的路灯", "路灯 滨河路 不亮", author_id="same2")
    async with unit_of_work(any_town.ctx) as unit:
        done = await unit.get(Case, closed.id)
        assert done is not None
        done.state, done.is_open = CaseState.closed, False
    async with reading(any_town.ctx) as unit:
        found = await similar.still_open(unit, asked.id or 0, any_town["desk"])
        hidden = await similar.still_open(unit, asked.id or 0, any_town["clerk"], limit=1)
    assert [one.case_id for one in found] == [near.id, far.id]
    assert not found[0].same_author
    assert [one.case_id for one in hidden] == [near.id]


async def test_messages_alike_are_of_other_cases_one_may_see(any_town: Town) -> None:
    near = await _about(any_town, "滨河路路灯不亮，电话13812345678", "路灯 滨河路 不亮")
    await _about(any_town, "食堂太贵", "食堂 太贵")
    asked = await _about(any_town, "滨河路的路灯", "路灯 滨河路 不亮")
    async with reading(any_town.ctx) as unit:
        found = await similar.messages(unit, asked.first_message_id or 0, any_town["desk"])
        hidden = await similar.messages(unit, asked.first_message_id or 0, any_town["other_clerk"])
    assert [one.message_id for one in found] == [near.first_message_id]
    assert "13812345678" not in found[0].text
    assert hidden == []


async def _about(town: Town, text: str, tokens: str, **given: Any) -> Case:
    case = await town.case(text, **given)
    async with unit_of_work(town.ctx) as unit:
        number = case.first_message_id or 0
        unit.add(Tagging(message_id=number, version="t", keywords=tokens.split()))
        await search.index(unit, [(number, tokens)])
    return case


async def test_the_desk_is_by_its_clock_and_some_are_read_by_id(any_town: Town, at_work: Later) -> None:
    unsure = analysis("", 0.0)
    first = await any_town.case("先来的", by=unsure)
    at_work(timedelta(hours=1))
    second = await any_town.case("后来的", by=unsure)
    urgent = await any_town.case("着火的", by=analysis("", 0.0, urgency="danger"))
    elsewhere = await any_town.case("派走的")
    async with reading(any_town.ctx) as unit:
        page = await lists.page(unit, any_town["desk"], Which.desk, limit=1)
        rest = await lists.page(unit, any_town["desk"], Which.desk, after=page.after)
        chosen = await lists.some(unit, any_town["desk"], [second.id or 0, first.id or 0, 10**6])
        foreign = await lists.some(unit, any_town["other_clerk"], [elsewhere.id or 0])
    assert [row.id for row in page.rows] == [urgent.id]
    assert [row.id for row in rest.rows] == [first.id, second.id]
    assert [row.id for row in chosen] == [first.id, second.id]
    assert foreign == []


async def test_a_badge_counts_what_waits_for_this_hand(any_town: Town) -> None:
    case = await any_town.case()
    async with reading(any_town.ctx) as unit:
        waiting = [row[0] for row in await unit.rows(lists.waiting_for(any_town["clerk"], Which.mine))]
    assert waiting == [case.id]
    async with unit_of_work(any_town.ctx) as unit:
        found = await unit.get(Case, case.id)
        assert found is not None
        found.state, found.handler_id = CaseState.handling, any_town["head"].user_id
    async with reading(any_town.ctx) as unit:
        assert await unit.rows(lists.waiting_for(any_town["clerk"], Which.mine)) == []
        assert len(await unit.rows(lists.waiting_for(any_town["head"], Which.mine))) == 1
