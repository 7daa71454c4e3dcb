"""The leaders' page: right figures, the right eyes, and the same cost at any size."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from hub import clock
from hub.db import Unit, reading, unit_of_work
from hub.errors import NotAllowed
from hub.i18n import speaking
from hub.models import (
    Arrival,
    Case,
    CaseState,
    Department,
    Matter,
    MatterMessage,
    MatterState,
    Message,
    MessageKind,
    Role,
)
from hub.rights import Actor, rights_of, system
from tests.workflows.intake import town
from workflows.house import House
from workflows.opinion import charts, leaders, rollups
from workflows.opinion.leaders import Figure, LeadersPage
from workflows.opinion.rollups import Delta

# Monday, 23 November 2026, 15:30 in the office.
NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
EVERYTHING = system()


async def _page(house: House, actor: Actor = EVERYTHING, **given: Any) -> LeadersPage:
    async with reading(house.ctx) as unit:
        return await leaders.page(unit, actor, given.pop("now", NOW), **given)


def _cell(at: datetime, messages: int = 1, topic: str = "城乡建设", sentiment: str = "negative", **given: Any) -> Delta:
    account, place, sensitive = given.get("account", 1), given.get("place", ""), given.get("sensitive", 0)
    return Delta(rollups.hour_of(at), account, topic, sentiment, place, messages, 0, sensitive)


async def _move(house: House, *deltas: Delta) -> None:
    async with unit_of_work(house.ctx) as unit:
        await rollups.move(unit, deltas)


async def _departments(house: House) -> list[int]:
    """A bureau, an office below it, and another bureau."""
    async with unit_of_work(house.ctx) as unit:
        rows = [
            Department(code="a", name="住建局", short_name="住建局", path="/1/"),
            Department(code="b", name="物业科", short_name="物业科", path="/1/2/"),
            Department(code="c", name="交通局", short_name="交通局", path="/3/"),
        ]
        unit.add(*rows)
        await unit.flush()
        return [row.id or 0 for row in rows]


async def _case(house: House, number: int, department: int | None, **given: Any) -> None:
    account = 1 if await town.count(house, Case) else (await town.account(house)).id or 0
    async with unit_of_work(house.ctx) as unit:
        unit.add(
            Case(
                number=f"C{number}", title=f"第 {number} 件", account_id=account, kind=MessageKind.letter,
                thread_key=str(number), department_id=department, **given,
            )
        )  # fmt: skip


# --- figures ----------------------------------------------------------------------------------------------------------


async def test_an_empty_office_has_an_empty_page(any_house: House) -> None:
    page = await _page(any_house)
    assert page.is_empty
    assert (page.today, page.week, page.late, page.hottest, page.topics) == (Figure(0, 0), Figure(0, 0), 0, (), {})
    assert page.messages == (0,) * 14
    assert set(page.sentiments) == {"negative", "neutral", "positive"}
    assert page.answers == leaders.Answers(0, None)
    assert page.today.change is None


async def test_today_and_this_week_against_the_same_hours_before(any_house: House) -> None:
    """Tuesday noon: yesterday evening is not yet to be compared, last Tuesday evening neither."""
    noon = clock.at_local(date(2026, 11, 24), 12, 20)
    today, day = clock.at_local(date(2026, 11, 24)), timedelta(days=1)
    await _move(
        any_house,
        _cell(today, 5), _cell(today + timedelta(hours=12), 2, sensitive=1), _cell(today - timedelta(minutes=1), 100),
        _cell(today - day, 3), _cell(today - day + timedelta(hours=12), 1),
        _cell(today - day + timedelta(hours=13), 50),
        _cell(today - 7 * day, 4), _cell(today - 7 * day + timedelta(hours=13), 1000), _cell(today - 8 * day, 6),
    )  # fmt: skip
    page = await _page(any_house, now=noon)
    assert page.today == Figure(7, 4)
    assert page.today.change == 0.75
    assert page.week == Figure(7 + 100 + 3 + 1 + 50, 4 + 6)
    assert page.sensitive_today == 1
    assert page.messages[-2:] == (100 + 3 + 1 + 50, 7)
    assert page.days[-1] == date(2026, 11, 24)


@pytest.mark.parametrize("days", [14, 30])
async def test_series_equal_a_recount(any_house: House, days: int) -> None:
    rnd = random.Random(days)
    cells = [
        _cell(
            NOW - timedelta(hours=rnd.randrange(24 * 40)), rnd.randrange(9), rnd.choice(["城乡建设", "交通运输", ""]),
            rnd.choice(["negative", "neutral", "positive"]), place=rnd.choice(["", "甲"]), account=rnd.randrange(2),
        )
        for _ in range(400)
    ]  # fmt: skip
    await _move(any_house, *cells)
    page = await _page(any_house, days=days)
    span = [date(2026, 11, 23) - timedelta(days=back) for back in reversed(range(days))]
    assert list(page.days) == span
    by_day: Counter[Any] = Counter()
    for cell in cells:
        day = clock.local(cell.hour).date()
        by_day.update({day: cell.messages, (day, cell.topic): cell.messages, (day, cell.sentiment): cell.messages})
    assert page.messages == tuple(by_day[day] for day in span)
    for series in (page.topics, page.sentiments):
        assert len(series) == 3
        for name, values in series.items():
            assert values == tuple(by_day[day, name] for day in span)
    totals = [sum(values) for values in page.topics.values()]
    assert totals == sorted(totals, reverse=True)


async def test_charts_are_plain_lists_in_the_readers_language(house: House) -> None:
    [first, *_] = await _departments(house)
    await _move(house, _cell(NOW, 3), _cell(NOW, 1, topic="", sentiment="positive"))
    await _case(house, 1, first, due_at=NOW - timedelta(hours=1))
    await _case(house, 2, None, due_at=NOW - timedelta(hours=1))
    page = await _page(house)
    topics = charts.topics(page)
    assert topics["days"][-1] == "2026-11-23"
    assert [(one["key"], one["name"], one["values"][-1]) for one in topics["series"]] == [
        ("城乡建设", "城乡建设", 3),
        ("", "未分类", 1),
    ]
    assert [one["name"] for one in charts.sentiments(page)["series"]] == ["负面", "中性", "正面"]
    assert charts.messages(page)["series"][0]["values"] == [0] * 13 + [4]
    assert {one["name"] for one in charts.late(page)["departments"]} == {"住建局", "未派单"}
    assert charts.late(page)["values"] == [1, 1]
    with speaking("zh_TW"):
        assert charts.sentiments(page)["series"][0]["name"] == "負面"


# --- cases ------------------------------------------------------------------------------------------------------------


async def test_hot_late_and_answered(any_house: House) -> None:
    first, below, other = await _departments(any_house)
    hour = timedelta(hours=1)
    for n in range(7):
        await _case(any_house, n, first, heat=float(n), due_at=NOW + n * hour)
    await _case(any_house, 10, below, due_at=NOW - 5 * hour)
    await _case(any_house, 11, other, due_at=NOW - 2 * hour)
    await _case(any_house, 12, other, due_at=NOW - 9 * hour, heat=50.0)
    closed: dict[str, Any] = {"is_open": False, "state": CaseState.closed, "heat": 99.0, "due_at": NOW - hour}
    for n, span in enumerate((3, 4, 50)):
        await _case(any_house, 20 + n, first, opened_at=NOW - (span + 1) * hour, replied_at=NOW - hour, **closed)
    await _case(any_house, 30, first, opened_at=NOW - 900 * hour, replied_at=NOW - 300 * hour, **closed)
    page = await _page(any_house)
    assert page.late == 3
    assert [(one.department, one.cases) for one in page.late_at] == [("交通局", 2), ("物业科", 1)]
    assert page.late_at[0].oldest == NOW - 9 * hour
    assert page.answers == leaders.Answers(3, 4.0)


async def test_cases_are_those_the_leader_may_see(any_house: House) -> None:
    first, below, other = await _departments(any_house)
    for n, department in enumerate((first, below, other, None)):
        await _case(any_house, n, department, due_at=NOW - timedelta(hours=1))
    head = frozenset({Role.leader})
    actor = Actor(1, "局长", first, "/1/", head, rights_of(head))
    page = await _page(any_house, actor)
    assert {one.department_id for one in page.late_at} == {first, below}
    clerk = frozenset({Role.handler})
    with pytest.raises(NotAllowed):
        await _page(any_house, Actor(2, "科员", first, "/1/", clerk, rights_of(clerk)))


async def test_the_five_hottest_matters_with_what_is_said(any_house: House) -> None:
    first, _below, other = await _departments(any_house)
    await _case(any_house, 1, first)
    await _case(any_house, 2, other)
    hour = timedelta(hours=1)
    async with unit_of_work(any_house.ctx) as unit:
        cases = {case.number: case.id for case in await unit.all(select(Case))}
        for n in range(7):
            await _matter(unit, n, heat=float(n), case_id=cases["C1" if n % 2 else "C2"], at=NOW - n * hour)
        unit.add(Matter(name="忽略了的", messages=9, heat=99.0, state=MatterState.dismissed, first_at=NOW, last_at=NOW))
        unit.add(Matter(name="两条而已", messages=2, heat=99.0, first_at=NOW, last_at=NOW))
    page = await _page(any_house)
    assert [hot.row.name for hot in page.hottest] == ["第6件", "第5件", "第4件", "第3件", "第2件"]
    assert [point.text for point in page.hottest[0].points] == ["第6件没人管"]
    assert page.hottest[0].row.today == 3
    actor = Actor(1, "局长", first, "/1/", frozenset({Role.leader}), rights_of({Role.leader}))
    mine = await _page(any_house, actor)
    assert [hot.row.name for hot in mine.hottest] == ["第5件", "第3件", "第1件"], "those with a message of the own tree"


async def _matter(unit: Unit, n: int, *, heat: float, case_id: int | None, at: datetime) -> None:
    """A matter of three messages, one of them in the case."""
    key: dict[str, Any] = {"account_id": 1, "kind": MessageKind.letter, "external_id": f"m{n}"}
    arrival = Arrival(via="test", payload="{}", **key)
    unit.add(arrival)
    await unit.flush()
    message = Message(arrival_id=arrival.id or 0, text=f"第{n}件没人管", created_at=at, case_id=case_id, **key)
    unit.add(message)
    await unit.flush()
    matter = Matter(
        name=f"第{n}件", messages=3, people=3, heat=heat, first_at=at, last_at=at,
        figures={"hours": {at.strftime("%Y-%m-%dT%H"): 3}},
        summary=[{"message_id": message.id, "text": message.text, "kind": "main"}],
    )  # fmt: skip
    unit.add(matter)
    await unit.flush()
    unit.add(MatterMessage(message_id=message.id or 0, matter_id=matter.id, at=at, placed_at=at))


# --- cost -------------------------------------------------------------------------------------------------------------


@contextmanager
def _statements(house: House) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    engine = house.ctx.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def _many(house: House, count: int) -> None:
    """So many tagged messages in so many cases, written by the database itself."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
    stamp = NOW.strftime("%Y-%m-%d %H:%M:%S.000000")
    async with house.ctx.engine.begin() as connection:
        for statement in (
            numbers + "INSERT INTO arrival (id, account_id, kind, external_id, via, payload, received_at, state, error)"
            f" SELECT i, 1, 'letter', i, 'test', '', '{stamp}', 'parsed', '' FROM n",
            numbers + 'INSERT INTO "case" (id, number, state, version, is_open, title, account_id, kind, thread_key,'
            " author_id, author_name, topic, place, sentiment, is_sensitive, urgency, department_id, routing,"
            " message_count, likes, heat, returns, redos, opened_at, last_message_at, due_at, paused_seconds,"
            " calendar_version, void_reason) SELECT i, i, 'new', 1, 1, '', 1, 'letter', i, '', '', '', '', '', 0,"
            f" 'general', 1 + i % 3, '{{}}', 1, 0, i % 997, 0, 0, '{stamp}', '{stamp}',"
            f" datetime('{stamp}', (i % 200 - 100) || ' hours'), 0, '', '' FROM n",
            numbers + "INSERT INTO message (account_id, arrival_id, kind, external_id, thread_id, parent_id, author_id,"
            " author_name, title, text, url, media, extra, likes, is_own, created_at, received_at, case_id, needs_case,"
            " tagged_at, topic, sentiment, is_sensitive, request, urgency, place, personal) SELECT 1, i, 'letter', i,"
            f" '', '', '', '', '', '路灯坏了', '', '[]', '{{}}', 0, 0, '{stamp}', '{stamp}', i, 0, '{stamp}', '', '',"
            " 0, '', '', '', '[]' FROM n",
            "ANALYZE",
        ):
            await connection.execute(text(statement))


async def test_the_same_few_statements_at_100_and_at_100000_messages(house: House) -> None:
    await town.account(house)
    await _departments(house)
    rnd = random.Random(1)
    counted = []
    for count in (100, 100_000):
        async with house.ctx.engine.begin() as connection:
            await connection.execute(text("DELETE FROM message"))
            await connection.execute(text('DELETE FROM "case"'))
            await connection.execute(text("DELETE FROM arrival"))
        await _many(house, count)
        await _move(house, *[_cell(NOW - timedelta(hours=rnd.randrange(700)), 1) for _ in range(500)])
        with _statements(house) as seen:
            await _page(house)
        counted.append(len(seen))
        assert not [one for one in seen if "FROM message" in one], "messages are never counted"
    assert counted[0] == counted[1] <= 10


async def test_cases_and_matters_are_found_by_their_indexes(house: House) -> None:
    await town.account(house)
    await _departments(house)
    await _many(house, 3000)
    with _statements(house) as seen:
        await _page(house)
    plans = {}
    async with house.ctx.engine.connect() as connection:
        for statement in [one for one in seen if 'FROM "case"' in one or "FROM matter" in one]:
            values = tuple("2026-11-23" for _ in range(statement.count("?")))
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans[statement] = " ".join(str(row[-1]) for row in rows)
    used = " | ".join(plans.values())
    for index in ("ix_matter_heat", "ix_case_open_department", "ix_case_replied_at"):
        assert index in used
    assert len(plans) == 3
