"""A whole demo in a process tree of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 240.0


@contextmanager
def demo(data: Path) -> Iterator[tuple[int, int]]:
    """Start ``hub demo`` over ``data``; its process id and port."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    command = [sys.executable, "-m", "web.cli", "demo", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        _await_ready(process, port)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _await_ready(process: subprocess.Popen[str], port: int) -> None:
    assert process.stdout is not None
    end = time.monotonic() + PATIENCE
    for line in process.stdout:
        if line.strip() == f"ready http://127.0.0.1:{port}":
            return
        assert time.monotonic() < end, "the demo is not ready"
    raise AssertionError("the demo ended early")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
