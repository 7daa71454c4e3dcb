"""Hot issues as people see them: the list, one matter, its forms, its files, and a model's text with its mark."""

from __future__ import annotations

import io

from openpyxl import load_workbook
from sqlmodel import select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import CaseState, Matter, MatterState, ModelDraft, ModelState, ModelTask
from tests.web.casework import form_on, open_case, send, words
from tests.web.conftest import Visit
from tests.web.world import World
from workflows.replies.generated import LABEL


async def _matter(ctx: Context, matter_id: object) -> Matter:
    async with reading(ctx) as unit:
        return await unit.one(select(Matter).where(Matter.id == matter_id))


async def test_the_list_ranks_and_opens(visit: Visit, world: World) -> None:
    number = world.places["own"]["matter_id"]
    async with visit("press_officer") as client:
        shown = (await client.get("/opinion/matters")).text
        part = (await client.get("/opinion/matters?part=rows")).text
        dismissed = words((await client.get("/opinion/matters?state=dismissed")).text)
        for odd in ("order=x&days=999&state=x&all=2", "order=growth", "order=new&days=7", "all=1"):
            assert (await client.get(f"/opinion/matters?{odd}")).status_code == 200
        assert (await client.get("/opinion/matters?after=x")).status_code == 422
    assert f'href="/opinion/matters/{number}"' in shown
    assert "路灯不亮" in words(shown)
    assert "另有 2 条转发原文" in words(shown)
    assert "<html" not in part
    assert "没有忽略过的事" in dismissed


async def test_an_empty_list_says_what_fills_it(visit: Visit, ctx: Context) -> None:
    async with unit_of_work(ctx) as unit:
        for matter in await unit.all(select(Matter)):
            matter.messages, matter.copies = 1, 0
    async with visit("leader") as client:
        assert "还没有热点" in words((await client.get("/opinion/matters")).text)


async def test_one_matter_shows_reasons_cases_and_history(visit: Visit, world: World) -> None:
    page = f"/opinion/matters/{world.places['own']['matter_id']}"
    async with visit("press_officer") as client:
        shown = (await client.get(page)).text
        text = words(shown)
        chart = (await client.get(f"{page}/chart")).json()
    assert "路灯不亮三天了" in text
    assert f'href="/messages/{world.places["own"]["message_id"]}"' in shown
    assert f"/cases/{world.places['own']['number']}" in shown
    assert "这件事由它开始：路灯" in text
    assert "没有找到明显不同的说法" in text
    assert chart["kind"] == "bar"
    async with visit("leader") as client:
        text = words((await client.get(page)).text)
        assert "改名" not in text
        assert "数字为全市" in text
        assert (await client.get(f"/opinion/matters/{world.places['other']['matter_id']}")).status_code == 404


async def test_case_and_message_lead_to_their_issue(visit: Visit, world: World) -> None:
    own = world.places["own"]
    link = f'href="/opinion/matters/{own["matter_id"]}"'
    async with visit("press_officer") as client:
        assert link in (await client.get(f"/cases/{own['number']}")).text
        assert link in (await client.get(f"/messages/{own['message_id']}")).text
    async with visit("handler") as client:
        shown = await client.get(f"/cases/{own['number']}")
        assert shown.status_code == 200
        assert link not in shown.text, "no way to a page that is not theirs"


async def test_forms_change_refuse_and_keep_what_was_typed(visit: Visit, ctx: Context, world: World) -> None:
    own, other = world.places["own"]["matter_id"], world.places["other"]["matter_id"]
    page = f"/opinion/matters/{own}"
    async with visit("press_officer") as client:
        form = await form_on(client, page, f"{page}/rename")
        assert (await client.post(f"{page}/rename", data=form | {"name": ""})).status_code == 422
        done = await client.post(f"{page}/rename", data=form | {"name": "三号路路灯"})
        assert done.status_code == 303
        stale = await client.post(f"{page}/rename", data=form | {"name": "别的"})
        assert stale.status_code == 409
        assert "刚被他人改过" in words(stale.text)
        form = await form_on(client, page, f"{page}/merge")
        bad = await client.post(f"{page}/merge", data=form | {"into": str(other), "reason": ""})
        assert bad.status_code == 422
        assert "请写明理由" in words(bad.text)
        gone = await client.post(f"{page}/merge", data=form | {"into": str(other), "reason": "同一条路"})
        assert gone.headers["location"].endswith(f"/opinion/matters/{other}")
        assert "已并入另一件" in words((await client.get(page)).text)
        target = f"/opinion/matters/{other}"
        form = await form_on(client, target, f"{target}/dismiss")
        await client.post(f"{target}/dismiss", data=form | {"do": "dismiss", "reason": "重复"})
        assert (await _matter(ctx, other)).state is MatterState.dismissed
        form = await form_on(client, target, f"{target}/dismiss")
        await client.post(f"{target}/dismiss", data=form | {"do": "reopen", "reason": "还要看"})
    found = await _matter(ctx, other)
    assert (found.state, found.is_kept) == (MatterState.open, True)
    assert (await _matter(ctx, own)).name == "三号路路灯"


async def test_chosen_messages_are_parted(visit: Visit, ctx: Context, world: World) -> None:
    own, other = world.places["own"], world.places["other"]
    page = f"/opinion/matters/{other['matter_id']}"
    async with visit("press_officer") as client:
        form = await form_on(
            client, f"/opinion/matters/{own['matter_id']}", f"/opinion/matters/{own['matter_id']}/merge"
        )
        await client.post(
            f"/opinion/matters/{own['matter_id']}/merge",
            data=form | {"into": str(other["matter_id"]), "reason": "一样"},
        )
        form = await form_on(client, page, f"{page}/split")
        none = await client.post(f"{page}/split", data=form | {"do": "split", "name": "新的", "reason": "不同"})
        assert "请先勾选" in words(none.text)
        done = await client.post(
            f"{page}/split",
            data=form | {"do": "split", "name": "另一盏灯", "reason": "不同", "message": str(own["message_id"])},
        )
        assert done.status_code == 303
        assert "另一盏灯" in words((await client.get(done.headers["location"])).text)


async def test_a_merge_is_taken_back_from_either_page(visit: Visit, ctx: Context, world: World) -> None:
    own, other = world.places["own"]["matter_id"], world.places["other"]["matter_id"]
    page, target = f"/opinion/matters/{own}", f"/opinion/matters/{other}"
    async with visit("press_officer") as client:
        for asked in (page, target):
            form = await form_on(client, page, f"{page}/merge")
            await client.post(f"{page}/merge", data=form | {"into": str(other), "reason": "一样"})
            assert (await _matter(ctx, own)).state is MatterState.merged
            form = await form_on(client, asked, f"{target}/undo")
            done = await client.post(f"{target}/undo", data=form)
            assert done.headers["location"].endswith(page)
            assert (await _matter(ctx, own)).state is MatterState.open
            again = await client.post(f"{target}/undo", data=form)
            assert again.status_code == 409
            assert "已经撤销过" in words(again.text)
        assert "重新分开" in words((await client.get(page)).text)
    async with visit("auditor") as client:
        assert "撤销这一步" not in words((await client.get(target)).text)


async def test_files_hold_what_the_page_shows(visit: Visit, world: World) -> None:
    page = f"/opinion/matters/{world.places['own']['matter_id']}"
    async with visit("leader") as client:
        book = load_workbook(io.BytesIO((await client.get("/opinion/matters.xlsx")).content))
        csv = (await client.get(f"{page}/messages.csv")).text
        assert (await client.get("/opinion/matters.pdf")).status_code == 404
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert len(rows) == 2, "one matter of the own tree"
    assert rows[1][1:5] == ["路灯不亮", 1, 2, 3]
    assert "路灯不亮三天了" in csv


async def test_a_models_text_is_marked_wherever_it_goes(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, "路灯不亮三天了", state=CaseState.handling, side="own")
    page = f"/cases/{case.number}"
    async with visit("handler") as client:
        assert "模型起草" not in words((await client.get(page)).text), "nothing is offered where no model is set up"
        ctx.settings = ctx.settings.model_copy(update={"model_url": "http://127.0.0.1:9/v1", "model_name": "qwen"})
        form = await form_on(client, page, f"{page}/model")
        assert (await client.post(f"{page}/model", data=form)).status_code == 303
        assert "模型正在写" in words((await client.get(f"{page}?part=model")).text)
        async with unit_of_work(ctx) as unit:
            draft = await unit.one(select(ModelDraft).where(ModelDraft.case_id == case.id))
            draft.state, draft.text, draft.model, draft.finished_at = ModelState.done, "今晚修好。", "qwen", clock.now()
        assert "模型生成" in words((await client.get(f"{page}?part=model")).text)
        done = await send(client, page, f"{page}/model/{draft.id}", {})
        assert done.status_code == 303
        shown = words((await client.get(page)).text)
        assert LABEL in shown
        assert "由模型 qwen 起草" in shown
        assert "采用模型起草的文字" in shown
        await send(client, page, f"{page}/draft", {"text": f"今晚修好。\n{LABEL}", "do": "submit"})
    async with visit("head") as client:
        review = words((await client.get(f"/reviews/{case.number}")).text)
    assert "含模型生成的文字" in review
    assert "由模型 qwen 起草，人工修改和审核" in review


async def test_a_models_summary_is_marked_and_only_for_who_reads_everything(
    visit: Visit, ctx: Context, world: World
) -> None:
    page = f"/opinion/matters/{world.places['own']['matter_id']}"
    async with unit_of_work(ctx) as unit:
        matter_id = int(str(world.places["own"]["matter_id"]))
        unit.add(ModelDraft(task=ModelTask.summary, matter_id=matter_id, state=ModelState.done, text="居民说路灯不亮。",
                            model="qwen", finished_at=clock.now(), by_name="宣传"))  # fmt: skip
    async with visit("press_officer") as client:
        text = words((await client.get(page)).text)
        assert "居民说路灯不亮。" in text
        assert "qwen 写于" in text
        assert "有 1 句没有写明依据，0 处依据不在" in text
        assert (await client.post(f"{page}/model")).status_code == 409
    async with visit("leader") as client:
        assert "居民说路灯不亮。" not in words((await client.get(page)).text)
