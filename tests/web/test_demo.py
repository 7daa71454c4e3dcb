"""The demo before it runs: what it refuses, and that nobody who is refused loses anything."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import clock
from hub.settings import load
from tests.sims.sandbox import SandboxProcess
from web.demo import city, prepare, standing, supervisor
from web.demo.console import Teller
from web.demo.sandbox import Control
from web.demo.supervisor import SURROUNDINGS, Demo, run


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


def test_a_refused_fresh_start_keeps_the_data(
    tmp_path: Path, taken_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "demo.lock").touch()
    (tmp_path / "hub.db").write_text("three weeks of work")
    assert run(tmp_path, taken_port, fresh=True) == SURROUNDINGS
    assert f"端口 {taken_port} 已被占用" in capsys.readouterr().out
    assert (tmp_path / "hub.db").read_text() == "three weeks of work"


def test_a_folder_with_other_files_is_never_emptied(
    tmp_path: Path, free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/mine.txt").write_text("precious")
    for _ in range(2):  # being refused once must not make it ours
        assert run(tmp_path, free_port, fresh=True) == SURROUNDINGS
        assert "不会清空" in capsys.readouterr().out
    assert (tmp_path / "letters/mine.txt").read_text() == "precious"


def test_emptying_leaves_what_links_lead_to(tmp_path: Path) -> None:
    outside, data = tmp_path / "outside", tmp_path / "data"
    outside.mkdir()
    (outside / "mine.txt").touch()
    (data / "logs").mkdir(parents=True)
    (data / "demo.lock").touch()
    (data / "elsewhere").symlink_to(outside)
    supervisor._empty(data)
    assert [path.name for path in data.iterdir()] == ["demo.lock"]
    assert (outside / "mine.txt").exists()


def test_two_demos_never_share_a_folder(tmp_path: Path, free_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with supervisor._own(tmp_path, fresh=False):
        assert run(tmp_path, free_port, fresh=False) == SURROUNDINGS
    assert "正被另一个演示使用" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made(free_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Path("/proc/nowhere"), free_port, fresh=False) == SURROUNDINGS
    said = capsys.readouterr().out
    assert "无法写入数据目录" in said
    assert said.count("\n") == 1


def test_settings_of_a_real_office_do_not_reach_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DB_URL", "postgresql+asyncpg://office/real")
    monkeypatch.setenv("HUB_LIVE", "true")
    monkeypatch.setenv("HUB_HOST", "0.0.0.0")
    for name, value in Demo(tmp_path, 18000, Teller())._env().items():
        if name.startswith("HUB_"):
            monkeypatch.setenv(name, value)
    settings = load()
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path / 'hub.db'}"
    assert not settings.live
    assert settings.host == "127.0.0.1"


def test_the_newest_tables_are_told_without_loading_them(sqlite_template: Path, tmp_path: Path) -> None:
    assert not standing.stands(tmp_path)
    shutil.copyfile(sqlite_template, tmp_path / "hub.db")
    assert not standing.stands(tmp_path), "nobody lives there yet"
    assert all(re.fullmatch(r"\d{4}", name) for name in standing.newest())
    assert len(standing.newest()) == 1


def test_every_matter_of_the_city_belongs_to_who_can_answer_it() -> None:
    roles = {one["department"]: set[str]() for one in city.office()["people"]}
    for one in city.office()["people"]:
        roles[one["department"]] |= {*one["roles"]}
    owners = {one["name"]: one["department"] for one in city.office()["accounts"]}
    whose = {one.whose or owners[one.account] for one in city.sayings(clock.now())}
    assert {one for one in whose if not {"handler", "head"} <= roles.get(one, set())} == set()
    assert len(whose) > 7


async def test_a_city_that_stands(db_url: str) -> None:
    data = Path(db_url.removeprefix("sqlite+aiosqlite:///")).parent
    assert standing.stands(data)
    (data / standing.UNFINISHED).touch()
    assert not standing.stands(data)
    (data / standing.UNFINISHED).unlink()
    (data / "hub.db").write_bytes(b"no database")
    assert not standing.stands(data)


def test_half_a_city_is_torn_down(tmp_path: Path) -> None:
    """On both sides: the hub's tables, and what the platform remembers of the first try."""
    process = SandboxProcess(tmp_path / "sandbox")
    url = process.start()
    try:
        control = Control(url)
        control.save_account(screen_name="栖澜发布", verified_type=1)
        for name in ("hub.db", "hub.db-wal"):
            (tmp_path / name).write_text("half")
        prepare._start_over(load(tmp_path), control)
        assert not list(tmp_path.glob("hub.db*"))
        assert control.accounts() == []
    finally:
        process.kill()
