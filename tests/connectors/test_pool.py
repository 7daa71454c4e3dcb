"""Connections kept open between readings: shared by reads alone, renewed when they were closed, without cookies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from connectors.base import ConnectorError, Effect
from connectors.http import Http
from connectors.pool import Pool


class Server:
    """Answers on a connection as often as asked; while ``drops``, drops each at its second request."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.requests: list[str] = []
        self.drops = 0
        self.is_dead = False

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            for n in range(1000):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                if self.is_dead or (n and self.drops):
                    break
                self.requests.append(head)
                writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: who=account-a\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    listening = await asyncio.start_server(found.handle, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield found
    listening.close()


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    pool = Pool()
    yield Http(live=False, pool=pool)
    await pool.aclose()


async def test_reads_share_a_connection_and_writes_have_their_own(http: Http, server: Server) -> None:
    for _ in range(5):
        assert (await http.call("GET", server.url)).ok
    assert server.connections == 1
    for _ in range(3):
        assert (await http.call("POST", server.url, form={"a": "b"}, write=True)).ok
    assert server.connections == 4


async def test_cookies_never_go_along(http: Http, server: Server) -> None:
    await http.call("GET", server.url)
    await http.call("GET", server.url)
    assert len(server.requests) == 2
    assert not any("cookie" in request.lower() for request in server.requests)


async def test_a_connection_closed_meanwhile_costs_nothing_but_a_new_one(http: Http, server: Server) -> None:
    """Closed without a word when the next request has been written: it is asked once more on a fresh one."""
    server.drops = 3
    for n in range(3):
        assert (await http.call("GET", server.url)).ok, n
    assert server.connections == 3


async def test_a_server_that_is_really_gone_is_said(http: Http, server: Server) -> None:
    assert (await http.call("GET", server.url)).ok
    server.is_dead = True
    with pytest.raises(ConnectorError) as refused:
        await http.call("GET", server.url)
    assert refused.value.effect is Effect.not_done
    assert server.connections == 2, "one kept, one fresh, no third"


async def test_the_guard_stands_before_the_pool(server: Server) -> None:
    pool = Pool()
    live = Http(live=True, pool=pool)
    with pytest.raises(ConnectorError, match="内部网络"):
        await live.call("GET", server.url)
    assert server.connections == 0
    await pool.aclose()
