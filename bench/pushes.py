"""A burst of pushes at a real web process: what is stored, and how fast each one is answered."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from dataclasses import field as data_field
from pathlib import Path
from urllib.parse import urlencode

import httpx
from sqlmodel import col, func, select

from bench import ground, running
from bench.figures import Figure, quantile
from connectors.signature import sign
from hub import clock, log, migrations
from hub.db import open_context, reading, unit_of_work
from hub.embedded import Postgres, Valkey
from hub.models import Account, Arrival, Department
from hub.settings import Settings, load
from workflows.accounts import push_path

RATE, SECONDS, CONNECTIONS = 500, 60, 64
MARK = 1.0
OWN, SECRET = "9001", "a-secret-of-the-app"


def run() -> Iterator[Figure]:
    """Seconds until an answer, counted from when the push was due, on both databases; nothing may be lost."""
    for name in ("sqlite", "postgres"):
        with ground.folder() as data, _database(name, data) as url:
            told = asyncio.run(_burst(data, url))
        pushed = RATE * SECONDS
        assert told.refused == 0, f"{name}: {told.refused} of {pushed} were not answered with 200"
        assert told.stored == pushed, f"{name}: {pushed - told.stored} of {pushed} are lost"
        said = f"{pushed} pushes at {told.rate:.0f}/s over {CONNECTIONS} connections, all stored"
        yield Figure(f"pushes_{name}_p50", round(quantile(told.late, 0.5), 4), "s", None, None, said)
        p99 = quantile(told.late, 0.99)
        yield Figure(f"pushes_{name}_p99", round(p99, 4), "s", MARK, round(p99 / MARK, 3), f"{said}; mark: at most")


@dataclass
class Told:
    """What became of a burst. ``late``: seconds from due to answered, of every push."""

    late: list[float] = data_field(default_factory=list)
    refused: int = 0
    stored: int = 0
    rate: float = 0.0


@contextmanager
def _database(name: str, data: Path) -> Iterator[str]:
    if name == "sqlite":
        yield load(data).database
        return
    with Postgres(data / "postgres") as server:
        yield server.create_database("bench")


async def _burst(data: Path, url: str) -> Told:
    log.configure("ERROR", "json")
    settings = load(data, db_url=url)
    await asyncio.to_thread(migrations.upgrade, settings.database)
    path, told = await _account(settings), Told()
    with Valkey(data) as queue, _web(data, url, queue.url) as port:
        begun = time.perf_counter()
        due = iter([(n, begun + n / RATE) for n in range(RATE * SECONDS)])
        await asyncio.gather(*[_connection(port, path, due, told) for _ in range(CONNECTIONS)])
        told.rate = RATE * SECONDS / (time.perf_counter() - begun)
    told.stored = await _stored(settings)
    return told


async def _account(settings: Settings) -> str:
    """An account that takes pushes; the path it takes them at."""
    ctx = open_context(settings)
    async with unit_of_work(ctx) as unit:
        unit.add(Department(id=1, code="press", name="新闻办", short_name="新闻办", path="/1/"))
        await unit.flush()
        sealed = ctx.vault.seal({"app_secret": SECRET})
        account = Account(platform="weibo", name="临江发布", external_id=OWN, sealed=sealed, department_id=1)
        unit.add(account)
    await ctx.close()
    return push_path(settings, account.id or 0)


async def _stored(settings: Settings) -> int:
    ctx = open_context(settings)
    async with reading(ctx) as unit:
        found = await unit.one(select(func.count(col(Arrival.id))))
    await ctx.close()
    return found


@contextmanager
def _web(data: Path, url: str, queue: str) -> Iterator[int]:
    """A web process of its own; its port."""
    port = running.free_port()
    env = {**os.environ, "HUB_DATA": str(data), "HUB_DB_URL": url, "HUB_REDIS_URL": queue, "HUB_PORT": str(port)}
    env["HUB_LOG_LEVEL"] = "WARNING"
    process = subprocess.Popen([sys.executable, "-m", "web.cli", "web"], env=env)
    try:
        _await(f"http://127.0.0.1:{port}/readyz")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _await(url: str) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            httpx.get(url, trust_env=False, timeout=5)  # also "no worker": this one answers
            return
        time.sleep(0.1)
    raise AssertionError("the web process is not ready")


async def _connection(port: int, path: str, due: Iterator[tuple[int, float]], told: Told) -> None:
    """One kept connection of the platform's, which sends whatever is due next."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number, at in due:
        await asyncio.sleep(at - time.perf_counter())
        writer.write(_request(path, number))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        await reader.readexactly(int(length.partition(b":")[2]))
        told.late.append(time.perf_counter() - at)
        told.refused += not head.startswith(b"HTTP/1.1 200")
    writer.close()


def _request(path: str, number: int) -> bytes:
    """Signed as the platform signs it, bytes as they go over the wire: the sender must cost little."""
    at, nonce = str(int(time.time())), secrets.token_hex(8)
    query = urlencode({"signature": sign(SECRET, at, nonce), "timestamp": at, "nonce": nonce})
    body = json.dumps({
        "type": "text", "receiver_id": int(OWN), "sender_id": 7_000_000_000 + number % 997,
        "created_at": clock.now().strftime("%a %b %d %H:%M:%S +0000 %Y"), "message_id": 5_000_000_000 + number,
        "text": f"第 {number} 条：路灯不亮，请派人看看", "data": {},
    }).encode()  # fmt: skip
    head = f"POST {path}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
