"""The inbox: newest first, narrowed, searched by two signs; tags corrected with a reason; personal data on demand."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from sqlmodel import col, select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import AuditEntry, CaseState, Message, PlanHit, Reply, ReplyState, Tagging, WatchPlan
from tests.web.casework import open_case, send, words
from tests.web.conftest import Visit
from tests.web.world import World
from web.casework.words import time_words


async def test_newest_first_and_older_on_the_next_page(visit: Visit, ctx: Context, world: World) -> None:
    for n in range(33):
        case = await open_case(ctx, world, f"来信{n:02d}号")
        async with unit_of_work(ctx) as unit:
            message = await unit.get(Message, case.first_message_id)
            assert message is not None
            message.created_at = clock.now() + timedelta(minutes=n)
    async with visit("press_officer") as client:
        page = (await client.get("/messages")).text
        onward = page.split('href="/messages?after=')[1].split('"')[0]
        second = (await client.get(f"/messages?after={onward.replace('&amp;', '&')}")).text
        odd = await client.get("/messages?after=nonsense")
    assert page.index("来信32号") < page.index("来信31号") < page.index("来信03号")
    assert "来信02号" not in page
    assert "来信02号" in second
    assert odd.status_code == 422


async def test_narrowing_by_words_sentiment_and_state(visit: Visit, ctx: Context, world: World) -> None:
    await open_case(ctx, world, "小区地下车库漏水三天没人管，电话13812345678")
    await open_case(ctx, world, "感谢环卫工人扫雪", state=CaseState.replied, side="own")
    async with visit("press_officer") as client:
        found = (await client.get("/messages?q=漏水")).text
        replied = (await client.get("/messages?state=replied")).text
        none = words((await client.get("/messages?q=漏水&state=replied")).text)
        part = (await client.get("/messages?q=漏水&part=rows")).text
    assert "车库漏水" in found
    assert "扫雪" not in found
    assert "13812345678" not in found
    assert "扫雪" in replied
    assert "没有符合条件的来信" in none
    assert "<html" not in part
    assert "车库漏水" in part


async def test_tags_show_their_words_and_take_a_persons_word(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world)
    page = f"/messages/{case.first_message_id}"
    async with visit("press_officer") as client:
        shown = words((await client.get(page)).text)
        form = {"topic": "交通运输", "sentiment": "negative", "request": "投诉", "place": "滨河路"}
        bare = await send(client, f"{page}/tags", f"{page}/tags", {**form, "reason": ""})
        done = await send(client, f"{page}/tags?next={page}", f"{page}/tags", {**form, "reason": "说的是路上的灯"})
        after = words((await client.get(page)).text)
        nothing = await send(client, f"{page}/tags", f"{page}/tags", {**form, "reason": "再来一次"})
    assert "把握中 62% 依据：路灯" in shown
    assert bare.status_code == 422
    assert "请写明修正的理由" in words(bare.text)
    assert 'value="滨河路"' in bare.text
    assert (done.status_code, done.headers["location"]) == (303, page)
    assert "人工认定" in after
    assert "理由：说的是路上的灯" in after
    assert nothing.status_code == 422
    async with reading(ctx) as unit:
        current = await unit.one(
            select(Tagging).where(Tagging.message_id == case.first_message_id, col(Tagging.is_current))
        )
    assert (current.topic, current.reason) == ("交通运输", "说的是路上的灯")


async def test_personal_data_is_shown_on_demand_and_written_down(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.handling, side="own")
    address = f"/messages/{case.first_message_id}/reveal"
    async with visit("handler") as client:
        masked = (await client.get(f"/cases/{case.number}")).text
        bubble = await client.post(address, headers={"HX-Request": "true"})
        page = await client.post(address)
    assert "13812345678" not in masked
    assert bubble.text.lstrip().startswith('<li class="bubble')
    assert "13812345678" in bubble.text
    assert "<html" in page.text
    async with reading(ctx) as unit:
        looks = await unit.all(select(AuditEntry).where(AuditEntry.what == "message.reveal"))
    assert [look.by_name for look in looks] == ["handler-own", "handler-own"]
    assert all("13812345678" not in str(look.data) for look in looks)
    async with visit("press_officer") as client:
        assert "查看原文中的个人信息" not in (await client.get(f"/cases/{case.number}")).text


async def test_a_message_not_analysed_yet_says_so(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, tagged=False)
    async with visit("press_officer") as client:
        page = words((await client.get(f"/messages/{case.first_message_id}")).text)
        tags = words((await client.get(f"/messages/{case.first_message_id}/tags")).text)
    assert "正在分析，稍后就有标签" in page
    assert "还没有打标签" in tags


async def test_clerks_read_their_own_messages_without_the_inbox(visit: Visit, world: World) -> None:
    number = world.places["own"]["message_id"]
    async with visit("handler") as client:
        mine = await client.get(f"/messages/{number}")
        inbox = await client.get("/messages")
    async with visit("handler", side="other") as client:
        foreign = await client.get(f"/messages/{number}")
    assert (mine.status_code, inbox.status_code, foreign.status_code) == (200, 403, 404)
    assert "只显示这一条" in words(mine.text)


FULLER = {
    "emotion": "angry", "emotion_p": 0.91, "emotion_second": "sad", "emotion_second_p": 0.06,
    "emotion_words": ["气愤"], "request_p": 0.7, "request_second": "求助", "request_second_p": 0.2,
    "request_words": ["投诉"], "subtopic": "城市建设和市政管理", "subtopic_p": 0.55, "subtopic_words": ["路灯"],
    "sentiment_second": "neutral", "sentiment_second_p": 0.2, "urgency": "outage", "urgency_p": 0.85,
    "urgency_second": "", "urgency_words": ["停电"], "sensitive_p": 0.0,
    "departments": [{"name": "市城管局", "role": "", "start": 0, "end": 4}],
    "persons": [{"name": "王志明局长", "role": "局长", "start": 0, "end": 5}],
    "times": [{"kind": "length", "start": 4, "end": 6, "value": "P3D", "until": ""}], "personal": ["phone"],
    "places": [
        {"name": "岳麓区", "level": "district", "code": "430104", "start": 0, "end": 3, "ambiguous": False,
         "within": "湖南省长沙市"},
        {"name": "朝阳区", "level": "district", "code": "", "start": 0, "end": 3, "ambiguous": True, "within": ""},
    ],
}  # fmt: skip


async def _fuller(ctx: Context, message_id: int | None) -> None:
    async with unit_of_work(ctx) as unit:
        tagging = await unit.one(select(Tagging).where(Tagging.message_id == message_id))
        for name, value in FULLER.items():
            setattr(tagging, name, value)
        message = await unit.get(Message, message_id)
        assert message is not None
        message.emotion, message.subtopic, message.urgency = "angry", "城市建设和市政管理", "outage"


async def test_every_tag_stands_there_with_its_odds_the_second_and_the_words(
    visit: Visit, ctx: Context, world: World
) -> None:
    case = await open_case(ctx, world)
    await _fuller(ctx, case.first_message_id)
    async with visit("press_officer") as client:
        page = words((await client.get(f"/messages/{case.first_message_id}")).text)
    for said in (
        "情绪 愤怒 把握大 91% 其次 悲伤 6%；依据：气愤", "诉求 投诉 把握中 70% 其次 求助 20%；依据：投诉",
        "二级主题 城市建设和市政管理 把握小 55% 依据：路灯", "紧急线索 停水停电停气 把握大 85% 依据：停电",
        "岳麓区 湖南省长沙市 430104", "朝阳区 重名，不确定", "部门 市城管局", "人物 王志明局长", "时间 三天 3 天",
        "个人信息 电话号码",
    ):  # fmt: skip
        assert said in page, said
    assert "旧版本下分析过" not in page


async def test_a_message_tagged_before_says_what_is_still_to_come(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world)
    async with visit("press_officer") as client:
        page = words((await client.get(f"/messages/{case.first_message_id}")).text)
    assert "旧版本下分析过" in page
    assert "情绪 愤怒" not in page


async def test_a_topic_nothing_speaks_for_has_no_odds(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world)
    async with unit_of_work(ctx) as unit:
        tagging = await unit.one(select(Tagging).where(Tagging.message_id == case.first_message_id))
        tagging.topic, tagging.topic_p, tagging.topic_second, tagging.topic_second_p = "", 0.0, "教育文体", 0.001
    async with visit("dispatcher") as client:
        page = words((await client.get(f"/messages/{case.first_message_id}")).text)
    assert "主题 未分类" in page
    assert " 0%" not in page


async def test_narrowing_by_emotion_and_second_level(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, "路灯不亮很气人")
    await _fuller(ctx, case.first_message_id)
    await open_case(ctx, world, "感谢环卫工人扫雪")
    async with visit("press_officer") as client:
        angry = (await client.get("/messages?emotion=angry")).text
        second = (await client.get("/messages?topic=城乡建设&subtopic=城市建设和市政管理")).text
        others = (await client.get("/messages?topic=城乡建设&subtopic=城乡规划")).text
        plain = (await client.get("/messages")).text
    for found in (angry, second):
        assert "路灯不亮很气人" in found
        assert "扫雪" not in found
    assert "路灯不亮很气人" not in others
    assert 'name="subtopic"' in second
    assert 'name="subtopic"' not in plain, "second levels come with their topic"


async def test_the_form_sets_emotion_and_second_level_right(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world)
    await _fuller(ctx, case.first_message_id)
    page = f"/messages/{case.first_message_id}"
    form = {
        "topic": "城乡建设", "sentiment": "negative", "request": "投诉", "urgency": "", "place": "", "emotion": "sad",
        "subtopic": "城乡规划", "because": "tone",
    }  # fmt: skip
    async with visit("press_officer") as client:
        done = await send(client, f"{page}/tags", f"{page}/tags", form)
        again = await send(client, f"{page}/tags", f"{page}/tags", {**form, "emotion": "happy"})
        shown = words((await client.get(page)).text)
    assert (done.status_code, again.status_code) == (303, 422)
    assert "这种情绪和所选情感不符" in words(again.text)
    assert "情绪 悲伤 人工认定" in shown
    assert "二级主题 城乡规划 人工认定" in shown
    assert "紧急线索 无" in shown


async def test_a_message_names_the_plans_it_hit_to_those_who_watch(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.handling, side="own")
    async with unit_of_work(ctx) as unit:
        plan = WatchPlan(name="城市照明", expression="路灯")
        unit.add(plan)
        await unit.flush()
        unit.add(PlanHit(
            plan_id=plan.id or 0, message_id=case.first_message_id or 0, at=clock.now(), words=["路灯", "13812345678"]
        ))  # fmt: skip
    async with visit("press_officer") as client:
        page = (await client.get(f"/messages/{case.first_message_id}")).text
    async with visit("handler") as client:
        clerk = (await client.get(f"/messages/{case.first_message_id}")).text
    assert f'href="/plans/{plan.id}">城市照明' in page
    assert "命中：路灯、138****5678" in words(page)
    assert "城市照明" not in clerk


async def test_the_list_goes_out_as_a_file_with_every_tag_and_is_written_down(
    visit: Visit, ctx: Context, world: World
) -> None:
    case = await open_case(ctx, world, "路灯不亮三天了，电话13812345678")
    await _fuller(ctx, case.first_message_id)
    async with unit_of_work(ctx) as unit:
        sent = ReplyState.sent
        for state, text in ((sent, "请补充"), (sent, "已修好，问 13912345678"), (ReplyState.draft, "草稿")):
            unit.add(Reply(
                case_id=case.id or 0, message_id=case.first_message_id or 0, text=text, state=state, author_name="x",
                sent_at=clock.now(),
            ))  # fmt: skip
            await unit.flush()
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        number = message.external_id
    await open_case(ctx, world, "感谢环卫工人扫雪", tagged=False)
    async with visit("press_officer") as client:
        page = (await client.get("/messages?emotion=angry")).text
        angry = await client.get("/messages.csv?emotion=angry")
        whole = await client.get("/messages.xlsx")
        odd = await client.get("/messages.pdf")
    assert "/messages.csv?emotion=angry" in page
    head, line = list(csv.reader(angry.text.lstrip("\ufeff").splitlines()))
    row = dict(zip(head, line, strict=True))
    assert (row["情绪"], row["情绪的把握"], row["二级主题"]) == ("愤怒", "0.91", "城市建设和市政管理")
    assert (row["紧急线索"], row["紧急线索的把握"], row["敏感"]) == ("停水停电停气", "0.85", "")
    assert (row["行政区划代码"], row["部门"], row["人物"], row["时间（文中）"]) == (
        "430104", "市城管局", "王志明局长", "三天",
    )  # fmt: skip
    assert (row["来源编号"], row["答复"]) == (number, "已修好，问 139****5678")
    assert row["答复时间"].startswith(f"{clock.today()}")
    assert row["个人信息"] == "电话号码"
    assert "13812345678" not in angry.text
    assert whole.status_code == 200
    assert whole.content[:2] == b"PK"
    assert odd.status_code == 404
    async with reading(ctx) as unit:
        taken = await unit.all(select(AuditEntry).where(AuditEntry.what == "messages.export"))
    assert [one.data.get("emotion") for one in taken] == ["angry", None]
    assert taken[0].data["rows"] == 1


async def test_clerks_take_no_file(visit: Visit, world: World) -> None:
    async with visit("handler") as client:
        assert (await client.get("/messages.csv")).status_code == 403


@pytest.mark.parametrize(
    ("value", "said"),
    [("P2Y", "2 年"), ("P1M", "1 个月"), ("P2W", "2 周"), ("P3D", "3 天"), ("PT2H", "2 小时"), ("PT30M", "30 分钟"),
     ("P0.5D", ""), ("--03-05", ""), ("T15:30", "15:30"), ("2026-03-05", "2026-03-05"), ("", "")],
)  # fmt: skip
def test_times_are_said_in_words(value: str, said: str) -> None:
    assert time_words(value) == said
