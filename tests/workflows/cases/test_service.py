"""The one door: races, random walks, clocks, what stays in the history."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from hub import clock
from hub.clock import local
from hub.db import Context, unit_of_work
from hub.errors import HubError, NotAllowed, NotFound, Refused, Stale
from hub.models import AuditEntry, Case, CaseClass, CaseEvent, CaseState, Change
from hub.policy.calendar import Calendar
from tests.workflows.cases.town import Town, analysis, build_town
from workflows.cases import service
from workflows.cases.detail import detail
from workflows.cases.facts import know
from workflows.cases.moves import BY_THE_HUB, MOVES, REPLY_MOVES, Move
from workflows.cases.rating import Rating, Solved, rating_of, rating_words
from workflows.cases.suggested import explain, still_returned
from workflows.inbox.detail import detail as message_detail

Later = Callable[[timedelta], None]


async def move(town: Town, case: Case, what: Move, by: str, **given: Any) -> Case:
    async with unit_of_work(town.ctx) as unit:
        given = {"version": (await _fresh(town, case)).version} | given
        return await service.make_move(unit, case.id or 0, what, town[by], **given)


async def _fresh(town: Town, case: Case) -> Case:
    return await town.again(case)


async def test_twenty_sign_at_once_and_one_wins(any_town: Town) -> None:
    town, case = any_town, await any_town.case()
    outcomes = await asyncio.gather(
        *(move(town, case, Move.sign, "clerk", version=case.version) for _n in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Case) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == 19
    signed = [event for event in await town.events(case) if event.what == "sign"]
    assert [event.by_name for event in signed] == ["clerk"]
    assert (await town.again(case)).handler_id == town["clerk"].user_id


async def test_clocks_run_from_dispatch_not_from_signing(town: Town, at_work: Later) -> None:
    case = await town.case()
    promised, sign_by = case.due_at, case.sign_due_at
    at_work(timedelta(hours=7))
    signed = await move(town, case, Move.sign, "clerk")
    assert (signed.due_at, signed.sign_due_at, signed.signed_at) == (promised, sign_by, clock.now())


async def test_returning_and_dispatching_again_never_restarts_the_deadline(town: Town, at_work: Later) -> None:
    case = await town.case()
    promised = case.due_at
    for _round in range(2):
        at_work(timedelta(hours=1))
        back = await move(town, case, Move.hand_back, "head", note="不属我单位职责")
        assert (back.state, back.department_id, back.due_at) == (CaseState.triaged, None, promised)
        case = await move(town, case, Move.dispatch, "desk", department_id=town.departments["housing"])
        assert case.due_at == promised
    with pytest.raises(Refused, match="申请裁定"):
        await move(town, case, Move.hand_back, "head", note="再退一次")
    await move(town, case, Move.ask_ruling, "head", note="应由交通局承办")
    ruled = await move(town, case, Move.rule, "desk", note="首接负责", department_id=town.departments["housing"])
    assert (ruled.state, ruled.due_at) == (CaseState.dispatched, promised)
    with pytest.raises(Refused, match="不能再退回"):
        await move(town, case, Move.hand_back, "head", note="再退一次")


async def test_return_only_within_its_time(town: Town, at_work: Later) -> None:
    case = await town.case()
    at_work(timedelta(days=2))
    with pytest.raises(Refused, match="退回期限"):
        await move(town, case, Move.hand_back, "head", note="不属我单位职责")


async def test_paused_and_running_working_time_add_up(town: Town, at_work: Later) -> None:
    case = await move(town, await town.case(), Move.sign, "clerk")
    calendar, began, promised = Calendar(), clock.now(), case.due_at
    assert promised is not None
    at_work(timedelta(days=1))
    until = clock.now() + timedelta(days=10)
    waiting = await move(town, case, Move.suspend, "desk", note="等待房屋鉴定", until=until)
    assert waiting.due_at is not None
    assert waiting.due_at > until  # nothing shows as late meanwhile
    at_work(timedelta(days=3))
    paused = calendar.working_between(clock.now() - timedelta(days=3), clock.now())
    resumed = await move(town, case, Move.resume, "desk")
    assert resumed.due_at is not None
    assert resumed.paused_seconds == 3 * 86_400
    given = calendar.working_between(began, promised)
    assert calendar.working_between(began, resumed.due_at) - paused == given


async def test_an_extension_is_asked_in_time_and_granted_once(town: Town, at_work: Later) -> None:
    case = await move(town, await town.case(), Move.sign, "clerk")
    promised = case.due_at
    await move(town, case, Move.ask_extension, "clerk", note="需入户勘察")
    granted = await move(town, case, Move.grant_extension, "desk")
    assert local(granted.due_at).isoformat() == "2026-03-23T17:30:00+08:00"
    assert promised is not None
    with pytest.raises(Refused, match="一次"):
        await move(town, case, Move.ask_extension, "clerk", note="再延")
    events = await town.events(case)
    assert [event.audience.value for event in events if event.what == "grant_extension"] == ["citizen"]


async def test_changing_the_class_counts_from_where_the_clocks_began(town: Town, at_work: Later) -> None:
    case = await town.case()
    at_work(timedelta(minutes=30))
    changed = await move(town, case, Move.reclass, "desk", note="影响一栋楼", urgency=CaseClass.livelihood)
    assert changed.due_at == clock.now() - timedelta(minutes=30) + timedelta(hours=24)
    assert changed.dispatched_at == clock.now() - timedelta(minutes=30)


async def test_merge_and_unmerge(town: Town) -> None:
    main, child = await town.case(), await town.case()
    due = child.due_at
    merged = await move(town, child, Move.merge, "desk", note="同一处漏水", into_id=main.id)
    assert (merged.state, merged.merged_into_id, merged.is_open) == (CaseState.merged, main.id, False)
    with pytest.raises(Refused, match="已并案"):
        await move(town, main, Move.merge, "desk", note="反向", into_id=child.id)
    apart = await move(town, child, Move.unmerge, "desk", note="不是同一处")
    assert (apart.state, apart.due_at, apart.is_open) == (CaseState.triaged, due, True)


async def test_who_sees_a_case_sees_the_messages_of_those_merged_into_it(town: Town) -> None:
    main, unsure = await town.case(), analysis(p=0.3)
    child, other = await town.case("楼道漏水", by=unsure), await town.case("楼道还漏水", by=unsure)
    assert (child.department_id, other.department_id) == (None, None)
    await move(town, child, Move.merge, "desk", note="同一处", into_id=main.id)
    async with unit_of_work(town.ctx) as unit:
        found = await message_detail(unit, town["clerk"], child.first_message_id or 0)
        assert found.case is not None
        assert found.case.id == main.id
        assert [one.id for one in found.thread] == [child.first_message_id]
        with pytest.raises(NotFound):
            await message_detail(unit, town["clerk"], other.first_message_id or 0)


async def test_voices_of_a_merged_case_count_for_the_matter(town: Town) -> None:
    main, child, other = await town.case(), await town.case(likes=30), await town.case()
    await move(town, child, Move.merge, "desk", note="同一处", into_id=main.id)
    await move(town, other, Move.merge, "desk", note="同一处", into_id=main.id)
    matter = await _fresh(town, main)
    assert (matter.message_count, matter.likes) == (3, 30)
    assert matter.heat > main.heat
    async with unit_of_work(town.ctx) as unit:
        shown = await detail(unit, main.id or 0, town["desk"])
    assert (len(shown.messages), shown.earlier_messages) == (3, 0), "every message is there, none counts twice"
    await move(town, child, Move.unmerge, "desk", note="不是同一处")
    rest = await _fresh(town, main)
    assert (rest.message_count, rest.likes) == (2, 0)


async def test_a_thread_never_has_two_open_cases(town: Town) -> None:
    case = await town.case(external_id="root", author_id="zhang", by=_unsure())
    await move(town, case, Move.refuse, "desk", note="请向法院起诉")
    newer = await town.case("又来", thread_id="root", author_id="zhang", by=_unsure())
    assert newer.id != case.id
    with pytest.raises(Refused, match=newer.number):
        await move(town, case, Move.reopen, "desk", note="复核")


def _unsure() -> Any:
    from tests.workflows.cases.town import analysis

    return analysis(p=0.3)


async def test_dispatch_now_accepts_first_and_leaves_both_in_the_history(town: Town) -> None:
    case = await town.case("想问一下", by=_unsure())
    async with unit_of_work(town.ctx) as unit:
        given = {"version": 1, "department_id": town.departments["traffic"]}
        sent = await service.dispatch_now(unit, case.id or 0, town["desk"], **given)
    assert (sent.state, sent.department_id, sent.version) == (CaseState.dispatched, town.departments["traffic"], 3)
    assert [event.what for event in await town.events(case)] == ["opened", "accept", "dispatch"]
    async with unit_of_work(town.ctx) as unit:
        audited = await unit.all(select(AuditEntry.what).order_by(col(AuditEntry.id)))
        told = await unit.all(select(Change.department_id).where(Change.object_id == case.id))
    assert audited == ["case.accept", "case.dispatch"]
    assert town.departments["traffic"] in told


async def test_notes_are_the_offices_own_and_leave_the_version_alone(town: Town) -> None:
    case = await town.case()
    async with unit_of_work(town.ctx) as unit:
        await service.add_note(unit, case.id or 0, town["clerk"], "  已电话联系  ")
    note = (await town.events(case))[-1]
    assert (note.note, note.audience.value, (await town.again(case)).version) == ("已电话联系", "office", case.version)
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(NotFound):
            await service.add_note(unit, case.id or 0, town["other_clerk"], "x")
        with pytest.raises(NotAllowed):
            await service.add_note(unit, case.id or 0, town["auditor"], "x")


async def test_moves_of_others_have_no_door_here(town: Town) -> None:
    case = await town.case()
    for what in REPLY_MOVES | BY_THE_HUB:
        with pytest.raises(Refused, match="不能在这里操作"):
            await move(town, case, what, "desk", note="x")
    with pytest.raises(NotFound):
        await move(town, case, Move.sign, "other_clerk")
    with pytest.raises(Stale):
        await move(town, case, Move.sign, "clerk", version=7)


def _random_given(town: Town, cases: list[Case], pick: random.Random) -> dict[str, Any]:
    """Mostly what a careful person would give."""
    return {
        "note": pick.choice(["", "理由", "理由", "理由"]),
        "department_id": pick.choice([None, town.departments["housing"], town.departments["repairs"], 999]),
        "person_id": pick.choice([None, town["clerk"].user_id, town["unit_clerk"].user_id]),
        "until": clock.now() + timedelta(days=pick.choice([-1, 3, 20, 40])),
        "urgency": pick.choice([None, *CaseClass]),
        "into_id": pick.choice([None, *(case.id for case in cases)]),
    }


async def _walk(town: Town, cases: list[Case], seed: int, steps: int, made: list[tuple[int, Move]]) -> None:
    pick = random.Random(seed)
    for _step in range(steps):
        case = pick.choice(cases)
        try:
            async with unit_of_work(town.ctx) as unit:
                stands = await unit.get(Case, case.id)
                assert stands is not None
                fitting = [what for what, step in MOVES.items() if stands.state in step.to and what is not Move.merge]
                what = pick.choice(list(Move) if pick.random() < 0.15 or not fitting else fitting)
                able = [actor for actor in town.actors.values() if actor.may & MOVES[what].rights]
                actor = pick.choice(able if able and pick.random() < 0.8 else list(town.actors.values()))
                version = stands.version - (pick.random() < 0.1)
                await asyncio.sleep(0)
                given = _random_given(town, cases, pick)
                await service.make_move(unit, case.id or 0, what, actor, version=version, **given)
            made.append((case.id or 0, what))
        except HubError:
            continue


async def test_two_writers_walk_at_random_and_nothing_illegal_happens(any_town: Town) -> None:
    """Every change has its one event, every event is an edge of the table, every version is one change."""
    town = any_town
    cases = [await town.case(by=_unsure() if n % 2 else None) for n in range(6)]
    before = {case.id: len(await town.events(case)) for case in cases}
    made: list[tuple[int, Move]] = []
    await asyncio.gather(*(_walk(town, cases, seed, 250, made) for seed in (1, 2)))
    assert len(made) > 50
    for case in cases:
        now, events = await town.again(case), (await town.events(case))[before[case.id] :]
        assert sorted(event.what for event in events) == sorted(what.value for id_, what in made if id_ == case.id)
        assert now.version == case.version + len(events)
        state: str = case.state.value
        for event in events:
            assert event.from_state == state
            edges = MOVES[Move(event.what)].to
            stayed = Move(event.what) is Move.rule and event.to_state == event.from_state
            desked = event.to_state == "triaged" and edges[CaseState(state)] is CaseState.handling
            assert event.to_state == edges[CaseState(state)].value or stayed or desked
            state = event.to_state
        assert now.state.value == state
        assert now.is_open == (state not in {"replied", "closed", "void", "merged"})


async def test_a_parallel_reopening_of_the_same_thread_loses_in_the_database(
    postgres_url: str, make_ctx: Callable[[str], Context], at_work: Later
) -> None:
    """Two closed cases of one thread, both read as free to reopen: the index lets one through."""
    ctx = make_ctx(postgres_url)
    try:
        town = await build_town(ctx)
        cases = []
        for _n in range(2):
            case = await town.case(external_id=f"r{_n}", thread_id="same", author_id="zhang", by=_unsure())
            cases.append(await move(town, case, Move.refuse, "desk", note="不属受理范围"))
        gate = asyncio.Barrier(2)

        async def reopen(case: Case) -> Case:
            async with unit_of_work(ctx) as unit:
                known = await know(unit, (await unit.one(select(Case).where(col(Case.id) == case.id))))
                await gate.wait()
                return await service.change(unit, known, Move.reopen, town["desk"], note="复核")

        outcomes = await asyncio.gather(*(reopen(case) for case in cases), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) in (["Case", "Refused"], ["Case", "Stale"])
        async with unit_of_work(ctx) as unit:
            events = await unit.all(select(CaseEvent).where(CaseEvent.what == "reopen"))
        assert len(events) == 1
    finally:
        await ctx.close()


async def test_who_handed_it_back_is_suggested_last_and_whom_they_named_first(town: Town) -> None:
    case = await town.case()
    assert case.state is CaseState.dispatched
    traffic, housing = town.departments["traffic"], town.departments["housing"]
    given = {"note": "依据：职责清单", "department_id": traffic}
    back = await move(town, case, Move.hand_back, "head", **given)
    suggestions = back.routing["suggestions"]
    assert [one["department_id"] for one in suggestions] == [traffic, housing]
    assert explain(suggestions[0]) == "退回单位建议"
    assert explain(suggestions[1]).endswith("（曾退回）")
    assert not back.routing["is_sure"]
    event = next(one for one in await town.events(case) if one.what == "hand_back")
    assert (event.data["proposed_id"], event.data["proposed"]) == (traffic, "traffic")
    kept = still_returned({"is_sure": True, "suggestions": [suggestions[1] | {"returned": False}]}, back.routing)
    assert [one["department_id"] for one in kept["suggestions"]] == [traffic, housing]
    assert not kept["is_sure"]


async def test_the_desk_sends_an_unsigned_case_elsewhere(town: Town) -> None:
    case = await town.case()
    due = case.due_at
    moved = await move(town, case, Move.forward, "desk", note="派错了", department_id=town.departments["traffic"])
    assert (moved.state, moved.department_id, moved.due_at) == (CaseState.dispatched, town.departments["traffic"], due)
    with pytest.raises(Refused, match="下属单位"):
        await move(town, moved, Move.forward, "other_head", note="不归我们", department_id=town.departments["housing"])


async def test_what_the_citizen_said_afterwards_is_kept_and_a_bad_word_needs_a_reason(town: Town) -> None:
    case = await town.case()
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Case).where(col(Case.id) == case.id).values(state=CaseState.replied, is_open=False))
    with pytest.raises(Refused, match="发回重办"):
        await move(town, case, Move.close, "desk", rating=Rating(Solved.no))
    with pytest.raises(Refused, match="没有联系上"):
        await move(town, case, Move.close, "desk", rating=Rating(Solved.unreached, 5))
    closed = await move(town, case, Move.close, "desk", note="已另行立项", rating=Rating(Solved.partly, 2))
    assert closed.state is CaseState.closed
    event = (await town.events(case))[-1]
    assert event.data == {"rating": "asked", "solved": "partly", "satisfied": 2}
    assert rating_words(event.data) == ["回访：部分解决", "满意度：不满意（2/5）"]
    assert rating_words({"rating": "none"}) == ["回访期已过，没有评价"]
    assert (rating_of("", "5"), rating_of("yes", "9"), rating_of("yes", "4")) == (
        None, Rating(Solved.yes), Rating(Solved.yes, 4),
    )  # fmt: skip
