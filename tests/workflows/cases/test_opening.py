"""From tagged messages to cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, update
from sqlmodel import col, select

from hub import clock
from hub.db import Context, unit_of_work
from hub.models import Audience, Case, CaseClass, CaseEvent, CaseState, Message, MessageKind, Reply, ReplyState
from tests.workflows.cases.town import Town, analysis
from workflows.cases import opening, service
from workflows.cases.moves import Move
from workflows.cases.newcases import title_of


async def test_a_sure_matter_goes_straight_to_its_department_with_the_reason(any_town: Town) -> None:
    case = await any_town.case()
    assert case.state is CaseState.dispatched
    assert case.department_id == any_town.departments["housing"]
    assert case.title == "我家楼道漏水三天没人管"
    events = await any_town.events(case)
    assert [entry.what for entry in events] == ["opened", "accept", "dispatch"]
    assert {entry.by_name for entry in events[1:]} == {"自动分派"}
    first = events[2].data["suggestions"][0]
    assert "漏水" in first["words"]
    assert first["p"] >= 0.75
    assert clock.local(case.due_at).isoformat() == "2026-03-16T17:30:00+08:00"
    assert clock.local(case.sign_due_at).isoformat() == "2026-03-10T17:30:00+08:00"
    assert case.calendar_version


async def test_a_deadline_that_came_along_is_the_cases_and_stays_it_when_it_is_dispatched(any_town: Town) -> None:
    due = clock.now() + timedelta(days=2)
    case = await any_town.case(extra={"due_at": due.isoformat()})
    assert (case.state, case.due_at) == (CaseState.dispatched, due)
    unsure = analysis(p=0.5)
    waiting = await any_town.case("门口的事情", by=unsure, extra={"due_at": due.isoformat()})
    assert (waiting.state, waiting.due_at) == (CaseState.new, due)
    async with unit_of_work(any_town.ctx) as unit:
        by = any_town["desk"]
        moved = await service.make_move(unit, waiting.id or 0, Move.accept, by, version=waiting.version)
        housing = {"department_id": any_town.departments["housing"]}
        await service.make_move(unit, moved.id or 0, Move.dispatch, by, version=moved.version, **housing)
    assert (await any_town.again(waiting)).due_at == due


@pytest.mark.parametrize("said", ["9999-12-31T00:00:00+00:00", "2026-03-11T10:00:00", "soon", 5, None])
async def test_what_is_no_deadline_changes_none(town: Town, said: Any) -> None:
    case = await town.case(extra={"due_at": said})
    assert clock.local(case.due_at).isoformat() == "2026-03-16T17:30:00+08:00"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"urgency": "danger"}, CaseClass.urgent),
        ({"urgency": "crowd"}, CaseClass.urgent),
        ({"sensitive": True}, CaseClass.general),
        ({"topic": None, "p": 0.5}, CaseClass.general),
    ],
)
async def test_urgent_sensitive_and_unsure_ones_go_to_a_person(
    town: Town, given: dict[str, Any], expected: CaseClass
) -> None:
    found = analysis(**({"topic": "城乡建设"} | {k: v for k, v in given.items() if v is not None}))
    case = await town.case("门口的事情" if "p" in given else "楼道漏水", by=found)
    assert case.state is CaseState.new
    assert case.department_id is None
    assert case.urgency is expected
    assert case.routing["suggestions"][0]["department_id"] == town.departments["housing"]
    wait = case.accept_due_at - clock.now() if case.accept_due_at else None
    assert wait == (timedelta(minutes=15) if expected is CaseClass.urgent else timedelta(days=1, hours=8.5))


async def test_same_person_same_thread_is_one_case_and_others_are_not(any_town: Town) -> None:
    town = any_town
    async with unit_of_work(town.ctx) as unit:
        first = await town.say(unit, external_id="root")
        more = await town.say(unit, kind=MessageKind.comment, external_id="c1", thread_id="root", likes=4)
        other = await town.say(unit, kind=MessageKind.comment, external_id="c2", thread_id="root", author_id="li")
        own = await town.say(unit, kind=MessageKind.comment, external_id="c3", thread_id="root", is_own=True)
        ids = await opening.attach(unit, [more, first, other, own])
    assert len(ids) == 2
    assert first.message.case_id == more.message.case_id
    assert other.message.case_id not in {None, first.message.case_id}
    assert own.message.case_id is None
    async with unit_of_work(town.ctx) as unit:
        third = await town.say(unit, kind=MessageKind.comment, external_id="c4", thread_id="root")
        assert await opening.attach(unit, [third]) == [first.message.case_id]
        assert await opening.attach(unit, [third]) == []  # twice does nothing more
        case = await unit.get(Case, first.message.case_id)
        assert case is not None
        await unit.session.refresh(case)
        assert (case.message_count, case.likes, case.version) == (3, 4, 1)
    linked = [entry for entry in await town.events(case) if entry.what == "message"]
    assert [entry.data["message_id"] for entry in linked] == [third.message.id]
    assert {entry.audience for entry in linked} == {Audience.citizen}


async def test_an_answered_case_wakes_for_fifteen_days(town: Town, at_work: Callable[[timedelta], None]) -> None:
    case = await town.case(external_id="root", author_id="zhang")
    await _set(town, case, state=CaseState.closed, is_open=False, closed_at=clock.now(), replied_at=clock.now())
    at_work(timedelta(days=14))
    again = await town.case("还是漏", kind=MessageKind.comment, thread_id="root", author_id="zhang")
    assert again.id == case.id
    assert (again.state, again.is_open, again.message_count) == (CaseState.handling, True, 2)
    assert again.due_at is not None
    assert again.due_at > clock.now()
    assert "citizen_again" in [entry.what for entry in await town.events(case)]
    await _set(town, case, state=CaseState.closed, is_open=False, closed_at=clock.now())
    at_work(timedelta(days=16))
    later = await town.case("又漏了", kind=MessageKind.comment, thread_id="root", author_id="zhang")
    assert later.id != case.id


async def _set(town: Town, case: Case, **values: Any) -> None:
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Case).where(col(Case.id) == case.id).values(**values))


async def test_a_message_to_a_merged_case_follows_it_and_a_suspended_one_goes_on(town: Town) -> None:
    main, child = await town.case(), await town.case(external_id="kid", author_id="zhang")
    await _set(town, child, state=CaseState.merged, is_open=False, merged_into_id=main.id)
    await _set(town, main, state=CaseState.waiting)
    more = await town.case("补充", kind=MessageKind.comment, thread_id="kid", author_id="zhang")
    assert more.id == main.id
    assert (await town.again(main)).state is CaseState.handling


async def test_what_came_with_its_answer_is_closed_in_its_own_time(any_town: Town) -> None:
    answered = {"answer": "已修好。", "answered_at": "2020-05-08T10:00:00+08:00"}
    asked_at = clock.now() - timedelta(days=2200)
    case = await any_town.case(
        kind=MessageKind.letter, account_id=any_town.accounts["letters"], created_at=asked_at, extra=answered
    )
    assert (case.state, case.is_open, case.due_at, case.accept_due_at) == (CaseState.closed, False, None, None)
    assert case.opened_at == asked_at
    assert case.department_id == any_town.departments["housing"]
    assert clock.local(case.closed_at).isoformat() == "2020-05-08T10:00:00+08:00"
    async with unit_of_work(any_town.ctx) as unit:
        reply = await unit.one(select(Reply).where(Reply.case_id == case.id))
    assert (reply.state, reply.is_imported, reply.text) == (ReplyState.sent, True, "已修好。")


async def test_old_arrivals_run_no_clocks_until_somebody_dispatches(town: Town) -> None:
    case = await town.case(created_at=clock.now() - timedelta(days=31))
    assert (case.state, case.accept_due_at, case.due_at) == (CaseState.new, None, None)
    assert case.routing["is_sure"]
    assert case.number.startswith("20260206-")


async def test_a_thousand_messages_take_few_statements(any_town: Town) -> None:
    town = any_town
    async with unit_of_work(town.ctx) as unit:
        batch = [
            await town.say(unit, f"第{n}处漏水", author_id=f"u{n % 700}", thread_id=f"t{n % 700}") for n in range(1000)
        ]
        counted: list[str] = []
        listener = lambda *given: counted.append(given[2])  # noqa: E731
        event.listen(town.ctx.engine.sync_engine, "before_cursor_execute", listener)
        ids = await opening.attach(unit, batch)
        await unit.flush()
        event.remove(town.ctx.engine.sync_engine, "before_cursor_execute", listener)
    assert len(set(ids)) == 700
    assert len(counted) <= 30, counted
    async with unit_of_work(town.ctx) as unit:
        rows = (await unit.rows(select(func.count(col(Case.id)), func.sum(col(Case.message_count)))))[0]
        numbers = await unit.one(select(func.count(func.distinct(col(Case.number)))))
        loose = await unit.one(select(func.count(col(Message.id))).where(col(Message.case_id).is_(None)))
        said = await unit.one(select(func.count(col(CaseEvent.id))).where(CaseEvent.what == "opened"))
    assert (tuple(rows), numbers, loose, said) == ((700, 1000), 700, 0, 700)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("@江城发布 #随手拍# 路灯坏了！三天没修", "路灯坏了"),
        ("电话13812345678，楼道漏水", "电话138****5678，楼道漏水"),
        ("长" * 50, "长" * 39 + "…"),
        ("长" * 30 + "13812345678打不通", "长" * 30 + "…"),
        ("@江城发布", "（无文字内容）"),
        ("", "（无文字内容）"),
    ],
)
def test_title(text: str, title: str) -> None:
    message = Message(
        account_id=1, arrival_id=1, kind=MessageKind.mention, external_id="1", text=text, created_at=clock.now()
    )
    assert title_of(message) == title


async def test_two_writers_of_one_thread_end_in_one_case(postgres_url: str, make_ctx: Callable[[str], Context]) -> None:
    """Both have read "no open case" before either writes; the index lets one in, the other joins it."""
    import asyncio

    from tests.workflows.cases.town import build_town

    ctx = make_ctx(postgres_url)
    try:
        town = await build_town(ctx)
        gate = asyncio.Barrier(2)

        async def one(number: int) -> list[int]:
            async with unit_of_work(ctx) as unit:
                said = await town.say(unit, external_id=f"p{number}", thread_id="same", author_id="zhang")
                await gate.wait()
                return await opening.attach(unit, [said])

        first, second = await asyncio.gather(one(1), one(2))
        assert first == second
        assert len(first) == 1
        async with unit_of_work(ctx) as unit:
            case = await unit.one(select(Case))
            assert case.message_count == 2
    finally:
        await ctx.close()
