"""Pushes at the door platforms use: replayed against a real server process, and broken in every way against the app."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Arrival, ArrivalState, Message
from tests.sims.sandbox import push_body, signed_query
from tests.web.conftest import Visit
from tests.web.test_server import free_port, running
from tests.web.world import World
from tests.workflows.intake import town
from workflows.accounts import push_path
from workflows.house import House
from workflows.intake import jobs
from workflows.intake.reading import read_waiting

SECRET = "s3cret"
EVENTS, DELIVERIES, CONNECTIONS = 2_000, 10_000, 8


@pytest.fixture
async def hook(house: House, world: World) -> str:
    """The path of an account that takes pushes."""
    async with unit_of_work(house.ctx) as unit:
        account = await unit.one(select(Account).where(Account.id == world.account_id))
        account.external_id, account.sealed = "9001", house.ctx.vault.seal({"app_secret": SECRET})
        return push_path(house.ctx.settings, world.account_id)


# --- many times, in any order -----------------------------------------------------------------------------------------


def _deliver(url: str, bodies: list[bytes]) -> list[int]:
    """One connection, kept open; each delivery signed for itself, as a platform does."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        return [client.post(url, params=signed_query(SECRET), content=body).status_code for body in bodies]


def test_ten_thousand_deliveries_of_two_thousand_events(hook: str, house: House, tmp_path: Path, world: World) -> None:
    import asyncio

    bodies = [push_body("9001", f"55{n:08}", f"第 {n} 条：路灯不亮") for n in range(EVENTS)]
    bodies *= DELIVERIES // EVENTS
    random.Random(2).shuffle(bodies)
    port = free_port()
    with running(tmp_path, port), ThreadPoolExecutor(CONNECTIONS) as connections:
        shares = [bodies[n::CONNECTIONS] for n in range(CONNECTIONS)]
        answers = connections.map(lambda share: _deliver(f"http://127.0.0.1:{port}{hook}", share), shares)
        statuses = [status for answer in answers for status in answer]
    assert statuses == [200] * DELIVERIES
    assert asyncio.run(_read(house)) == EVENTS


async def _read(house: House) -> int:
    """Every stored push becomes a message; how many, each event once."""
    await jobs.read_arrivals(house)
    async with reading(house.ctx) as unit:
        stored = await unit.all(select(Arrival).where(col(Arrival.external_id).like("55________")))
        messages = await unit.all(select(Message).where(col(Message.external_id).like("55________")))
    await house.close()
    assert {arrival.state for arrival in stored} == {ArrivalState.parsed}
    assert len(stored) == len({message.external_id for message in messages})
    return len(messages)


# --- broken, forged, oversized ----------------------------------------------------------------------------------------

BROKEN: dict[str, bytes] = {
    "half an object": b'{"type": "text"',
    "xml": b'<?xml version="1.0"?><xml><ToUserName>9001</ToUserName><Content>x</Content></xml>',
    "an entity bomb": b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "gb18030": '{"type": "text", "text": "路灯"}'.encode("gb18030"),
    "noise": bytes(range(256)) * 64,
    "endless number": b'{"message_id": ' + b"9" * 5_000 + b"}",
}


@pytest.fixture
async def platform(visit: Visit) -> AsyncIterator[httpx.AsyncClient]:
    async with visit() as client:
        yield client


async def stored(house: House) -> int:
    return await town.count(house, Arrival)


@pytest.mark.parametrize("what", BROKEN)
async def test_what_is_genuine_and_cannot_be_read_waits_in_quarantine(
    what: str, platform: httpx.AsyncClient, hook: str, house: House
) -> None:
    """Nothing that was signed is lost: the platform would give up after three tries."""
    before = await stored(house)
    for _ in range(2):
        answer = await platform.post(hook, params=signed_query(SECRET), content=BROKEN[what])
        assert answer.status_code == 200
    assert await stored(house) == before + 1
    while await read_waiting(house, 100):
        pass
    async with reading(house.ctx) as unit:
        kept = await unit.all(select(Arrival).order_by(col(Arrival.id).desc()).limit(1))
    assert kept[0].state is ArrivalState.quarantined
    assert kept[0].error


async def test_a_push_without_content_is_refused(platform: httpx.AsyncClient, hook: str, house: House) -> None:
    before = await stored(house)
    answer = await platform.post(hook, params=signed_query(SECRET), content=b"")
    assert answer.status_code == 400
    assert answer.text
    assert await stored(house) == before


async def test_what_is_not_genuine_is_refused(platform: httpx.AsyncClient, hook: str, house: House) -> None:
    before, good = await stored(house), push_body("9001", "m1", "路灯不亮")
    late = signed_query(SECRET, time.time() - 3600)
    for query in (
        {}, signed_query("another"), late, signed_query(SECRET) | {"signature": "错"},
        signed_query(SECRET) | {"timestamp": "²"}, signed_query(SECRET) | {"nonce": "x" * 5_000},
    ):  # fmt: skip
        answer = await platform.post(hook, params=query, content=good)
        assert answer.status_code == 403, query
    for path in ("/hooks/999999/" + "0" * 32, hook[:-1] + "x", hook.upper(), "/hooks/9223372036854775808/x"):
        assert (await platform.post(path, params=signed_query(SECRET), content=good)).status_code == 404
    assert await stored(house) == before


async def test_oversized_pushes(platform: httpx.AsyncClient, hook: str, house: House) -> None:
    before = await stored(house)
    for size in (300 * 1024, 1024**2 + 1, 30 * 1024**2):
        answer = await platform.post(hook, params=signed_query(SECRET), content=b" " * size)
        assert answer.status_code == 413

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 16_384

    assert (await platform.post(hook, params=signed_query(SECRET), content=drip())).status_code == 413
    assert await stored(house) == before


async def test_a_challenge_is_never_a_page(platform: httpx.AsyncClient, hook: str) -> None:
    nasty = "<script>alert(1)</script>\r\nX-Evil: 1"
    answer = await platform.get(hook, params=signed_query(SECRET) | {"echostr": nasty})
    assert answer.text == nasty
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "x-evil" not in answer.headers
    assert (await platform.get(hook, params=signed_query(SECRET))).status_code == 400
    assert (await platform.put(hook, params=signed_query(SECRET))).status_code == 405


ODD = {
    "html": '<script>alert(1)</script><img src=x onerror="alert(2)"><a href="javascript:alert(3)">x</a>',
    "beyond the plane": "𠮷野家门口😀👨‍👩‍👧‍👦路灯不亮",
    "right to left": "\u202eevil\u2066txt\u200f路灯",
    "nul": "路灯\0不亮",
    "half a character": "路灯\ud83d不亮",
    "controls": "路灯\x1b[2J\x07\x08不亮\x85\u2028完",
    "a formula": "=HYPERLINK(\"http://evil.test\",\"点我\")",
    "long": "路灯不亮" * 2_500,
    "templates": "{{7*7}} ${7*7} %(name)s %s {0}",
}  # fmt: skip


ODD_IDS = {what: f"66{n:08}" for n, what in enumerate(ODD)}


@pytest.mark.parametrize("what", ODD)
async def test_odd_contents_are_kept_and_shown_safely(
    what: str, platform: httpx.AsyncClient, hook: str, house: House, visit: Visit
) -> None:
    """Genuine, so nothing of it is lost; hostile, so every page that shows it must be harmless."""
    shape = json.loads(push_body("9001", ODD_IDS[what], "")) | {"text": ODD[what]}
    name = ODD[what] if what != "long" else "名" * 10_000
    shape["data"] = {"sender_name": name}
    shape["sender_name"] = name
    body = json.dumps(shape).encode()
    assert (await platform.post(hook, params=signed_query(SECRET), content=body)).status_code == 200
    await jobs.read_arrivals(house)
    async with reading(house.ctx) as unit:
        arrival = await unit.one(select(Arrival).where(Arrival.external_id == ODD_IDS[what]))
        message = await unit.first(select(Message).where(Message.arrival_id == arrival.id))
    assert (message is not None) == (arrival.state is ArrivalState.parsed)
    assert message is not None or arrival.error
    async with visit("dispatcher") as client:
        pages = ["/messages", "/quarantine", "/desk", "/search?q=路灯"]
        pages += [f"/messages/{message.id}"] if message is not None else []
        for path in pages:
            page = await client.get(path, follow_redirects=True)
            assert page.status_code == 200, path
            _assert_harmless(page.text, path)


def _assert_harmless(page: str, path: str) -> None:
    assert "<script>alert" not in page, path
    assert "<img src=x" not in page, path
    assert 'href="javascript:' not in page, path
    assert "\0" not in page, path


async def test_the_same_push_again_is_known(platform: httpx.AsyncClient, hook: str, ctx: Context) -> None:
    for _ in range(3):
        push = push_body("9001", "7700000000", "一")
        sent: Any = await platform.post(hook, params=signed_query(SECRET), content=push)
        assert sent.status_code == 200
    async with reading(ctx) as unit:
        found = await unit.all(select(Arrival).where(Arrival.external_id == "7700000000"))
    assert len(found) == 1
    assert found[0].received_at <= clock.now()
