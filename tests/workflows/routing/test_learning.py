"""Learning at night from the town's own dispatches; the weekly table of how suggestions did."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import NotAllowed, Refused
from hub.models import AuditEntry, Case, Message, Router, Tagging
from hub.queries import search
from nlp import offices
from tests.nlp.test_offices import SAID, dispatches
from tests.workflows.cases.town import Town, analysis
from tests.workflows.intake.town import all_rows
from workflows.cases import service
from workflows.cases.moves import Move
from workflows.house import House
from workflows.routing import learning, record, rules
from workflows.routing.jobs import learn_routing
from workflows.routing.preview import preview

MONDAY_DAY = date(2026, 3, 9)


async def live(town: Town, count: int) -> None:
    """``count`` matters dispatched by the desk and signed, each department's with its own words."""
    houses = {1: "housing", 2: "traffic", 3: "repairs"}
    given, labels = dispatches(count)
    for matter, label in zip(given, labels, strict=True):
        case = await town.case(matter.tokens, by=analysis(topic="", p=0.0, tokens=matter.tokens))
        async with unit_of_work(town.ctx) as unit:
            await search.index(unit, [(case.first_message_id or 0, matter.tokens)])
            unit.add(Tagging(message_id=case.first_message_id or 0, version="t"))
            await service.dispatch_now(
                unit, case.id or 0, town["desk"], version=case.version, department_id=town.departments[houses[label]]
            )
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Case).values(signed_at=clock.now(), state="handling"))


@pytest.fixture
def house(town: Town) -> House:
    return House(town.ctx, {})


async def test_a_night_of_learning_changes_where_matters_go(any_town: Town) -> None:
    house, town = House(any_town.ctx, {}), any_town
    await live(town, 90)
    assert await learn_routing(house) == 90
    (row,) = await all_rows(house, Router)
    assert (row.is_current, row.cases, row.departments, row.scores["why"]) == (True, 90, 3, "")
    text = " ".join(SAID[2][:3])
    found = analysis(topic="城乡建设", p=0.9, tokens=text, keywords=(SAID[2][0],))
    case = await town.case(text, by=found)
    first = case.routing["suggestions"][0]
    assert (first["department_id"], first["rule"]) == (town.departments["traffic"], "以往派单")
    assert SAID[2][0] in first["words"]
    signs = ((town.departments["traffic"], 0.64), (town.departments["housing"], 0.9))
    matter = offices.Matter(text, "城乡建设", 0.9, "", str(case.account_id), signs)
    assert abs(first["p"] - dict(offices.load(row.data).ranked(matter))[town.departments["traffic"]]) < 0.2


async def test_the_preview_asks_the_whole_guide(town: Town, house: House) -> None:
    """What the preview says of last month is what a new message then gets: rule, learnt router, or a person."""
    await live(town, 90)
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Tagging).values(topic="城乡建设", topic_p=0.9))
    desk = town["desk"]
    draft = rules.Draft(
        name="一号", keywords=SAID[1][0], department_id=town.departments["traffic"], may_dispatch=True
    )  # fmt: skip
    async with reading(town.ctx) as unit:
        before = await preview(unit, desk, draft.as_rule(), [])
    assert {way.basis for way in before.ways} <= {"rule", "signs", ""}
    assert await learn_routing(house) == 90
    async with reading(town.ctx) as unit:
        after = await preview(unit, desk, draft.as_rule(), [])
    assert after.has_learnt
    ways = {(way.basis, way.alone): (way.before, way.after) for way in after.ways}
    now_learnt = sum(n for (name, _alone), (n, _then) in ways.items() if name == "learnt")
    then_learnt = sum(then for (name, _alone), (_n, then) in ways.items() if name == "learnt")
    assert ways["rule", True] == (0, after.fits)
    assert after.fits > 0
    assert now_learnt - then_learnt == after.fits, "what the rule takes was the learnt router's"
    assert sum(n for n, _then in ways.values()) == sum(then for _n, then in ways.values()) == after.seen == 90


async def test_urgent_and_sensitive_messages_go_to_a_person_in_the_preview(town: Town) -> None:
    for given in ({}, {"is_sensitive": True}, {"urgency": "danger"}, {"urgency": "outage"}):
        case = await town.case("路灯不亮", by=analysis(topic="", p=0.0))
        async with unit_of_work(town.ctx) as unit:
            unit.add(Tagging(message_id=case.first_message_id or 0, version="t"))
            await unit.run(
                update(Message).where(col(Message.id) == case.first_message_id).values(**given or {"likes": 0})
            )
    draft = rules.Draft(name="灯", keywords="路灯", department_id=town.departments["traffic"], may_dispatch=True)
    async with reading(town.ctx) as unit:
        found = await preview(unit, town["desk"], draft.as_rule(), [])
    assert {(way.alone): way.after for way in found.ways if way.basis == "rule"} == {True: 2, False: 2}


async def test_it_learns_once_a_night_and_not_before_two(town: Town, house: House) -> None:
    await live(town, 60)
    with clock.frozen(clock.at_local(MONDAY_DAY + timedelta(days=1), 1)):
        assert await learn_routing(house) == 0
    with clock.frozen(clock.at_local(MONDAY_DAY + timedelta(days=1), 2, 5)):
        assert await learn_routing(house) == 60
        assert await learn_routing(house) == 0
    with clock.frozen(clock.at_local(MONDAY_DAY + timedelta(days=2), 2, 5)):
        assert await learn_routing(house) == 60
    assert [row.is_current for row in await all_rows(house, Router)] == [False, True]


async def test_a_router_of_another_version_is_learnt_anew_the_same_night(town: Town, house: House) -> None:
    await live(town, 60)
    with clock.frozen(clock.at_local(MONDAY_DAY + timedelta(days=1), 2, 5)):
        assert await learn_routing(house) == 60
        async with unit_of_work(town.ctx) as unit:
            (row,) = await unit.all(select(Router))
            row.scores = row.scores | {"format": offices.FORMAT - 1}
        async with reading(town.ctx) as unit:
            assert await learning.current(unit) is None
        assert await learn_routing(house) == 60
        async with reading(town.ctx) as unit:
            assert await learning.current(unit) is not None


async def test_too_few_cases_teach_nothing_and_say_so(town: Town, house: House) -> None:
    await live(town, 6)
    assert await learn_routing(house) == 0
    (row,) = await all_rows(house, Router)
    assert (row.is_current, row.scores) == (False, {"why": "few", "matters": 6, "format": offices.FORMAT})
    assert await learn_routing(house) == 0


async def test_what_is_worse_than_signs_does_not_go_live(town: Town, house: House, monkeypatch: Any) -> None:
    given, labels = dispatches(90, noise=0.5)

    async def examples(_house: House) -> tuple[list[offices.Matter], list[int], float]:
        return given, labels, 0.99

    monkeypatch.setattr(learning, "_examples", examples)
    await learn_routing(house)
    (row,) = await all_rows(house, Router)
    assert (row.is_current, row.scores["why"], row.scores["signs"], row.data) == (False, "worse", 0.99, b"")


async def test_signs_are_measured_on_the_same_cases(town: Town, house: House) -> None:
    await live(town, 60)
    await learn_routing(house)
    (row,) = await all_rows(house, Router)
    # Of the town's departments only traffic has duties that stand in these texts.
    assert 0 < row.scores["signs"] < row.scores["right"]


async def test_a_person_may_ask_for_a_lesson_and_go_without_it(town: Town, house: House) -> None:
    desk = town["desk"]
    await live(town, 60)
    await learn_routing(house)
    async with unit_of_work(town.ctx) as unit:
        await learning.ask(unit, desk)
    assert await learn_routing(house) == 60
    async with unit_of_work(town.ctx) as unit:
        await learning.put_back(unit, desk)
    async with reading(town.ctx) as unit:
        assert await learning.current(unit) is None
    case = await town.case("公交 班次", by=analysis(topic="", p=0.0, tokens="公交 班次"))
    assert "以往派单" not in {one["rule"] for one in case.routing["suggestions"]}
    deeds = [entry.what for entry in await all_rows(house, AuditEntry)][-2:]
    assert deeds == ["routing.learn", "routing.put_back"]
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(NotAllowed):
            await learning.ask(unit, town["clerk"])
        unit.add(Router(made_at=clock.now()))
        await unit.flush()
        with pytest.raises(Refused):
            await learning.ask(unit, desk)


async def test_a_router_that_cannot_be_read_is_as_good_as_none(town: Town, house: House) -> None:
    async with unit_of_work(town.ctx) as unit:
        unit.add(Router(is_current=True, data=b"not a router", scores={"why": ""}))
    case = await town.case("楼道漏水")
    assert case.routing["suggestions"][0]["rule"] == "分类归口"


# --- the weekly table -------------------------------------------------------------------------------------------------


async def dispatched(town: Town, to: str, **given: Any) -> Case:
    """A case at the desk whose router had suggested housing, sent by a person."""
    case = await town.case("楼道漏水", by=analysis(p=0.4), **given)
    async with unit_of_work(town.ctx) as unit:
        return await service.dispatch_now(
            unit, case.id or 0, town["desk"], version=case.version, department_id=town.departments[to]
        )


async def test_each_case_counts_once_by_what_was_suggested_and_where_it_ended(any_town: Town) -> None:
    town = any_town
    await town.case("楼道漏水")  # sure: the hub dispatches it by itself
    await dispatched(town, "housing")
    below = await dispatched(town, "housing")
    wrong = await dispatched(town, "traffic")
    moved = await dispatched(town, "housing")
    async with unit_of_work(town.ctx) as unit:
        await service.make_move(unit, below.id or 0, Move.sign, town["clerk"], version=below.version)
        case = await unit.get(Case, below.id)
        assert case is not None
        await service.make_move(
            unit, case.id or 0, Move.forward, town["head"], version=case.version, note="由维修科办",
            department_id=town.departments["repairs"],
        )  # fmt: skip
        back = await service.make_move(
            unit, moved.id or 0, Move.hand_back, town["head"], version=moved.version, note="属交通"
        )
        await service.dispatch_now(
            unit, moved.id or 0, town["desk"], version=back.version, department_id=town.departments["traffic"]
        )
    async with reading(town.ctx) as unit:
        table = await record.week(unit, town["desk"], MONDAY_DAY)
        blind = await record.week(unit, town["admin"], MONDAY_DAY)
        other = await record.week(unit, town["desk"], MONDAY_DAY - timedelta(days=7))
        weeks = await record.weeks(unit, town["desk"], 2)
        with pytest.raises(NotAllowed):
            await record.week(unit, town["leader"], MONDAY_DAY)
    (line,) = table.lines
    assert (line.basis, line.cases, line.alone, line.taken, line.changed, line.moved) == ("signs", 5, 1, 3, 1, 1)
    assert (line.waiting, line.right, line.share) == (2, 1, 1 / 3)  # fmt: skip
    (confusion,) = table.confusions
    assert (confusion.suggested, confusion.final, confusion.cases) == ("housing", "traffic", 2)
    assert confusion.examples == [(wrong.id, wrong.number), (moved.id, moved.number)]
    assert [one.examples for one in blind.confusions] == [[]], "administrators see counts, no cases"
    assert (blind.cases, other.cases) == (5, 0)
    assert weeks == [(MONDAY_DAY - timedelta(days=7), 0, 0), (MONDAY_DAY, 3, 1)]
    assert record.totals(table.lines)["right"] == 1


async def test_a_dispatch_without_a_suggestion_is_counted_apart(town: Town) -> None:
    case = await town.case("你好", by=analysis(topic="", p=0.0))
    async with unit_of_work(town.ctx) as unit:
        await service.dispatch_now(
            unit, case.id or 0, town["desk"], version=case.version, department_id=town.departments["traffic"]
        )
    async with reading(town.ctx) as unit:
        table = await record.week(unit, town["desk"], record.this_week())
    assert (table.cases, table.unadvised, table.right) == (1, 1, 0)
