"""The pages of learning, and one click for the right label on the page of a message."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from sqlmodel import col, select

from hub.db import Context, reading
from hub.models import Because, CaseState, Correction, LearnRun, LearnState, LiveModel, Message, ModelChange
from tests.web.casework import open_case, send, words
from tests.web.conftest import Visit
from tests.web.world import World
from tests.workflows.learning import shelf
from workflows.language.report import facts
from workflows.learning import live


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    yield
    live.forget()


async def test_versions_are_shown_and_one_goes_back_with_a_reason(visit: Visit, ctx: Context) -> None:
    made = await shelf.put(ctx, 1, in_force=True)
    await shelf.put(ctx, 2, accepted=False)
    async with visit("press_officer") as client:
        page = words((await client.get("/learning")).text)
        one = words((await client.get(f"/learning/versions/{made.id}")).text)
        bare = await send(client, "/learning", "/learning/choose", {"task": "sentiment", "number": "0", "reason": ""})
        given = {"task": "sentiment", "number": "0", "reason": "学歪了"}
        done = await send(client, "/learning", "/learning/choose", given)
        after = words((await client.get("/learning")).text)
    assert "正在使用：第 1 版" in page
    assert "没有采用" in page
    assert "在核对集上变差了" in page
    assert "绝绝子" in one
    assert "学习前 F1" in one
    assert bare.status_code == 422
    assert "请写明换版本的理由" in words(bare.text)
    assert done.status_code == 303
    assert "这个版本是人工选定的" in after
    assert "学歪了" in after
    async with reading(ctx) as unit:
        assert (await unit.one(select(LiveModel))).learnt_id is None
        assert len(await unit.all(select(ModelChange))) == 2


async def test_one_press_goes_back_and_one_more_returns(visit: Visit, ctx: Context) -> None:
    await shelf.put(ctx, 1, in_force=True)
    await shelf.put(ctx, 2, in_force=True)
    async with visit("press_officer") as client:
        for back, now in ((1, 1), (2, 2)):
            page = (await client.get("/learning")).text
            form = page[page.index(f'name="number" value="{back}"') :]
            assert words(form[: form.index("</form>")]).endswith(f"退回第 {back} 版")
            given = {"task": "sentiment", "number": str(back), "reason": "一键退回"}
            assert (await send(client, "/learning", "/learning/choose", given)).status_code == 303
            assert f"正在使用：第 {now} 版" in words((await client.get("/learning")).text)
        assert "一键退回" in words((await client.get("/learning")).text)


async def test_a_version_of_an_older_product_is_not_offered(visit: Visit, ctx: Context) -> None:
    made = await shelf.put(ctx, 1, base="0123456789abcdef")
    async with visit("press_officer") as client:
        page = words((await client.get("/learning")).text)
        one = words((await client.get(f"/learning/versions/{made.id}")).text)
    for text in (page, one):
        assert "学自旧出厂版，不能用了" in text
        assert "换用" not in text


async def test_who_has_nothing_to_learn_from_is_told_what_is_missing(visit: Visit, ctx: Context, world: World) -> None:
    async with visit("press_officer") as client:
        assert "满 20 条、其中有改错的" in words((await client.get("/learning")).text)


async def test_learning_now_waits_for_the_worker_and_is_not_asked_twice(visit: Visit, ctx: Context) -> None:
    async with visit("administrator") as client:
        done = await send(client, "/learning", "/learning/learn", {})
        page = words((await client.get("/learning?part=now")).text)
        again = await send(client, "/learning", "/learning/learn", {})
    assert done.status_code == 303
    assert "排队等待学习" in page
    assert again.status_code == 409
    async with reading(ctx) as unit:
        waiting = select(LearnRun).where(col(LearnRun.state) == LearnState.waiting)
        assert [one.by_name for one in await unit.all(waiting)] != []


async def test_an_auditor_looks_on(visit: Visit, ctx: Context) -> None:
    made = await shelf.put(ctx, 1, in_force=True)
    async with visit("auditor") as client:
        page = (await client.get("/learning")).text
        one = await client.get(f"/learning/versions/{made.id}")
        refused = await client.post("/learning/learn")
    assert "现在学习" not in page
    assert "退回出厂版" not in page
    assert one.status_code == 200
    assert refused.status_code == 403


async def test_corrections_are_listed_narrowed_exported_and_taken_back(
    visit: Visit, ctx: Context, world: World
) -> None:
    case = await open_case(ctx, world, "电话13812345678，公交又晚点", topic="城乡建设")
    page = f"/messages/{case.first_message_id}"
    async with visit("press_officer") as client:
        await send(client, page, f"{page}/tags", {"quick": "1", "topic": "交通运输", "because": "local"})
        shown = words((await client.get("/learning/corrections")).text)
        none = words((await client.get("/learning/corrections?field=place")).text)
        some = words((await client.get("/learning/corrections?because=local&kind=set&to=交通运输")).text)
        sheet = await client.get("/learning/corrections.csv?because=local")
        async with reading(ctx) as unit:
            one = await unit.one(select(Correction).where(col(Correction.message_id) == case.first_message_id))
        back = "/learning/corrections"
        done = await send(client, back, f"{back}/{one.id}/withdraw", {"why": "点错了"})
        again = await client.post(f"{back}/{one.id}/withdraw")
        gone = words((await client.get("/learning/corrections?kind=withdrawn")).text)
    assert "本地说法、简称" in shown
    assert "公交又晚点" in some
    assert "13812345678" not in shown + sheet.text
    assert "没有符合条件的修正" in none
    rows = list(csv.reader(io.StringIO(sheet.content.decode("utf-8-sig"))))
    assert rows[1][2:6] == ["主题", "城乡建设", "交通运输", "本地说法、简称"]
    assert (done.status_code, again.status_code) == (303, 409)
    assert "点错了" in gone
    async with reading(ctx) as unit:
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        assert message.topic == "城乡建设"


async def test_an_administrator_sees_numbers_but_no_messages(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, "公交又晚点", topic="城乡建设")
    page = f"/messages/{case.first_message_id}"
    async with visit("press_officer") as client:
        await send(client, page, f"{page}/tags", {"quick": "1", "topic": "交通运输", "because": "local"})
    async with visit("administrator") as client:
        listed = (await client.get("/learning/corrections")).text
        sheet = (await client.get("/learning/corrections.csv")).text
    assert "公交又晚点" not in listed + sheet
    assert "只列出您看得到的来信的修正" in words(listed)


async def test_one_click_corrects_one_tag_and_can_be_undone(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, "公交又晚点", topic="城乡建设")
    page = f"/messages/{case.first_message_id}"
    async with visit("press_officer") as client:
        shown = (await client.get(page)).text
        done = await send(client, page, f"{page}/tags", {"quick": "1", "topic": "交通运输", "because": "subject"})
        after = words((await client.get(f"{page}?part=tags")).text)
        async with visit("dispatcher") as other:
            foreign = await other.post(f"{page}/tags/undo")
        undone = await client.post(f"{page}/tags/undo")
        twice = await client.post(f"{page}/tags/undo")
    assert 'data-key="y"' in shown
    assert 'value="交通运输"' in shown
    assert done.status_code == 303
    assert "认定" in after
    assert "撤回" in after
    assert (foreign.status_code, undone.status_code, twice.status_code) == (409, 200, 409)
    assert undone.json()["text"]
    async with reading(ctx) as unit:
        said = await unit.one(select(Correction).where(col(Correction.message_id) == case.first_message_id))
        assert (said.because, said.before, said.after) == (Because.subject, "城乡建设", "交通运输")
        assert said.withdrawn_at is not None
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        assert (message.topic, message.is_sensitive, message.place) == ("城乡建设", False, message.place)


async def test_right_tags_are_said_to_be_right_with_one_key(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, "路灯又坏了", side="own", state=CaseState.handling)
    page = f"/messages/{case.first_message_id}"
    async with visit("handler") as client:
        done = await send(client, page, f"{page}/tags/confirm", {})
        twice = await client.post(f"{page}/tags/confirm")
    assert (done.status_code, twice.status_code) == (303, 422)
    async with reading(ctx) as unit:
        rows = await unit.all(select(Correction).where(col(Correction.message_id) == case.first_message_id))
        assert {(one.field, one.because) for one in rows} == {
            (field, Because.right) for field in ("topic", "sentiment", "request")
        }


async def test_the_report_shows_what_the_model_files_say(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        page = (await client.get("/learning/report")).text
        curve = await client.get("/learning/report/topic/0")
        none = await client.get("/learning/report/topic/99")
    emotions = page.partition('id="model-emotion"')[2].partition('<section class="card"')[0]
    assert "平静" in emotions
    assert "中性" not in emotions, "the calm among emotions has the name it has beside a message"
    for model in facts():
        for one in model.scores:
            assert f"{one.macro_f1 * 100:.1f}" in page
    assert set(curve.json()) == {"kind", "unit", "labels", "series"}
    assert none.status_code == 404
