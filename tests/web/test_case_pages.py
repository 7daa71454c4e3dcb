"""The list of cases and the page of one: filters, live parts, moves with their reasons, notes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub import clock
from hub.db import Context, unit_of_work
from hub.i18n import moment
from hub.models import Audience, CaseClass, CaseEvent, CaseState
from tests.web.casework import again, form_on, open_case, send, words
from tests.web.conftest import Visit
from tests.web.world import World
from workflows.cases.moves import BY_THE_HUB, REPLY_MOVES, Move


async def test_my_list_is_by_deadline_and_pages_on(visit: Visit, ctx: Context, world: World) -> None:
    now = clock.now()
    for n in range(27):
        given: dict[str, Any] = {"due_at": now + timedelta(days=n - 1), "signed_at": now}
        await open_case(ctx, world, f"第{n:02d}件", state=CaseState.handling, side="own", **given)
    async with visit("handler") as client:
        page = (await client.get("/cases")).text
        onward = page.split('href="/cases?after=')[1].split('"')[0]
        second = (await client.get(f"/cases?after={onward.replace('&amp;', '&')}")).text
        late = (await client.get("/cases?which=mine&late=1")).text
    assert page.index("第00件") < page.index("第01件") < page.index("第24件")
    assert "第26件" not in page
    assert "第26件" in second
    assert "回到第一页" in second
    assert "第00件" in late
    assert "第05件" not in late


async def test_urgent_cases_stand_in_a_group_of_their_own(visit: Visit, ctx: Context, world: World) -> None:
    now = clock.now()
    for text, urgency, hours in (("感谢您们", CaseClass.general, -288), ("楼塌了", CaseClass.urgent, 2)):
        given: dict[str, Any] = {"due_at": now + timedelta(hours=hours), "signed_at": now, "urgency": urgency}
        await open_case(ctx, world, text, state=CaseState.handling, side="own", **given)
    async with visit("handler") as client:
        page = words((await client.get("/cases")).text)
        alone = words((await client.get("/cases?urgency=general")).text)
    assert page.index("紧急，先办") < page.index("楼塌了") < page.index("其余，按时限") < page.index("感谢您们")
    assert "其余，按时限" not in alone


async def test_filters_are_chips_one_can_take_away(visit: Visit, ctx: Context, world: World) -> None:
    await open_case(ctx, world, "暖气不热", state=CaseState.handling, side="own")
    await open_case(ctx, world, "感谢环卫", state=CaseState.handling, side="own", sentiment="positive")
    async with visit("dispatcher") as client:
        page = (await client.get("/cases?which=all&sentiment=positive&q=环卫")).text
        none = words((await client.get("/cases?which=all&sentiment=positive&q=暖气")).text)
        odd = await client.get("/cases?which=nonsense&state=nonsense&department=x&after=nonsense")
    assert "感谢环卫" in page
    assert "暖气不热" not in page
    assert 'href="/cases?which=all&amp;q=%E7%8E%AF%E5%8D%AB"' in page
    assert "没有符合条件的工单" in none
    assert odd.status_code == 422


async def test_the_page_shows_everything_and_its_parts_alone(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.dispatched, side="own")
    async with visit("handler") as client:
        page = (await client.get(f"/cases/{case.number}")).text
        parts = {
            part: (await client.get(f"/cases/{case.number}?part={part}")).text
            for part in ("rows", "summary", "talk", "answer", "side")
        }
        parts["tabs"] = (await client.get("/cases?part=tabs")).text
    seen = words(page)
    assert "路灯不亮三天了，电话138****5678" in seen
    assert "13812345678" not in page
    assert "办理过程" in words(parts["side"])
    assert "待签收" in words(parts["summary"])
    assert case.title in parts["rows"]
    assert "待办" in parts["tabs"]
    assert parts["answer"].strip() == ""
    assert all("<html" not in part for part in parts.values())


async def test_moves_that_need_nothing_are_done_at_once(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.dispatched, side="own")
    page = f"/cases/{case.number}"
    async with visit("handler") as client:
        done = await send(client, page, f"{page}/moves/sign", {})
        answer = words((await client.get(f"{page}?part=answer")).text)
    assert done.status_code == 303
    assert (await again(ctx, case)).handler_id == world.sessions["handler", "own"].user_id
    assert "公开答复" in answer


@pytest.mark.parametrize("panel", [True, False])
async def test_the_form_of_a_move_is_a_page_or_a_panel(panel: bool, visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.dispatched, side="own")
    async with visit("head") as client:
        address = f"/cases/{case.number}/moves/hand_back"
        shown = await client.get(address, headers={"X-Panel": "side"} if panel else {})
        unknown = await client.get(f"/cases/{case.number}/moves/answer_sent")
    assert ("<html" in shown.text) is not panel
    assert "建议承办单位" in words(shown.text)
    assert unknown.status_code == 404


@pytest.mark.parametrize("move", sorted(set(Move) - REPLY_MOVES - BY_THE_HUB))
async def test_every_move_has_a_form_that_says_why_not(move: Move, visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.handling, side="own")
    async with visit("dispatcher") as client:
        action = f"/cases/{case.number}/moves/{move.value}"
        shown = await client.get(action)
        sent = await client.post(action, data={"version": str(case.version)})
    assert shown.status_code == 200
    assert f'action="{action}"' in shown.text
    # With nothing filled in no move is made that asks for anything, or that is not the desk's in this state.
    assert sent.status_code in {409, 422}
    assert "现在还不能这样做" in words(sent.text)


async def test_handing_back_keeps_basis_and_leaves_the_departments_sight(
    visit: Visit, ctx: Context, world: World
) -> None:
    case = await open_case(ctx, world, state=CaseState.dispatched, side="own")
    action = f"/cases/{case.number}/moves/hand_back"
    async with visit("head") as client:
        bare = await send(client, action, action, {"basis": "", "note": ""})
        other = world.departments["other"]
        typed = {"basis": "三定方案第七条", "note": "路灯归交通局", "department_id": str(other)}
        done = await send(client, action, action, typed)
        gone = await client.get(f"/cases/{case.number}")
    assert bare.status_code == 422
    assert "请填写" in words(bare.text)
    assert (done.status_code, done.headers["location"]) == (303, "/cases")
    assert gone.status_code == 404
    async with visit("dispatcher") as client:
        desk = words((await client.get(f"/desk/{case.number}")).text)
    assert "依据：三定方案第七条 路灯归交通局 建议承办单位：" in desk
    assert "退回单位建议" in desk


async def test_a_stale_move_is_refused_with_what_was_typed(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.handling, side="own")
    action = f"/cases/{case.number}/moves/suspend"
    async with visit("dispatcher") as client:
        form = await form_on(client, action, action)
        until = clock.local(clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
        typed = {"note": "等专家鉴定", "until": until}
        first = await client.post(action, data=form | typed)
        again_ = await client.post(action, data=form | typed)
        garbled = await client.post(action, data=form | {"note": "x", "until": "明天"})
    assert first.status_code == 303
    assert (await again(ctx, case)).state is CaseState.waiting
    assert again_.status_code == 409
    assert "等专家鉴定" in again_.text
    assert garbled.status_code == 422
    assert "请按「年-月-日 时:分」填写时间" in words(garbled.text)


async def test_merging_takes_a_candidate_or_a_number(visit: Visit, ctx: Context, world: World) -> None:
    target = await open_case(ctx, world, "滨河路路灯不亮")
    child, other = await open_case(ctx, world, "滨河路的灯不亮"), await open_case(ctx, world, "完全无关")
    async with visit("dispatcher") as client:
        action = f"/cases/{child.number}/moves/merge"
        form = words((await client.get(action)).text)
        wrong = await send(client, action, action, {"into": "没有这个号", "note": "同一件"})
        done = await send(client, action, action, {"into": target.number, "note": "同一件"})
        page = words((await client.get(f"/cases/{target.number}")).text)
        action = f"/cases/{other.number}/moves/merge"
        self_ = await send(client, action, action, {"into": other.number, "note": "同一件"})
    assert "或者，并入的工单号" in form
    assert "（选填）" not in form, "one of the two is needed"
    assert wrong.status_code == 409
    assert done.status_code == 303
    assert (await again(ctx, child)).merged_into_id == target.id
    assert child.number in page
    assert "不能并入自己" in words(self_.text)


async def test_the_history_says_what_the_citizen_is_not_shown(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.triaged)
    due_at = (clock.now() + timedelta(days=3)).isoformat()
    async with unit_of_work(ctx) as unit:
        told = (("dispatch", "请今天先到现场", {"due_at": due_at}), ("sign", "", {}), ("refuse", "请找社保局", {}))
        for what, note, data in told:
            unit.add(
                CaseEvent(
                    case_id=case.id or 0, what=what, note=note, data=data, audience=Audience.citizen, by_name="值班"
                )
            )
    async with visit("dispatcher") as client:
        shown = words((await client.get(f"/cases/{case.number}")).text)
    assert shown.count("来信人可知，说明除外") == 1
    assert shown.count("来信人可知") == 3
    assert f"办结时限：{moment(clock.now() + timedelta(days=3))}" in shown


async def test_notes_are_for_the_office_and_need_words(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.handling, side="own")
    page = f"/cases/{case.number}"
    async with visit("handler") as client:
        bare = await send(client, page, f"{page}/notes", {"note": "  "})
        done = await send(client, page, f"{page}/notes", {"note": "<b>已电话联系</b>"})
        shown = (await client.get(page)).text
    assert bare.status_code == 422
    assert "备注不能为空" in words(bare.text)
    assert done.status_code == 303
    assert "&lt;b&gt;已电话联系&lt;/b&gt;" in shown
    assert "内部备注，本工单的办理人员可见" in shown


async def test_what_came_along_is_told(visit: Visit, ctx: Context, world: World) -> None:
    from hub.db import unit_of_work
    from hub.models import Message

    case = await open_case(ctx, world, "路灯坏了", state=CaseState.handling, side="own")
    async with unit_of_work(ctx) as unit:
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        message.extra = {
            "due_at": f"{clock.today().year}-03-04T10:00:00+00:00", "category": "010203", "channel": "电话 13812345678",
            "automatic": "auto-submitted", "truncated": True, "quoted": "> <b>上次</b>说过，电话 13912345678",
        }  # fmt: skip
    async with visit("handler") as client:
        page = (await client.get(f"/cases/{case.number}")).text
    for said in (
        "对方要求 3月4日",
        "18:00 前办结",
        "分类 010203",
        "来自 电话",
        "自动发出的邮件",
        "这里只有开头",
        "引用的旧邮件",
    ):
        assert said in page
    assert "&lt;b&gt;上次&lt;/b&gt;" in page
    assert "13812345678" not in page
    assert "13912345678" not in page


async def test_hostile_links_are_not_followed(visit: Visit, ctx: Context, world: World) -> None:
    from hub.db import unit_of_work
    from hub.models import Message

    case = await open_case(ctx, world, "<script>alert(1)</script>", state=CaseState.handling, side="own")
    async with unit_of_work(ctx) as unit:
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        message.url = "javascript:alert(1)"
        message.media = [{"kind": "image", "url": "data:text/html,x", "description": ""}]
    async with visit("handler") as client:
        page = (await client.get(f"/cases/{case.number}")).text
    assert "javascript:alert" not in page
    assert "data:text/html" not in page
    assert "<script>alert" not in page
