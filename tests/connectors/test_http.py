"""The one door to the network: where it may go, what a failure means, what it never tells."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from connectors.addresses import is_loopback, is_public, reasons_against
from connectors.base import ConnectorError, Effect, ErrorKind
from connectors.http import LONGEST_WAIT, Answer, Http, kind_of_status, retry_at, scrub
from connectors.lengths import weibo_units
from connectors.posting import Attachment

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(serve: Serve) -> AsyncIterator[str]:
    """A server that speaks bytes, so that it can be as wrong as we like."""
    waiting: list[asyncio.Task[None]] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        waiting.append(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await serve(reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting)
        await server.wait_closed()


def answering(body: bytes, head: str = "HTTP/1.1 200 OK", **headers: str) -> Serve:
    lines = [head, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if not any(name.lower() == "content_length" for name in headers):
        lines.append(f"Content-Length: {len(body)}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def thoughtful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says nothing for longer than a call waits, and then all."""
    await asyncio.sleep(0.6)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    await writer.drain()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never silent for long, never done: only the cap on the whole call ends it."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


def quick(live: bool = False) -> Http:
    return Http(live, clock=lambda: NOW, connect=1.0, read=0.3, total=0.8, body_bytes=10_000)


async def failure(serve: Serve, *, write: bool = True) -> ConnectorError:
    async with raw_server(serve) as url:
        with pytest.raises(ConnectorError) as caught:
            (await quick().call("POST" if write else "GET", url, content=b"a=b", write=write)).json()
    return caught.value


@pytest.mark.parametrize(
    ("serve", "kind"),
    [
        (silent, ErrorKind.transient),
        (reset, ErrorKind.transient),
        (drip, ErrorKind.transient),
        (answering(b"not http", head="nonsense"), ErrorKind.transient),
        (answering(b"{}", Content_Length="500"), ErrorKind.transient),
        (answering(b"<html>", Content_Type="text/html"), ErrorKind.protocol),
        (answering(b"<html>", head="HTTP/1.1 502 Bad Gateway"), ErrorKind.transient),
        (answering(b"x" * 20_000), ErrorKind.protocol),
        (answering(gzip.compress(b" " * 5_000_000), Content_Encoding="gzip"), ErrorKind.protocol),
        (answering(b"broken", Content_Encoding="gzip"), ErrorKind.protocol),
        (answering(b"", head="HTTP/1.1 302 Found", Location="http://127.0.0.1:1/"), ErrorKind.protocol),
        (answering(b"[" * 9_000), ErrorKind.protocol),
        (answering(b"\xff\xfe"), ErrorKind.protocol),
    ],
)
async def test_after_sending_a_write_is_unknown_and_a_read_did_nothing(serve: Serve, kind: ErrorKind) -> None:
    error = await failure(serve)
    assert (error.kind, error.effect) == (kind, Effect.unknown)
    error = await failure(serve, write=False)
    assert (error.kind, error.effect) == (kind, Effect.not_done)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "no address at all",
        "",
        "http://",
        "http://127.0.0.1:9/\x00",
    ],
)
async def test_before_sending_nothing_is_done(url: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        await quick().call("POST", url, form={"a": "b"}, write=True)
    assert caught.value.effect is Effect.not_done
    assert caught.value.kind in (ErrorKind.transient, ErrorKind.bug)


@pytest.mark.parametrize("token", ["令牌", "a\nb: c", "", " "])
async def test_a_token_that_fits_no_header_is_a_setting_to_mend(token: str) -> None:
    async with raw_server(answering(b"{}")) as url:
        with pytest.raises(ConnectorError) as caught:
            await quick().call("POST", url, headers={"Authorization": f"Bearer {token}"}, write=True)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.bug, Effect.not_done)
    assert "访问令牌的写法不对" in caught.value.human


async def test_a_refused_write_was_not_done() -> None:
    error = await failure(answering(b"<html>", head="HTTP/1.1 404 Not Found"))
    assert (error.kind, error.effect) == (ErrorKind.not_found, Effect.not_done)
    error = await failure(answering(b"<html>", head="HTTP/1.1 408 Timeout"))
    assert error.effect is Effect.unknown


async def test_a_packed_body_is_unpacked_and_no_redirect_is_followed() -> None:
    async with raw_server(answering(gzip.compress('{"好":1}'.encode()), Content_Encoding="gzip")) as url:
        assert (await quick().call("GET", url)).json() == {"好": 1}
    async with raw_server(answering(b"{}", head="HTTP/1.1 307 Moved", Location="http://127.0.0.1:1/")) as url:
        answer = await quick().call("GET", url)
    assert (answer.status, answer.ok) == (307, False)


async def test_the_query_of_an_address_is_kept() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(b"{}")(reader, writer)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?who=a"
        await quick().call("GET", url, params={"b": "1"})
        await quick().call("GET", url, params=[("c[]", "1"), ("c[]", "2")])
    assert b"GET /hook?who=a&b=1 " in seen[0]
    assert b"who=a&c%5B%5D=1&c%5B%5D=2" in seen[1]


async def test_neither_mode_goes_where_it_must_not() -> None:
    async with raw_server(answering(b"{}")) as url:
        with pytest.raises(ConnectorError, match="内部网络"):
            await quick(live=True).call("GET", url)
        with pytest.raises(ConnectorError, match="内部网络"):
            await quick(live=True).call("GET", url.replace("127.0.0.1", "localhost"))
        assert (await quick().call("GET", url.replace("127.0.0.1", "localhost"))).ok
    with pytest.raises(ConnectorError, match="演练模式不会连接真实平台") as caught:
        await quick().call("POST", "https://93.184.216.34/", write=True)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.permission, Effect.not_done)
    with pytest.raises(ConnectorError, match="内部网络"):
        await quick(live=True).call("GET", "http://169.254.169.254/latest/meta-data")


async def test_a_name_with_one_inner_address_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    with pytest.raises(ConnectorError, match="内部网络"):
        await quick(live=True).call("GET", "https://rebinding.example/")


async def test_a_name_nobody_knows_did_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nobody)
    with pytest.raises(ConnectorError) as caught:
        await quick(live=True).call("POST", "https://name.invalid/", write=True)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.transient, Effect.not_done)


async def test_in_rehearsal_not_even_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", None)
    with pytest.raises(ConnectorError, match="演练模式不会连接真实平台"):
        await quick().call("GET", "https://api.weibo.example/")


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with raw_server(answering(b"{}")) as url:
        assert (await quick().call("GET", url)).ok


@pytest.mark.parametrize(
    ("address", "public", "loopback"),
    [
        ("93.184.216.34", True, False),
        ("2606:4700:4700::1111", True, False),
        ("127.0.0.1", False, True),
        ("127.8.8.8", False, True),
        ("::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("::ffff:10.0.0.1", False, False),
        ("10.1.2.3", False, False),
        ("172.16.0.1", False, False),
        ("192.168.1.1", False, False),
        ("100.64.0.1", False, False),
        ("169.254.169.254", False, False),
        ("0.0.0.0", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, False),
        ("fe80::1%eth0", False, False),
        ("fd00::1", False, False),
        ("64:ff9b::7f00:1", False, False),
        ("64:ff9b:1::a00:1", False, False),
        ("2002:7f00:1::", False, False),
        ("::10.0.0.1", False, False),
        ("::ffff:0:10.0.0.1", False, False),
        ("fec0::1", False, False),
        ("192.0.0.192", False, False),
        ("192.88.99.1", False, False),
        ("ff02::1", False, False),
    ],
)
def test_which_addresses_are_what(address: str, public: bool, loopback: bool) -> None:
    assert (is_public(address), is_loopback(address)) == (public, loopback)
    assert bool(reasons_against([address], live=True)) is not public
    assert bool(reasons_against([address], live=False)) is not loopback


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "Mon, 23 Nov 2026 12:05:00 GMT"}, 300),
        ({"x-ratelimit-reset": "2026-11-23T12:05:00.123456Z"}, 300.123456),
        ({"x-ratelimit-reset": "2026-11-23T12:05:00"}, 300),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 60)}, 60),
        ({"x-ratelimit-reset": "60"}, 60),
        ({"retry-after": "5", "x-ratelimit-reset": "60"}, 5),
        ({"retry-after": "Mon, 23 Nov 2020 12:05:00 GMT"}, 0),
        ({"retry-after": "9" * 30}, LONGEST_WAIT.total_seconds()),
        ({"x-ratelimit-reset": "1e300"}, None),
        ({"x-ratelimit-reset": "nan"}, None),
        ({"retry-after": "soon", "x-ratelimit-reset": "later"}, None),
        ({}, None),
    ],
)
def test_the_time_of_the_next_try(headers: dict[str, str], seconds: float | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert retry_at(headers, NOW) == expected


def test_statuses_have_kinds_and_secrets_no_place() -> None:
    assert [kind_of_status(s) for s in (401, 403, 404, 429, 500, 599, 302, 418)] == [
        ErrorKind.auth_human,
        ErrorKind.permission,
        ErrorKind.not_found,
        ErrorKind.rate_limited,
        ErrorKind.transient,
        ErrorKind.transient,
        ErrorKind.protocol,
        ErrorKind.protocol,
    ]
    assert scrub("token abcdef abcd x", ["abcd", "abcdef", "x"]) == "token *** *** x"
    assert Answer(200, {}, b"{}", True).effect is Effect.unknown


async def test_no_log_carries_an_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with raw_server(answering(b"{}")) as url:
            await quick().call("GET", f"{url}?access_token=very-secret")
    assert "very-secret" not in caplog.text


# a stream of events --------------------------------------------------------------------------------------------------


def telling(*parts: bytes, **headers: str) -> Serve:
    """A stream that tells ``parts`` one after the other and then stays open."""
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode())
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        await asyncio.sleep(60)

    return serve


async def heard(serve: Serve, seconds: float = 5.0) -> bool:
    async with raw_server(serve) as url:
        return await Http(False).listen(url, "event: wanted", headers={}, seconds=seconds)


@pytest.mark.parametrize("serve", [
    telling(b"event: wanted\n"), telling(b": hi\r\n\r\neve", b"nt: wan", b"ted\r", b"\n"),
    telling(*[b"data: " + b"x" * 60_000 + b"\n"] * 20, b"event: wanted\n"),
    telling(gzip.compress(b"data: x\nevent: wanted\n"), Content_Encoding="gzip"),
])  # fmt: skip
async def test_what_is_waited_for_is_heard_however_it_is_cut(serve: Serve) -> None:
    assert await heard(serve)


async def test_nothing_is_heard_in_other_lines() -> None:
    assert not await heard(telling(b"event: other\ndata: event: wanted\nevent: wanted"), seconds=0.5)


@pytest.mark.parametrize("serve", [
    telling(*[b"x" * 50_000] * 4), telling(b"event: other\n", b"x" * 100_000),
    telling(gzip.compress(b"x" * 200_000), Content_Encoding="gzip"),
    telling(gzip.compress(b"\n" * 50_000_000), Content_Encoding="gzip"),
    telling(b"broken", Content_Encoding="gzip"),
])  # fmt: skip
async def test_a_line_without_end_is_not_kept(serve: Serve) -> None:
    with pytest.raises(ConnectorError) as caught:
        await heard(serve)
    assert caught.value.kind is ErrorKind.protocol


@pytest.mark.parametrize("status", ["404 Not Found", "401 Unauthorized"])
async def test_a_refused_stream_is_told(status: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        await heard(answering(b"", head=f"HTTP/1.1 {status}"))
    assert caught.value.kind in (ErrorKind.not_found, ErrorKind.auth_human)
    with pytest.raises(ConnectorError) as ended:
        await heard(answering(b"event: other\n"))
    assert (ended.value.kind, ended.value.code) == (ErrorKind.transient, "ended")


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", 0),
        ("a", 1),
        ("ab", 1),
        ("字", 1),
        ("字a", 2),
        ("字ab", 2),
        ("😀", 1),
        ("https://example.org/" + "x" * 99, 10),
    ],
)
def test_weibo_counts_a_chinese_character_1_and_an_ascii_character_a_half(text: str, units: int) -> None:
    assert weibo_units(text) == units


async def test_files_go_out_as_multipart_with_the_form_beside_them() -> None:
    """Read by another party's parser (starlette's), names and bytes arrive as they were given."""
    bodies: list[tuple[dict[str, str], bytes]] = []

    @asynccontextmanager
    async def listening() -> AsyncIterator[str]:
        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            named = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            fields = {name: line.split(": ", 1)[1] for name, line in zip(named, head.split("\r\n")[1:], strict=False)}
            bodies.append((fields, await reader.readexactly(int(named["content-length"]))))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(one, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    picture = Attachment('图"片\r\n.png', "image/png", b"\x89PNG\r\n--\x00" * 1000)
    async with listening() as url:
        answer = await Http(False).call(
            "POST", url, form={"status": "路灯 & 井盖"}, files=[("pic", picture)], write=True
        )
    assert answer.ok
    head, body = bodies[0]

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    form = await MultiPartParser(Headers(head), stream()).parse()
    assert form["status"] == "路灯 & 井盖"
    held = form["pic"]
    assert not isinstance(held, str)
    assert held.content_type == "image/png"
    assert await held.read() == picture.data
    await form.close()


async def test_a_long_call_waits_longer_for_its_answer_than_others() -> None:
    async with raw_server(thoughtful) as url:
        assert (await quick().call("POST", url, content=b"x", seconds=6.0)).ok
        with pytest.raises(ConnectorError) as caught:
            await quick().call("POST", url, content=b"x")
    assert caught.value.kind is ErrorKind.transient
