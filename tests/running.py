"""The whole hub as people start it: one demo in a process of its own, watched until it is ready, ended as by Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
ENDING = 10.0  # seconds a demo may take to end


class RunningDemo:
    """``hub demo`` over ``data``; starting again over the same folder continues with the same data."""

    def __init__(self, data: Path, *, patience: float = 240.0) -> None:
        self.data, self.patience = data, patience
        self.port = _free_pair()
        self.console = data.with_suffix(".console")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def logins(self) -> list[str]:
        """The names one may sign in with."""
        return [str(login["username"]) for login in self._notes()["logins"]]

    @property
    def password(self) -> str:
        """The one password of all of them."""
        return str(self._notes()["password"])

    def start(self) -> Self:
        """Start and wait for its line ``ready``."""
        command = [sys.executable, "-m", "web.cli", "demo", "--port", str(self.port), "--data", str(self.data)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        with self.console.open("wb") as console:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        deadline = time.monotonic() + self.patience
        while f"ready {self.url}\n" not in self.console.read_text("utf-8"):
            assert self.process.poll() is None, f"the demo ended early:\n{self.said()}"
            assert time.monotonic() < deadline, f"the demo is not ready after {self.patience} s:\n{self.said()}"
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """End it, and make sure that it went in time and that nothing broke meanwhile."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(ENDING) == 0, self.said()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        assert "Traceback" not in self.said(), self.said()

    def said(self) -> str:
        """Its console and the end of every log."""
        logs = {path.name: path.read_text("utf-8", "replace") for path in sorted((self.data / "logs").glob("*.log"))}
        parts = [self.console.read_text("utf-8"), *(f"--- {name}\n{text[-20_000:]}" for name, text in logs.items())]
        return "\n".join(parts)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _notes(self) -> dict[str, Any]:
        return dict(json.loads((self.data / "demo-logins.json").read_text("utf-8")))


def _free_pair() -> int:
    """A free port whose neighbour, where the demo puts its sandbox, is free as well."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
