"""Plans at work: what comes in is matched as it is tagged, alarms once, what came before by a look back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from hub.models import AuditEntry, Change, Message, PlanAlert, PlanHit, PlanMode, PlanRun, Role, RunState, WatchPlan
from hub.rights import Actor
from tests.workflows.intake import town
from tests.workflows.watching.conftest import Say
from workflows.house import House
from workflows.watching import drafts, hits, runs, service, words
from workflows.watching.drafts import Draft
from workflows.watching.jobs import run_plans
from workflows.watching.preview import preview

LAMPS = Draft("路灯", classes={"subject": ["路灯", "街灯"], "event": ["不亮", "坏"], "stop": ["广告"]})
EXPERT = Draft("地铁", PlanMode.expert, expression="地铁+(漏水|停运)", stop="招聘")
SAID = (
    "柳溪街道路灯不亮三天了", "路灯广告坏了", "地铁漏水", "地铁招聘停运", "街燈壞了", "路灯很亮，谢谢",
    "地铁停运，路灯也坏了",
)  # fmt: skip


async def watcher(house: House) -> Actor:
    return await town.person(house, Role.dispatcher)


async def made(house: House, actor: Actor, *plans: Draft) -> list[WatchPlan]:
    async with unit_of_work(house.ctx) as unit:
        return [await service.create(unit, actor, plan) for plan in plans]


async def found(house: House, plan: WatchPlan) -> list[str]:
    """Texts a plan has hit, in the order they were written."""
    async with reading(house.ctx) as unit:
        wanted = select(Message.text).join(PlanHit, col(PlanHit.message_id) == col(Message.id))
        return list(await unit.all(wanted.where(PlanHit.plan_id == plan.id).order_by(col(Message.id))))


async def test_messages_are_matched_as_they_are_tagged(any_house: House, any_say: Say) -> None:
    lamps, metro = await made(any_house, await watcher(any_house), LAMPS, EXPERT)
    await any_say(*SAID)
    assert await found(any_house, lamps) == ["柳溪街道路灯不亮三天了", "街燈壞了", "地铁停运，路灯也坏了"]
    assert await found(any_house, metro) == ["地铁漏水", "地铁停运，路灯也坏了"]
    rows = await town.all_rows(any_house, PlanHit)
    assert rows[0].words == ["路灯", "不亮"]
    assert {change.topic for change in await town.all_rows(any_house, Change)} >= {"plans", "messages"}


async def test_a_changed_plan_holds_from_then_on_and_one_switched_off_hits_nothing(house: House, say: Say) -> None:
    actor = await watcher(house)
    (plan,) = await made(house, actor, LAMPS)
    await say("路灯坏了")
    async with unit_of_work(house.ctx) as unit:
        other = Draft("井盖", classes={"subject": ["井盖"]})
        plan = await service.change(unit, actor, plan.id or 0, other, version=plan.version)
    await say("路灯又坏了", "井盖没了")
    async with unit_of_work(house.ctx) as unit:
        await service.set_active(unit, actor, plan.id or 0, active=False)
        await service.set_active(unit, actor, plan.id or 0, active=False)
    await say("井盖还是没有")
    assert await found(house, plan) == ["路灯坏了", "井盖没了"]
    deeds = [entry.what for entry in await town.all_rows(house, AuditEntry)]
    assert deeds == ["plan.create", "plan.change", "plan.deactivate"]


async def test_what_the_office_wrote_itself_is_not_hit(house: House, say: Say) -> None:
    (plan,) = await made(house, await watcher(house), LAMPS)
    await say("路灯坏了", tag=False)
    async with unit_of_work(house.ctx) as unit:
        message = await unit.one(select(Message))
        message.is_own = True
    await say("别的事")
    assert await found(house, plan) == []


async def test_an_alarm_comes_once_for_its_time_and_waits_for_an_answer(any_house: House, any_say: Say) -> None:
    actor = await watcher(any_house)
    alarming = Draft("路灯", classes={"subject": ["路灯"]}, alert_count=3, alert_minutes=30)
    (plan,) = await made(any_house, actor, alarming)
    await any_say("路灯坏了", "路灯又坏了")
    await any_say("路灯早就坏了", ago=timedelta(hours=2))
    assert await town.all_rows(any_house, PlanAlert) == []
    await any_say("路灯还坏着")
    (alert,) = await town.all_rows(any_house, PlanAlert)
    assert (alert.hits, alert.minutes, alert.seen_at) == (3, 30, None)
    await any_say("路灯坏了一排", "路灯全坏了")
    await any_say("路灯上个月坏了", ago=timedelta(days=30))
    (alert,) = await town.all_rows(any_house, PlanAlert)
    assert (alert.hits, alert.seen_at) == (5, None), "an open alarm tells how far the burst has gone"
    async with unit_of_work(any_house.ctx) as unit:
        assert await hits.answer_alerts(unit, actor, plan) == 1
        assert await hits.answer_alerts(unit, actor, plan) == 0
    await any_say("路灯还有一盏坏了")
    assert [alert.hits for alert in await town.all_rows(any_house, PlanAlert)] == [5], "an answered one stands"
    await any_say("路灯坏在东街", "路灯坏在西街", "路灯坏在南街", "路灯坏在北街")
    assert [alert.hits for alert in await town.all_rows(any_house, PlanAlert)] == [5, 10], "twice as many: once more"
    await any_say("路灯坏在桥头")
    assert [alert.hits for alert in await town.all_rows(any_house, PlanAlert)] == [5, 11], "which grows as well"
    with clock.frozen(clock.now() + timedelta(minutes=31)):
        await any_say("路灯坏了一", "路灯坏了二", "路灯坏了三")
    assert [alert.seen_by_name for alert in await town.all_rows(any_house, PlanAlert)] == [actor.name, "", ""]


async def test_a_burst_that_is_read_late_raises_its_alarm_and_history_raises_none(
    any_house: House, any_say: Say
) -> None:
    actor = await watcher(any_house)
    alarming = Draft("路灯", classes={"subject": ["路灯"]}, alert_count=3, alert_minutes=30)
    await made(any_house, actor, alarming)
    for days in (3, 3, 3):
        await any_say("路灯很久以前坏了", ago=timedelta(days=days))
    assert await town.all_rows(any_house, PlanAlert) == []
    await any_say("路灯坏了一", "路灯坏了二", "路灯坏了三", "路灯坏了四", ago=timedelta(hours=5), tag=False)
    await any_say("路灯刚坏")
    (alert,) = await town.all_rows(any_house, PlanAlert)
    assert alert.hits == 4


async def test_a_look_back_finds_what_the_preview_promised(any_house: House, any_say: Say, monkeypatch: Any) -> None:
    monkeypatch.setattr(runs, "STEP", 3)
    actor = await watcher(any_house)
    await any_say(*SAID)
    await any_say("路灯一个月前就坏了", ago=timedelta(days=40))
    async with reading(any_house.ctx) as unit:
        promised = await preview(unit, actor, drafts.rule_of(LAMPS))
    (plan,) = await made(any_house, actor, LAMPS)
    assert await found(any_house, plan) == []
    async with unit_of_work(any_house.ctx) as unit:
        await runs.start(unit, actor, plan, 30)
    async with unit_of_work(any_house.ctx) as unit:
        with pytest.raises(Refused):
            await runs.start(unit, actor, plan, 30)
    await run_plans(any_house)
    await run_plans(any_house)
    (run,) = await town.all_rows(any_house, PlanRun)
    assert (run.state, run.seen, run.total, run.found) == (RunState.done, 7, 7, promised.hits)
    texts = await found(any_house, plan)
    assert len(texts) == promised.hits == 3
    assert {"".join(piece.text for piece in sample.text) for sample in promised.samples} == set(texts)
    assert (promised.seen, promised.is_whole) == (7, True)
    assert dict(promised.words) == {"路灯": 4, "坏": 3, "街灯": 1, "不亮": 1}
    assert sum(n for _day, n in promised.by_day) == 3


async def test_a_look_back_stops_when_its_plan_changes(house: House, say: Say, monkeypatch: Any) -> None:
    actor = await watcher(house)
    await say("路灯坏了")
    (plan,) = await made(house, actor, LAMPS)
    async with unit_of_work(house.ctx) as unit:
        await runs.start(unit, actor, plan, 7)
        await service.change(unit, actor, plan.id or 0, EXPERT, version=plan.version)
    await run_plans(house)
    (run,) = await town.all_rows(house, PlanRun)
    assert (run.state, run.found) == (RunState.stopped, 0)


async def test_only_what_a_person_may_see_is_counted_shown_and_exported(any_house: House, any_say: Say) -> None:
    actor = await watcher(any_house)
    leader = await town.person(any_house, Role.leader, username="leader")
    (plan,) = await made(any_house, actor, LAMPS)
    await any_say("路灯坏了，电话13812345678", "街灯不亮")
    async with unit_of_work(any_house.ctx) as unit:
        seen = await hits.newest(unit, actor, plan.id or 0)
        unseen = await hits.newest(unit, leader, plan.id or 0)
        since = clock.now() - timedelta(days=1)
        counted = [(await hits.counts(unit, who, since))[plan.id or 0] for who in (actor, leader)]
        days = [sum(n for _d, n in await hits.by_day(unit, who, plan.id or 0, 7)) for who in (actor, leader)]
        looked = [(await preview(unit, who, drafts.rule_of(LAMPS))).hits for who in (actor, leader)]
        exported = [len(await hits.exported(unit, who, plan)) for who in (actor, leader)]
        latest = [bool(await hits.newest_by_plan(unit, who)) for who in (actor, leader)]
    assert [len(seen.rows), len(unseen.rows)] == counted == days == looked == exported == [2, 0]
    assert latest == [True, False]
    shown = "".join(piece.text for row in seen.rows for piece in row.text)
    assert "138****5678" in shown
    assert "13812345678" not in shown
    assert [piece.text for piece in seen.rows[0].text if piece.is_word] == ["街灯", "不亮"]


async def test_pages_of_hits_follow_one_another_without_gap_or_repeat(house: House, say: Say) -> None:
    actor = await watcher(house)
    (plan,) = await made(house, actor, LAMPS)
    await say(*[f"路灯坏了第{n}次" for n in range(7)])
    got, after = [], ""
    async with reading(house.ctx) as unit:
        for _page in range(4):
            page = await hits.newest(unit, actor, plan.id or 0, after=after, limit=3)
            got += [row.message_id for row in page.rows]
            after = page.after
            if not after:
                break
        today = await hits.newest(unit, actor, plan.id or 0, day=clock.today())
        tomorrow = await hits.newest(unit, actor, plan.id or 0, day=clock.today() + timedelta(days=1))
        with pytest.raises(Invalid):
            await hits.newest(unit, actor, plan.id or 0, after="nonsense")
    assert got == sorted(got, reverse=True)
    assert len(set(got)) == 7
    assert (len(today.rows), tomorrow.rows) == (7, [])


@pytest.mark.parametrize(
    ("draft", "field", "said"),
    [
        (Draft("", classes={"subject": ["路灯"]}), "name", "起个名字"),
        (Draft("路灯", classes={"subject": ["路灯"]}), "name", "同名"),
        (Draft("x"), "subject", "至少填写一类词"),
        (Draft("x", classes={"event": ["甲" * 41]}), "event", "事件词"),
        (Draft("x", classes={"event": ["！！"]}), "event", "没有可以比对的字"),
        (Draft("x", classes={"event": [f"词{n}" for n in range(101)]}), "event", "最多 100 个词"),
        (Draft("x", classes={"event": ["停水"], "stop": ["停水"]}), "stop", "既要出现又被屏蔽"),
        (Draft("x", PlanMode.expert, expression="停水", stop="停水|广告"), "stop", "既要出现又被屏蔽"),
        (Draft("x", PlanMode.expert, expression="上海、北京"), "expression", "第 3 列：不能用「、」隔开"),
        (Draft("x", PlanMode.expert, expression="上海+\n北京、天津"), "expression", "第 2 行第 3 列"),
        (Draft("x", PlanMode.expert, expression="上海", stop="广告+"), "stop", "第 3 列"),
        (Draft("x", classes={"event": ["停水"]}, alert_count=-1), "alert_count", "0 到"),
        (Draft("x", classes={"event": ["停水"]}, alert_minutes=0), "alert_minutes", "1 到"),
    ],
)
async def test_a_plan_that_cannot_be_taken_is_refused_in_words(
    house: House, draft: Draft, field: str, said: str
) -> None:
    actor = await watcher(house)
    await made(house, actor, LAMPS)
    async with unit_of_work(house.ctx) as unit:
        with pytest.raises(Invalid) as caught:
            await service.create(unit, actor, draft)
    assert said in caught.value.problems[field]


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (Draft(classes={"subject": ["路灯", "井盖"], "stop": ["路"]}), ["「路灯」里就有要排除的「路」"]),
        (Draft(classes={"event": ["停水+停电", "C++", "停水 停电"]}), ["「停水+停电」会连同符号"]),
        (Draft(mode=PlanMode.expert, expression="公交&地铁|R&B|“水/电”"), ["「公交&地铁」会连同符号"]),
        (Draft(mode=PlanMode.expert, expression="停水+!停水"), ["「停水」里就有要排除的「停水」"]),
        (Draft(mode=PlanMode.expert, expression="垃圾", stop="垃圾分类"), []),
        (LAMPS, []), (EXPERT, []),
    ],
)  # fmt: skip
def test_what_can_be_read_and_is_hardly_meant_is_said(draft: Draft, said: list[str]) -> None:
    reading = drafts.read(draft)
    assert reading.rule is not None, "a hint refuses nothing: stored plans go on"
    assert [part in hint for part, hint in zip(said, reading.hints, strict=True)] == [True] * len(said)


async def test_words_are_counted_also_where_nothing_is_hit(house: House, say: Say) -> None:
    actor = await watcher(house)
    await say("路灯不亮", "路灯坏了", "公交停运")
    draft = Draft("x", PlanMode.expert, expression="路灯+停运+恐龙")
    async with unit_of_work(house.ctx) as unit:
        looked = await preview(unit, actor, drafts.rule_of(draft))
    assert (looked.hits, looked.samples) == (0, [])
    assert looked.words == [("路灯", 2), ("停运", 1), ("恐龙", 0)], "which word is to blame"


async def test_only_plans_in_force_count_against_the_most(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_PLANS", 1)
    actor = await watcher(house)
    (plan,) = await made(house, actor, replace(LAMPS, name=" 路\u200b灯 ", alert_count=3))
    assert plan.name == "路灯"
    assert (await town.all_rows(house, AuditEntry))[0].data["alarm"] == "3/60"
    with pytest.raises(Invalid, match="停用"):
        await made(house, actor, EXPERT)
    async with unit_of_work(house.ctx) as unit:
        await service.set_active(unit, actor, plan.id or 0, active=False)
    await made(house, actor, EXPERT)
    async with unit_of_work(house.ctx) as unit:
        with pytest.raises(Refused, match="停用"):
            await service.set_active(unit, actor, plan.id or 0, active=True)


async def test_rights_and_versions_are_asked(house: House) -> None:
    actor, leader = await watcher(house), await town.person(house, Role.leader, username="leader")
    clerk = await town.person(house, Role.handler, username="other")
    (plan,) = await made(house, actor, LAMPS)
    async with unit_of_work(house.ctx) as unit:
        assert (await service.find(unit, leader, plan.id or 0)).name == "路灯"
        for refused in (
            service.create(unit, leader, EXPERT),
            service.set_active(unit, leader, plan.id or 0, active=False),
            runs.start(unit, leader, plan, 7),
            hits.answer_alerts(unit, leader, plan),
            service.plans(unit, clerk),
        ):
            with pytest.raises(NotAllowed):
                await refused
        with pytest.raises(NotFound):
            await service.find(unit, clerk, plan.id or 0)
        with pytest.raises(Stale):
            await service.change(unit, actor, plan.id or 0, EXPERT, version=99)
        with pytest.raises(Invalid):
            await runs.start(unit, actor, plan, 0)


def test_a_plan_says_what_it_means() -> None:
    said = words.explain(drafts.rule_of(LAMPS))
    assert said == (
        "命中标题或正文出现「路灯」、「街灯」中的任意一个，并且出现「不亮」、「坏」中的任意一个，并且不出现「广告」的留言。"
    )
    mixed = Draft("x", PlanMode.expert, expression="甲|乙+(丙|!丁+戊)+!(己|庚)")
    assert words.explain(drafts.rule_of(mixed)) == (
        "命中标题或正文出现「甲」，或者〔出现「乙」，并且〔出现「丙」，或者〔不出现「丁」，并且出现「戊」〕〕，并且不出现「己」、「庚」中的任何一个〕的留言。"
    )


def test_the_simple_mode_turns_into_the_expert_mode_without_a_change_of_meaning() -> None:
    asked, stop = drafts.as_expressions(LAMPS)
    assert (asked, stop) == ("(路灯|街灯)+(不亮|坏)", "广告")
    assert drafts.rule_of(Draft("x", PlanMode.expert, expression=asked, stop=stop)) == drafts.rule_of(LAMPS)


def test_words_are_listed_as_people_list_them() -> None:
    assert drafts.split("路灯、街灯，井盖;New  York\n 路灯 水管\r\n") == ["路灯", "街灯", "井盖", "New York", "水管"]


async def test_the_list_of_plans_reads_the_index_however_many_hits_there_are(house: House) -> None:
    """SQLite's own word on it: each plan's hits are searched, never all of them walked through."""
    actor = await watcher(house)
    asked: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    engine = house.ctx.engine.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    async with reading(house.ctx) as unit:
        await hits.counts(unit, actor, clock.now() - timedelta(days=7))
        await hits.newest_by_plan(unit, actor)
    event.remove(engine, "before_cursor_execute", keep)
    async with house.ctx.engine.connect() as connection:
        for statement in [one for one in asked if "planhit" in one]:
            values = ("2026-11-23",) * statement.count("?")
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [str(row[-1]) for row in rows]
            assert any("SEARCH planhit USING" in step and "ix_planhit_newest" in step for step in steps), steps
            assert not any("SCAN planhit" in step for step in steps), steps
