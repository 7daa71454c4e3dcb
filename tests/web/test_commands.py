"""The command line: help in the reader's language, one sentence and an exit code for every trouble, never a trace."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from hub.i18n import use
from web.cli.frame import COMMANDS, FAILED, SURROUNDINGS, WRONG_USAGE, main
from web.cli.plain import plain

Run = Callable[..., tuple[int, str, str]]
COLUMNS = {"COLUMNS": "200"}


@pytest.fixture
def hub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """``hub("doctor", HUB_PORT="x")``: exit code, what was printed, what was complained about."""

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HUB_")]:
                patch.delenv(name)
            for name, value in {"HUB_DATA": str(tmp_path / "data"), **COLUMNS, **environment}.items():
                patch.setenv(name, value)
            capsys.readouterr()
            try:
                main(list(arguments))
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                use("zh_CN")
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


@pytest.fixture
def ready(hub: Run) -> Run:
    """With a migrated data folder."""
    assert hub("migrate")[0] == 0
    return hub


HELP = """
from contextlib import suppress
from web.cli.frame import COMMANDS, main
for words in ([], *([name] for name in COMMANDS), ["user", "add"], ["audit", "verify"], ["audit", "verify", "x", "y"]):
    with suppress(SystemExit):
        main([*words, "--help"] if "x" not in words else words)
    print("----")
"""


@pytest.mark.parametrize(
    ("language", "usage", "extra"),
    [("zh_CN", "用法：", "多出了参数"), ("en", "Usage:", "unexpected extra"), ("zh_TW", "用法：", "多出了")],
)
def test_help_in_the_readers_language(language: str, usage: str, extra: str) -> None:
    """In a process of its own: texts of options are translated when their module is loaded."""
    done = subprocess.run(
        [sys.executable, "-c", HELP], env={**os.environ, "HUB_LANGUAGE": language}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    pages = done.stdout.split("----\n")
    assert len(pages) == len(COMMANDS) + 5
    for page in pages[:-2]:
        assert page.startswith(usage), page
        chinese = any("\u4e00" <= one <= "\u9fff" for one in page)
        assert chinese == (language != "en"), page
    assert all(command in pages[0] for command in COMMANDS)
    assert "130" in pages[0]  # exit codes
    assert extra in done.stderr


def test_wrong_usage(hub: Run) -> None:
    for arguments in (["nonsense"], ["import"], ["import", "nowhere.csv", "--account", "x"], ["web", "--port", "0"]):
        code, out, err = hub(*arguments)
        assert code == WRONG_USAGE, arguments
        assert "有误" in err
        assert not out


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HUB_PORT", "abc", "须是整数"),
        ("HUB_PORT", "70000", "不能大于 65535"),
        ("HUB_LIVE", "perhaps", "须是 true 或 false"),
        ("HUB_TIMEZONE", "Mars/Olympus", "不认识这个值"),
        ("HUB_LOG_LEVEL", "LOUD", "只能是 DEBUG, INFO, WARNING, ERROR"),
        ("HUB_AUDIT_HASH", "md5", "只能是 sha256, sm3"),
        ("HUB_LOCKOUT_TRIES", "0", "不能小于 1"),
    ],
)
def test_settings_that_cannot_be_used(hub: Run, name: str, value: str, words: str) -> None:
    code, _, err = hub("doctor", **{name: value})
    assert code == SURROUNDINGS
    assert name in err
    assert words in err
    assert err.count("\n") == 1


def test_what_was_given_is_not_repeated(hub: Run) -> None:
    assert "s3cret" not in "".join(map(str, hub("doctor", HUB_MAX_BODY_MB="s3cret")))


@pytest.mark.parametrize("url", ["garbage", "nodb://x", "postgresql+nodriver://x/y"])
@pytest.mark.parametrize("command", [["migrate"], ["audit", "verify"]])
def test_an_address_that_is_no_database(hub: Run, url: str, command: list[str]) -> None:
    code, _, err = hub(*command, HUB_DB_URL=url)
    assert code == SURROUNDINGS
    assert "HUB_DB_URL" in err


def test_a_database_that_is_away(hub: Run) -> None:
    away = "postgresql+asyncpg://u:s3cret@127.0.0.1:1/x"
    code, _, err = hub("migrate", HUB_DB_URL=away)
    assert code == SURROUNDINGS
    assert "s3cret" not in err
    code, out, _ = hub("doctor", "--json", HUB_DB_URL=away)
    assert code == FAILED
    found = {one["name"]: one for one in json.loads(out)}
    assert not found["数据库"]["ok"]
    assert found["数据库"]["advice"]
    assert found["账号"]["said"] == "读不到"
    assert "s3cret" not in out


def test_before_the_first_migration(hub: Run, tmp_path: Path) -> None:
    table = tmp_path / "m.csv"
    table.write_text("内容,时间\n路灯不亮,2026-01-05 10:00\n", encoding="utf-8")
    for command in (["audit", "verify"], ["import", str(table), "--account", "信箱"]):
        code, _, err = hub(*command)
        assert code == SURROUNDINGS
        assert "hub migrate" in err


def test_a_broken_database_file(hub: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/hub.db").write_bytes(b"this is no database " * 500)
    for command in (["migrate"], ["audit", "verify"]):
        code, _, err = hub(*command)
        assert code == SURROUNDINGS
        assert "损坏" in err


def test_doctor_says_what_to_do(ready: Run) -> None:
    code, out, _ = ready("doctor", "--json")
    found = {one["name"]: one for one in json.loads(out)}
    assert code == FAILED  # nothing runs here
    assert found["数据库"]["ok"]
    assert "hub worker" in found["后台任务"]["advice"]
    assert "hub user add" in found["管理员"]["advice"]
    assert not found["队列"]["ok"]
    assert all(one["advice"] for one in found.values() if not one["ok"])
    assert {"设置", "数据目录", "密钥文件", "账号", "审计日志", "时钟", "工作日历", "网页文件与字体"} <= set(found)


def test_new_data_are_their_owners_alone_and_doctor_sees_what_others_may_read(ready: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data"

    def finding() -> dict[str, Any]:
        found = {one["name"]: one for one in json.loads(ready("doctor", "--json")[1])}
        return cast(dict[str, Any], found["文件权限"])

    with sqlite3.connect(folder / "hub.db") as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE kept_open (a)")
        made = {path.name: path.stat().st_mode & 0o777 for path in folder.glob("hub.db*")}
        assert made == {"hub.db": 0o600, "hub.db-wal": 0o600, "hub.db-shm": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert finding()["ok"]
    folder.chmod(0o755)
    (folder / "hub.db").chmod(0o644)
    found = finding()
    assert not found["ok"]
    assert str(folder / "hub.db") in found["said"]
    subprocess.run(found["advice"].partition(" ")[2], shell=True, check=True)
    assert finding()["ok"]


def test_doctor_sees_a_misspelt_setting(ready: Run, tmp_path: Path) -> None:
    (tmp_path / "data/hub.env").write_text("HUB_OFICE_NAME=市政府\nHUB_PORT=8000\n", encoding="utf-8")
    _, out, _ = ready("doctor", "--json", HUB_PROT="1")
    found = {one["name"]: one for one in json.loads(out)}["设置"]
    assert not found["ok"]
    assert "HUB_OFICE_NAME" in found["said"]
    assert "HUB_PROT" in found["said"]
    assert "HUB_PORT" not in found["said"]


def test_doctor_sees_a_clock_that_was_set_back(ready: Run, tmp_path: Path) -> None:
    assert ready("user", "add", "chen", "--name", "陈", "--department", "办", "--role", "administrator",
                 "--password", "correct-horse-9")[0] == 0  # fmt: skip
    with sqlite3.connect(tmp_path / "data/hub.db") as database:
        database.execute("UPDATE auditentry SET at = '2099-01-01 00:00:00.000000'")
    _, out, _ = ready("doctor", "--json")
    found = {one["name"]: one for one in json.loads(out)}
    assert not found["时钟"]["ok"]
    assert "2099" in found["时钟"]["advice"]
    assert not found["审计日志"]["ok"]  # and the chain tells that somebody did it
    assert ready("audit", "verify")[0] == FAILED


def test_a_chain_of_two_algorithms_holds(ready: Run) -> None:
    person = ["--department", "办", "--role", "leader", "--password", "correct-horse-9", "--name"]
    assert ready("user", "add", "one", *person, "甲")[0] == 0
    assert ready("user", "add", "two", *person, "乙", HUB_AUDIT_HASH="sm3")[0] == 0
    for algorithm in ("sha256", "sm3"):
        code, out, _ = ready("audit", "verify", HUB_AUDIT_HASH=algorithm)
        assert code == 0
        assert "完整" in out


HOSTILE = (
    "内容,时间,[/x],=cmd|'/C calc'!A0\n"
    '"你好 [/red] [bold]\x1b[2J\u202e😀𠮷","2026-01-01 10:00:00",a,b\n'
    '"路灯","不是时间[/z]\x1b[31m\u202e",a,b\n'
    '"=HYPERLINK(""http://evil.test"")","2026-01-01 10:00:01",a,b\n'
)


def test_a_hostile_file_comes_in_and_its_errors_are_shown(ready: Run, tmp_path: Path) -> None:
    table = tmp_path / "[bold]m[x].csv"
    table.write_text(HOSTILE, encoding="utf-8")
    code, out, _ = ready("import", str(table), "--account", "信箱[/b]")
    assert code == 0
    assert "不是时间[/z]" in out
    assert "\x1b[31m" not in out
    assert "\u202e" not in out
    code, out, _ = ready("import", str(table), "--account", "信箱[/b]", "--json")
    report = json.loads(out)
    assert {name: report[name] for name in ("rows", "new", "known")} == {"rows": 3, "new": 0, "known": 2}
    assert [(one["row"], one["column"]) for one in report["errors"]] == [(3, "时间")]


def test_the_bar_does_not_spoil_what_programs_read(ready: Run, tmp_path: Path) -> None:
    table = tmp_path / "m.csv"
    table.write_text("内容,时间\n路灯不亮,2026-01-05 10:00\n", encoding="utf-8")
    code, out, err = ready("import", str(table), "--account", "信箱", "--json")
    assert code == 0
    assert set(json.loads(out)) == {"rows", "new", "known", "errors"}
    assert "正在导入" in err
    assert "100%" in err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空"),
        (b"\x00" * 5_000, ""),
        (os.urandom(50_000), "编码"),
        (b"PK\x03\x04" + b"x" * 100, ""),
        ("标题,作者\n甲,乙\n".encode(), "没有指定"),
    ],
    ids=["empty", "zeros", "noise", "half a package", "no such columns"],
)
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_files_that_are_none(ready: Run, tmp_path: Path, content: bytes, words: str, ending: str) -> None:
    table = tmp_path / f"m{ending}"
    table.write_bytes(content)
    code, _, err = ready("import", str(table), "--account", "信箱", "--json")
    assert code == FAILED
    assert err.strip()
    if ending == ".csv":
        assert words in err


def test_a_file_whose_name_is_no_text(ready: Run, tmp_path: Path) -> None:
    table = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.csv"))
    table.write_text("内容,时间\n路灯不亮,2026-01-05 10:00\n", encoding="utf-8")
    assert ready("import", str(table), "--account", "信箱", "--json")[0] == 0


@pytest.mark.parametrize("name", ["名" * 10_000, "\udcff甲", "", "\u202e\u2066", "a\x1b[2J"])
def test_names_of_people_and_accounts(ready: Run, tmp_path: Path, name: str) -> None:
    table = tmp_path / "m.csv"
    table.write_text("内容,时间\n路灯不亮,2026-01-05 10:00\n", encoding="utf-8")
    person = ["--role", "leader", "--password", "correct-horse-9"]
    for command in (
        ["import", str(table), "--account", name],
        ["user", "add", name, "--name", "甲", "--department", "办", *person],
        ["user", "add", "chen", "--name", "甲", "--department", name, *person],
    ):
        code, _, err = ready(*command)
        assert code in {0, FAILED, WRONG_USAGE}, command[:2]
        assert code == 0 or err.strip()


def test_nothing_steers_the_terminal() -> None:
    assert plain("甲\x1b[2J乙\u202e\0\r\n丙") == "甲�[2J乙���\n丙"


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    """As in ``hub --help | head -0``."""
    command = [sys.executable, "-m", "web.cli", "i18n", "check"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()


@pytest.mark.parametrize("command", [["account", "list"], ["doctor"], ["nlp", "learn"], ["web"], ["worker"]])
def test_a_slip_in_the_name_of_the_folder_leaves_no_empty_hub(hub: Run, tmp_path: Path, command: list[str]) -> None:
    code, _out, err = hub(*command, "--data", str(tmp_path / "hub-dta"))
    assert (code, list(tmp_path.iterdir())) == (FAILED, [])
    assert "没有数据目录" in err
    assert "hub-dta" in err
    assert hub("migrate", "--data", str(tmp_path / "new"))[0] == 0
    assert hub("account", "list", "--data", str(tmp_path / "new"))[0] == 0
