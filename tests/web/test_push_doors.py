"""Every platform that pushes, at a real server on both databases: three at once, a slow database, spoilt bodies."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import select

from connectors.registry import connectors
from hub.db import Context, make_engine, reading, unit_of_work
from hub.models import Account, Arrival, ArrivalState, Message
from tests.sims.mutations import spoilt
from tests.sims.pushing import DOORS, OWN, Door
from tests.web.test_server import free_port, running
from workflows.accounts import push_path
from workflows.house import House
from workflows.intake.reading import read_waiting

SPOILT = 150


@dataclass
class Hub:
    """A real web process, and the database behind it."""

    house: House
    base_url: str
    url: str
    paths: dict[str, str]

    async def push(self, client: httpx.AsyncClient, name: str, body: bytes) -> httpx.Response:
        query, headers, sent = DOORS[name].sign(body)
        return await client.post(self.base_url + self.paths[name], params=query, headers=headers, content=sent)

    async def arrivals(self, name: str) -> list[Arrival]:
        async with reading(self.house.ctx) as unit:
            account = await unit.one(select(Account).where(Account.name == name))
            return list(await unit.all(select(Arrival).where(Arrival.account_id == account.id)))


@pytest.fixture
async def hub(
    any_db_url: str, make_ctx: Callable[[str], Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hub]:
    ctx = make_ctx(any_db_url)
    paths = {}
    for name, door in DOORS.items():
        async with unit_of_work(ctx) as unit:
            account = Account(
                platform=door.platform, name=name, external_id=OWN, sealed=ctx.vault.seal(door.secrets),
                options=dict(door.options),
            )  # fmt: skip
            unit.add(account)
        paths[name] = push_path(ctx.settings, account.id or 0)
    port = free_port()
    monkeypatch.setenv("HUB_DB_URL", any_db_url)
    with running(tmp_path, port):
        yield Hub(House(ctx, connectors(live=False)), f"http://127.0.0.1:{port}", any_db_url, paths)
    await ctx.close()


@asynccontextmanager
async def slow(url: str, seconds: float) -> AsyncIterator[None]:
    """Somebody else holds what pushes are written to for so long."""
    held = asyncio.Event()

    async def hold() -> None:
        engine = make_engine(url)
        async with engine.connect() as other:
            # On SQLite every transaction that is not for reading holds the one writer's place.
            lock = "SELECT 1" if url.startswith("sqlite") else "LOCK TABLE arrival IN EXCLUSIVE MODE"
            await other.execute(text(lock))
            held.set()
            await asyncio.sleep(seconds)
            await other.rollback()
        await engine.dispose()

    task = asyncio.create_task(hold())
    await held.wait()
    yield
    await task


async def test_three_at_once_are_one_row_and_three_proper_answers_also_when_the_database_is_slow(hub: Hub) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for number, seconds in ((1, 0.0), (2, 2.5)):
            async with slow(hub.url, seconds):
                begun = time.monotonic()
                answers = await asyncio.gather(
                    *[hub.push(client, name, door.about(number)) for name, door in DOORS.items() for _ in range(3)]
                )
                took = time.monotonic() - begun
            assert took < 5
            assert seconds < took + 0.5, "the database was in the way"
            assert [answer.status_code for answer in answers] == [200] * 3 * len(DOORS)
            for place, (name, door) in enumerate(DOORS.items()):
                assert_proper(name, door, [answer.text for answer in answers[3 * place : 3 * place + 3]])
                assert len(await hub.arrivals(name)) == number
    while await read_waiting(hub.house):
        pass
    async with reading(hub.house.ctx) as unit:
        texts = await unit.all(select(Message.text).join(Arrival).where(Arrival.via == "push"))
    assert len(texts) == 2 * len(DOORS)


def assert_proper(name: str, door: Door, bodies: list[str]) -> None:
    """What the platform wants to read: an acknowledgement or a receipt, the same for all three."""
    if name == "wechat sealed":
        assert all("<Encrypt>" in body for body in bodies)
    elif door.options.get("receipt"):
        assert all("已收到" in body or "%E5%B7%B2" in body or "\\u5df2" in body for body in bodies), bodies
    elif name == "exchange":
        assert len(set(bodies)) == 1
        assert "GD00000" in bodies[0]
    else:
        assert bodies == [""] * 3


async def test_no_spoilt_push_breaks_the_server_and_what_cannot_be_read_waits_in_quarantine(hub: Hub) -> None:
    chance = random.Random(4)
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        for name, door in DOORS.items():
            bodies = [door.about(1), *door.more]
            sent = [spoilt(chance, chance.choice(bodies)) for _ in range(SPOILT)]
            answers = await asyncio.gather(*[hub.push(client, name, body) for body in sent])
            statuses = Counter(answer.status_code for answer in answers)
            assert all(status == 200 or 400 <= status < 500 for status in statuses), (name, statuses)
            assert statuses[200] > SPOILT / 3, (name, statuses)
    while await read_waiting(hub.house):
        pass
    settled = Counter[str]()
    async with reading(hub.house.ctx) as unit:
        for arrival in await unit.all(select(Arrival).where(Arrival.via == "push")):
            settled[arrival.state] += 1
            assert arrival.state in (ArrivalState.parsed, ArrivalState.quarantined)
            assert bool(arrival.error) is (arrival.state is ArrivalState.quarantined)
        read = await unit.all(select(Message).join(Arrival).where(Arrival.via == "push"))
    assert settled[ArrivalState.quarantined] > 20
    assert len(read) == settled[ArrivalState.parsed] > 20
