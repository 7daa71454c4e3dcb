"""Monitoring plans in a browser without scripts: written, refused in words, previewed, exported; alarms answered."""

from __future__ import annotations

import io
from datetime import timedelta

import httpx
from openpyxl import load_workbook
from sqlmodel import select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import AuditEntry, PlanAlert, PlanMode, PlanRun, WatchPlan
from tests.web.casework import open_case, send, words
from tests.web.conftest import Visit
from tests.web.world import World

SIMPLE = {"name": "路灯", "mode": "simple", "subject": "路灯、街灯", "event": "不亮\n坏", "stop": "广告"}


async def newest(ctx: Context) -> WatchPlan:
    async with reading(ctx) as unit:
        found = (await unit.all(select(WatchPlan)))[-1]
        assert found is not None
        return found


async def test_a_plan_is_written_and_says_what_it_means(visit: Visit, ctx: Context) -> None:
    async with visit("dispatcher") as client:
        made = await send(client, "/plans/new", "/plans", SIMPLE | {"alert_count": "3", "alert_minutes": "30"})
        shown = words((await client.get(made.headers["location"])).text)
        listed = words((await client.get("/plans")).text)
    plan = await newest(ctx)
    assert plan.classes == {"subject": ["路灯", "街灯"], "event": ["不亮", "坏"], "stop": ["广告"]}
    assert (plan.alert_count, plan.alert_minutes, plan.owner_name) == (3, 30, "dispatcher-own")
    assert "出现「路灯」、「街灯」中的任意一个，并且出现「不亮」、「坏」中的任意一个，并且不出现「广告」" in shown
    assert "30 分钟内满 3 条预警" in shown
    assert "30 分钟 3 条预警" in listed


async def test_a_rule_that_cannot_be_read_comes_back_with_the_column_and_the_text(visit: Visit, ctx: Context) -> None:
    before = await newest(ctx)
    typed = {"name": "上海", "mode": "expert", "expression": "上海+(世博会、园博会)"}
    async with visit("press_officer") as client:
        refused = await send(client, "/plans/new?mode=expert", "/plans", typed)
        live = await client.post("/plans/preview", data=typed, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "第 8 列：不能用「、」隔开" in words(refused.text)
    assert "上海+(世博会、园博会)</textarea>" in refused.text
    assert "上海+(世博会<mark>、</mark>园博会)" in live.text
    assert "第 8 列" in words(live.text)
    assert (await newest(ctx)).id == before.id


async def test_the_preview_shows_hits_with_their_words_marked_and_numbers_hidden(
    visit: Visit, ctx: Context, world: World
) -> None:
    await open_case(ctx, world, "街灯坏了，电话13812345678")
    async with visit("dispatcher") as client:
        live = await client.post("/plans/preview", data=SIMPLE)
        whole = await send(client, "/plans/new", "/plans", SIMPLE | {"do": "preview"})
        none = await client.post("/plans/preview", data={"mode": "expert", "expression": "恐龙|街灯+!灯"})
        empty = await client.post("/plans/preview", data={"mode": "simple"})
    for page in (live, whole):
        assert "<mark>街灯</mark><mark>坏</mark>了，电话138****5678" in page.text
        assert "会命中 3 条" in words(page.text)
    assert "13812345678" not in live.text
    assert "没有会命中的留言" in words(none.text)
    assert "各词出现在几条里：街灯 1 恐龙 0" in words(none.text).replace("： ", "：")
    assert "「街灯」里就有要排除的「灯」" in words(none.text)
    assert "请至少填写一类词" in words(empty.text)


async def test_the_simple_form_turns_into_the_expert_form(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        page = await send(client, "/plans/new", "/plans", SIMPLE | {"do": "expert"})
    assert "(路灯|街灯)+(不亮|坏)</textarea>" in page.text
    assert "广告</textarea>" in page.text
    assert 'name="mode" value="expert"' in page.text


async def test_a_plan_changed_meanwhile_is_not_written_over(visit: Visit, ctx: Context, world: World) -> None:
    plan_id = world.places["own"]["plan_id"]
    async with visit("dispatcher") as mine, visit("press_officer") as theirs:
        form = {"name": "路灯-own", "mode": "simple", "subject": "井盖", "version": "1"}
        await send(theirs, f"/plans/{plan_id}/edit", f"/plans/{plan_id}", form)
        late = await mine.post(f"/plans/{plan_id}", data=form | {"subject": "电梯"})
    assert late.status_code == 409
    assert "刚被他人修改" in words(late.text)
    assert "电梯</textarea>" in late.text
    async with reading(ctx) as unit:
        plan = await unit.get(WatchPlan, plan_id)
        assert plan is not None
        assert plan.classes == {"subject": ["井盖"]}


async def test_hits_are_listed_by_day_and_drawn(visit: Visit, world: World) -> None:
    plan_id = world.places["own"]["plan_id"]
    today, tomorrow = clock.today(), clock.today() + timedelta(days=1)
    async with visit("auditor") as client:
        page = (await client.get(f"/plans/{plan_id}")).text
        day = words((await client.get(f"/plans/{plan_id}?day={today.isoformat()}&part=rows")).text)
        other = words((await client.get(f"/plans/{plan_id}?day={tomorrow.isoformat()}")).text)
        odd = await client.get(f"/plans/{plan_id}?day=9999-12-31&after=x")
        ends = [await client.get(f"/plans/{plan_id}?day={end}") for end in ("0001-01-01", "9999-12-31", "today")]
        chart = (await client.get(f"/plans/{plan_id}/chart")).json()
    assert "<mark>路灯</mark><mark>不亮</mark>三天了" in page
    assert "开始回溯" not in page, "auditors read"
    assert "路灯" in day
    assert "这一天没有命中" in other
    assert odd.status_code in {200, 422}
    assert [one.status_code for one in ends] == [200, 200, 200]
    assert (len(chart["labels"]), chart["series"][0]["data"][-1]) == (30, 1)
    assert chart["links"][-1] == f"/plans/{plan_id}?day={today.isoformat()}#hits"


async def test_leaders_see_of_a_plan_only_messages_of_their_own_house(visit: Visit, world: World) -> None:
    plan_id = world.places["own"]["plan_id"]
    async with visit("leader") as own, visit("leader", side="other") as other:
        mine, theirs = [await client.get(f"/plans/{plan_id}") for client in (own, other)]
        listed = [
            (await client.get(f"/plans/{plan_id}/hits.csv")).text.count("路灯不亮三天了") for client in (own, other)
        ]
        charts = [(await client.get(f"/plans/{plan_id}/chart")).json()["series"] for client in (own, other)]
    assert "<mark>路灯</mark>" in mine.text
    assert "<mark>" not in theirs.text
    assert "还没有命中" in words(theirs.text)
    assert listed == [1, 0]
    assert [bool(series) for series in charts] == [True, False]


async def test_hits_leave_as_a_file_that_spreadsheets_open_safely(visit: Visit, ctx: Context, world: World) -> None:
    plan_id = world.places["own"]["plan_id"]
    async with visit("dispatcher") as client:
        table = await client.get(f"/plans/{plan_id}/hits.csv")
        book = await client.get(f"/plans/{plan_id}/hits.xlsx")
        none = await client.get(f"/plans/{plan_id}/hits.exe")
    assert table.content.startswith(b"\xef\xbb\xbf")
    assert "路灯、不亮" in table.text
    assert "attachment" in table.headers["content-disposition"]
    sheet = load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0][0] == "时间"
    assert rows[1][5] == "路灯不亮三天了"
    assert rows[1][12] == world.places["own"]["number"]
    assert none.status_code == 404
    async with reading(ctx) as unit:
        deeds = [entry.what for entry in await unit.all(select(AuditEntry))]
    assert deeds.count("plan.export") == 2


async def test_an_alarm_is_shown_until_somebody_answers_it(visit: Visit, ctx: Context, world: World) -> None:
    plan_id = world.places["own"]["plan_id"]
    async with unit_of_work(ctx) as unit:
        unit.add(PlanAlert(plan_id=int(str(plan_id)), hits=12, minutes=30))
    async with visit("dispatcher") as client, visit("leader") as leader:
        listed = words((await client.get("/plans")).text)
        read = words((await leader.get(f"/plans/{plan_id}")).text)
        answered = await send(client, f"/plans/{plan_id}", f"/plans/{plan_id}/seen", {})
        after = words((await client.get("/plans")).text)
    assert "「路灯-own」预警 30 分钟内命中 12 条" in listed
    assert "30 分钟内命中 12 条" in read
    assert "知道了" not in read
    assert answered.status_code == 303
    assert "预警 30 分钟" not in after
    async with reading(ctx) as unit:
        (alert,) = await unit.all(select(PlanAlert))
    assert (alert.seen_by_name, alert.seen_at is not None) == ("dispatcher-own", True)


async def test_a_look_back_is_asked_for_and_followed(visit: Visit, ctx: Context, world: World) -> None:
    plan_id = world.places["own"]["plan_id"]
    async with visit("dispatcher") as client:
        started = await send(client, f"/plans/{plan_id}", f"/plans/{plan_id}/run", {"days": "90"})
        page = words((await client.get(f"/plans/{plan_id}?part=run")).text)
        twice = await send(client, f"/plans/{plan_id}", f"/plans/{plan_id}/run", {"days": "90"})
        odd = await send(client, f"/plans/{plan_id}", f"/plans/{plan_id}/run", {"days": "many"})
    assert started.status_code == 303
    assert "正在比对近 90 天的留言" in page
    assert (twice.status_code, odd.status_code) == (409, 422)
    assert "正在回溯" in words(twice.text)
    async with reading(ctx) as unit:
        (run,) = await unit.all(select(PlanRun))
    assert (run.days, run.by_name) == (90, "dispatcher-own")


async def test_no_plans_teach_the_first_step(visit: Visit, ctx: Context) -> None:
    async with unit_of_work(ctx) as unit:
        for plan in await unit.all(select(WatchPlan)):
            await unit.session.delete(plan)
    async with visit("dispatcher") as client, visit("leader") as leader:
        mine, theirs = words((await client.get("/plans")).text), words((await leader.get("/plans")).text)
    assert "新建第一个方案" in mine
    assert "值班室或宣传部门建立方案之后" in theirs


async def test_hostile_words_stay_words(visit: Visit, ctx: Context) -> None:
    evil = "<script>alert(1)</script>\"'=1+1"
    async with visit("dispatcher") as client:
        live: httpx.Response = await client.post("/plans/preview", data={"mode": "simple", "subject": evil})
        made = await send(client, "/plans/new", "/plans", {"name": evil, "mode": "simple", "subject": evil})
        shown = (await client.get(made.headers["location"])).text if made.status_code == 303 else made.text
        long = await client.post("/plans/preview", data={"mode": "expert", "expression": "(" * 100_000})
    for page in (live.text, shown):
        assert "<script>alert(1)" not in page
    assert long.status_code == 200
    assert (await newest(ctx)).mode is PlanMode.simple
