"""The check in the composer and on a post's page: marked, mended and ignored also without scripts, let pass by name."""

from __future__ import annotations

import html
import json
import re

from sqlmodel import col, select

from hub.models import OfficeWord, PostEvent, PostState
from tests.web.press.conftest import Browse
from tests.web.press.test_compose_pages import form, place, stored
from tests.workflows.delivery.office import Office

RED = "名单：张某，身份证号11010519491231002X。"


def buttons(text: str, name: str) -> list[str]:
    return [html.unescape(value) for value in re.findall(rf'name="{name}" value="([^"]*)"', text)]


async def test_what_is_typed_is_checked_with_places_in_units_of_the_browser(office: Office, browse: Browse) -> None:
    async with browse("press") as page:
        typing = await page.post("/posts/check", data=form(office, "😀布署防讯工作。"))
    places = json.loads(html.unescape(re.search(r'data-finds-places="([^"]*)"', typing.text)[1]))  # type: ignore[index]
    assert [(one["start"], one["end"], one["found"]) for one in places] == [(2, 4, "布署"), (4, 6, "防讯")]
    assert json.loads(buttons(typing.text, "fix")[0]) == ["body", 1, 3, "布署", "部署"]
    assert "差错 2" in typing.text


async def test_without_scripts_a_button_mends_the_text_and_keeps_all_that_was_typed(
    office: Office, browse: Browse
) -> None:
    async with browse("press") as page:
        typed = form(office, "布署防讯工作。") | {"title": "标题"}
        shown = await page.post("/posts/fix", data=typed | {"fix": '["body", 0, 2, "布署", "部署"]'})
        other = await page.post("/posts/fix", data=typed | {"fix": '["body", 90, 92, "防讯", "防汛"]'})
        ignored = await page.post("/posts/fix", data=typed | {"ignore": '["confusion", "防讯"]'})
        broken = await page.post("/posts/fix", data=typed | {"fix": "[1]"})
    assert "部署防讯工作。</textarea>" in shown.text
    assert 'value="标题"' in shown.text
    assert "布署防汛工作。</textarea>" in other.text
    assert "布署防讯工作。</textarea>" in ignored.text
    assert [json.loads(value)[3] for value in buttons(ignored.text, "fix")] == ["布署"]
    assert broken.status_code == 422
    async with office.read() as unit:
        assert await unit.all(select(OfficeWord.word)) == ["防讯"]


async def test_errors_are_ticked_before_a_post_is_handed_in(office: Office, browse: Browse) -> None:
    async with browse("press") as page:
        edit = place(await page.post("/posts", data=form(office, "布署工作。", do="submit")))
        assert (await stored(office)).state is PostState.draft
        shown = (await page.get(edit)).text
        seen = re.search(r'name="confirmed" value="(\w+)"', shown)
        assert seen
        post = await stored(office)
        again = form(office, "布署工作。", do="submit", confirmed=seen[1]) | {"version": str(post.version)}
        place(await page.post(f"/posts/{post.id}", data=again))
    assert (await stored(office)).state is PostState.review


async def test_a_red_line_is_let_pass_on_the_page_by_another_person(office: Office, browse: Browse) -> None:
    async with browse("press") as page:
        edit = place(await page.post("/posts", data=form(office, RED, do="submit")))
        post = await stored(office)
        assert post.state is PostState.draft
        shown = (await page.get(f"/posts/{post.id}")).text
        assert "身份证号没有遮挡" in shown
        assert f"/posts/{post.id}/force" not in shown
    async with browse("chief") as page:
        given = {"content_hash": post.content_hash, "force_reason": ""}
        asked = await page.get(f"/posts/{post.id}")
        empty = await page.post(f"/posts/{post.id}/force", data=given)
        done = await page.post(f"/posts/{post.id}/force", data=given | {"force_reason": "依法公示"})
    assert f"/posts/{post.id}/force" in asked.text
    assert empty.status_code == 422
    assert done.status_code == 303
    async with browse("press") as page:
        assert "已由有权限的人写明理由放行" in (await page.get(edit)).text
        version = str((await stored(office)).version)
        place(await page.post(f"/posts/{post.id}/submit", data={"version": version}))
        history = (await page.get(f"/posts/{post.id}")).text
    assert (await stored(office)).state is PostState.review
    assert "放行红线" in history
    assert "依法公示" in history
    async with office.read() as unit:
        assert await unit.all(select(PostEvent.what).order_by(col(PostEvent.id))) == ["create", "force", "submit"]
