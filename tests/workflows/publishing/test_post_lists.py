"""What the pages of the press office read: lists, choices, checks of unsaved drafts, kept versions, close times."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub import clock
from hub.errors import NotFound
from hub.models import Account, PostState
from tests.workflows.delivery.office import Office
from workflows.publishing import calendar, checks, choices, detail, lists, service
from workflows.publishing.content import Draft
from workflows.publishing.lists import View


async def titles(office: Office, who: str, view: View, **wanted: object) -> list[str]:
    async with office.read() as unit:
        page = await lists.page(unit, office[who], view, **wanted)  # type: ignore[arg-type]
    return [item.title for item in page.items]


async def write(office: Office, title: str, body: str = "正文", **given: object) -> int:
    async with office.work() as unit:
        draft = Draft(title, body, {office.accounts[0]: ""}, **given)  # type: ignore[arg-type]
        return (await service.create(unit, office["press"], draft)).id or 0


async def test_views_states_accounts_and_words(office: Office) -> None:
    await write(office, "停水通知", "城东片区停水")
    await write(office, "早安")
    await office.submitted("请审一审")
    assert await titles(office, "press", View.mine) == ["通告", "早安", "停水通知"]
    assert await titles(office, "press", View.mine, state=PostState.draft) == ["早安", "停水通知"]
    assert await titles(office, "press", View.all, words="城东 停水") == ["停水通知"]
    assert await titles(office, "press", View.all, words="100%") == []
    assert await titles(office, "review", View.review) == ["通告"]
    assert await titles(office, "press", View.review) == []
    assert await titles(office, "both", View.mine) == []
    assert await titles(office, "press", View.all, account_id=office.accounts[0] + 1) == []


async def test_pages_follow_each_other_without_a_gap(office: Office) -> None:
    for number in range(5):
        await write(office, f"第{number}篇")
    seen, before = [], None
    for _page in range(4):
        async with office.read() as unit:
            page = await lists.page(unit, office["press"], View.mine, limit=2, before=before)
        seen += [item.title for item in page.items]
        before = page.older
        if before is None:
            break
    assert seen == [f"第{number}篇" for number in (4, 3, 2, 1, 0)]


async def test_counts_are_of_what_waits_for_this_person(office: Office) -> None:
    post = await office.submitted("一")
    async with office.read() as unit:
        assert (await lists.counts(unit, office["review"]))[View.review] == 1
        assert (await lists.counts(unit, office["press"]))[View.review] == 0
        assert len(await unit.rows(lists.waiting(office["review"]))) == 1
        assert len(await unit.rows(lists.waiting(office["press"]))) == 0
    async with office.work() as unit:
        given = {"content_hash": post.content_hash, "reason": "标题太长"}
        await service.send_back(unit, office["review"], post.id or 0, **given)
    async with office.read() as unit:
        assert (await lists.counts(unit, office["press"]))[View.mine] == 1
        assert len(await unit.rows(lists.waiting(office["press"]))) == 1


async def test_choices_say_how_long_and_why_not(office: Office) -> None:
    stopped = await office.connect("停用的号")
    async with office.work() as unit:
        account = await unit.get(Account, stopped)
        assert account
        account.is_active = False
        unit.add(account, Account(platform="files", name="来信文件"))
    async with office.read() as unit:
        found = {choice.name: choice for choice in await choices.accounts(office.house, unit)}
    assert set(found) == {"临江发布", "停用的号"}
    assert (found["临江发布"].counting, found["临江发布"].limit > 100) == ("weibo", True)
    assert (found["临江发布"].why_not, found["停用的号"].why_not) == ("", "账号已停用")


async def test_a_draft_is_checked_before_it_is_saved(office: Office) -> None:
    account = office.accounts[0]
    late = clock.now() - timedelta(minutes=2)
    async with office.read() as unit:
        assert await checks.draft_problems(office.house, unit, Draft("题", "好", {account: ""})) == []
        assert len(await checks.draft_problems(office.house, unit, Draft("题", "", {}))) == 1
        (too_long,) = await checks.draft_problems(office.house, unit, Draft("题", "字", {account: "长" * 5000}))
        assert "临江发布" in too_long
        passed = Draft("题", "好", {account: ""}, scheduled_at=late)
        assert len(await checks.draft_problems(office.house, unit, passed)) == 1
        assert await checks.draft_problems(office.house, unit, passed, ignore_time=True) == []
        over = Draft("题", "好", {account: ""}, late, late)
        assert len(await checks.draft_problems(office.house, unit, over, ignore_time=True)) == 1


async def test_a_draft_is_warned_of_its_neighbours_but_not_of_itself(office: Office) -> None:
    when = clock.now() + timedelta(hours=3)
    known = await write(office, "甲", "明日起恢复供水。", scheduled_at=when)
    draft = Draft("乙", "明日起恢复供水！", {office.accounts[0]: ""}, when + timedelta(minutes=5))
    async with office.read() as unit:
        assert len(await checks.draft_warnings(unit, draft)) == 2
        assert await checks.draft_warnings(unit, draft, known) == []
        assert await checks.draft_warnings(unit, Draft("乙", draft.body, draft.targets)) == []


async def test_posts_too_close_on_one_account_are_named(office: Office) -> None:
    other = await office.connect("江北发布")
    now = clock.now()
    for minutes, accounts in ((60, [office.accounts[0]]), (70, [office.accounts[0]]), (72, [other]), (90, [other])):
        await office.draft(f"{minutes}", accounts, scheduled_at=now + timedelta(minutes=minutes))
    async with office.read() as unit:
        found = await calendar.items(unit, office["press"], now, now + timedelta(days=1))
    close = calendar.too_close(found)
    assert [item.id in close for item in found] == [True, True, False, False]


async def test_what_a_signer_saw_is_kept(office: Office) -> None:
    post = await office.submitted("第一稿")
    async with office.work() as unit:
        given = {"content_hash": post.content_hash, "reason": "改"}
        post = await service.send_back(unit, office["review"], post.id or 0, **given)
        draft = Draft("通告", "第二稿", {office.accounts[0]: "单独写的"})
        await service.save(unit, office["press"], post.id or 0, version=post.version, draft=draft)
    async with office.read() as unit:
        view = await detail.view(unit, office["press"], post.id or 0)
        seen = detail.last_seen(view)
        assert seen
        assert (seen.what, seen.texts) == ("send_back", {office.accounts[0]: "第一稿"})
        again = await detail.version(unit, office["review"], post.id or 0, view.events[-1].id or 0)
        assert again.texts == {office.accounts[0]: "单独写的"}
        with pytest.raises(NotFound):
            await detail.version(unit, office["review"], (post.id or 0) + 1, view.events[-1].id or 0)
        with pytest.raises(NotFound):
            await detail.version(unit, office["clerk"], post.id or 0, view.events[-1].id or 0)
