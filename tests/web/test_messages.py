"""The inbox: newest first, narrowed, searched by two signs; tags corrected with a reason; personal data on demand."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import AuditEntry, CaseState, Message, Tagging
from tests.web.casework import open_case, send, words
from tests.web.conftest import Visit
from tests.web.world import World


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
    assert "把握 62% 依据：路灯" in shown
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
