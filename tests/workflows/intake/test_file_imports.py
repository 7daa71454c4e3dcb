"""Files: every row is new, known or a named error; interrupted runs go on; bad files say what to do."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotAllowed, Unavailable
from hub.models import Account, Arrival, ArrivalState, AuditEntry, ImportRun, ImportState, Message, Role, SavedMapping
from hub.rights import system
from tests.workflows.intake import town
from workflows.house import House
from workflows.intake import ImportReport, import_file, jobs, mappings, runs
from workflows.intake import imports as service

HEADERS = ["留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "答复意见", "答复时间"]


def _row(number: object, words: str = "楼道灯坏了三天", **given: str) -> list[object]:
    fields = {
        "who": f"市民{number}",
        "subject": "路灯",
        "at": "2026/11/20 9:05:00",
        "answer": "",
        "answered": "",
    } | given
    return [number, fields["who"], fields["subject"], fields["at"], words, fields["answer"], fields["answered"]]


def _csv(
    path: Path, rows: Sequence[Sequence[object]], encoding: str = "utf-8", headers: Sequence[str] = HEADERS
) -> Path:
    with path.open("w", encoding=encoding, newline="", errors="surrogatepass") as file:
        csv.writer(file).writerows([headers, *rows])
    return path


def _xlsx(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [HEADERS, *rows]:
        sheet.append([str(cell) for cell in row])
    book.save(path)
    return path


async def _import(house: House, path: Path, **given: Any) -> ImportReport:
    report = await import_file(house, path, "信箱", actor=system("hub import"), **given)
    assert report.rows == report.new + report.known + len(report.errors), "every row is accounted for"
    return report


def _sums(report: ImportReport) -> tuple[int, int, int, int]:
    return report.rows, report.new, report.known, len(report.errors)


async def test_every_row_is_accounted_for_and_a_second_time_adds_nothing(any_house: House, tmp_path: Path) -> None:
    rows = [_row(n) for n in range(1500)] + [_row(7, "同一编号改了字"), _row("x", "", subject=""), _row("y", at="昨天")]
    path = _csv(tmp_path / "m.csv", rows)
    heard: list[int] = []
    dry = await _import(any_house, path, dry_run=True)
    assert await town.count(any_house, Account) == 0, "a dry run makes no account either"
    first = await _import(any_house, path, progress=heard.append)
    dry_again = await _import(any_house, path, dry_run=True)
    second = await _import(any_house, path)
    assert _sums(dry) == _sums(first) == (1503, 1500, 1, 2)
    assert _sums(dry_again) == _sums(second) == (1503, 0, 1501, 2)
    assert heard == [1000, 1503]
    assert [(e["row"], e["column"]) for e in first.errors] == [(1503, "留言详情"), (1504, "留言时间")]
    assert all(error["why"] for error in first.errors)
    assert await town.count(any_house, Message) == 1500
    assert {row.state for row in await town.all_rows(any_house, Arrival)} == {ArrivalState.parsed}
    assert ("tag_messages", ()) in any_house.ctx.bell.rung  # type: ignore[attr-defined]


async def test_an_answer_in_the_file_goes_along_with_the_message(any_house: House, tmp_path: Path) -> None:
    rows = [_row(1, answer="已更换灯泡", answered="2026/11/21 10:00"), _row(2)]
    await _import(any_house, _xlsx(tmp_path / "a.xlsx", rows))
    answered, open_one = await town.message(any_house, "1"), await town.message(any_house, "2")
    assert answered.extra["answer"] == "已更换灯泡"
    assert answered.extra["answered_at"] == "2026-11-21T02:00:00+00:00"
    assert "answer" not in open_one.extra


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
async def test_encodings_of_chinese_offices(house: House, tmp_path: Path, encoding: str) -> None:
    path = _csv(tmp_path / "m.csv", [_row(1, "龘䶮街的𠮷野家门口积水")], encoding)
    assert (await _import(house, path)).new == 1
    assert "𠮷" in (await town.message(house, "1")).text


async def test_hostile_cells_are_stored_harmless(any_house: House, tmp_path: Path) -> None:
    rows = [
        _row("=HYPERLINK(1)", "=cmd|' /C calc'!A0"),
        _row(2, "<img src=x onerror=alert(1)>", who="名" * 10_000),
        _row(3, "\u202e反过来\u2066😀𠮷\x07"),
        _row(4, "a\x00b"),
        _row(5, "长" * 49_000),
        _row(6, "太长" * 30_000),
        [*_row(7), "多出来的一格"],
    ]
    report = await _import(any_house, _csv(tmp_path / "m.csv", rows))
    assert report.new == 5
    assert sorted(error["row"] for error in report.errors) == [7, 8]
    assert (await town.message(any_house, "=HYPERLINK(1)")).text == "=cmd|' /C calc'!A0"
    assert len((await town.message(any_house, "2")).author_name) <= 255
    assert "\x00" not in (await town.message(any_house, "4")).text


async def test_bad_files_are_refused_in_one_sentence_and_leave_nothing(house: House, tmp_path: Path) -> None:
    bad = {
        "empty.csv": b"",
        "page.xls": b"<html><table><tr><td>1",
        "old.xls": b"\xd0\xcf\x11\xe0" + b"\x00" * 600,
        "broken.xlsx": b"PK\x03\x04" + b"nonsense" * 50,
        "picture.csv": b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        "no-columns.csv": "甲,乙\n1,2\n".encode(),
    }
    for name, content in bad.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(Invalid) as refused:
            await _import(house, path)
        assert len(refused.value.texts) == 1, name
    with pytest.raises(Invalid):
        await _import(house, tmp_path / "missing.csv")
    assert await town.count(house, Arrival) == 0
    assert await town.count(house, ImportRun) == 0


async def test_a_file_damaged_further_on_keeps_what_came_before_and_says_so(house: House, tmp_path: Path) -> None:
    path = _csv(tmp_path / "m.csv", [_row(n) for n in range(1500)])
    with path.open("a") as file:
        file.write("x," * 300 + "\n")
    with pytest.raises(Invalid, match="列"):
        await _import(house, path)
    [run] = await town.all_rows(house, ImportRun)
    assert (run.state, run.rows, run.new) == (ImportState.failed, 1000, 1000)
    assert "列" in run.error


async def test_a_row_the_database_refuses_is_an_error_of_its_own(house: House, tmp_path: Path) -> None:
    path = _csv(tmp_path / "m.csv", [_row(n) for n in range(20)])
    async with house.ctx.engine.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER picky BEFORE INSERT ON message WHEN new.external_id = '13'"
            " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    report = await _import(house, path)
    assert _sums(report) == (20, 19, 0, 1)
    assert report.errors[0]["row"] == 15
    assert await town.count(house, Arrival) == 19


# --- mappings ---------------------------------------------------------------------------------------------------------

ODD = ["甲", "乙", "丙"]


async def test_mappings_by_name_by_headers_and_recognised(any_house: House, tmp_path: Path) -> None:
    actor = await town.person(any_house, Role.press_officer)
    leader = await town.person(any_house, Role.leader, username="l")
    path = _csv(tmp_path / "odd.csv", [["a1", "2026-11-20 10:00", "路灯坏了"]], headers=ODD)
    columns = {"甲": "id", "乙": "created_at", "丙": "text"}
    async with unit_of_work(any_house.ctx) as unit:
        await mappings.save(unit, actor, "市长信箱", ["丙", "乙", "甲"], columns)
        with pytest.raises(Invalid):
            await mappings.save(unit, actor, "坏的", ODD, {"甲": "id"})
        with pytest.raises(Invalid):
            await mappings.save(unit, actor, "坏的", ODD, {"甲": "nonsense"})
        with pytest.raises(NotAllowed):
            await mappings.save(unit, leader, "不许", ODD, columns)
    assert (await _import(any_house, path)).new == 1, "remembered by its headers"
    assert (await _import(any_house, path, mapping="市长信箱")).known == 1
    with pytest.raises(Invalid, match="没有名为"):
        await _import(any_house, path, mapping="没有的")
    async with unit_of_work(any_house.ctx) as unit:
        await mappings.save(unit, actor, "市长信箱", ODD, {"乙": "created_at", "丙": "text"})
        assert await mappings.saved_names(unit) == ["市长信箱"]
    assert len(await town.all_rows(any_house, SavedMapping)) == 1
    with pytest.raises(Invalid, match="没有"):
        await _import(any_house, _csv(tmp_path / "m.csv", [_row(1)]), mapping="市长信箱")


async def test_preview_for_the_mapping_screen(house: House, tmp_path: Path) -> None:
    shown = await service.preview(house, _csv(tmp_path / "m.csv", [_row(n, "长" * 900) for n in range(50)]))
    assert shown.headers == tuple(HEADERS)
    assert (len(shown.rows), shown.problems) == (20, [])
    assert shown.columns["留言详情"] == "text"
    assert max(len(cell) for cell in shown.rows[0].values()) <= 200
    unclear = await service.preview(house, _csv(tmp_path / "u.csv", [["1", "2"]], headers=["甲", "乙"]))
    assert unclear.problems


async def test_accounts_and_rights(house: House, tmp_path: Path) -> None:
    path = _csv(tmp_path / "m.csv", [_row(1)])
    await town.account(house, "sandbox", name="临江发布")
    for name in ("临江发布", "", "  ", "名" * 101, "a\nb"):
        with pytest.raises(Invalid):
            await import_file(house, path, name, actor=system())
    with pytest.raises(NotAllowed):
        await import_file(house, path, "信箱", actor=await town.person(house, Role.leader))
    actor = await town.person(house, Role.press_officer, username="p")
    await import_file(house, path, " 信箱 ", actor=actor)
    names = [row.name for row in await town.all_rows(house, Account)]
    assert names == ["临江发布", "信箱"]
    entries = await town.all_rows(house, AuditEntry)
    assert [entry.what for entry in entries] == ["account_added", "import_started", "import_done"]
    assert entries[1].by_id == actor.user_id


# --- runs of the page -------------------------------------------------------------------------------------------------


async def _start(house: House, path: Path, *, is_dry: bool = False) -> int:
    columns = (await service.preview(house, path)).columns
    actor = await town.person(house, Role.press_officer, username=f"p{clock.now().timestamp()}")
    async with unit_of_work(house.ctx) as unit:
        run = await service.start(
            unit, actor, account_name="信箱", file_name="来信.csv", stored_as=path.name, columns=columns,
            headers=tuple(HEADERS), is_dry=is_dry,
        )  # fmt: skip
        return run.id or 0


async def _run(house: House) -> ImportRun:
    run: ImportRun = (await town.all_rows(house, ImportRun))[-1]
    return run


async def test_a_page_starts_a_run_and_a_worker_finishes_it(any_house: House) -> None:
    path = _csv(any_house.ctx.settings.data / "up.csv", [_row(n) for n in range(30)] + [_row("x", at="?")])
    await _start(any_house, path, is_dry=True)
    assert await jobs.run_imports(any_house) == 31
    run = await _run(any_house)
    assert (run.state, run.rows, run.new, run.error_count) == (ImportState.done, 31, 30, 1)
    assert run.errors[0]["row"] == 32
    assert await town.count(any_house, Arrival) == 0
    await _start(any_house, path)
    assert ("run_imports", ()) in any_house.ctx.bell.rung  # type: ignore[attr-defined]
    assert await jobs.run_imports(any_house) == 31
    assert await jobs.run_imports(any_house) == 0
    run = await _run(any_house)
    assert (run.state, run.rows, run.new, run.known) == (ImportState.done, 31, 30, 0)
    assert run.finished_at is not None
    assert not path.exists(), "an imported upload is not kept"
    assert await town.count(any_house, Message) == 30


class _Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("after", [1000, 2000])
async def test_killed_in_the_middle_another_worker_goes_on_with_exact_counts(any_house: House, after: int) -> None:
    rows = [_row(n) for n in range(2500)] + [_row(3)]
    run_id = await _start(any_house, _csv(any_house.ctx.settings.data / "up.csv", rows))

    def die(done: int) -> None:
        if done == after:
            raise _Killed

    start = clock.now()
    with clock.frozen(start) as move:
        work = await runs.lease(any_house, run_id)
        assert work is not None
        assert await runs.lease(any_house, run_id) is None, "somebody works on it"
        file = await runs.open_file(any_house.ctx.settings.data / "up.csv")
        with pytest.raises(_Killed):
            await runs.go_through(any_house, work, file, die)
        await file.close()
        assert await jobs.run_imports(any_house) == 0
        move(start + runs.LEASE + timedelta(seconds=1))
        assert await jobs.run_imports(any_house) == 2501 - after
        run = await _run(any_house)
        assert (run.state, run.rows, run.new, run.known) == (ImportState.done, 2501, 2500, 1)
        with pytest.raises(Unavailable):  # the first one wakes up again
            await runs._end(any_house, work, state=ImportState.done)
    assert await town.count(any_house, Message) == 2500


async def test_a_long_file_is_worked_on_in_stages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BUDGET", timedelta(seconds=-1))
    await _start(house, _csv(house.ctx.settings.data / "up.csv", [_row(n) for n in range(2500)]))
    assert await jobs.run_imports(house) == 0, "no time at all: nothing is taken"
    run_id = (await _run(house)).id or 0
    turns = []
    while work := await runs.lease(house, run_id):
        turns.append(await runs._work_on(house, work, clock.now()))
    assert turns == [1000, 1000, 500, 0]
    run = await _run(house)
    assert (run.state, run.new) == (ImportState.done, 2500)


async def test_a_command_that_died_is_named_and_its_file_can_go_in_again(house: House, tmp_path: Path) -> None:
    path = _csv(tmp_path / "m.csv", [_row(n) for n in range(1500)])

    def die(done: int) -> None:
        raise _Killed

    start = clock.now()
    with clock.frozen(start) as move:
        with pytest.raises(_Killed):
            await _import(house, path, progress=die)
        move(start + runs.LEASE + timedelta(seconds=1))
        await jobs.run_imports(house)
    run = await _run(house)
    assert (run.state, run.rows) == (ImportState.failed, 1000)
    assert "重新导入" in run.error
    again = await _import(house, path)
    assert _sums(again) == (1500, 500, 1000, 0)


async def test_an_upload_that_is_gone_is_named(house: House) -> None:
    path = _csv(house.ctx.settings.data / "up.csv", [_row(1)])
    await _start(house, path)
    path.unlink()
    assert await jobs.run_imports(house) == 0
    run = await _run(house)
    assert run.state is ImportState.failed
    assert "无法打开" in run.error


# --- the real files ---------------------------------------------------------------------------------------------------


@pytest.mark.real_data
async def test_the_two_real_files_row_by_row(house: House, shared_data: Path) -> None:
    for name, rows in (("messages_4326.xlsx", 4326), ("answered_2816.xlsx", 2816)):
        path = shared_data / "gov_messages" / name
        assert _sums(await _import(house, path)) == (rows, rows, 0, 0)
        assert _sums(await _import(house, path)) == (rows, 0, rows, 0)
    async with reading(house.ctx) as unit:
        answered = [m for m in await unit.all(service.select(Message)) if "answer" in m.extra]
    assert len(answered) == 2816
