"""Pictures in the composer, as they are served, and the pages of what is published by hand."""

from __future__ import annotations

import io
import re
import zipfile

import httpx
import pytest
from PIL import Image
from sqlmodel import col, select

from connectors.manual.client import ManualConnector
from hub.models import Account, Arrival, Delivery, DeliveryState, Post, PostState
from tests.drawing import drawn, phone_photo
from tests.web.press.conftest import Browse
from tests.web.press.test_compose_pages import form, place, stored
from tests.workflows.delivery.office import Office
from workflows.delivery import service
from workflows.publishing.history import targets_of
from workflows.publishing.service import approve

LINK = "https://www.douyin.com/video/7301234567890123456"


async def put(page: httpx.AsyncClient, data: bytes, name: str = "a.png") -> str:
    """The number of an uploaded picture, from its line."""
    answer = await page.post("/pictures", files={"file": (name, data, "application/octet-stream")})
    assert answer.status_code == 200, answer.text
    found = re.search(r'name="picture" value="(\d+)"', answer.text)
    assert found
    return found[1]


async def douyin(office: Office) -> int:
    office.house.platforms = {**office.house.platforms, "manual": ManualConnector()}
    async with office.work() as unit:
        account = Account(platform="manual", name="临江在抖音", external_id="临江发布", options={"site": "douyin"})
        unit.add(account)
        await unit.flush()
    return account.id or 0


async def test_a_picture_is_served_clean_to_who_may_see_it_and_never_run(office: Office, browse: Browse) -> None:
    async with browse("press") as page:
        number = await put(page, phone_photo(), "IMG_0001.HEIC.jpg")
        whole = await page.get(f"/pictures/{number}")
        small = await page.get(f"/pictures/{number}/thumb")
    assert whole.headers["content-type"] == "image/jpeg"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "private" in whole.headers["cache-control"]
    assert b"SecretPhone" not in whole.content + small.content
    for who in ("review", "clerk"):
        async with browse(who) as page:
            assert (await page.get(f"/pictures/{number}")).status_code == 404
    async with browse("clerk") as page:
        assert (await page.post("/pictures", files={"file": ("a.png", drawn())})).status_code == 403


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"<svg onload='alert(1)'></svg>", "SVG"), (drawn()[:300], "损坏"), (b"", "空"), (b"MZ" * 99, "不是能用")],
)
async def test_what_is_no_picture_is_refused_in_words(office: Office, browse: Browse, data: bytes, why: str) -> None:
    async with browse("press") as page:
        answer = await page.post(
            "/pictures", files={"file": ("a.png", data, "image/png")}, headers={"Accept": "application/json"}
        )
    assert answer.status_code == 422
    assert why in answer.text
    assert "Traceback" not in answer.text


async def test_a_post_keeps_its_pictures_in_order_with_words_and_shows_them_as_they_are_sent(
    office: Office, browse: Browse
) -> None:
    account = office.accounts[0]
    async with browse("press") as page:
        one, two = await put(page, drawn(1600, 900, "PNG", "red")), await put(page, drawn(900, 900, "WEBP", "blue"))
        fields = {
            "picture": [two, one], f"alt_{one}": "红旗", f"alt_{two}": "蓝天", f"focus_{two}": "top",
            f"form_{account}": "article", f"title_{account}": "有标题的文章",
        }  # fmt: skip
        checked = (await page.post("/posts/check", data=form(office, **fields))).text
        assert "第 1 张图发出时会裁成 1000×562、转成 JPG" in checked
        address = place(await page.post("/posts", data=form(office, **fields, do="submit")))
        shown = (await page.get(address)).text
        again = (await page.get(f"{address.removesuffix('/edit')}/edit")).text
    assert shown.index('alt="蓝天"') < shown.index('alt="红旗"')
    assert "有标题的文章" in shown
    assert again.index(f'value="{two}"') < again.index(f'value="{one}"')
    post = await stored(office)
    assert [(str(kept["id"]), kept["description"], kept["focus"]) for kept in post.pictures] == [
        (two, "蓝天", "top"), (one, "红旗", ""),
    ]  # fmt: skip
    sent = re.search(r'src="(/pictures/\d+/sent\?[^"]+)"', shown)
    assert sent
    async with browse("review") as page:  # the reviewer sees what will be sent
        cover = await page.get(sent[1].replace("&amp;", "&"))
    with Image.open(io.BytesIO(cover.content)) as image:
        assert (image.size, image.format) == ((1000, 562), "JPEG")


async def test_a_title_made_from_the_text_fits_every_form_and_is_shown_as_it_is_stored(
    office: Office, browse: Browse
) -> None:
    account = await douyin(office)
    text = "关于周六上午八点到十一点人民路、中山路以及滨江大道全线停水并请沿线居民提前储水的通告\r\n请储水。\r\n"
    made = text[:30]
    async with browse("press") as page:
        one = await put(page, drawn())
        fields = form(office, text, title="", picture=[one], account=[account])
        checked = (await page.post("/posts/check", data=fields)).text
        assert f">{made}</" in checked
        assert "标题最多" not in checked
        place(await page.post("/posts", data=fields))
        own = (await page.post("/posts/check", data=fields | {"title": "我起的标题" * 7})).text
        assert "标题最多 30 字，超出 5 字" in own
    post = await stored(office)
    async with office.read() as unit:
        (target,) = await targets_of(unit, post)
    assert (post.title, target.title) == (made, made)


async def test_a_picture_that_is_not_there_is_told_and_what_was_typed_stays(office: Office, browse: Browse) -> None:
    async with browse("both") as page:
        foreign = await put(page, drawn())
    async with browse("press") as page:
        answer = await page.post("/posts", data=form(office, "我打了很久的字", picture=[foreign, "99999"]))
    assert answer.status_code == 422
    assert "有图片已经不在了" in answer.text
    assert "我打了很久的字" in answer.text


async def test_the_history_shows_the_pictures_of_each_version(office: Office, browse: Browse) -> None:
    async with browse("press") as page:
        one = await put(page, drawn())
        place(await page.post("/posts", data=form(office, picture=[one], do="submit")))
        post = await stored(office)
        changed = form(office, version=post.version, do="save") | {f"alt_{one}": "换了说明", "picture": [one]}
        await page.post(f"/posts/{post.id}", data=changed)
        history = (await page.get(f"/posts/{post.id}")).text
        first = re.findall(rf"/posts/{post.id}/history/(\d+)", history)[-1]
        then = (await page.get(f"/posts/{post.id}/history/{first}")).text
    assert f"/pictures/{one}/thumb" in then
    assert "第 1 张图的说明" in then


async def task(office: Office, account: int) -> tuple[Post, int]:
    """An approved post that waits for somebody's hand."""
    post = await office.submitted("周六停水，请储水。", [account])
    async with office.work() as unit:
        await approve(office.house, unit, office["review"], post.id or 0, content_hash=post.content_hash)
    (number,) = await office.ids(post)
    await office.sweep()
    return post, number or 0


async def test_a_task_is_done_from_its_page(office: Office, browse: Browse) -> None:
    post, number = await task(office, await douyin(office))
    async with browse("press") as page:
        assert "通告" in (await page.get("/byhand")).text
        assert "1 篇等您人工发布" in (await page.get("/calendar")).text
        pack = (await page.get(f"/byhand/{number}")).text
        assert "周六停水，请储水。" in pack
        assert "确认登录的是「临江发布」" in pack
        wrong = await page.post(f"/byhand/{number}", data={"do": "done", "link": "https://example.cn/x"})
        assert wrong.status_code == 422
        assert "不是抖音的链接" in wrong.text
        assert "https://example.cn/x" in wrong.text
        place(await page.post(f"/byhand/{number}", data={"do": "done", "link": LINK}))
        ended = (await page.get(f"/byhand/{number}")).text
        record = (await page.get(f"/deliveries/{number}")).text
    assert LINK in ended
    assert "周六停水，请储水。</div>" not in ended
    assert office["press"].name in record
    async with office.read() as unit:
        assert (await unit.get(Post, post.id)).state is PostState.done


async def test_where_a_person_cuts_the_covers_stays_when_the_page_renews_itself_and_in_the_archive(
    office: Office, browse: Browse
) -> None:
    account = await douyin(office)
    async with browse("press") as page:
        one = await put(page, drawn(400, 1600, "PNG"))
        sent = form(office, account=[account], picture=[one], do="submit") | {"confirmed": "", f"alt_{one}": "红旗"}
        place(await page.post("/posts", data=sent))
        post = await stored(office)
        async with office.work() as unit:
            await approve(
                office.house, unit, office["review"], post.id or 0, content_hash=post.content_hash, at_once=True
            )
        (number,) = await office.ids(post)
        await office.sweep()
        pack = (await page.get(f"/byhand/{number}?focus=top")).text
        assert f'data-live-src="/byhand/{number}?part=pack&amp;focus=top"' in pack
        assert f'href="/byhand/{number}/pack.zip?focus=top"' in pack
        tops = []
        for query in ("", "?focus=top", "?focus=nonsense"):
            data = (await page.get(f"/byhand/{number}/pack.zip{query}")).content
            with (
                zipfile.ZipFile(io.BytesIO(data)) as archive,
                Image.open(archive.open("covers/1080x1920.jpg")) as cover,
            ):
                tops.append(cover.convert("RGB").getpixel((540, 2)))
    assert tops[0] == tops[2] != tops[1]
    assert min(tops[1]) > 240, "the white band at its top"


async def test_a_pause_takes_the_pack_away_and_nonsense_is_refused(office: Office, browse: Browse) -> None:
    _post, number = await task(office, await douyin(office))
    async with office.work() as unit:
        await service.pause(unit, office["press"], "突发事件，核实中")
    async with browse("press") as page:
        held = (await page.get(f"/byhand/{number}")).text
        assert "突发事件，核实中" in held
        assert 'id="pack-text"' not in held
        for data in ({"do": "nonsense"}, {"do": "not_done", "reason": ""}, {"do": "hand_to", "assignee": "abc"}):
            assert (await page.post(f"/byhand/{number}", data=data)).status_code == 422
        assert (await page.get(f"/byhand/{number}/cover?size=1x1")).status_code == 404
        assert (await page.get("/byhand/99999")).status_code == 404
    async with browse("clerk") as page:
        assert (await page.get(f"/byhand/{number}")).status_code == 404


async def test_handed_over_it_is_the_other_persons_to_see_and_to_end(office: Office, browse: Browse) -> None:
    _post, number = await task(office, await douyin(office))
    async with browse("press") as page:
        place(await page.post(f"/byhand/{number}", data={"do": "hand_to", "assignee": office["clerk"].user_id}))
    async with browse("clerk") as page:
        assert "周六停水" in (await page.get(f"/byhand/{number}")).text
        assert (await page.get(f"/byhand/{number}/pack.zip")).headers["content-type"] == "application/zip"
        place(await page.post(f"/byhand/{number}", data={"do": "not_done", "reason": "号被限流"}))
    async with office.read() as unit:
        assert (await unit.get(Delivery, number)).state is DeliveryState.failed
    async with browse("press") as page:
        assert "号被限流" in (await page.get("/deliveries")).text


async def test_comments_are_looked_at_and_then_taken_in(office: Office, browse: Browse) -> None:
    account = await douyin(office)
    pasted = "小王：<b>路灯</b>坏了\n小李：我家也是"
    async with browse("press") as page:
        empty = await page.post("/byhand/comments", data={"account": account, "pasted": "赞\n回复", "do": "look"})
        assert empty.status_code == 422
        looked = (await page.post("/byhand/comments", data={"account": account, "pasted": pasted, "do": "look"})).text
        assert "认出 2 条" in looked
        assert "&lt;b&gt;路灯&lt;/b&gt;" in looked
        place(await page.post("/byhand/comments", data={"account": account, "pasted": pasted, "do": "take"}))
        foreign = {"account": office.accounts[0], "pasted": pasted, "do": "take"}
        assert (await page.post("/byhand/comments", data=foreign)).status_code == 422
    async with office.read() as unit:
        found = await unit.all(select(Arrival).where(Arrival.account_id == account).order_by(col(Arrival.id)))
    assert [(one.kind.value, one.via) for one in found] == [("comment", "paste")] * 2
