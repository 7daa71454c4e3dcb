"""Lists, badges, the detail: everything shown, nothing leaked, few statements, indexes used."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlmodel import col, select

import nlp
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound
from hub.models import AuditEntry, Case, CaseClass, CaseState, Message, MessageKind
from hub.queries import search
from tests.workflows.cases.town import Town, analysis
from workflows.cases import lists, service, similar
from workflows.cases.detail import detail, reveal
from workflows.cases.lists import Filters, Which
from workflows.cases.moves import Move

Later = Callable[[timedelta], None]
OUTSIDERS = ("other_clerk", "other_head", "unit_clerk", "admin")


@contextmanager
def statements(ctx: Context) -> Iterator[list[str]]:
    seen: list[str] = []

    def keep(*given: Any) -> None:
        seen.append(given[2])

    event.listen(ctx.engine.sync_engine, "before_cursor_execute", keep)
    yield seen
    event.remove(ctx.engine.sync_engine, "before_cursor_execute", keep)


async def page(town: Town, by: str, which: Which, filters: Filters | None = None, **given: Any) -> lists.Page:
    async with reading(town.ctx) as unit:
        return await lists.page(unit, town[by], which, filters or Filters(), **given)


async def test_the_departments_list_is_by_deadline_late_first_then_soon(any_town: Town, at_work: Later) -> None:
    town = any_town
    second, first, third = [await town.case(f"第{n}处漏水") for n in range(3)]
    now = clock.now()
    for case, due in ((first, -timedelta(hours=1)), (second, timedelta(hours=1)), (third, timedelta(days=30))):
        await _set(town, case, state=CaseState.handling, due_at=now + due, dispatched_at=now - timedelta(days=5))
    rows = (await page(town, "clerk", Which.mine)).rows
    assert [row.id for row in rows] == [first.id, second.id, third.id]
    clocks = [row.deadline for row in rows]
    assert [(c.is_late, c.is_soon, c.label) for c in clocks if c] == [
        (True, False, "办结时限"), (False, True, "办结时限"), (False, False, "办结时限"),
    ]  # fmt: skip
    row = rows[0]
    assert (row.department, row.account, row.author_name, row.state_label) == ("housing", "weibo", "张三", "办理中")
    assert [r.id for r in (await page(town, "clerk", Which.mine, Filters(late=True))).rows] == [first.id]


async def test_the_list_is_in_the_order_of_the_clocks_it_shows(any_town: Town) -> None:
    """Unsigned, answering, waiting, in review, with and without limits: the row's own clock decides, page by page."""
    town, chance, now = any_town, random.Random(7), clock.now()
    states = [CaseState.dispatched, CaseState.dispatched, CaseState.handling, CaseState.waiting, CaseState.review]
    for n in range(24):
        sign, finish = (
            None if chance.random() < 0.2 else now + timedelta(hours=chance.randint(-90, 90)) for _clock in range(2)
        )
        case = await town.case(f"第{n}处漏水")
        await _set(town, case, state=states[n % 5], sign_due_at=sign, due_at=finish, dispatched_at=now)
    rows, after = [], ""
    while not rows or after:
        found = await page(town, "clerk", Which.mine, after=after, limit=5)
        rows, after = [*rows, *found.rows], found.after
    assert len({row.id for row in rows}) == len(rows) == 24
    shown = [row.deadline.at if row.deadline else None for row in rows]
    timed = [at for at in shown if at is not None]
    assert shown == [*sorted(timed), *[None] * (24 - len(timed))]
    assert {row.deadline.label for row in rows if row.deadline} == {"签收时限", "办结时限"}


async def test_urgent_cases_stand_on_top_whatever_the_others_clocks(any_town: Town) -> None:
    """An old praise that is late does not stand before people in danger; among themselves the clock decides."""
    town, now = any_town, clock.now()
    clocks = {"praise": -288, "later": 30, "collapse": 20, "flood": 2, "letter": None}
    cases = {name: await town.case(f"{name}漏水") for name in clocks}
    for name, hours in clocks.items():
        due_at = now + timedelta(hours=hours) if hours is not None else None
        urgency = CaseClass.urgent if name in ("collapse", "flood", "letter") else CaseClass.general
        await _set(town, cases[name], state=CaseState.handling, urgency=urgency, due_at=due_at, dispatched_at=now)
    seen, after, pressing = [], "", []
    while not seen or after:
        found = await page(town, "clerk", Which.mine, after=after, limit=1 if not seen else 3)
        seen, after, pressing = [*seen, *found.rows], found.after, [*pressing, found.pressing]
    order = ["flood", "collapse", "praise", "later", "letter"]
    assert [row.id for row in seen] == [cases[name].id for name in order]
    assert pressing == [1, 1, 0], "an old letter without a clock presses nobody"
    for case in cases.values():
        await _set(town, case, state=CaseState.triaged, accept_due_at=None)
    assert [row.id for row in (await page(town, "desk", Which.desk)).rows] == [cases[name].id for name in order]


async def test_at_the_desk_a_case_handed_back_late_shows_and_stands_as_late(any_town: Town) -> None:
    town, now = any_town, clock.now()
    fresh, back, old = [await town.case(f"想问第{n}件事", by=analysis(p=0.3)) for n in range(3)]
    await _set(town, fresh, accept_due_at=now + timedelta(hours=1))
    await _set(
        town, back, state=CaseState.triaged, accept_due_at=now + timedelta(hours=8), due_at=now - timedelta(days=1)
    )
    await _set(town, old, accept_due_at=None)
    first = await page(town, "desk", Which.desk, limit=2)
    rows = [*first.rows, *(await page(town, "desk", Which.desk, after=first.after, limit=2)).rows]
    assert [row.id for row in rows] == [back.id, fresh.id, old.id]
    assert [row.deadline and (row.deadline.label, row.deadline.is_late) for row in rows] == [
        ("办结时限", True), ("受理时限", False), None,
    ]  # fmt: skip


async def _set(town: Town, case: Case, **values: Any) -> None:
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Case).where(col(Case.id) == case.id).values(**values))


@pytest.mark.parametrize("which", [Which.mine, Which.all])
async def test_pages_hold_every_case_once_also_with_equal_times(any_town: Town, which: Which) -> None:
    cases = [await any_town.case(f"第{n}处漏水") for n in range(11)]
    await _set(any_town, cases[3], due_at=None, sign_due_at=None)
    seen, after = [], ""
    for _page in range(6):
        found = await page(any_town, "clerk", which, after=after, limit=3)
        seen += [row.id for row in found.rows]
        if not (after := found.after):
            break
    assert sorted(seen) == sorted(case.id or 0 for case in cases)
    assert len(seen) == 11
    if which is Which.mine:
        assert seen[-1] == cases[3].id  # without a deadline comes last


@pytest.mark.parametrize("mark", ["x", "~", "2026-01-01T00:00:00~1", "~1~2", "1~abc"])
async def test_a_page_mark_that_is_none_is_refused(town: Town, mark: str) -> None:
    with pytest.raises(Invalid):
        await page(town, "clerk", Which.all, after=mark)


async def test_filters_and_search(any_town: Town) -> None:
    town = any_town
    leak = await town.case("楼道漏水三天")
    await town.case("公交不来", by=analysis("交通运输", sentiment=nlp.Label("neutral", 0.9)), topic="交通运输")
    async with unit_of_work(town.ctx) as unit:
        for message in await unit.all(select(Message)):
            await search.index(unit, [(message.id or 0, nlp.analyse([message.text])[0].tokens)])

    async def ids(**given: Any) -> list[int]:
        return [row.id for row in (await page(town, "desk", Which.all, Filters(**given))).rows]

    assert await ids(text="漏水") == [leak.id]
    assert await ids(text=leak.number) == [leak.id]
    assert await ids(text="没有这样的词") == []
    assert await ids(text="、。") == []
    assert await ids(topic="城乡建设", sentiment="negative", account_id=leak.account_id) == [leak.id]
    assert await ids(department_id=town.departments["traffic"], topic="城乡建设") == []
    assert await ids(state=CaseState.closed) == []
    async with reading(town.ctx) as unit:
        found = await lists.page(unit, town["other_clerk"], Which.all, Filters(text="漏水"))
    assert found.rows == []


async def test_outsiders_see_nothing_anywhere(any_town: Town) -> None:
    """No list, count, search, detail, note, similar case or reveal shows a case of another department."""
    town = any_town
    case = await town.case("我家漏水，电话13812345678")
    async with unit_of_work(town.ctx) as unit:
        await search.index(unit, [(case.first_message_id or 0, "漏水")])
    for name in OUTSIDERS:
        actor = town[name]
        async with unit_of_work(town.ctx) as unit:
            for which in Which:
                for filters in (Filters(), Filters(text="漏水"), Filters(department_id=case.department_id)):
                    assert (await lists.page(unit, actor, which, filters)).rows == [], (name, which)
            counted = await lists.counts(unit, actor)
            assert not any(getattr(counted, field) for field in counted.__slots__), name
            for shut in (
                detail(unit, case.id or 0, actor),
                similar.answered(unit, case.id or 0, actor),
                service.add_note(unit, case.id or 0, actor, "x"),
                service.make_move(unit, case.id or 0, Move.sign, actor, version=1),
            ):
                with pytest.raises(NotFound):
                    await shut
            with pytest.raises((NotFound, NotAllowed)):
                await reveal(unit, actor, case.first_message_id or 0)
            offered = await lists.choices(unit, actor)
            own = {number for number, _name in offered.departments}
            assert case.department_id not in own, name


async def test_the_late_badge_counts_what_its_list_shows(town: Town) -> None:
    unsigned, answering, in_time = [await town.case(f"第{n}处漏水") for n in range(3)]
    past, ahead = clock.now() - timedelta(hours=1), clock.now() + timedelta(days=3)
    await _set(town, unsigned, sign_due_at=past, due_at=ahead)
    await _set(town, answering, state=CaseState.handling, due_at=past)
    await _set(town, in_time, sign_due_at=ahead, due_at=ahead)
    async with reading(town.ctx) as unit:
        badge = (await lists.counts(unit, town["clerk"])).late
    shown = {row.id for row in (await page(town, "clerk", Which.mine, Filters(late=True))).rows}
    assert shown == {unsigned.id, answering.id}
    assert badge == len(shown)


async def test_badges_are_what_each_role_has_to_do(town: Town) -> None:
    await town.case()
    waits = await town.case("想问一下", by=analysis(p=0.3))
    await _set(town, waits, accept_due_at=clock.now() - timedelta(hours=1))
    async with reading(town.ctx) as unit:
        clerk, desk = await lists.counts(unit, town["clerk"]), await lists.counts(unit, town["desk"])
        head, leader = await lists.counts(unit, town["head"]), await lists.counts(unit, town["leader"])
    assert (clerk.open, clerk.late, clerk.unsigned, clerk.desk) == (1, 0, 1, None)
    assert (desk.desk, desk.desk_late, desk.rulings, desk.follow_up, desk.open) == (1, 1, 0, 0, None)
    assert (head.open, head.review) == (1, 0)
    assert leader == lists.Counts()


async def test_requests_for_more_time_wait_at_the_desk_until_they_are_settled(town: Town, at_work: Later) -> None:
    async def make(case: Case, what: Move, by: str, **given: Any) -> None:
        async with unit_of_work(town.ctx) as unit:
            version = (await town.again(case)).version
            await service.make_move(unit, case.id or 0, what, town[by], version=version, **given)

    one, other = [await town.case(f"第{n}处漏水") for n in range(2)]
    for case in (one, other):
        await make(case, Move.sign, "clerk")
        await make(case, Move.ask_extension, "clerk", note="等配件")
    assert {row.id for row in (await page(town, "desk", Which.extensions)).rows} == {one.id, other.id}
    await make(one, Move.grant_extension, "desk")
    await make(other, Move.refuse_extension, "desk", note="配件已到")
    async with reading(town.ctx) as unit:
        counted = await lists.counts(unit, town["desk"])
    assert (await page(town, "desk", Which.extensions)).rows == []
    assert counted.extensions == 0
    assert (await page(town, "clerk", Which.extensions)).rows == []


@pytest.mark.parametrize("size", [5, 40])
async def test_a_list_request_takes_few_statements_at_any_size(town: Town, size: int) -> None:
    for n in range(size):
        await town.case(f"第{n}处漏水")
    with statements(town.ctx) as seen:
        async with reading(town.ctx) as unit:
            found = await lists.page(unit, town["clerk"], Which.mine, limit=100)
            await lists.counts(unit, town["clerk"])
            await lists.choices(unit, town["clerk"])
    asked = [statement for statement in seen if statement.startswith("SELECT")]
    assert len(found.rows) == size
    assert len(asked) <= 4, asked


async def test_the_lists_read_indexes_not_the_table(town: Town) -> None:
    """SQLite's own word on the plan: the department's list and its badges search the partial index."""
    await town.case()
    with statements(town.ctx) as seen:
        async with reading(town.ctx) as unit:
            await lists.page(unit, town["clerk"], Which.mine)
            await lists.counts(unit, town["clerk"])
    for statement in [one for one in seen if "case" in one and one.startswith("SELECT")]:
        async with reading(town.ctx) as unit:
            marks = statement.count("?")
            connection = await unit.session.connection()
            rows = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (1,) * marks)).all()
        plan = [row[3] for row in rows]
        assert any("ix_case_open_department" in step for step in plan), plan
        assert not any(step.startswith("SCAN case") and "INDEX" not in step for step in plan), plan
        if "UNION ALL" in statement:  # the unsigned, which are few, are sorted; the other open cases come as they lie
            big = plan[max(n for n, step in enumerate(plan) if step.startswith("MATERIALIZE")) :]
            big = big[: next(n for n, step in enumerate(big) if step.startswith("SCAN"))]
            assert not any("TEMP B-TREE" in step for step in big), plan


async def test_the_detail_shows_all_and_masks_what_is_personal(town: Town) -> None:
    spans = [["phone", 5, 16]]
    case = await town.case(
        "请打电话 13812345678，楼道漏水", by=analysis(), personal=spans, author_id="zhang", external_id="root"
    )
    await town.case("补充一句", kind=MessageKind.comment, thread_id="root", author_id="zhang")
    async with unit_of_work(town.ctx) as unit:
        own = await town.say(unit, "已转住建部门", is_own=True, needs_case=False, case_id=case.id, author_id="gov")
        await service.make_move(unit, case.id or 0, Move.sign, town["clerk"], version=1)
        await service.add_note(unit, case.id or 0, town["clerk"], "已联系")
    with statements(town.ctx) as seen:
        async with reading(town.ctx) as unit:
            shown = await detail(unit, case.id or 0, town["clerk"])
    assert len([one for one in seen if one.startswith("SELECT")]) <= 12
    assert "13812345678" not in repr(shown)
    assert [(m.text[:11], m.is_own) for m in shown.messages] == [
        ("请打电话 138***", False), ("补充一句", False), ("已转住建部门", True),
    ]  # fmt: skip
    assert own.message.id == shown.messages[2].id
    assert (shown.messages[0].is_masked, shown.messages[1].is_masked, shown.earlier_messages) == (True, False, 0)
    assert [e.what for e in shown.events] == ["opened", "accept", "dispatch", "message", "sign", "note"]
    assert shown.events[2].details[0] == "承办单位：housing"
    assert "分类归口：漏水" in shown.events[2].details[1]
    assert [(c.label, c.span) for c in shown.clocks] == [("签收", "1wd"), ("办结", "5wd"), ("退回", "1wd")]
    assert all(c.source for c in shown.clocks)
    assert {offer.move for offer in shown.moves} == {Move.assign, Move.ask_extension}
    assert shown.reply_reasons[Move.submit] == ["还没有写答复"]
    assert (shown.may_draft, shown.may_note, shown.may_reveal) == ([], True, True)


async def test_revealing_is_a_right_and_leaves_a_trace(town: Town) -> None:
    case = await town.case("电话13812345678", personal=[["phone", 2, 13]])
    async with unit_of_work(town.ctx) as unit:
        assert (await reveal(unit, town["clerk"], case.first_message_id or 0)).text == "电话13812345678"
        with pytest.raises(NotAllowed):
            await reveal(unit, town["press"], case.first_message_id or 0)
        traces = await unit.all(select(AuditEntry).where(AuditEntry.what == "message.reveal"))
    assert [(entry.by_name, entry.object) for entry in traces] == [("clerk", f"message/{case.first_message_id}")]
    assert "13812345678" not in str(traces[0].data)
