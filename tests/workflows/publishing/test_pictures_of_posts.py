"""Approval is bound to pictures, forms and titles; what leaves is what was approved, made to fit the platform."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial

import httpx
import pytest
from PIL import Image
from sqlmodel import col, select

from hub import clock
from hub.errors import Invalid, NotFound, Refused, Stale
from hub.models import Delivery, DeliveryState, Picture, PictureBytes, Post, PostState
from tests.drawing import drawn
from tests.insist import insist
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import text_hash
from workflows.pictures import store
from workflows.pictures.placed import Placed
from workflows.publishing import checks, detail, service
from workflows.publishing.content import Draft, Option, content_hash

S = DeliveryState


async def put(office: Office, *colours: str, who: str = "press", size: tuple[int, int] = (1600, 900)) -> list[Placed]:
    """Pictures put in by a person, as a draft names them."""
    placed = []
    for colour in colours:
        made = await store.cleaned(drawn(*size, "PNG", colour))
        async with office.work() as unit:
            picture = await store.put(unit, office[who], f"{colour}.png", made)
        placed.append(Placed(picture.id or 0, f"{colour}的图"))
    return placed


async def post_of(office: Office, draft: Draft) -> Post:
    """A post in review."""
    async with office.work() as unit:
        post = await service.create(unit, office["press"], draft)
        handing_in = partial(service.submit, office.house, unit, office["press"], post.id or 0, version=post.version)
        return await insist(handing_in)


async def approve(office: Office, post: Post) -> int:
    """The delivery of an approved post."""
    async with office.work() as unit:
        await service.approve(office.house, unit, office["review"], post.id or 0, content_hash=post.content_hash)
    (number,) = await office.ids(post)
    return number or 0


def draft_of(office: Office, pictures: list[Placed], **option: object) -> Draft:
    account = office.accounts[0]
    options = {account: Option(**option)} if option else {}  # type: ignore[arg-type]
    return Draft("停水通告", "明日停水。", {account: ""}, clock.now(), pictures=tuple(pictures), options=options)


def test_words_alone_keep_the_identity_they_had() -> None:
    import hashlib
    import json

    old = hashlib.sha256(json.dumps(["文", 1, ""], ensure_ascii=False).encode()).hexdigest()
    assert text_hash("文", account_id=1) == old
    old = hashlib.sha256(json.dumps(["文", [[1, "文"], [2, "别"]]], ensure_ascii=False).encode()).hexdigest()
    assert content_hash(Draft("题", "文", {1: "", 2: "别"})) == old
    assert content_hash(Draft("另一个题", "文", {1: "", 2: "别"}, options={1: Option(assignee_id=3)})) == old


def test_every_part_of_what_goes_out_changes_the_identity() -> None:
    one, other = Placed(1, "甲", "", "a" * 64), Placed(2, "乙", "", "b" * 64)
    drafts = [
        Draft("题", "文", {1: ""}),
        Draft("题", "文", {1: ""}, pictures=(one, other)),
        Draft("题", "文", {1: ""}, pictures=(other, one)),
        Draft("题", "文", {1: ""}, pictures=(one,)),
        Draft("题", "文", {1: ""}, pictures=(Placed(1, "改", "", "a" * 64), other)),
        Draft("题", "文", {1: ""}, pictures=(Placed(1, "甲", "top", "a" * 64), other)),
        Draft("题", "文", {1: ""}, pictures=(one, other), options={1: Option(first=1)}),
        Draft("题", "文", {1: ""}, pictures=(one, other), options={1: Option(form="article")}),
        Draft("题", "文", {1: ""}, pictures=(one, other), options={1: Option(form="article", title="题")}),
    ]
    assert len({content_hash(draft) for draft in drafts}) == len(drafts)
    marks = [[placed.kept() for placed in draft.pictures] for draft in drafts[1:6]]
    assert len({text_hash("文", account_id=1, attachments=mark) for mark in marks}) == len(marks)


async def test_pictures_go_out_in_order_with_their_words_and_the_cover_is_cut(any_office: Office) -> None:
    office = any_office
    pictures = await put(office, "red", "blue")
    number = await approve(office, await post_of(office, draft_of(office, pictures, form="article")))
    await office.sweep()
    sent = await office.delivery(number)
    assert (sent.state, sent.form, sent.title, len(sent.attachments)) == (S.sent, "article", "停水通告", 2)
    page = httpx.get(sent.remote_url).text
    assert "<h3>停水通告</h3>" in page
    assert page.index('alt="red的图"') < page.index('alt="blue的图"')
    shown = [part.split('"')[0] for part in page.split('<img src="')[1:]]
    cover, second = (httpx.get(office.sandbox.base_url + path).content for path in shown)
    with Image.open(io.BytesIO(cover)) as image:
        assert image.size == (1000, 562)
    async with office.read() as unit:
        assert second == await store.load(unit, pictures[1].id)


@pytest.mark.parametrize("change", ["words", "order", "focus", "fewer", "form", "title"])
async def test_changing_anything_of_it_after_approval_puts_it_back_in_review(
    office: Office, hands: Hands, change: str
) -> None:
    pictures = await put(office, "red", "blue")
    post = await post_of(office, draft_of(office, pictures, form="article"))
    number = await approve(office, post)
    first, second = pictures
    changed = {
        "words": draft_of(office, [Placed(first.id, "改了"), second], form="article"),
        "order": draft_of(office, [second, first], form="article"),
        "focus": draft_of(office, [Placed(first.id, first.description, "top"), second], form="article"),
        "fewer": draft_of(office, pictures, form="article", first=1),
        "form": draft_of(office, pictures),
        "title": draft_of(office, pictures, form="article", title="另一个标题"),
    }[change]
    async with office.work() as unit:
        stored = await unit.get(Post, post.id)
        if change != "title":
            changed = Draft(
                changed.title, changed.body, changed.targets, changed.scheduled_at, None, changed.pictures,
                {a: Option(o.form, "停水通告" if o.form else "", o.first) for a, o in changed.options.items()},
            )  # fmt: skip
        await service.save(unit, office["press"], post.id or 0, version=stored.version, draft=changed)
    assert (await office.post_of(number)).state is PostState.review
    await office.sweep()
    assert (await office.delivery(number)).state is S.cancelled
    assert office.texts() == []


async def test_a_picture_swapped_in_the_database_never_leaves(office: Office) -> None:
    (picture,) = await put(office, "red")
    number = await approve(office, await post_of(office, draft_of(office, [picture])))
    other = await store.cleaned(drawn(colour="black"))
    async with office.work() as unit:
        kept = await unit.get(PictureBytes, picture.id)
        kept.data = other.data
    await office.sweep()
    failed = await office.delivery(number)
    assert (failed.state, failed.error_kind) == (S.failed, "tampered")
    assert office.texts() == []


async def test_a_row_whose_pictures_were_altered_never_leaves(office: Office) -> None:
    red, blue = await put(office, "red", "blue")
    number = await approve(office, await post_of(office, draft_of(office, [red])))
    async with office.work() as unit:
        row = await unit.get(Delivery, number)
        row.attachments = [dict(row.attachments[0]) | {"id": blue.id, "sha256": "0" * 64}]
    await office.sweep()
    assert (await office.delivery(number)).error_kind == "tampered"


async def test_what_does_not_fit_is_told_before_review(office: Office) -> None:
    pictures = await put(office, *("red", "blue", "green", "black", "white", "gray", "pink", "gold", "navy", "tan"))
    async with office.read() as unit:
        problems = await checks.draft_problems(office.house, unit, draft_of(office, pictures))
        assert len(problems) == 1
        assert "最多 9 张图片，现在 10 张" in problems[0]
        few = draft_of(office, pictures, first=9)
        assert await checks.draft_problems(office.house, unit, few) == []
        bare = await checks.draft_problems(office.house, unit, draft_of(office, [], form="article"))
        assert any("封面" in problem for problem in bare)
        long = await checks.draft_problems(
            office.house, unit, draft_of(office, pictures, form="article", first=1, title="长" * 40)
        )
        assert any("标题最多 32 字" in problem for problem in long)
        unknown = await checks.draft_problems(office.house, unit, draft_of(office, [], form="nonsense"))
        assert any("没有这种发布形式" in problem for problem in unknown)


async def test_words_of_pictures_and_titles_are_checked(office: Office) -> None:
    (picture,) = await put(office, "red")
    draft = draft_of(office, [Placed(picture.id, "布署工作现场")], form="article", title="关于布署的通告")
    async with office.read() as unit:
        found = {one.field: one for one in await checks.findings_of(unit, draft)}
    account = office.accounts[0]
    assert [told.found for told in found[f"alt_{picture.id}"].findings]
    assert [told.found for told in found[f"title_{account}"].findings]


async def test_pictures_are_seen_by_who_sees_the_post(office: Office) -> None:
    (mine,) = await put(office, "red")
    (theirs,) = await put(office, "blue", who="both")
    async with office.read() as unit:
        for who in ("review", "clerk", "both"):
            with pytest.raises(NotFound):
                await store.find(unit, office[who], mine.id)
    with pytest.raises(Invalid):
        async with office.work() as unit:
            await service.create(unit, office["press"], draft_of(office, [theirs]))
    async with office.work() as unit:
        post = await service.create(unit, office["press"], draft_of(office, [mine]))
    async with office.read() as unit:
        assert (await store.find(unit, office["review"], mine.id)).id == mine.id
        with pytest.raises(NotFound):
            await store.find(unit, office["clerk"], mine.id)
    async with office.work() as unit:  # a colleague who changes the post keeps its pictures
        again = replace(draft_of(office, [mine]), scheduled_at=post.scheduled_at)
        await service.save(unit, office["both"], post.id or 0, version=post.version, draft=again)


async def test_the_same_picture_is_one_row_and_pictures_of_no_post_are_forgotten(office: Office, hands: Hands) -> None:
    (used,) = await put(office, "red")
    (again,) = await put(office, "red")
    (unused,) = await put(office, "blue")
    assert used.id == again.id
    async with office.work() as unit:
        post = await service.create(unit, office["press"], draft_of(office, [used]))
    async with office.work() as unit:  # taken out again: the history still shows what was there
        await service.save(unit, office["press"], post.id or 0, version=post.version, draft=draft_of(office, []))
    assert await store.sweep(office.house) == 0
    hands.on(store.KEPT_UNUSED.total_seconds() + 1)
    assert await store.sweep(office.house) == 1
    async with office.read() as unit:
        assert list(await unit.all(select(Picture.id).order_by(col(Picture.id)))) == [used.id]
        assert list(await unit.all(select(PictureBytes.picture_id))) == [used.id]
        view = await detail.view(unit, office["press"], post.id or 0)
        (kept,) = [version for event in view.events if (version := detail.version_of(event)) and version.pictures]
        assert [one.id for one in kept.pictures] == [used.id]
    assert unused.id not in (used.id, 0)


async def test_forms_and_titles_left_open_are_named_before_anybody_reads(office: Office) -> None:
    async with office.work() as unit:
        post = await service.create(unit, office["press"], draft_of(office, []))
        before = post.content_hash
        post = await insist(
            partial(service.submit, office.house, unit, office["press"], post.id or 0, version=post.version)
        )
    assert post.content_hash == before, "the usual form of this platform has no name and no title"
    with pytest.raises(Stale):
        async with office.work() as unit:
            await service.approve(office.house, unit, office["review"], post.id or 0, content_hash="0" * 64)
    with pytest.raises(Refused):
        async with office.work() as unit:
            await service.approve(office.house, unit, office["press"], post.id or 0, content_hash=post.content_hash)
