"""Videos in the composer, as they are served, and on the pages of what is sent and of what is published by hand."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from hub.models import DeliveryState, PostState
from tests.filming import filmed, kept_video
from tests.web.press.conftest import Browse
from tests.web.press.test_compose_pages import form, place, stored
from tests.web.press.test_picture_pages import douyin
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery.uploading import upload_videos
from workflows.publishing.content import Option
from workflows.publishing.history import targets_of
from workflows.videos import store

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return filmed(tmp_path_factory.mktemp("film") / "phone.mov", seconds=3).read_bytes()


async def put(page: httpx.AsyncClient, data: bytes, name: str = "汛情.mov", *, piece: int = 0) -> httpx.Response:
    """What the composer's script does: begun, sent in pieces, looked into."""
    begun = await page.post("/videos/coming", json={"name": name, "size": len(data)}, headers=JSON)
    if begun.status_code != 201:
        return begun
    one = begun.json()
    size = piece or one["piece"]
    while one["offset"] < len(data):
        at = one["offset"]
        answer = await page.put(
            f"/videos/coming/{one['token']}?offset={at}", content=data[at : at + size], headers=JSON
        )
        assert answer.status_code == 200, answer.text
        one = answer.json()
    return await page.post(f"/videos/coming/{one['token']}/done", headers=JSON)


async def put_in(page: httpx.AsyncClient, data: bytes) -> str:
    """The number of a video, from its block."""
    answer = await put(page, data)
    assert answer.status_code == 200, answer.text
    found = re.search(r'name="video" value="(\d+)"', answer.text)
    assert found
    return found[1]


async def test_a_video_comes_in_pieces_and_is_played_by_who_may_see_it(
    office: Office, browse: Browse, film: bytes
) -> None:
    async with browse("press") as page:
        answer = await put(page, film, piece=3000)
        assert "汛情.mov" in answer.text
        assert "0:03" in answer.text
        (number,) = re.findall(r'name="video" value="(\d+)"', answer.text)
        whole = await page.get(f"/videos/{number}")
        part = await page.get(f"/videos/{number}", headers={"Range": "bytes=10-19"})
        rest = await page.get(f"/videos/{number}", headers={"Range": f"bytes={len(whole.content) - 5}-"})
        wrong = await page.get(f"/videos/{number}", headers={"Range": f"bytes={len(whole.content) + 5}-"})
        kept = await page.get(f"/videos/{number}?download")
        poster = await page.get(f"/videos/{number}/poster")
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"].startswith("default-src 'none'; media-src 'self'")
    assert "private" in whole.headers["cache-control"]
    assert whole.headers["accept-ranges"] == "bytes"
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert rest.content == whole.content[-5:]
    assert wrong.status_code == 416
    assert "filename*=UTF-8''%E6%B1%9B%E6%83%85.mp4" in kept.headers["content-disposition"]
    assert poster.headers["content-type"] == "image/jpeg"
    assert b"SecretPhone" not in whole.content
    for who in ("review", "clerk"):
        async with browse(who) as page:
            assert (await page.get(f"/videos/{number}")).status_code == 404
            assert (await page.get(f"/videos/{number}/poster")).status_code == 404
    async with browse("clerk") as page:
        assert (await page.post("/videos/coming", json={"name": "a.mp4", "size": 5})).status_code == 403


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"<svg onload='alert(1)'></svg>", "MP4"), (b"\0\0\0\x18ftypmp42" + b"x" * 999, "损坏"), (b"", "空")],
)
async def test_what_is_no_video_is_refused_in_words(office: Office, browse: Browse, data: bytes, why: str) -> None:
    async with browse("press") as page:
        answer = await put(page, data)
    assert answer.status_code == 422
    assert why in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "given", [{}, {"size": "5"}, {"size": True}, {"size": 1.5}, {"size": -1}, {"size": 10**15}, {"size": 10**30}]
)
async def test_nonsense_about_a_file_is_refused(office: Office, browse: Browse, given: dict[str, object]) -> None:
    async with browse("press") as page:
        assert (await page.post("/videos/coming", json={"name": "a.mp4", **given}, headers=JSON)).status_code == 422


async def test_a_piece_needs_its_place_and_its_person(office: Office, browse: Browse, film: bytes) -> None:
    async with browse("press") as page:
        one = (await page.post("/videos/coming", json={"name": "a.mp4", "size": len(film)})).json()
        url = f"/videos/coming/{one['token']}"
        assert (await page.put(url, content=b"x", headers=JSON)).status_code == 422
        assert (await page.put(f"{url}?offset=5", content=b"x", headers=JSON)).status_code == 409
        del page.headers["X-CSRF-Token"]
        assert (await page.put(f"{url}?offset=0", content=b"x", headers=JSON)).status_code == 403
    async with browse("both") as page:
        assert (await page.put(f"{url}?offset=0", content=b"x", headers=JSON)).status_code == 404
        assert (await page.get(url, headers=JSON)).status_code == 404
        assert (await page.delete(url)).status_code == 204
    async with browse("press") as page:
        assert (await page.get(url)).json()["offset"] == 0
        assert (await page.delete(url)).status_code == 204
        assert (await page.get(url, headers=JSON)).status_code == 404


async def test_a_post_keeps_its_video_with_words_and_reviewers_play_it(
    office: Office, browse: Browse, film: bytes
) -> None:
    account = office.accounts[0]
    async with browse("press") as page:
        number = await put_in(page, film)
        checked = await page.post("/posts/check", data=form(office, account=account, video=number))
        assert f'src="/videos/{number}"' in checked.text
        assert "视频还没有说明" in checked.text
        said = form(office, account=account, video=number, video_alt="大坝\n泄洪")
        url = place(await page.post("/posts", data=said)).removesuffix("/edit")
        edit = (await page.get(f"{url}/edit")).text
        assert f'name="video" value="{number}"' in edit
        assert "大坝 泄洪</textarea>" in edit
    post = await stored(office)
    assert post.video
    assert (post.video["id"], post.video["description"], post.video["name"]) == (int(number), "大坝 泄洪", "汛情.mov")
    async with browse("review") as page:
        shown = (await page.get(url)).text
        assert f'src="/videos/{number}"' in shown
        assert "大坝 泄洪" in shown
        assert (await page.get(f"/videos/{number}", headers={"Range": "bytes=0-1"})).status_code == 206
        events = (await page.get(url)).text
        kept = re.search(rf"{url}/history/\d+", events)
        assert kept
        assert f'src="/videos/{number}"' in (await page.get(kept[0])).text


async def test_taking_it_out_and_leaving_it_out_somewhere(office: Office, browse: Browse, film: bytes) -> None:
    first, second = office.accounts[0], await office.connect("文字号")
    async with browse("press") as page:
        number = await put_in(page, film)
        data = form(office, account=[first, second], video=number) | {f"novideo_{second}": "1"}
        url = place(await page.post("/posts", data=data)).removesuffix("/edit")
        post = await stored(office)
        async with office.read() as unit:
            left = {one.account_id: one.without_video for one in await targets_of(unit, post)}
        assert left == {first: False, second: True}
        assert (await page.get(url)).text.count(f'src="/videos/{number}"') == 1
        changed = form(office, account=[first, second], version=post.version)
        await page.post(url, data=changed)
    post = await stored(office)
    assert post.video is None
    async with office.read() as unit:
        assert not any(one.without_video for one in await targets_of(unit, post))


async def test_a_moment_of_the_video_becomes_a_picture(office: Office, browse: Browse, film: bytes) -> None:
    async with browse("press") as page:
        number = await put_in(page, film)
        answer = await page.post(f"/videos/{number}/cover", json={"at": 1.5})
        assert answer.status_code == 200
        (picture,) = re.findall(r'name="picture" value="(\d+)"', answer.text)
        assert (await page.get(f"/pictures/{picture}")).headers["content-type"] == "image/jpeg"
        for bad in (-1, "x", 10**9, None):
            assert (await page.post(f"/videos/{number}/cover", json={"at": bad}, headers=JSON)).status_code == 422
    async with browse("both") as page:
        assert (await page.post(f"/videos/{number}/cover", json={"at": 1})).status_code == 404


async def test_a_form_without_room_for_a_video_is_told_while_typing(
    office: Office, browse: Browse, film: bytes
) -> None:
    account = office.accounts[0]
    async with browse("press") as page:
        number = await put_in(page, film)
        cover = await page.post(f"/videos/{number}/cover", json={"at": 1})
        (picture,) = re.findall(r'name="picture" value="(\d+)"', cover.text)
        data = form(office, account=account, video=number, picture=picture) | {f"form_{account}": "article"}
        checked = (await page.post("/posts/check", data=data)).text
        assert "「头条文章」不能带视频" in checked
        fine = (await page.post("/posts/check", data=data | {f"novideo_{account}": "1"})).text
        assert "不能带视频" not in fine


async def test_how_far_it_is_stands_on_the_pages_of_what_is_sent(office: Office, browse: Browse, hands: Hands) -> None:
    video = await kept_video(office.ctx, office["press"])
    (number,) = await office.approved(after=1800, video=video)
    post = await office.post_of(number)
    async with browse("press") as page:
        assert "视频还没开始上传" in (await page.get(f"/posts/{post.id}")).text
        office.sandbox.fault("refuse", operation="video", code=10001, status=503)
        await upload_videos(office.house)
        shown = (await page.get(f"/deliveries/{number}")).text
        assert "遇到问题" in shown
        assert "再试" in shown
        office.sandbox.lift()
        hands.on(5)
        await upload_videos(office.house)
        for url in (f"/posts/{post.id}", f"/deliveries/{number}", "/deliveries?group=moving"):
            assert "视频已传到平台" in (await page.get(url)).text, url
        api = (await page.get(f"/api/v1/posts/{post.id}")).json()
        assert api["targets"][0]["uploaded"] == 100
        assert api["video"]["sha256"] == video.sha256


async def test_the_pack_offers_the_video_and_its_person_may_keep_it(
    office: Office, browse: Browse, film: bytes
) -> None:
    account = await douyin(office)
    async with browse("press") as page:
        number = int(await put_in(page, film))
    async with office.read() as unit:
        row = await store.find(unit, office["press"], number)
    hands_on = Option(assignee_id=office["clerk"].user_id)
    (task,) = await office.approved(accounts=[account], video=store.placed(row, "泄洪"), options={account: hands_on})
    await office.sweep()
    assert (await office.delivery(task)).state is DeliveryState.by_hand
    async with browse("clerk") as page:
        pack = (await page.get(f"/byhand/{task}")).text
        assert f'href="/videos/{number}?download"' in pack
        assert "上传这一个文件" in pack
        kept = await page.get(f"/videos/{number}?download")
        assert (kept.status_code, len(kept.content)) == (200, row.size)


async def test_a_video_whose_bytes_are_gone_says_so(office: Office, browse: Browse) -> None:
    video = await kept_video(office.ctx, office["press"])
    post = await office.draft(video=video)
    path: Path = store.path_of(office.ctx.settings, video.sha256)
    path.unlink()
    async with browse("press") as page:
        answer = await page.get(f"/videos/{video.id}")
        assert answer.status_code == 404
        assert "清理" in answer.text
        assert (await page.get(f"/posts/{post.id}")).status_code == 200


async def test_the_calendar_marks_posts_with_a_video(office: Office, browse: Browse, hands: Hands) -> None:
    video = await kept_video(office.ctx, office["press"])
    (number,) = await office.approved(after=1800, video=video)
    async with browse("press") as page:
        span = "start=2026-01-01T00:00:00%2B08:00&end=2099-02-01T00:00:00%2B08:00"
        months = await page.get(f"/calendar/events?{span}")
    if months.status_code == 200:
        (event,) = [one for one in months.json() if one.get("video")]
        assert event["picture"] == f"/videos/{video.id}/poster"
    assert (await office.post_of(number)).state is PostState.approved
