"""Reviewing: never one's own, exactly what was read, with what changed since it was sent back."""

from __future__ import annotations

from hub.db import Context
from hub.models import CaseState, ReplyState
from tests.web.casework import again, form_on, reply_of, send, under_review, words
from tests.web.conftest import Visit
from tests.web.world import World


async def test_what_waits_is_listed_and_approved_once(visit: Visit, ctx: Context, world: World) -> None:
    case = await under_review(ctx, world)
    page = f"/reviews/{case.number}"
    async with visit("head") as client:
        listed = words((await client.get("/reviews")).text)
        form = await form_on(client, page, f"{page}/approve")
        done = await client.post(f"{page}/approve", data=form)
        twice = await client.post(f"{page}/approve", data=form)
        empty = words((await client.get("/reviews")).text)
    assert case.title in listed
    assert (done.status_code, done.headers["location"]) == (303, "/reviews")
    assert twice.status_code == 409
    assert "没有等您审核的答复" in empty
    reply = await reply_of(ctx, case)
    assert reply.state is ReplyState.approved
    assert reply.delivery_id is not None


async def test_the_offices_own_line_stands_in_the_list(visit: Visit, ctx: Context, world: World) -> None:
    await under_review(ctx, world, "请拨打我局电话0571-88880000，已告知您13812345678。")
    async with visit("head") as client:
        listed = words((await client.get("/reviews")).text)
    assert "我局电话0571-88880000，已告知您138****5678" in listed


async def test_ones_own_answer_is_greyed_with_the_reason(visit: Visit, ctx: Context, world: World) -> None:
    case = await under_review(ctx, world, by="head")
    page = f"/reviews/{case.number}"
    async with visit("head") as client:
        listed = (await client.get("/reviews")).text
        own = (await client.get("/reviews?own=1")).text
        shown = (await client.get(page)).text
        forced = await client.post(f"{page}/approve", data=await form_on(client, page, f"{page}/approve"))
    assert case.number not in listed
    assert case.number in own
    assert "不能审核自己起草的答复" in shown
    assert 'aria-disabled="true"' in shown
    assert forced.status_code == 409
    assert (await again(ctx, case)).state is CaseState.review


async def test_sent_back_needs_a_comment_and_shows_what_changed(visit: Visit, ctx: Context, world: World) -> None:
    case = await under_review(ctx, world, "今晚修好。")
    page, case_page = f"/reviews/{case.number}", f"/cases/{case.number}"
    async with visit("head") as head, visit("handler") as handler:
        bare = await head.post(f"{page}/send-back", data=await form_on(head, page, f"{page}/approve"))
        form = await form_on(head, page, f"{page}/approve")
        done = await head.post(f"{page}/send-back", data=form | {"note": "写明负责人"})
        returned = words((await handler.get(case_page)).text)
        redone = {"text": "今晚修好，负责人李工。", "do": "submit"}
        await send(handler, case_page, f"{case_page}/draft", redone)
        shown = (await head.get(page)).text
    assert bare.status_code == 422
    assert done.status_code == 303
    assert "head-own退回了这份答复 写明负责人" in returned
    assert "<ins>，负责人李工</ins>" in shown
    assert "退回的一稿" in shown


async def test_another_text_than_the_one_read_is_not_approved(visit: Visit, ctx: Context, world: World) -> None:
    case = await under_review(ctx, world)
    page = f"/reviews/{case.number}"
    async with visit("reviewer2") as client:
        form = await form_on(client, page, f"{page}/approve")
        changed = await client.post(f"{page}/approve", data=form | {"content_hash": "0" * 64})
        foreign = await client.post(f"{page}/approve", data=form | {"reply_id": "1"})
    assert changed.status_code == 409
    assert "与您看到的不一致" in words(changed.text)
    assert foreign.status_code == 409
    assert (await reply_of(ctx, case)).state is ReplyState.reviewing


async def test_a_page_without_anything_to_review_says_so(visit: Visit, world: World) -> None:
    async with visit("reviewer2") as client:
        page = words((await client.get(f"/reviews/{world.places['own']['number']}")).text)
        odd = await client.get("/reviews?after=nonsense")
    assert "现在没有待审核的答复" in page
    assert odd.status_code == 422
