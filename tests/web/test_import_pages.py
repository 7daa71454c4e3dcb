"""Bringing a file in from the page: columns, trial, the real thing, errors as a safe file, refusals in words."""

from __future__ import annotations

import io
import os
import re
import time
from datetime import datetime
from pathlib import Path

import httpx
from openpyxl import Workbook
from sqlmodel import select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Arrival, ImportRun, ImportState, SavedMapping
from tests.web.casework import form_on, words
from tests.web.conftest import Visit
from tests.web.world import World
from workflows.house import House
from workflows.intake import uploads
from workflows.intake.history import safe_cell
from workflows.intake.jobs import run_imports, sweep_uploads

ROWS = """留言编号,留言主题,留言内容,留言时间,留言用户
1,路灯,路灯不亮,2026-01-05 10:00,张三
2,井盖,井盖没了,不是时间,李四
3,公式,=1+1,2026-01-05 12:00,"=HYPERLINK(""http://x"")"
""".encode("gb18030")


async def hand_in(
    client: httpx.AsyncClient, content: bytes, name: str = "来信.csv", account: str = "市长信箱"
) -> httpx.Response:
    return await client.post("/imports", data={"account": account}, files={"file": (name, content)})


async def chosen_on(client: httpx.AsyncClient, page: str) -> dict[str, str]:
    """The mapping screen as it stands."""
    html = (await client.get(page)).text
    picks = re.findall(r'name="(column_\d+)".*?</select>', html, re.DOTALL)
    selects = re.findall(r'<select[^>]*name="column_\d+".*?</select>', html, re.DOTALL)
    values = [(re.findall(r'value="([^"]*)" selected', one) or [""])[0] for one in selects]
    return dict(zip(picks, values, strict=True)) | {"account": "市长信箱"}


async def test_from_file_to_messages(visit: Visit, house: House, ctx: Context, world: World) -> None:
    async with visit("press_officer") as client:
        page = (await hand_in(client, ROWS)).headers["location"]
        columns = await chosen_on(client, page)
        assert list(columns.values())[:5] == ["id", "subject", "text", "created_at", "author"]
        shown = words((await client.get(page)).text)
        tried = await client.post(page, data=columns | {"do": "try", "save_as": "信箱导出"})
        await run_imports(house)
        trial = words((await client.get(tried.headers["location"])).text)
        assert await arrivals(ctx, world) == 0
        form = await form_on(client, tried.headers["location"], f"{tried.headers['location']}/run")
        real = await client.post(f"{tried.headers['location']}/run", data=form)
        queued = words((await client.get(real.headers["location"])).text)
        await run_imports(house)
        done = words((await client.get(real.headers["location"])).text)
        again = await client.post(f"{tried.headers['location']}/run", data=form)
        history = words((await client.get("/imports")).text)
    assert "列已认出" in shown
    assert "路灯 井盖 公式" in shown
    assert "试导入，没有写入 读到 3 行 会新增 2 条 已有 0 条 有错误 1 行" in trial
    assert "排队中" in queued
    assert "新增 2 条" in done
    assert await arrivals(ctx, world) == 2
    assert again.status_code == 409
    assert "请重新上传" in words(again.text)
    assert "来信.csv 试导入" in history
    async with reading(ctx) as unit:
        assert (await unit.one(select(SavedMapping))).name == "信箱导出"
    assert [path.suffix for path in (house.ctx.settings.data / uploads.FOLDER).iterdir()] == [".json"]


async def arrivals(ctx: Context, world: World) -> int:
    """How many rows of files are stored."""
    async with reading(ctx) as unit:
        return len(await unit.all(select(Arrival).where(Arrival.via == "file")))


async def test_a_workbook_goes_the_same_way(visit: Visit, house: House, ctx: Context, world: World) -> None:
    book, content = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["留言内容", "留言时间"])
    sheet.append(["路灯不亮", datetime(2026, 1, 5, 10)])  # noqa: DTZ001 -- as a spreadsheet has it
    book.save(content)
    async with visit("press_officer") as client:
        page = (await hand_in(client, content.getvalue(), "来信.XLSX")).headers["location"]
        run = (await client.post(page, data=await chosen_on(client, page) | {"do": "run"})).headers["location"]
        await run_imports(house)
        done = words((await client.get(run)).text)
    assert "新增 1 条" in done
    assert await arrivals(ctx, world) == 1


async def test_a_remembered_mapping_is_used_for_the_same_columns(visit: Visit, house: House) -> None:
    odd = "甲,乙,丙\n正文在此,2026-01-05 10:00,张三\n".encode()
    async with visit("press_officer") as client:
        page = (await hand_in(client, odd)).headers["location"]
        lacking = {"column_0": "text", "column_1": "", "column_2": "author", "account": "市长信箱", "do": "try"}
        bare = await client.post(page, data=lacking)
        await client.post(page, data=lacking | {"column_1": "created_at", "save_as": "甲乙丙"})
        second = (await hand_in(client, odd)).headers["location"]
        remembered = await chosen_on(client, second)
        by_name = await client.get(f"{second}?mapping=甲乙丙")
        unknown = await client.get(f"{second}?mapping=没有这个")
    assert bare.status_code == 422
    assert "没有指定「时间」列" in words(bare.text)
    assert [remembered[f"column_{n}"] for n in range(3)] == ["text", "created_at", "author"]
    assert by_name.status_code == 200
    assert unknown.status_code == 422


async def test_files_that_cannot_be_read_are_refused_in_words(visit: Visit, house: House) -> None:
    bad = {
        "旧表.xls": (b"\xd0\xcf\x11\xe0", "不是真正的 .xls"),
        "图.csv": (b"\x89PNG\r\n", "这不是表格文件"),
        "空.csv": (b"", "文件是空的"),
        "网页.csv": (b"<html><table>", "这是网页"),
        "坏.xlsx": (b"PK\x03\x04 broken", "xlsx"),
        "../../etc/passwd": (b"a,b", "请选择 .xlsx、.xls 或 .csv 文件"),
    }
    async with visit("dispatcher") as client:
        for name, (content, said) in bad.items():
            answer = await hand_in(client, content, name)
            assert answer.status_code == 422, name
            assert said in words(answer.text), name
            assert 'value="市长信箱"' in answer.text
        nothing = await client.post("/imports", data={"account": ""})
        taken = await hand_in(client, ROWS, account="澄江发布")
    assert "请选择要导入的文件" in words(nothing.text)
    assert "不能导入文件" in words(taken.text)


async def test_an_upload_is_its_owners_and_a_large_one_is_refused(visit: Visit, house: House) -> None:
    async with visit("press_officer") as client:
        page = (await hand_in(client, ROWS)).headers["location"]
        large = await hand_in(client, b"a" * (house.ctx.settings.max_body_mb * 1024**2 + 1))
    async with visit("press_officer", side="other") as client:
        foreign = await client.get(page)
        odd = await client.get("/imports/files/..%2F..%2Fsecret.key")
    assert large.status_code == 413
    assert "内容太大" in words(large.text)
    assert (foreign.status_code, odd.status_code) == (404, 404)


async def test_the_error_file_holds_no_formula(visit: Visit, ctx: Context, world: World) -> None:
    number = int(str(world.places["own"]["run_id"]))
    async with unit_of_work(ctx) as unit:
        run = await unit.get(ImportRun, number)
        assert run is not None
        run.errors = [
            {"row": 7, "column": "=cmd|' /C calc'!A0", "why": "＝1 不行"},
            {"row": 8, "column": "时间", "why": "-"},
        ]
        run.error_count = 2
    async with visit("press_officer") as client:
        answer = await client.get(f"/imports/{number}/errors.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines == ["行号,列,原因", "7,'=cmd|' /C calc'!A0,'＝1 不行", "8,时间,'-"]


def test_cells_are_made_safe_only_where_they_must() -> None:
    assert [safe_cell(text) for text in ("时间", "+1", " @x", "\t=1", "a=b", "")] == [
        "时间", "'+1", "' @x", "'\t=1", "a=b", "",
    ]  # fmt: skip


async def test_a_run_nobody_takes_says_that_no_worker_is_there(visit: Visit, ctx: Context, world: World) -> None:
    number = int(str(world.places["own"]["run_id"]))
    async with visit("press_officer") as client:
        with clock.frozen(clock.now()):
            fresh = words((await client.get(f"/imports/{number}")).text)
        async with unit_of_work(ctx) as unit:
            run = await unit.get(ImportRun, number)
            assert run is not None
            run.created_at = run.created_at.replace(year=2025)
        stuck = words((await client.get(f"/imports/{number}?part=result")).text)
    assert run.state is ImportState.uploaded
    assert "正在逐行导入" in fresh
    assert "后台服务可能没有运行" in stuck


async def test_old_uploads_are_swept_unless_a_run_needs_them(house: House, ctx: Context, world: World) -> None:
    folder = Path(house.ctx.settings.data) / uploads.FOLDER
    folder.mkdir()
    old = time.time() - uploads.KEPT_SECONDS - 60
    for name in ("a" * 32, "b" * 32, "c" * 32):
        (folder / name).write_text("x")
        if name[0] != "c":
            os.utime(folder / name, (old, old))
    async with unit_of_work(ctx) as unit:
        unit.add(ImportRun(account_id=world.account_id, file_name="x", stored_as=f"{uploads.FOLDER}/{'b' * 32}"))
    assert await sweep_uploads(house) == 1
    assert sorted(path.name[0] for path in folder.iterdir()) == ["b", "c"]


async def test_files_of_failed_imports_do_not_stay(visit: Visit, house: House) -> None:
    folder = Path(house.ctx.settings.data) / uploads.FOLDER
    no_book, rows = (
        b"PK\x03\x04 not a workbook",
        [f"{n},标题,正文,2026-01-05 10:00,张三\n".encode("gb18030") for n in range(30)],
    )
    no_table = ROWS + b"".join(rows) + b'"' + b"x" * 200_000
    async with visit("press_officer") as client:
        assert (await hand_in(client, no_book, "来信.xlsx")).status_code == 422
        assert list(folder.iterdir()) == [], "what cannot be opened is not kept"
        page = (await hand_in(client, no_table)).headers["location"]
        run = (await client.post(page, data=await chosen_on(client, page) | {"do": "run"})).headers["location"]
        await run_imports(house)
        failed = words((await client.get(run)).text)
    assert "没有导入完" in failed
    assert [path.suffix for path in folder.iterdir()] == [".json"]
