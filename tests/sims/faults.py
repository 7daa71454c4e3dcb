"""A proxy that spoils answers: it forwards to a platform, and does to the next answers what the test says.

::

    async with FaultProxy(platform.base_url) as proxy:
        proxy.spoil("html", count=2)          # the platform acts; the caller reads a web page
        ...
        assert proxy.spoilt == 2
"""

from __future__ import annotations

import asyncio
import gzip
from types import TracebackType
from urllib.parse import urlsplit

FAULTS = ("cut", "drop", "truncate", "html", "gzip", "broken gzip", "redirect", "slow", "empty", "error", "repeat")
PAGE = b"<!doctype html><html><body>Bad Gateway</body></html>"
SLOW_SECONDS = 1.5


class FaultProxy:
    """Every request is forwarded (``repeat``: twice) before its answer is spoilt; one request per connection.

    cut: the connection breaks while the request is being sent, and the platform never hears of it; drop: cut without
    an answer; truncate: half a body under the whole length; html: a web page with status 200;
    gzip: packed, as some servers do unasked; broken gzip: packed and damaged; redirect: 302 to another machine;
    slow: the body in pieces over 1.5 seconds; empty: status 200 without a body; error: 502 with a web page.
    """

    def __init__(self, target: str, method: str = "") -> None:
        self._target = urlsplit(target)
        self._method = method.encode()
        self._server: asyncio.Server | None = None
        self._fault, self._left, self._skip = "", 0, 0
        self.spoilt = 0

    def spoil(self, fault: str, count: int = 1, *, after: int = 0) -> None:
        """Do this to the next ``count`` answers, after letting ``after`` of them pass."""
        assert fault in FAULTS
        self._fault, self._left, self._skip = fault, count, after

    def heal(self) -> None:
        """Let everything pass."""
        self._left = 0

    async def __aenter__(self) -> FaultProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def base_url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _turn(self, request: bytes) -> str:
        if not self._left or not request.startswith(self._method):
            return ""
        if self._skip:
            self._skip -= 1
            return ""
        self._left -= 1
        self.spoilt += 1
        return self._fault

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            start = await reader.readuntil(b"\r\n\r\n")
            fault = self._turn(start)
            if fault == "cut":
                writer.transport.abort()
                return
            request = await _message(start, reader)
            head, body = await self._ask(request)
            if fault == "repeat":
                await self._ask(request)
            await _answer(writer, fault, head, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _ask(self, request: bytes) -> tuple[list[bytes], bytes]:
        """The platform's answer: its head line by line, and its body."""
        reader, writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        try:
            writer.write(_closing(request))
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).rstrip().split(b"\r\n")
            length = next((int(one.split(b":")[1]) for one in head if one.lower().startswith(b"content-length:")), None)
            return head, await (reader.read(-1) if length is None else reader.readexactly(length))
        finally:
            writer.close()


def _closing(request: bytes) -> bytes:
    """The request, asking for the connection to be closed after its answer."""
    head, blank, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close"]) + blank + body


async def _answer(writer: asyncio.StreamWriter, fault: str, head: list[bytes], body: bytes) -> None:
    if fault == "drop":
        writer.transport.abort()
        return
    status, kept = head[0], [line for line in head[1:] if not line.lower().startswith(_OURS)]
    promised = len(body)
    if fault in ("html", "error"):
        status, body = b"HTTP/1.1 200 OK" if fault == "html" else b"HTTP/1.1 502 Bad Gateway", PAGE
        kept, promised = [b"Content-Type: text/html"], len(PAGE)
    elif fault == "empty":
        body, promised = b"", 0
    elif fault == "redirect":
        status, body, promised = b"HTTP/1.1 302 Found", b"", 0
        kept = [b"Location: http://169.254.169.254/latest/meta-data/"]
    elif fault in ("gzip", "broken gzip"):
        body = gzip.compress(body)
        body = body if fault == "gzip" else body[:12] + b"\xff" * 8 + body[20:]
        kept, promised = [*kept, b"Content-Encoding: gzip"], len(body)
    elif fault == "truncate":
        body = body[: len(body) // 2]
    writer.write(b"\r\n".join([status, *kept, b"Content-Length: %d" % promised, b"Connection: close"]) + b"\r\n\r\n")
    await _write(writer, body, slow=fault == "slow")


_OURS = (b"content-length:", b"connection:", b"transfer-encoding:", b"keep-alive:")


async def _write(writer: asyncio.StreamWriter, body: bytes, *, slow: bool) -> None:
    pieces = 6 if slow else 1
    size = max(1, -(-len(body) // pieces))
    for start in range(0, len(body), size):
        writer.write(body[start : start + size])
        await writer.drain()
        if slow:
            await asyncio.sleep(SLOW_SECONDS / pieces)


async def _message(head: bytes, reader: asyncio.StreamReader) -> bytes:
    lines = head.lower().split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)
