"""词表: the office's lists on their page, brought in and out, and a text tried out."""

from __future__ import annotations

import re

import pytest
from sqlmodel import col, select

from hub.db import Context, reading
from hub.models import AuditEntry, OfficeWord, WordKind
from tests.web.conftest import Visit


async def rows(ctx: Context, kind: WordKind) -> list[OfficeWord]:
    async with reading(ctx) as unit:
        return list(await unit.all(select(OfficeWord).where(OfficeWord.kind == kind).order_by(col(OfficeWord.id))))


async def test_every_list_has_its_page_and_says_what_to_do_when_empty(visit: Visit) -> None:
    async with visit("press_officer") as page:
        for kind in WordKind:
            answer = await page.get(f"/words?kind={kind.value}")
            assert answer.status_code == 200
            empty = "还是空的" in answer.text
            assert empty is (kind is not WordKind.prohibited)
        assert "没有找到" in (await page.get("/words?kind=prohibited&q=查无此词")).text
        assert (await page.get("/words?kind=nonsense")).status_code == 200


async def test_an_entry_is_added_changed_and_deleted(visit: Visit, ctx: Context) -> None:
    async with visit("administrator") as page:
        bad = await page.post("/words", data={"kind": "person", "word": "林国安", "other": ""})
        assert bad.status_code == 422
        assert "请填写职务" in bad.text
        assert 'value="林国安"' in bad.text
        added = await page.post("/words", data={"kind": "person", "word": "林国安", "other": "市委书记"})
        assert added.status_code == 303
        (row,) = await rows(ctx, WordKind.person)
        assert "市委书记" in (await page.get(f"/words/{row.id}")).text
        given = {"word": "林国安", "other": "省委常委，市委书记", "version": str(row.version)}
        assert (await page.post(f"/words/{row.id}", data=given)).status_code == 303
        stale = await page.post(f"/words/{row.id}", data=given)
        assert stale.status_code == 409
        assert [one.other for one in await rows(ctx, WordKind.person)] == ["省委常委、市委书记"]
        assert (await page.post(f"/words/{row.id}/delete", data={"version": "2"})).status_code == 303
    assert await rows(ctx, WordKind.person) == []
    async with reading(ctx) as unit:
        deeds = await unit.all(select(AuditEntry.what).where(col(AuditEntry.what).startswith("words.")))
    assert deeds == ["words.add", "words.change", "words.remove"]


async def test_lists_go_out_and_come_back_as_a_file(visit: Visit, ctx: Context) -> None:
    async with visit("press_officer") as page:
        out = await page.get("/words/export?kind=prohibited")
        assert out.headers["content-type"].startswith("text/csv")
        assert "旧称own,新称" in out.text
        sent = out.text.replace("新称", "更新称") + "排序,市领导,林国安、陈素华,,\r\n"
        done = await page.post("/words/import", data={"kind": "order"}, files={"file": ("词表.csv", sent.encode())})
        assert done.status_code == 303
        bad = await page.post("/words/import", data={"kind": "order"}, files={"file": ("坏.csv", b"no,list\n")})
        none = await page.post("/words/import", data={"kind": "order"})
    assert [row.other for row in await rows(ctx, WordKind.prohibited)] == ["更新称", "更新称"]
    assert [row.word for row in await rows(ctx, WordKind.order)] == ["市领导"]
    assert bad.status_code == none.status_code == 422
    assert "不认识词表" in bad.text


async def test_a_text_is_tried_out_with_the_places_marked(visit: Visit) -> None:
    async with visit("press_officer") as page:
        answer = await page.post("/words/try", data={"text": "旧称own😀布署<b>，周未见"})
        clean = await page.post("/words/try", data={"text": "明日恢复供水。"})
    marks = re.findall(r'<mark class="find-mark tone-(\w+)" title="[^"]+">([^<]+)</mark>', answer.text)
    assert marks == [("danger", "旧称own"), ("soon", "布署"), ("soon", "周未")]
    assert "&lt;b&gt;" in answer.text
    assert "<b>" not in answer.text
    assert "没有发现问题" in clean.text


async def test_a_text_is_ignored_from_where_it_is_written(visit: Visit, ctx: Context) -> None:
    async with visit("press_officer") as page:
        done = await page.post("/words/ignore", json={"group": "confusion", "found": "周未"})
        bad = await page.post("/words/ignore", json={"group": "confusion"})
    assert "不再提示「周未」" in done.json()["text"]
    assert bad.status_code == 422
    assert [(row.word, row.other) for row in await rows(ctx, WordKind.ignored)] == [("周未", "confusion")]


@pytest.mark.parametrize("who", ["handler", "reviewer1"])
async def test_others_may_try_texts_but_not_keep_lists(visit: Visit, who: str) -> None:
    async with visit(who) as page:
        assert (await page.get("/words/try")).status_code == 200
        assert (await page.get("/words")).status_code == 403


async def test_a_head_keeps_the_department_s_lists_and_only_reads_the_office_s(visit: Visit, ctx: Context) -> None:
    async with visit("head") as page:
        office = await page.get("/words?kind=prohibited")
        assert "旧称own" in office.text
        assert "您只能查看" in office.text
        assert "加入词表" not in office.text
        ids = re.findall(r'<option value="(\d+)"', office.text)
        mine = await page.get(f"/words?kind=prohibited&where={ids[0]}")
        assert "加入词表" in mine.text
        assert "还是空的" in mine.text
        given = {"kind": "prohibited", "where": ids[0], "word": "本部门旧称", "other": "新称"}
        added = await page.post("/words", data=given)
        assert added.headers["location"].startswith(f"/words?kind=prohibited&where={ids[0]}")
        row = next(one for one in await rows(ctx, WordKind.prohibited) if one.word == "本部门旧称")
        assert row.department_id == int(ids[0])
        assert "只在" in (await page.get(f"/words/{row.id}")).text
        tried = await page.post("/words/try", data={"text": "本部门旧称照用"})
        assert "本部门旧称" in tried.text
        assert "禁用词" in tried.text
        out = await page.get(f"/words/export?where={ids[0]}")
        assert "本部门旧称,新称" in out.text
        assert "旧称own" not in out.text
        ignored = await page.post("/words/ignore", json={"group": "confusion", "found": "周未"})
        assert "本部门及下属部门" in ignored.json()["text"]
        assert (await page.get("/words?where=999999")).status_code == 404
        assert (await page.post(f"/words/{row.id}/delete", data={"version": "1"})).status_code == 303
    async with visit("head", side="other") as page:
        assert (await page.get(f"/words?where={ids[0]}")).status_code == 404
    async with visit("administrator") as page:
        shown = await page.get(f"/words?kind=ignored&where={ids[0]}")
        assert "周未" in shown.text
        assert "加入词表" in shown.text


async def test_a_text_tried_out_is_mended_without_scripts(visit: Visit) -> None:
    async with visit("handler") as page:
        tried = await page.post("/words/try", data={"text": "布署工作,完毕,散会。"})
        assert "改为「部署」" in tried.text
        assert "2 处半角标点" in tried.text
        fix = '["text", [[4, 5, ",", "，"], [7, 8, ",", "，"]]]'
        mended = await page.post("/words/try", data={"text": "布署工作,完毕,散会。", "fix": fix})
        assert "布署工作，完毕，散会。</textarea>" in mended.text
