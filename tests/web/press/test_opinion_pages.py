"""The leaders' page: directions in words, the right eyes, real data for every chart, an honest empty page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import select

from hub import clock
from hub.i18n import speaking
from hub.models import Arrival, Case, Department, Message, MessageKind, Role
from tests.web.press.conftest import Browse
from tests.workflows.delivery import office as offices
from tests.workflows.delivery.office import Office
from web import digest
from workflows.opinion import rollups
from workflows.opinion.leaders import Answers, Figure, LateAt, LeadersPage
from workflows.opinion.rollups import Delta

NOON = clock.at_local(date(2026, 11, 24), 12, 20)
DAY = timedelta(days=1)


def page(**given: object) -> LeadersPage:
    days = tuple(date(2026, 11, 24) - DAY * back for back in reversed(range(14)))
    made = LeadersPage(
        NOON, Figure(0, 0), Figure(0, 0), 0, days, (0,) * 14, {"negative": (0,) * 14}, {}, (), 0, (), Answers(0, None)
    )
    return replace(made, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (Figure(0, 0), "今天还没有收到留言，昨天这个时候也没有。"),
        (Figure(12, 5), "今天收到 12 条留言，比昨天同一时刻多 7 条。"),
        (Figure(5, 12), "今天收到 5 条留言，比昨天同一时刻少 7 条。"),
        (Figure(5, 5), "今天收到 5 条留言，与昨天同一时刻一样多。"),
        (Figure(23_456, 1), "今天收到 2.3万条留言，比昨天同一时刻多 2.3万条。"),
    ],
)
def test_today_has_a_direction(figure: Figure, words: str) -> None:
    assert digest.today(figure) == words


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (Figure(3, 0), "本周到现在 3 条。"),
        (Figure(9, 3), "本周到现在 9 条，上周同期 3 条。"),
        (Figure(150, 100), "本周到现在 150 条，比上周同期的 100 条增加 50%。"),
        (Figure(75, 100), "本周到现在 75 条，比上周同期的 100 条减少 25%。"),
        (Figure(100, 100), "本周到现在 100 条，上周同期 100 条。"),
    ],
)
def test_the_week_has_a_direction_and_a_share_only_where_it_means_something(figure: Figure, words: str) -> None:
    assert digest.week(figure) == words


def test_the_lead_names_topic_mood_answers_and_lateness() -> None:
    late = (LateAt(1, "住建局", 3, NOON - timedelta(days=3), 1), LateAt(None, "", 1, NOON - timedelta(hours=5)))
    made = page(
        messages=(0,) * 7 + (10,) * 7, sentiments={"negative": (1,) * 7 + (5,) * 7},
        topics={"城乡建设": (0,) * 7 + (6,) * 7, "": (0,) * 7 + (4,) * 7}, late=4, late_at=late,
        answers=Answers(8, 30.2), sensitive_today=2,
    )  # fmt: skip
    said = digest.lead(made)
    assert "近 7 天说得最多的是城乡建设，占 60%。" in said
    assert "近 7 天负面 35 条，占 50%；再前 7 天是 7 条。" in said
    assert "今天有 2 条标为敏感。" in said
    assert "本周答复 8 件，其中一半在收到后 30 小时内答复。" in said
    assert said[-1] == "4 件工单超时未办，最多的是住建局，3 件。"
    assert digest.late(page(late=1, late_at=late[1:])) == "1 件工单超时未办，都在待派单。"
    assert [digest.overdue(made, one) for one in late] == ["1 个工作日", "5 小时"]
    assert digest.overdue(made, LateAt(1, "住建局", 1, NOON - timedelta(hours=50))) == "50 小时", "all on days off"
    assert [digest.span(hours) for hours in (0.001, 0.5, 1, 47.4, 48)] == [
        "1 分钟",
        "30 分钟",
        "1 小时",
        "47 小时",
        "2 天",
    ]
    shares = [(one.text, one.share) for one in digest.shares(made, reads_messages=True)]
    assert shares == [("负面 35 条，50%", 50.0)]


def test_nothing_at_all_has_words_too() -> None:
    assert digest.lead(page()) == [
        "今天还没有收到留言，昨天这个时候也没有。", "本周到现在 0 条。", "本周还没有发出答复。", "没有超时的工单。",
    ]  # fmt: skip
    assert digest.shares(page(), reads_messages=True) == []


def test_charts_carry_labels_series_colours_and_ways_on() -> None:
    made = page(
        messages=(1,) * 14, sentiments={"negative": (1,) * 14, "positive": (0,) * 14}, topics={"": (1,) * 14},
        late=2, late_at=(LateAt(7, "住建局", 2, NOON),),
    )  # fmt: skip
    moods = digest.sentiments(made)
    assert moods["labels"][-1] == "11月24日"
    assert [(one["name"], one["colour"]) for one in moods["series"]] == [("负面", "negative"), ("正面", "positive")]
    assert [one["name"] for one in digest.topics(made)["series"]] == ["未分类"]
    assert digest.messages(made)["series"][0]["data"] == [1] * 14
    late = digest.late_by_department(made)
    assert (late["labels"], late["links"]) == (["住建局"], ["/cases?which=all&late=1&department=7"])
    with speaking("zh_TW"):
        assert digest.sentiments(made)["series"][0]["name"] == "負面"


async def people(office: Office) -> tuple[int, int]:
    """A leader above a bureau, and a bureau elsewhere; the ids of the two bureaus."""
    async with office.work() as unit:
        mine = Department(code="mine", name="住建局", short_name="住建局", path="/9/91/")
        away = Department(code="away", name="交通局", short_name="交通局", path="/8/81/")
        above = Department(code="above", name="市政府", short_name="市政府", path="/9/")
        unit.add(mine, away, above)
        await unit.flush()
        await offices._hire(unit, office, "leader", above.id or 0, Role.leader)
    return mine.id or 0, away.id or 0


async def open_case(office: Office, number: str, department: int, title: str, due_at: datetime) -> None:
    async with office.work() as unit:
        unit.add(
            Case(
                number=number, title=title, account_id=office.accounts[0], kind=MessageKind.mention, thread_key=number,
                department_id=department, due_at=due_at, opened_at=clock.now(), message_count=3,
            )
        )  # fmt: skip


async def test_a_leader_lands_here_and_sees_their_own_part_of_the_city(office: Office, browse: Browse) -> None:
    mine, away = await people(office)
    late = clock.now() - timedelta(hours=30)
    await open_case(office, "20261124-000001", mine, "三号楼暖气不热", late)
    await open_case(office, "20261124-000002", away, "十六路不停站", late)
    async with office.work() as unit:
        hour = rollups.hour_of(clock.now())
        cell = Delta(hour, office.accounts[0], "城乡建设", "negative", "", 5, 0, 0)
        await rollups.move(unit, [cell])
    async with browse("leader") as there:
        home = await there.get("/")
        assert home.headers["location"] == "/opinion"
        text = (await there.get("/opinion")).text
        moods = (await there.get("/opinion/charts/sentiments?days=30")).json()
        late_at = (await there.get("/opinion/charts/late")).json()
        part = (await there.get("/opinion?part=digest")).text
        assert (await there.get("/opinion/charts/nonsense")).status_code == 404
    assert f'href="/cases?which=all&amp;late=1&amp;department={mine}"' in text
    assert f"department={away}" not in text
    assert "1 件工单超时未办，都在住建局。" in text
    assert "只含您分管范围内的工单。" in text
    assert "来源：" in text
    assert "<html" not in part
    assert (len(moods["labels"]), moods["series"][0]["data"][-1]) == (30, 5)
    assert late_at["labels"] == ["住建局"]
    async with browse("chief") as there:
        text = (await there.get("/opinion")).text
    assert f"department={away}" in text
    assert "2 件工单超时未办" in text


async def said(office: Office, number: int, at: datetime) -> None:
    """A citizen's message, counted as the tagging counts it."""
    async with office.work() as unit:
        arrival = Arrival(
            account_id=office.accounts[0], kind=MessageKind.mention, external_id=f"m{number}", via="pull", payload="{}"
        )
        unit.add(arrival)
        await unit.flush()
        message = Message(
            arrival_id=arrival.id or 0, account_id=office.accounts[0], kind=MessageKind.mention, text=f"第{number}条",
            external_id=f"m{number}", created_at=at, topic="城乡建设", sentiment="negative",
        )  # fmt: skip
        unit.add(message)
        await unit.flush()
        await rollups.move(unit, [rollups.delta(message)])


def listed(page: str, what: str) -> int:
    """How many rows of a list lead to one of these."""
    return len(set(re.findall(rf'id="[^"]*" href="/{what}/([^"?]+)|href="/{what}/([\d-]+)', page)))


async def test_figures_open_the_lists_behind_them_and_agree(office: Office, browse: Browse) -> None:
    mine, _away = await people(office)
    with clock.frozen(NOON):
        # Hours ago: three today, two yesterday (a Monday), one the week before.
        for number, back in enumerate((0, 1, 3, 20, 26, 24 * 8)):
            await said(office, number, NOON - timedelta(hours=back))
        for number, days in ((1, 0), (2, 1), (3, 5)):
            await open_case(office, f"20261124-00000{number}", mine, "已经答复", NOON + DAY)
            async with office.work() as unit:
                case = await unit.one(select(Case).where(Case.number == f"20261124-00000{number}"))
                case.replied_at = NOON - days * DAY
        async with browse("press") as there:
            page = (await there.get("/opinion")).text
            shown = [int(figure) for figure in re.findall(r'stat-figure">(\d+)', page)]
            today = (await there.get("/messages?when=today")).text
            week = (await there.get("/messages?when=week")).text
            answered = (await there.get("/cases?which=all&answered=week")).text
        async with browse("leader") as there:
            theirs = (await there.get("/opinion")).text
    assert shown == [3, 5, 0, 2]
    for address in ("/messages?when=today", "/messages?when=week", "/cases?which=all&amp;answered=week"):
        assert f'href="{address}"' in page
    assert "/messages?" not in theirs, "who may not read the inbox is not led there"
    assert [listed(today, "messages"), listed(week, "messages"), listed(answered, "cases")] == [3, 5, 2]


async def test_who_does_not_read_messages_is_led_to_the_cases_made_of_them(office: Office, browse: Browse) -> None:
    mine, away = await people(office)
    with clock.frozen(NOON):
        for number, (where, back) in enumerate([(mine, 0), (mine, 3), (mine, 6), (mine, 8), (away, 0)]):
            await said(office, number, NOON - timedelta(days=back))
            await open_case(office, f"20261124-00000{number}", where, "噪声扰民", NOON + DAY)
            async with office.work() as unit:
                case = await unit.one(select(Case).where(Case.number == f"20261124-00000{number}"))
                case.last_message_at, case.sentiment = NOON - timedelta(days=back), "negative"
        async with browse("leader") as there:
            page = (await there.get("/opinion")).text
            today, week = "/cases?which=all&when=today", "/cases?which=all&when=week"
            seven = "/cases?which=all&when=seven&sentiment=negative"
            behind = [listed((await there.get(address)).text, "cases") for address in (today, week, seven)]
    for address in (today, week, seven):
        assert f'href="{address.replace("&", "&amp;")}"' in page
    assert "点开的是由这些留言立的、您可见的工单" in page
    assert behind == [1, 1, 3], "of the own side only, and of that time"


async def test_an_empty_city_teaches_what_will_stand_here(office: Office, browse: Browse) -> None:
    await people(office)
    async with browse("leader") as there:
        text = (await there.get("/opinion")).text
        chart = (await there.get("/opinion/charts/topics")).json()
    assert "还没有收到留言" in text
    assert "data-chart-src" not in text
    assert (chart["series"], chart["empty"]) == ([], "这段时间没有留言")
