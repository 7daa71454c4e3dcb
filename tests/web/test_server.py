"""The web process: starts on its port, stops in time, and says in one sentence what stands in its way."""

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

import httpx
import pytest

from hub.settings import Settings
from tests.web.world import World
from web.auth import COOKIE
from web.server import SURROUNDINGS, run_web

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"HUB_DATA": str(data), "HUB_PORT": str(port), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "web.cli", "web"], env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None, "the web process ended early"
                time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_in_time_with_open_streams(db_url: str, tmp_path: Path, world: World, number: signal.Signals) -> None:
    assert db_url.endswith("hub.db")
    port = free_port()
    cookies = {COOKIE: world.sessions["dispatcher", "own"].token}
    with (
        running(tmp_path, port) as process,
        httpx.Client(cookies=cookies, trust_env=False, timeout=20) as client,
        client.stream("GET", f"http://127.0.0.1:{port}/events?topics=cases") as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("retry")
        begun = time.monotonic()
        process.send_signal(number)
        for _line in lines:
            pass
        assert time.monotonic() - begun < 3, "streams end first, they do not wait for the grace to be over"
        assert process.wait(10) == 0


def test_a_taken_port_is_one_plain_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run_web(Settings(data=tmp_path, port=port)) == SURROUNDINGS
    said = capfd.readouterr().err
    assert said == f"端口 {port} 已被占用，请换一个：--port {port + 10}\n"


def test_an_address_that_is_not_ours(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_web(Settings(data=tmp_path, host="203.0.113.1", port=free_port())) == SURROUNDINGS
    assert capfd.readouterr().err.startswith("无法监听 203.0.113.1")
