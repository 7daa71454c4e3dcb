"""Pushes: signed, verified on raw bytes, tried three times, the same event once."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.base import Accept, AccountRef, Challenge, Kind, Reject, Unparsable
from connectors.http import Http
from connectors.sandbox.client import SandboxConnector
from tests.sims.sandbox import Control, push_body, signed_query

SECRET = "app-secret-1"
REF = AccountRef(1, "sandbox", "临江发布", "500", "http://127.0.0.1:1", {"token": "t", "app_secret": SECRET})


class Receiver:
    """A hub's push address: fails ``failures`` times, then takes what the connector accepts."""

    def __init__(self, client: SandboxConnector, ref: AccountRef) -> None:
        self.client, self.ref = client, ref
        self.failures = 0
        self.calls: list[float] = []
        self.items: dict[tuple[Kind, str], str] = {}

    async def take(self, request: Request) -> Response:
        self.calls.append(time.monotonic())
        if len(self.calls) <= self.failures:
            return Response("busy", 503)
        query, headers = dict(request.query_params), dict(request.headers)
        answer = await self.client.receive(self.ref, request.method, query, headers, await request.body())
        match answer:
            case Accept(items, body):
                self.items |= {(i.kind, i.external_id): i.payload for i in items}
                return Response(body)
            case Challenge(body):
                return Response(body)
            case Reject(status, reason):
                return Response(reason, status)


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[str]:
    app = Starlette(routes=[Route("/hook", receiver.take, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="none", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hook"
    finally:
        server.should_exit = True
        await task


async def until(reached: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not reached() and time.monotonic() < end:  # type: ignore[operator]
        await asyncio.sleep(0.02)


async def test_pushed_messages_arrive_and_match_what_the_list_says(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    receiver = Receiver(client, sandbox.ref(account))
    async with listening(receiver) as url:
        await asyncio.to_thread(sandbox.account, "临江发布", push_url=url)
        assert await asyncio.to_thread(sandbox.challenge, "临江发布")
        ids = await asyncio.to_thread(sandbox.messages, account["uid"], "第 {n} 封", 20)
        mentions = await asyncio.to_thread(sandbox.mentions, account["uid"], "提到 {n}", 5)
        await until(lambda: len(receiver.items) == 25)
    ref = sandbox.ref(account)
    pulled = [*(await client.pull(ref, "messages", {})).items, *(await client.pull(ref, "mentions", {})).items]
    assert {(i.kind, i.external_id) for i in pulled} == set(receiver.items)
    assert {i for _, i in receiver.items} == {*ids, *mentions}
    for item in pulled:
        pushed = type(item)(item.kind, item.external_id, receiver.items[item.kind, item.external_id])
        assert client.parse(ref, pushed) == client.parse(ref, item)
    assert sandbox.push_counts()["done"] == 25


async def test_three_tries_then_given_up(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    receiver = Receiver(client, sandbox.ref(account))
    receiver.failures = 2
    async with listening(receiver) as url:
        await asyncio.to_thread(sandbox.account, "临江发布", push_url=url)
        await asyncio.to_thread(sandbox.pushes, account["uid"], "只推送")
        await until(lambda: receiver.items)
        assert len(receiver.calls) == 3
        assert receiver.calls[2] - receiver.calls[0] >= 0.35, "the tries are an interval apart"
        receiver.failures = 100
        await asyncio.to_thread(sandbox.pushes, account["uid"], "没人要")
        await until(lambda: sandbox.push_counts()["failed"])
    counts = sandbox.push_counts()
    assert (len(receiver.calls), counts["done"], counts["failed"]) == (6, 1, 1)
    assert (await client.pull(sandbox.ref(account), "messages", {})).items == ()


async def receive(client: SandboxConnector, query: dict[str, str], body: bytes, method: str = "POST") -> object:
    return await client.receive(REF, method, query, {}, body)


async def test_2000_events_delivered_10000_times_are_2000_items(client: SandboxConnector) -> None:
    bodies = [push_body("500", str(2**53 + n), f"第 {n} 条") for n in range(2000)] * 5
    random.Random(7).shuffle(bodies)
    ids: set[str] = set()
    for body in bodies:
        answer = await receive(client, signed_query(SECRET), body)
        assert isinstance(answer, Accept)
        ids |= {item.external_id for item in answer.items}
    assert len(ids) == 2000


async def test_a_repeated_event_in_one_body_is_one_item(client: SandboxConnector) -> None:
    push = json.loads(push_body("500", "123456", "一"))
    answer = await receive(client, signed_query(SECRET), json.dumps([push, push]).encode())
    assert isinstance(answer, Accept)
    assert [i.external_id for i in answer.items] == ["123456"]
    assert client.parse(REF, answer.items[0]).text == "一"


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        (signed_query("wrong"), b"{}", 403),
        ({}, b"{}", 403),
        ({"signature": "é\udcff", "timestamp": "٣", "nonce": ""}, b"{}", 403),
        (None, b"", 400),
        (None, b'"' + b"x" * 300_000 + b'"', 413),
    ],
)
async def test_what_is_not_genuine_empty_or_too_large_is_rejected(
    client: SandboxConnector, query: dict[str, str] | None, body: bytes, status: int
) -> None:
    answer = await receive(client, signed_query(SECRET) if query is None else query, body)
    assert isinstance(answer, Reject)
    assert answer.status == status
    assert answer.reason


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000])
async def test_what_is_genuine_and_not_json_is_kept_whole(client: SandboxConnector, body: bytes) -> None:
    answer = await receive(client, signed_query(SECRET), body)
    assert isinstance(answer, Accept)
    (item,) = answer.items
    assert item.external_id.startswith("sha256:")
    assert json.loads(item.payload) == body.decode("utf-8", "backslashreplace")
    with pytest.raises(Unparsable):
        client.parse(REF, item)


async def test_an_old_signature_is_refused() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    client = SandboxConnector(Http(live=False, clock=lambda: now))
    fresh = signed_query(SECRET, (now - timedelta(minutes=4)).timestamp())
    stale = signed_query(SECRET, (now - timedelta(minutes=6)).timestamp())
    assert isinstance(await receive(client, fresh, push_body("500", "1", "x")), Accept)
    assert isinstance(await receive(client, stale, push_body("500", "1", "x")), Reject)


async def test_a_challenge_is_echoed_only_when_genuine(client: SandboxConnector) -> None:
    assert await receive(client, signed_query(SECRET) | {"echostr": "abc"}, b"", "GET") == Challenge("abc")
    assert isinstance(await receive(client, signed_query("wrong") | {"echostr": "abc"}, b"", "GET"), Reject)


async def test_events_carry_no_item_and_unknown_types_are_kept(client: SandboxConnector) -> None:
    follow = json.dumps({"type": "event", "data": {"subtype": "follow"}}).encode()
    assert await receive(client, signed_query(SECRET), follow) == Accept(())
    odd = await receive(client, signed_query(SECRET), b'{"type":"hologram","x":1}')
    assert isinstance(odd, Accept)
    assert odd.items[0].external_id.startswith("sha256:")
