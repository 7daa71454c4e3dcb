"""A running hub that is shot at: web, worker and Valkey as processes, started again whenever they die."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from hub.embedded.valkey import Valkey
from web.demo.children import Child

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Tree:
    """Web, worker and queue over one data folder. ``keep`` must be called often: it starts again what is dead."""

    def __init__(self, data: Path, sandbox_url: str, **settings: str) -> None:
        self.data, self.port = data, free_port()
        self.queue = Valkey(data)
        self.lines: Counter[str] = Counter()
        env = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        env |= {
            "HUB_DATA": str(data), "HUB_PORT": str(self.port), "HUB_SANDBOX_URL": sandbox_url,
            "HUB_REDIS_URL": self.queue.url, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **settings,
        }  # fmt: skip
        self.children = {
            name: Child(name, [sys.executable, "-m", "web.cli", name], env, data / f"{name}.log", self._hear)
            for name in ("web", "worker")
        }
        self.kills: Counter[str] = Counter()

    @property
    def address(self) -> str:
        """Where the web answers."""
        return f"http://127.0.0.1:{self.port}"

    def _hear(self, who: str, line: str) -> None:
        if "Traceback" in line:
            self.lines[f"{who} traceback"] += 1

    def start(self) -> None:
        """Everything up and healthy."""
        self.queue.start()
        for child in self.children.values():
            child.start()
        self.await_health(60)

    def reached(self) -> bool:
        """Whether the web takes connections: before that a kill only delays its start."""
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def keep(self) -> None:
        """Start again what is dead, at once: a short life is what this is about."""
        if self.queue.pid is None:
            self.queue.start()
        for child in self.children.values():
            if not child.alive:
                child.start()

    def kill(self, name: str) -> None:
        """kill -9 of web, worker or queue; one that is dead already is not counted."""
        pid = self.queue.pid if name == "queue" else self._pid(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self.kills[name] += 1

    def _pid(self, name: str) -> int | None:
        process = self.children[name].process
        return process.pid if process is not None and process.poll() is None else None

    def flush(self) -> None:
        """Empty the queue; one that is dead has nothing to lose."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            line.connect(str(self.queue.socket))
            line.sendall(b"FLUSHALL\r\n")
            line.recv(16)

    def await_health(self, seconds: float) -> None:
        """Until /healthz is 200."""
        end = time.monotonic() + seconds
        said = ""
        while time.monotonic() < end:
            self.keep()
            try:
                answer = httpx.get(f"{self.address}/healthz", timeout=3, trust_env=False)
                said = answer.text
                if answer.status_code == 200:
                    return
            except httpx.TransportError as error:
                said = repr(error)
            time.sleep(0.2)
        raise AssertionError(f"not healthy after {seconds} s: {said}")

    def stop(self) -> None:
        """SIGTERM to all, then force."""
        for child in self.children.values():
            child.ask_to_end()
        for child in self.children.values():
            child.end(time.monotonic() + 8)
        self.queue.stop()


class Marksman:
    """Kills a random part of the tree ``shots`` times, about every ``pause`` seconds.

    Three times of four the web is spared until it can be reached: a web that is only ever shot while it starts proves
    nothing about what it acknowledges."""

    def __init__(self, tree: Tree, shots: int, pause: float, seed: int = 20261123) -> None:
        self.tree, self.shots, self.pause = tree, shots, pause
        self.random = random.Random(seed)
        self.error: BaseException | None = None

    def run(self) -> None:
        """Shoot; the tree is kept alive in between."""
        while sum(self.tree.kills.values()) < self.shots:
            target = self.random.choices(["worker", "web", "queue"], [4, 3, 2])[0]
            if target != "web" or self.random.random() < 0.25 or self.tree.reached():
                self.tree.kill(target)
            end = time.monotonic() + self.random.uniform(0.2, 2 * self.pause)
            while time.monotonic() < end:
                time.sleep(0.05)
                self.tree.keep()


class Storm(threading.Thread):
    """Citizens write while everything dies: ``say`` is called with 0, 1, 2 … ``count`` times over ``seconds``."""

    def __init__(self, say: object, count: int, seconds: float) -> None:
        super().__init__(daemon=True)
        self.say, self.count, self.seconds = say, count, seconds

    def run(self) -> None:
        """At an even pace."""
        begun = time.monotonic()
        for number in range(self.count):
            self.say(number)  # type: ignore[operator]
            time.sleep(max(0.0, begun + (number + 1) * self.seconds / self.count - time.monotonic()))
