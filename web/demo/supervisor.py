"""One foreground process tree: queue, sandbox, web and worker, with one console."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import IO, Any

from hub.embedded.process import dying_with_parent
from hub.embedded.valkey import Valkey
from hub.errors import Unavailable
from hub.i18n import _
from web.cli.progress import counting
from web.demo.children import Child
from web.demo.console import Teller
from web.demo.standing import stands

PATIENCE = 60.0
GRACE = 7.0
# Together well under the ten seconds in which everything must have ended.
QUEUES_GRACE = 1.5
SURROUNDINGS = 3
LOCK = "demo.lock"
# What a person may have set for a real office on the same machine: the demo has a database and a key of its own.
NOT_THE_OFFICES = {
    "HUB_DB_URL": "", "HUB_SECRET_KEY": "", "HUB_LIVE": "false", "HUB_HOST": "127.0.0.1", "HUB_BASE_URL": "",
    "HUB_COOKIE_SECURE": "false",
}  # fmt: skip


class CannotStart(Exception):
    """The demo cannot start; the text is one sentence for the person at the console."""


def run(data: Path, port: int, *, fresh: bool) -> int:
    """Start everything, print ``ready URL``, keep it running until SIGINT or SIGTERM. Returns the exit code."""
    teller = Teller()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _own(data, fresh=fresh):
            _refuse_taken(port)
            if fresh:  # only now: whoever is refused keeps everything
                _empty(data)
            return Demo(data.resolve(), port, teller).run()
    except (CannotStart, Unavailable) as error:
        teller.say(str(error), "red")
        return SURROUNDINGS
    except KeyboardInterrupt:
        return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _own(data: Path, *, fresh: bool) -> IO[str]:
    """The data folder, ours alone while the demo runs. One that is to be emptied must be a demo's."""
    if fresh and not _may_empty(data):
        raise CannotStart(_("%(path)s 里有其他文件，不会清空它。请用 --data 换一个目录", path=data))
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data / LOCK).open("w")
    except OSError as error:
        raise CannotStart(_("无法写入数据目录 %(path)s：%(why)s", path=data, why=error.strerror)) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CannotStart(_("数据目录 %(path)s 正被另一个演示使用，请先停止它", path=data)) from None
    return lock


def _may_empty(data: Path) -> bool:
    """Whether a demo lived there, or nothing at all: ``--fresh`` with a slip in ``--data`` must not cost a home."""
    return not data.is_dir() or (data / LOCK).exists() or not any(data.iterdir())


def _empty(data: Path) -> None:
    for entry in data.iterdir():
        if entry.name != LOCK:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CannotStart(
                _("端口 %(port)s 已被占用，请换一个：--port %(next)s", port=port, next=port + 10)
            ) from None


def _free_port(wanted: int) -> int:
    """``wanted`` if it is free, else any free port."""
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotStart(_("没有可用的端口"))


class Demo:
    """The running demo."""

    def __init__(self, data: Path, port: int, teller: Teller) -> None:
        self.data, self.port, self.teller = data, port, teller
        self.sandbox_port = _free_port(port + 1)
        self.logs = data / "logs"
        self.logs.mkdir(exist_ok=True)
        self.queue = Valkey(data)
        self.children: list[Child] = []

    @property
    def address(self) -> str:
        """Where the web answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_address(self) -> str:
        """Where the sandbox answers."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    def run(self) -> int:
        """Up, watch, down."""
        try:
            self._up()
            while True:
                self._care()
                time.sleep(0.1)
        except KeyboardInterrupt:
            self.teller.say(_("正在停止……"))
            return 0
        finally:
            self._down()

    def _up(self) -> None:
        self.queue.start()
        self._begin("sandbox", "-m", "connectors.sandbox", "--port", str(self.sandbox_port), "--data", str(self.data))
        if stands(self.data):  # what remains to be prepared holds up nobody
            self._serve()
            self._prepare(lambda _percent: None)
        else:
            with counting(_("正在准备数据"), 100) as progress:
                self._prepare(progress)
            self._serve()
        self._await_health()
        self.teller.welcome(self.address, self.sandbox_address, str(self.logs), self._logins())
        sys.stdout.write(f"ready {self.address}\n")
        sys.stdout.flush()

    def _serve(self) -> None:
        self._begin("web", "-m", "web.cli", "web")
        self._begin("worker", "-m", "web.cli", "worker")

    def _prepare(self, progress: Callable[[int], object]) -> None:
        """Newest tables, and the invented city when the folder is new: a process of its own gives its memory back."""
        command, log = [sys.executable, "-m", "web.demo.prepare"], self.logs / "prepare.log"
        with log.open("w", encoding="utf-8") as told:
            process = subprocess.Popen(
                command, env=self._env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told, text=True,
                preexec_fn=dying_with_parent(),  # noqa: PLW1509 -- it only calls prctl
            )  # fmt: skip
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    progress(int(line) if line.strip().isdecimal() else 0)
                code = process.wait()
            finally:
                process.kill()
                process.wait()
        if code:
            raise CannotStart(_("准备数据失败，详情见 %(path)s", path=log))

    def _env(self) -> Mapping[str, str]:
        given = {
            "HUB_DATA": str(self.data), "HUB_PORT": str(self.port), "HUB_DEMO": "true",
            "HUB_SANDBOX_URL": self.sandbox_address, "HUB_REDIS_URL": self.queue.url, "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2", **NOT_THE_OFFICES,
        }  # fmt: skip
        return {**os.environ, **given}

    def _begin(self, name: str, *command: str) -> None:
        log = self.logs / f"{name}.log"
        child = Child(name, [sys.executable, *command], self._env(), log, self.teller.hear)
        self.children.append(child)
        child.start()

    def _await_health(self) -> None:
        """Until /healthz says that every part lives."""
        end = time.monotonic() + PATIENCE
        state: Any = None
        while time.monotonic() < end:
            self._care()
            ok, state = self._health()
            if ok:
                return
            time.sleep(0.1)
        raise CannotStart(
            _("%(n)s 秒内未能就绪：%(state)s。日志在 %(path)s", n=int(PATIENCE), state=state, path=self.logs)
        )

    def _health(self) -> tuple[bool, Any]:
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=3) as answer:  # noqa: S310 -- own address
                return answer.status == 200, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return False, error.read(500).decode(errors="replace")
        except OSError as error:
            return False, str(error)

    def _care(self) -> None:
        """Start again whatever died; say so."""
        if self.queue.pid is None:
            self.teller.say(_("队列进程意外结束，正在重启"), "yellow")
            self.queue.start()
        for child in self.children:
            code = child.care()
            if code is not None:
                self.teller.say(_("%(name)s 进程意外结束（%(code)s），正在重启", name=child.name, code=code), "yellow")

    def _logins(self) -> Mapping[str, Any] | None:
        path = self.data / "demo-logins.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def _down(self) -> None:
        """End every child within ten seconds, the queue last."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        until = time.monotonic() + GRACE
        for child in self.children:
            child.ask_to_end()
        for child in self.children:
            child.end(until)
        self.queue.stop(patience=max(0.5, until + QUEUES_GRACE - time.monotonic()))
