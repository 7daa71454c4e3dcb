"""The draft box: saved by version, checked, confirmed, submitted; answers given elsewhere; what became of a sending."""

from __future__ import annotations

import re
from typing import Any

from hub import clock
from hub.db import Context, unit_of_work
from hub.models import Case, CaseState, Delivery, DeliveryKind, DeliveryState, Reply, ReplyState
from tests.web.casework import again, form_on, open_case, reply_of, send, words
from tests.web.conftest import Visit
from tests.web.world import World


async def handled(ctx: Context, world: World, text: str = "路灯不亮三天了", **given: Any) -> Case:
    return await open_case(ctx, world, text, state=CaseState.handling, side="own", **given)


async def test_one_click_saves_and_submits(visit: Visit, ctx: Context, world: World) -> None:
    case = await handled(ctx, world)
    page = f"/cases/{case.number}"
    async with visit("handler") as client:
        shown = (await client.get(page)).text
        done = await send(client, page, f"{page}/draft", {"text": "今晚修好。\r\n请放心。", "do": "submit"})
        after = words((await client.get(page)).text)
    assert 'data-count-rule="weibo"' in shown
    assert 'data-count-max="140"' in shown
    assert done.status_code == 303
    reply = await reply_of(ctx, case)
    assert (reply.state, reply.text) == (ReplyState.reviewing, "今晚修好。\n请放心。")
    assert (await again(ctx, case)).state is CaseState.review
    assert "今晚修好。 请放心。" in after


async def test_a_saved_draft_is_kept_and_shown_again(visit: Visit, ctx: Context, world: World) -> None:
    case = await handled(ctx, world)
    page = f"/cases/{case.number}"
    async with visit("handler") as client:
        await send(client, page, f"{page}/draft", {"text": "写到一半", "do": "save"})
        shown = (await client.get(page)).text
    assert "写到一半</textarea>" in shown
    assert (await reply_of(ctx, case)).state is ReplyState.draft


async def test_two_people_writing_see_both_texts_and_lose_none(visit: Visit, ctx: Context, world: World) -> None:
    case = await handled(ctx, world)
    page = f"/cases/{case.number}"
    async with visit("handler") as mine, visit("head") as theirs:
        form = await form_on(mine, page, f"{page}/draft")
        await send(theirs, page, f"{page}/draft", {"text": "今天修好", "do": "save"})
        clash = await mine.post(f"{page}/draft", data=form | {"text": "今晚修好", "do": "save"})
        assert clash.status_code == 409
        assert "今晚修好</textarea>" in clash.text
        assert "head-own修改" in words(clash.text)
        assert "<ins>" in clash.text
        settled = await send(mine, page, f"{page}/draft", {"text": "今晚修好", "do": "save"})
    assert settled.status_code == 303
    assert (await reply_of(ctx, case)).text == "今晚修好"


async def test_findings_show_while_typing_and_ask_for_a_name(visit: Visit, ctx: Context, world: World) -> None:
    case = await handled(ctx, world)
    page = f"/cases/{case.number}"
    personal = "请拨打13812345678联系张工。"
    async with visit("handler") as client:
        typing = await client.post(f"{page}/findings", data={"text": personal})
        long = await client.post(f"{page}/findings", data={"text": "长" * 141})
        none = await client.post(f"{page}/findings", data={"text": "  "})
        asked = await send(client, page, f"{page}/draft", {"text": personal, "do": "submit"})
        assert (await reply_of(ctx, case)).state is ReplyState.draft
        blind = await send(client, page, f"{page}/draft", {"text": personal, "do": "submit", "confirmed": "1"})
        (seen,) = re.findall(r'name="confirmed" value="(\w+)"', asked.text)
        done = await send(client, page, f"{page}/draft", {"text": personal, "do": "submit", "confirmed": seen})
    assert "个人信息" in words(typing.text)
    assert "notice-danger" in long.text
    assert none.text.strip() == ""
    assert (asked.status_code, blind.status_code) == (409, 409)
    assert "我已核对，确认这样答复" in words(asked.text)
    assert f"{personal}</textarea>" in asked.text
    assert done.status_code == 303


async def test_what_cannot_be_sent_is_refused_with_the_text_kept(visit: Visit, ctx: Context, world: World) -> None:
    case = await handled(ctx, world)
    page = f"/cases/{case.number}"
    async with visit("handler") as client:
        long = await send(client, page, f"{page}/draft", {"text": "长" * 200, "do": "submit"})
        huge = await send(client, page, f"{page}/draft", {"text": "长" * 20_001, "do": "save"})
        empty = await send(client, page, f"{page}/draft", {"text": "   ", "do": "submit"})
    assert long.status_code == 409
    assert "长" * 200 in long.text
    assert huge.status_code == 422
    assert "最多 20000 个字" in words(huge.text)
    assert empty.status_code == 409
    assert (await again(ctx, case)).state is CaseState.handling


async def test_people_who_may_not_write_see_why(visit: Visit, ctx: Context, world: World) -> None:
    case = await handled(ctx, world)
    async with unit_of_work(ctx) as unit:
        unit.add(Reply(case_id=case.id or 0, message_id=case.first_message_id or 0, text="草稿在此"))
    async with visit("auditor") as client:
        page = words((await client.get(f"/cases/{case.number}")).text)
    assert "没有「送审」权限" in page
    assert "草稿在此" in page


async def test_accounts_that_take_no_answer_record_one_given_elsewhere(
    visit: Visit, ctx: Context, world: World
) -> None:
    case = await handled(ctx, world, platform="file")
    page = f"/cases/{case.number}"
    async with visit("handler") as client:
        shown = words((await client.get(page)).text)
        bare = await send(client, page, f"{page}/elsewhere", {"text": "", "channel": "", "note": ""})
        typed = {"text": "已上门修好", "channel": "上门", "note": "文件账号不能答复"}
        done = await send(client, page, f"{page}/elsewhere", typed)
        after = words((await client.get(page)).text)
    assert "这个账号不能在平台上答复" in shown
    assert "提交审核" not in shown
    assert bare.status_code == 422
    assert "请填写答复渠道" in words(bare.text)
    assert done.status_code == 303
    assert (await again(ctx, case)).state is CaseState.replied
    assert "经「上门」答复" in after


async def sending(ctx: Context, case: Case, state: DeliveryState, **given: Any) -> int:
    """An approved answer whose sending stands like this."""
    async with unit_of_work(ctx) as unit:
        reply = Reply(
            case_id=case.id or 0, message_id=case.first_message_id or 0, text="已修好", state=ReplyState.approved
        )
        unit.add(reply)
        await unit.flush()
        values: dict[str, Any] = {
            "kind": DeliveryKind.reply, "account_id": case.account_id, "reply_id": reply.id, "case_id": case.id,
            "text": "已修好", "content_hash": "h", "approved_hash": "h", "state": state, "scheduled_at": clock.now(),
            "attempts": 1, **given,
        }  # fmt: skip
        delivery = Delivery(**values)
        unit.add(delivery)
        await unit.flush()
        reply.delivery_id = delivery.id
        unit.add(reply)
        return delivery.id or 0


async def test_a_person_decides_what_nobody_can_tell(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.review, side="own")
    number = await sending(
        ctx, case, DeliveryState.unknown, unknown_since=clock.now(), held_reason="平台没有应答，查不到是否已发出"
    )
    page, action = f"/cases/{case.number}", f"/cases/{case.number}/deliveries/{number}"
    async with visit("press_officer") as client:
        shown = words((await client.get(page)).text)
        bare = await send(client, page, action, {"do": "sent", "reason": ""})
        odd = await send(client, page, action, {"do": "explode", "reason": "x"})
        done = await send(client, page, action, {"do": "sent", "reason": "平台上看到了"})
        twice = await client.post(action, data={"do": "sent", "reason": "平台上看到了"})
    assert "待核实" in shown
    assert "平台没有应答" in shown
    assert (bare.status_code, odd.status_code) == (422, 422)
    assert done.status_code == 303
    assert (await again(ctx, case)).state is CaseState.replied
    assert twice.status_code == 409
    async with visit("handler") as client:
        assert "平台上有，已发出" not in (await client.get(page)).text


async def test_a_failed_answer_says_the_next_step_and_can_be_given_up(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, state=CaseState.handling, side="own")
    number = await sending(ctx, case, DeliveryState.failed, error="平台拒绝：含敏感词", error_kind="content_rejected")
    page, action = f"/cases/{case.number}", f"/cases/{case.number}/deliveries/{number}"
    async with visit("press_officer") as client:
        shown = words((await client.get(page)).text)
        done = await send(client, page, action, {"do": "cancel", "reason": "改用电话答复"})
    assert "平台拒绝：含敏感词" in shown
    assert "请按平台的说明修改内容，重新送审" in shown
    assert done.status_code == 303
    async with unit_of_work(ctx) as unit:
        delivery = await unit.get(Delivery, number)
        assert delivery is not None
        assert delivery.state is DeliveryState.cancelled


async def test_a_suggestion_is_put_in_without_scripts(visit: Visit, ctx: Context, world: World) -> None:
    case = await handled(ctx, world)
    page = f"/cases/{case.number}"
    typed = {"text": "您好，我局已布署维修。", "message_id": ""}
    async with visit("handler") as client:
        typing = await client.post(f"{page}/findings", data=typed)
        mended = await client.post(f"{page}/fix", data=typed | {"fix": '["text", 6, 8, "布署", "部署"]'})
        refused = await client.post(f"{page}/fix", data=typed | {"ignore": '["confusion", "布署"]'})
    assert 'name="fix"' in typing.text
    assert 'name="ignore"' not in typing.text  # keeping the office's lists is not this person's
    assert "您好，我局已部署维修。</textarea>" in mended.text
    assert refused.status_code == 403


async def test_red_lines_of_a_draft_are_let_pass_on_the_page_by_the_head(
    visit: Visit, ctx: Context, world: World
) -> None:
    case = await handled(ctx, world)
    page = f"/cases/{case.number}"
    async with visit("handler") as client:
        blocked = await send(client, page, f"{page}/draft", {"text": "身份证11010519491231002X", "do": "submit"})
    assert blocked.status_code == 409
    assert "身份证号没有遮挡" in words(blocked.text)
    reply = await reply_of(ctx, case)
    async with visit("head") as client:
        assert f"{page}/force" in (await client.get(page)).text
        empty = await client.post(f"{page}/force", data={"content_hash": reply.content_hash, "force_reason": ""})
        done = await client.post(f"{page}/force", data={"content_hash": reply.content_hash, "force_reason": "本人要求"})
        again = await client.post(f"{page}/force", data={"content_hash": reply.content_hash, "force_reason": "再来"})
        shown = words((await client.get(page)).text)
    assert (empty.status_code, done.status_code, again.status_code) == (422, 303, 409)
    assert "放行红线" in shown
    assert "本人要求" in shown
    async with visit("handler") as client:
        sent = await send(client, page, f"{page}/draft", {"text": reply.text, "do": "submit"})
    assert sent.status_code == 303
