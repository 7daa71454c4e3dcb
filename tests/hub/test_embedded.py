"""The servers out of packages: they start, keep what they hold, refuse a second one, and never outlive their parent."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hub.embedded import Postgres, Valkey
from hub.embedded import postgres as postgres_module
from hub.embedded.process import LONGEST_SOCKET, socket_folder
from hub.errors import Unavailable


def ask(server: Valkey, *words: str) -> str:
    """One command to the server, in its plain inline form; the whole short answer."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(server.socket))
        line.sendall(" ".join(words).encode() + b"\r\n")
        return line.recv(4096).decode().strip()


def wait_until(is_true: "object", seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class TestValkey:
    def test_keeps_what_is_queued_when_it_is_killed(self, tmp_path: Path) -> None:
        with Valkey(tmp_path) as server:
            assert ask(server, "SET", "job", "waiting") == "+OK"
            time.sleep(1.2)  # the append-only file reaches the disk each second
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            wait_until(lambda: server.pid is None)
            before = server.url
            server.start()
            assert ask(server, "GET", "job") == "$7\r\nwaiting"
            assert server.url == before

    def test_never_throws_queued_work_away(self, tmp_path: Path) -> None:
        with Valkey(tmp_path) as server:
            assert "noeviction" in ask(server, "CONFIG", "GET", "maxmemory-policy")
            assert "yes" in ask(server, "CONFIG", "GET", "appendonly")

    def test_writes_its_address_for_the_other_processes(self, tmp_path: Path) -> None:
        with Valkey(tmp_path) as server:
            assert (tmp_path / "queue.url").read_text().strip() == server.url == f"unix://{tmp_path}/valkey.sock"

    def test_only_its_owner_may_connect(self, tmp_path: Path) -> None:
        with Valkey(tmp_path) as server:
            assert server.socket.stat().st_mode & 0o777 == 0o700

    def test_a_second_one_on_the_same_data_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hub.embedded.valkey.LEAVING", 0.3)
        with Valkey(tmp_path) as first:
            with pytest.raises(Unavailable, match="正被另一个运行中的系统使用"):
                Valkey(tmp_path).start()
            assert first.answers()

    def test_starting_and_stopping_twice_is_harmless(self, tmp_path: Path) -> None:
        server = Valkey(tmp_path).start()
        pid = server.pid
        assert server.start().pid == pid
        server.stop()
        server.stop()
        assert server.pid is None
        assert not server.answers()

    def test_a_long_data_folder_gets_a_short_private_socket(self, tmp_path: Path) -> None:
        folder = tmp_path / ("very-long-name-" * 8)
        with Valkey(folder, persist=False) as server:
            assert server.answers()
            assert len(str(server.socket)) <= LONGEST_SOCKET
            assert Valkey(folder).socket == server.socket
            assert server.socket.parent.stat().st_mode & 0o077 == 0
            short = server.socket.parent
        short.rmdir()

    def test_a_short_folder_open_to_others_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        folder = tmp_path / ("very-long-name-" * 8)
        socket_folder(folder, "valkey.sock").chmod(0o777)
        with pytest.raises(Unavailable, match="属于别人"):
            socket_folder(folder, "valkey.sock")

    def test_says_where_to_look_when_it_cannot_start(self, tmp_path: Path) -> None:
        appended = tmp_path / "valkey" / "appendonlydir"
        appended.mkdir(parents=True)
        (appended / "appendonly.aof.manifest").write_text("not a manifest\n")
        with pytest.raises(Unavailable, match=r"日志见 .*valkey\.log"):
            Valkey(tmp_path).start()

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child to its parent")
    def test_ends_with_its_killed_parent(self, tmp_path: Path) -> None:
        assert_ends_with_parent(
            f"from hub.embedded import Valkey as S; from pathlib import Path; p = {str(tmp_path)!r}"
        )


class TestPostgres:
    def test_stores_chinese_and_copies_databases(self, tmp_path: Path) -> None:
        with Postgres(tmp_path) as server:
            server.create_database("one")
            server.execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('噪音扰民')", "one")
            url = server.create_database("two", template="one")
            assert url.startswith("postgresql+asyncpg://hub@/two?host=")
            assert server.execute("SELECT x, length(x) FROM t", "two") == "噪音扰民|4"
            server.drop_database("two")
            server.drop_database("two")
            with pytest.raises(Unavailable, match='"two" does not exist'):
                server.execute("SELECT 1", "two")
            with pytest.raises(Unavailable, match="syntax error"):
                server.execute("SELEC 1")

    def test_starts_again_over_the_same_data(self, tmp_path: Path) -> None:
        with Postgres(tmp_path) as server:
            server.execute("CREATE TABLE kept (x int)")
        assert server.pid is None
        with Postgres(tmp_path) as again:
            assert again.execute("SELECT count(*) FROM kept") == "0"

    def test_not_started_is_said_in_words(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="没有运行"):
            Postgres(tmp_path).url()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root needs to become somebody else")
    def test_without_namespaces_a_copy_runs_as_nobody(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres_module, "_namespaces_work", lambda: False)
        with Postgres(tmp_path) as server:
            assert server.pid is not None
            assert psutil.Process(server.pid).username() == "nobody"
            assert server.execute("SELECT 1") == "1"
            copy = Path(server.url().partition("host=")[2]).parent
            assert copy.exists()
        assert not copy.exists()

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child to its parent")
    def test_ends_with_its_killed_parent(self, tmp_path: Path) -> None:
        assert_ends_with_parent(
            f"from hub.embedded import Postgres as S; from pathlib import Path; p = {str(tmp_path)!r}"
        )


def assert_ends_with_parent(imports: str) -> None:
    script = f"{imports}; import time; s = S(Path(p)).start(); print(s.pid, flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
