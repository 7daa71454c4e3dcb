"""A proxy that loses answers: the platform has acted, the caller never hears of it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from urllib.parse import urlsplit


class LossyProxy:
    """Forwards HTTP to ``target``; the answers of the next ``lose`` requests with ``method`` are thrown away."""

    def __init__(self, target: str, method: str = "POST") -> None:
        self._target = urlsplit(target)
        self._method = method.encode()
        self._server: asyncio.Server | None = None
        self.lose = 0
        self.lost = 0

    async def __aenter__(self) -> LossyProxy:
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

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request per connection, as our client makes them."""
        try:
            request = await _message(reader)
            answer = await self._ask(request)
            if self.lose and request.startswith(self._method):
                self.lose -= 1
                self.lost += 1
                writer.transport.abort()
                return
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        try:
            writer.write(request)
            await writer.drain()
            return await _message(reader)
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Head and body of one HTTP message with a Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)
