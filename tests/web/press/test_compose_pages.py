"""Writing: nothing typed is lost, every account is checked as it counts, two writers see both texts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from hub import clock
from hub.models import Post, PostState, PostTarget
from tests.web.press.conftest import Browse
from tests.workflows.delivery.office import Office
from tests.workflows.delivery.test_by_hand import douyin

RED = "名单：张某，身份证号11010519491231002X。"


def form(office: Office, body: str = "明日停水。", *, hours: float = 5, **more: Any) -> dict[str, Any]:
    when = clock.local(clock.now() + timedelta(hours=hours))
    made = {"title": "停水", "body": body, "account": [str(key) for key in office.accounts], "when": "at"}
    return made | {"on": f"{when:%Y-%m-%d}", "at": f"{when:%H:%M}"} | more


async def stored(office: Office) -> Post:
    async with office.read() as unit:
        post = await unit.first(select(Post).order_by(col(Post.id).desc()))
    assert post
    return post


def place(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].split("#")[0]


async def test_a_post_is_written_for_each_account_and_handed_in(office: Office, browse: Browse) -> None:
    other = await office.connect("江北发布")
    async with browse("press") as page:
        sent = form(office, do="submit") | {f"text_{other}": "江北片区明日停水。", "text_999": "不存在的账号"}
        answer = await page.post("/posts", data=sent)
        shown = (await page.get(place(answer))).text
    post = await stored(office)
    assert (post.state, post.title) == (PostState.review, "停水")
    async with office.read() as unit:
        texts = {t.account_id: t.text for t in await unit.all(select(PostTarget).where(PostTarget.post_id == post.id))}
    assert texts == {office.accounts[0]: "", other: "江北片区明日停水。"}
    assert "江北片区明日停水。" in shown
    assert "用的是单独写的文字" in shown
    assert "待审核" in shown


async def test_without_a_time_it_goes_out_on_approval(office: Office, browse: Browse) -> None:
    async with browse("press") as page:
        place(await page.post("/posts", data=form(office, when="now", on="", at="")))
    assert (await stored(office)).scheduled_at is None


@pytest.mark.parametrize(
    ("change", "field", "status"),
    [
        ({"on": ""}, "on", 422),
        ({"on": "0001-01-01"}, "on", 422),
        ({"at": "25:99"}, "on", 422),
        ({"latest_at": "1999-01-01T00:00"}, "latest_at", 422),
        ({"title": "", "body": ""}, "title", 422),
        ({"title": "长" * 201}, "title", 422),
        ({"account": "777"}, "targets", 422),
    ],
)
async def test_what_cannot_be_taken_is_said_and_what_was_typed_stays(
    office: Office, browse: Browse, change: dict[str, Any], field: str, status: int
) -> None:
    async with browse("press") as page:
        answer = await page.post("/posts", data=form(office, "我打了很久的字") | change)
    assert answer.status_code == status
    assert f'href="#{field}"' in answer.text
    if "body" not in change:
        assert "我打了很久的字" in answer.text
    async with office.read() as unit:
        assert await unit.first(select(Post.id)) is None


async def test_a_post_that_cannot_go_out_is_saved_but_not_handed_in(office: Office, browse: Browse) -> None:
    async with browse("press") as page:
        answer = await page.post("/posts", data=form(office, "长" * 5000, do="submit"))
        shown = (await page.get(place(answer))).text
    post = await stored(office)
    assert (post.state, len(post.body)) == (PostState.draft, 5000)
    assert "还不能送审" in shown
    assert "「临江发布」：" in shown


async def test_warnings_are_confirmed_for_exactly_what_was_read(office: Office, browse: Browse) -> None:
    await office.draft("别的事", scheduled_at=clock.now() + timedelta(hours=5, minutes=5))
    async with browse("press") as page:
        sent = form(office, "早安，临江。", do="submit")
        edit = place(await page.post("/posts", data=sent | {"confirmed": "0" * 16}))
        assert (await stored(office)).state is PostState.draft
        shown = (await page.get(edit)).text
        (seen,) = re.findall(r'name="confirmed" value="(\w+)"', shown)
        (version,) = re.findall(r'name="version" value="(\d+)"', shown)
        answer = await page.post(edit.removesuffix("/edit"), data=sent | {"version": version, "confirmed": seen})
    assert place(answer) == edit.removesuffix("/edit")
    assert (await stored(office)).state is PostState.review


async def test_what_a_tick_does_not_help_against_is_named(office: Office, browse: Browse) -> None:
    """There is something to tick, too; ticking alone would bring nobody further."""
    await office.draft("别的事", scheduled_at=clock.now() + timedelta(hours=5, minutes=5))
    number = await douyin(office)
    async with browse("press") as page:
        red = (await page.get(place(await page.post("/posts", data=form(office, RED, do="submit"))))).text
        long = form(office, "早安，临江。", do="submit") | {"account": [str(number)], "title": "长" * 35}
        titled = (await page.get(place(await page.post("/posts", data=long)))).text
    said = [re.findall(r"已保存，但还不能送审：[^<]*", shown)[0] for shown in (red, titled)]
    assert "属红线，须修改；确属误报的，由有放行权限的人写明理由放行" in said[0]
    assert "标题最多 30 字，超出 5 字" in said[1]
    assert "勾选后再送审" not in red + titled


async def test_the_check_counts_as_the_platform_and_saves_nothing(office: Office, browse: Browse) -> None:
    other = await office.connect("江北发布")
    async with browse("press") as page:
        sent = form(office, "ab中文 #话题# https://www.gov.cn/a") | {f"text_{other}": "<script>alert(1)</script>"}
        text = (await page.post("/posts/check", data=sent)).text
    # ab 1 + 中文 2 + two blanks 1 + #话题# 3 + link 10
    assert "17 / 2000" in text
    assert '<span class="pcard-mark">#话题#</span>' in text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<html" not in text
    async with office.read() as unit:
        assert await unit.first(select(Post.id)) is None


async def test_the_check_survives_half_typed_times(office: Office, browse: Browse) -> None:
    async with browse("press") as page:
        answer = await page.post("/posts/check", data=form(office, on="2026-13-45"))
    assert answer.status_code == 200
    assert "看不懂这个时间" in answer.text


async def test_two_writers_see_both_texts_and_nothing_is_lost(office: Office, browse: Browse) -> None:
    post = await office.draft("第一稿")
    url = f"/posts/{post.id}"
    async with browse("both") as page:
        place(await page.post(url, data=form(office, "对方改的第二稿", version=str(post.version))))
    async with browse("press") as page:
        mine = form(office, "我改的第二稿", version=str(post.version))
        answer = await page.post(url, data=mine)
        assert answer.status_code == 409
        assert "我改的第二稿</textarea>" in answer.text
        assert "对方" in answer.text
        assert "<del>" in answer.text
        assert (await stored(office)).body == "对方改的第二稿"
        (version,) = re.findall(r'name="version" value="(\d+)"', answer.text)
        place(await page.post(url, data=mine | {"version": version}))
    assert (await stored(office)).body == "我改的第二稿"


async def test_a_change_of_an_approved_post_is_announced_and_costs_the_approval(office: Office, browse: Browse) -> None:
    await office.approved("批准的稿", after=3600)
    post = await stored(office)
    async with browse("press") as page:
        shown = (await page.get(f"/posts/{post.id}/edit")).text
        assert "批准立即失效" in shown
        place(await page.post(f"/posts/{post.id}", data=form(office, "批准的稿！", version=str(post.version))))
    assert (await stored(office)).state is PostState.review


async def test_what_is_out_cannot_be_changed_and_what_was_typed_stays(office: Office, browse: Browse) -> None:
    await office.approved("已经发出")
    await office.sweep()
    post = await stored(office)
    async with browse("press") as page:
        answer = await page.post(f"/posts/{post.id}", data=form(office, "想改", version=str(post.version)))
        copied = (await page.get(f"/posts/new?copy={post.id}")).text
    assert answer.status_code == 409
    assert "想改</textarea>" in answer.text
    assert "不能修改" in answer.text
    assert "已经发出</textarea>" in copied
    assert re.search(r'name="account" value="\d+" data-pick="\d+" checked', copied)


async def test_the_calendar_brings_its_time_along(browse: Browse) -> None:
    async with browse("press") as page:
        shown = (await page.get("/posts/new", params={"at": "2027-03-04T09:30:00+08:00"})).text
        for strange in ("", "gestern", "0001-01-01T00:00:00+08:00", "2027-03-04"):
            assert (await page.get("/posts/new", params={"at": strange})).status_code == 200
    assert 'type="date" value="2027-03-04"' in shown
    assert 'type="time" value="09:30"' in shown


async def test_accounts_that_cannot_publish_say_why(office: Office, browse: Browse) -> None:
    from hub.models import Account

    stopped = await office.connect("停用的号")
    async with office.work() as unit:
        account = await unit.get(Account, stopped)
        account.is_active = False
    async with browse("press") as page:
        shown = (await page.get("/posts/new")).text
    assert "「停用的号」现在不能选：账号已停用。" in shown
    assert f'data-pick="{stopped}"' not in shown
