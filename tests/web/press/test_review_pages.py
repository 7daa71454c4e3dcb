"""Reviewing: the text per account, what changed, the reasons why not, and what each signer saw."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlmodel import select

from hub import clock
from hub.models import Post, PostState
from tests.web.press.conftest import Browse
from tests.workflows.delivery.office import Office
from workflows.publishing import service
from workflows.publishing.content import Draft


async def state(office: Office, post: Post) -> PostState:
    async with office.read() as unit:
        return (await unit.one(select(Post).where(Post.id == post.id))).state


async def test_a_reviewer_finds_it_signs_it_and_it_goes_out_at_its_time(office: Office, browse: Browse) -> None:
    post = await office.submitted("今晚停气检修", scheduled_at=clock.now() + timedelta(hours=1))
    async with browse("review") as page:
        listed = (await page.get("/posts")).text
        assert f'href="/posts/{post.id}"' in listed
        assert "待我审核" in listed
        shown = (await page.get(f"/posts/{post.id}")).text
        assert "今晚停气检修" in shown
        assert "将向 1 个账号发布" in shown
        (fingerprint,) = set(re.findall(r'name="content_hash" value="(\w+)"', shown))
        answer = await page.post(f"/posts/{post.id}/approve", data={"content_hash": fingerprint, "remark": "同意"})
        assert answer.status_code == 303
        shown = (await page.get(f"/posts/{post.id}")).text
    assert await state(office, post) is PostState.approved
    assert "与批准一致" in shown
    assert "同意" in shown
    assert fingerprint[:8] in shown


async def test_nobody_signs_their_own_and_the_page_says_why(office: Office, browse: Browse) -> None:
    async with office.work() as unit:
        draft = Draft("自己写的", "自己写的", {office.accounts[0]: ""})
        post = await service.create(unit, office["both"], draft)
        await service.submit(office.house, unit, office["both"], post.id or 0, version=post.version)
    async with browse("both") as page:
        shown = (await page.get(f"/posts/{post.id}")).text
        answer = await page.post(f"/posts/{post.id}/approve", data={"content_hash": post.content_hash})
    assert "撰写或修改过本稿的人不能审核本稿" in shown
    assert "data-why" in shown
    assert answer.status_code == 409
    assert "撰写或修改过本稿的人不能审核本稿" in answer.text
    assert await state(office, post) is PostState.review


async def test_a_text_that_changed_meanwhile_is_not_signed(office: Office, browse: Browse) -> None:
    post = await office.submitted("第一稿")
    seen = post.content_hash
    async with office.work() as unit:
        draft = Draft("通告", "第二稿", {office.accounts[0]: ""})
        await service.save(unit, office["press"], post.id or 0, version=post.version, draft=draft)
    async with browse("review") as page:
        answer = await page.post(f"/posts/{post.id}/approve", data={"content_hash": seen, "remark": "看过第一稿"})
    assert answer.status_code == 409
    assert "内容在您打开之后已被修改" in answer.text
    assert "第二稿" in answer.text
    assert 'value="看过第一稿"' in answer.text
    assert await state(office, post) is PostState.review


async def test_sending_back_needs_words_and_they_reach_the_author(office: Office, browse: Browse) -> None:
    post = await office.submitted("写错了日期")
    async with browse("review") as page:
        data = {"content_hash": post.content_hash, "reason": "  "}
        assert (await page.post(f"/posts/{post.id}/send-back", data=data)).status_code == 422
        data["reason"] = "日期应为11月30日"
        assert (await page.post(f"/posts/{post.id}/send-back", data=data)).status_code == 303
    assert await state(office, post) is PostState.returned
    async with browse("press") as page:
        assert "日期应为11月30日" in (await page.get(f"/posts/{post.id}")).text
        assert "日期应为11月30日" in (await page.get(f"/posts/{post.id}/edit")).text
        assert "1 篇被退回" in (await page.get("/calendar")).text


async def test_the_second_look_shows_what_changed_and_each_version_can_be_read(office: Office, browse: Browse) -> None:
    post = await office.submitted("供水于15日恢复")
    async with office.work() as unit:
        back = await service.send_back(
            unit, office["review"], post.id or 0, content_hash=post.content_hash, reason="改"
        )
        draft = Draft("通告", "供水于16日恢复", {office.accounts[0]: ""})
        saved = await service.save(unit, office["press"], post.id or 0, version=back.version, draft=draft)
        await service.submit(office.house, unit, office["press"], post.id or 0, version=saved.version)
    async with browse("chief") as page:
        shown = (await page.get(f"/posts/{post.id}")).text
        assert "<del>5</del><ins>6</ins>" in shown
        links = re.findall(r'href="(/posts/\d+/history/\d+)"', shown)
        first = (await page.get(links[-1])).text
        assert "供水于15日恢复" in first
        assert "与现在不同" in first
        side = await page.get(links[-1], headers={"X-Panel": "side", "HX-Request": "true"})
    assert "<html" not in side.text
    assert "供水于15日恢复" in side.text


async def test_late_ones_ask_whether_to_go_at_once(office: Office, browse: Browse) -> None:
    post = await office.submitted("快讯", scheduled_at=clock.now() + timedelta(seconds=1))
    with clock.frozen(clock.now() + timedelta(minutes=10)):
        async with browse("review") as page:
            shown = (await page.get(f"/posts/{post.id}")).text
            assert 'name="at_once"' in shown
            data = {"content_hash": post.content_hash}
            refused = await page.post(f"/posts/{post.id}/approve", data=data)
            assert refused.status_code == 409
            assert "计划时间已经过去" in refused.text
            assert (await page.post(f"/posts/{post.id}/approve", data=data | {"at_once": "1"})).status_code == 303
    assert await state(office, post) is PostState.approved


async def test_withdrawing_and_moving_from_the_page(office: Office, browse: Browse) -> None:
    await office.approved("不发了", after=3600)
    async with office.read() as unit:
        post = await unit.one(select(Post))
    when = clock.local(clock.now() + timedelta(hours=8))
    async with browse("press") as page:
        url = f"/posts/{post.id}"
        moved = await page.post(
            f"{url}/move", data={"version": str(post.version), "scheduled_at": f"{when:%Y-%m-%dT%H:%M}"}
        )
        assert moved.status_code == 303
        again = await page.post(f"{url}/move", data={"version": str(post.version), "scheduled_at": "2020-01-01T00:00"})
        assert again.status_code == 409
        version = str(post.version + 1)
        assert (await page.post(f"{url}/withdraw", data={"version": version, "reason": ""})).status_code == 422
        assert (await page.post(f"{url}/withdraw", data={"version": version, "reason": "会议取消"})).status_code == 303
        shown = (await page.get(url)).text
    assert await state(office, post) is PostState.withdrawn
    assert "会议取消" in shown


async def test_lists_filter_by_state_account_and_words(office: Office, browse: Browse) -> None:
    await office.draft("城东停水")
    await office.submitted("城西停电")
    async with browse("press") as page:
        every = (await page.get("/posts?view=mine")).text
        drafts = (await page.get("/posts?view=mine&state=draft")).text
        found = (await page.get("/posts?view=all&q=停电")).text
        none = (await page.get("/posts?view=all&q=没有的词")).text
        strange = await page.get("/posts?view=x&state=y&account=z&before=w")
    assert every.count('class="lrow"') == 2
    assert drafts.count('class="lrow"') == 1
    assert found.count('class="lrow"') == 1
    assert "没有符合条件的稿件" in none
    assert strange.status_code == 200
