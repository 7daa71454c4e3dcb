"""The one door to the network: httpx behind time limits, a size cap and an address guard.

Nothing outside this module sees httpx or httpcore. Every failure is a :class:`ConnectorError` whose ``effect``
says whether the platform may have acted: a failure before the first byte of the request left is ``not_done``;
any later failure of a write is ``unknown``.

Each write opens a connection of its own: on a kept-alive connection that the platform has just closed it would end as
``unknown`` without need. Reads share open connections where there is a :class:`connectors.pool.Pool`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Protocol

import httpcore
import httpcore._synchronization
import httpx

from connectors.addresses import GuardedBackend, Network, reasons_outside
from connectors.base import ConnectorError, Effect, ErrorKind
from connectors.budget import Meter, Unmetered
from connectors.pool import KEPT, KEPT_SECONDS, Pool
from connectors.posting import Attachment

# These loggers print whole addresses, and some platforms put the token into the address.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# httpcore asks seven times a call whether this is asyncio or trio by importing a package that need not be there, and
# looking for it in vain along the whole path took a quarter of the call.
httpcore._synchronization.current_async_library = lambda: "asyncio"

Clock = Callable[[], datetime]
AGENT = "zhengsheng/0.1"
CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
TOTAL_SECONDS = 40.0
# Streams of events send a sign of life about twice a minute.
SILENT_SECONDS = 90.0
BODY_BYTES = 8 * 1024 * 1024
# Of a stream of events: a line that has not ended yet, and what one read of it (64 KB) may unpack to.
LINE_BYTES = 64 * 1024
BURST_BYTES = 1024 * 1024
LONGEST_WAIT = timedelta(days=2)
BAD_SETTING = "平台地址或访问令牌的写法不对，请管理员检查账号设置"
NOT_TOLD = "服务器不提供即时通知，系统会定时读取"
TOO_LARGE = "平台返回的内容过大，已停止读取"


def utc_now() -> datetime:
    """The wall clock, for callers that bring none."""
    return datetime.now(UTC)


@lru_cache(maxsize=2)
def _tls(encrypted: bool) -> ssl.SSLContext:
    """Loading the root certificates costs 30 ms and 4 MB: once, and not at all where only http:// is spoken."""
    return httpx.create_ssl_context(verify=encrypted)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform answered, whatever the status. ``write`` remembers whether the call could change something."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    write: bool

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def effect(self) -> Effect:
        """What the call did if this answer is *not* understood as a success. A clear 4xx refused before acting."""
        if not self.write or (400 <= self.status < 500 and self.status != 408):
            return Effect.not_done
        return Effect.unknown

    def json(self) -> Any:
        """The body as JSON; anything else (an HTML error page, half a body) is ``ErrorKind.protocol``."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise ConnectorError(
                kind_of_status(self.status) if self.status >= 400 else ErrorKind.protocol,
                "平台返回的内容无法识别（不是约定的 JSON），请稍后再试；持续出现请检查平台地址",
                code=f"http {self.status}",
                effect=self.effect,
            ) from None


def kind_of_status(status: int) -> ErrorKind:
    """The error kind of a bare HTTP status, for answers whose body says nothing."""
    known = {
        401: ErrorKind.auth_human,
        403: ErrorKind.permission,
        404: ErrorKind.not_found,
        408: ErrorKind.transient,
        410: ErrorKind.not_found,
        413: ErrorKind.content_rejected,
        422: ErrorKind.content_rejected,
        429: ErrorKind.rate_limited,
    }
    return known.get(status, ErrorKind.transient if status >= 500 else ErrorKind.protocol)


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the platform allows the next try: ``Retry-After`` (seconds or HTTP date), else ``X-RateLimit-Reset``
    (ISO time or unix seconds). Nonsense is None; the past is now; never more than two days ahead.
    """
    found = _retry_after(headers.get("retry-after", ""), now) or _reset(headers.get("x-ratelimit-reset", ""), now)
    return min(max(found, now), now + LONGEST_WAIT) if found else None


def scrub(text: str, secrets: Iterable[str]) -> str:
    """``text`` without any of ``secrets`` (those of four characters and more)."""
    for secret in sorted((s for s in secrets if len(s) >= 4), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


class Streamed(Protocol):
    """A body of ``length`` bytes that is read while it is sent, anew each time it is asked for."""

    @property
    def length(self) -> int:
        """In bytes, told to the platform beforehand."""

    def chunks(self) -> AsyncIterator[bytes]:
        """What is sent, a little at a time."""


# What the end of a connection that was kept too long looks like.
_STALE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class Http:
    """Calls platforms. ``live`` False: loopback addresses only; True: public addresses only, never a redirect."""

    def __init__(
        self,
        live: bool,
        clock: Clock = utc_now,
        *,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        total: float = TOTAL_SECONDS,
        body_bytes: int = BODY_BYTES,
        judge: Callable[[Iterable[str]], str] | None = None,
        meter: Meter | None = None,
        inner: Sequence[Network] = (),
        pool: Pool | None = None,
    ) -> None:
        self.live = live
        self.inner = inner
        self.meter = meter or Unmetered()
        self._judge = judge
        self._pool = pool
        self.clock = clock
        self._timeout = httpx.Timeout(read, connect=connect)
        self._total = total
        self._body_bytes = body_bytes

    def inward(self) -> Http:
        """The same for what lies in the office's own networks (``inner``): live mode reaches these too.

        It shares no connections: those of others were opened under their own rule.
        """
        found = copy(self)
        found._judge, found._pool = (lambda addresses: reasons_outside(self.inner, addresses, self.live)), None
        return found

    async def call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        form: Mapping[str, Any] | None = None,
        content: bytes | Streamed | None = None,
        files: Sequence[tuple[str, Attachment]] = (),
        headers: Mapping[str, str] | None = None,
        write: bool = False,
        seconds: float | None = None,
    ) -> Answer:
        """One request, one answer of any status; every failure on the way is a :class:`ConnectorError`.

        ``files``: (name of the field, what goes into it); the body is then ``multipart/form-data``, with ``form``.
        ``write``: it may change something there, so a failure after sending is ``unknown``. No redirect is followed.
        ``seconds``: for all of it, where sending ``content`` takes longer than calls do; the answer may then take a
        third of it: what was sent is still on a slow line, or the platform puts it together.
        """
        journey = _Journey(write)
        try:
            async with asyncio.timeout(seconds or self._total):
                asked = {
                    "method": method,
                    "url": _with_params(url, params),
                    "data": form,
                    "content": content,
                    "files": [(field, (file.name, file.data, file.mime)) for field, file in files] or None,
                    "headers": headers,
                    "extensions": {"trace": journey.note, "timeout": self._patience(seconds)},
                }
                if self._pool is not None and not write:
                    client = self._pool.client(
                        not url.lower().startswith("http://"), lambda most: self._client(url, most)
                    )
                    try:
                        return await self._exchange(client, asked, journey)
                    except _STALE:
                        if journey.connected:
                            raise
                # Either a write, or the platform had closed the connection we had kept: on one of its own.
                async with self._client(url) as client:
                    return await self._exchange(client, asked, journey)
        except httpx.LocalProtocolError as error:
            # Our own side refused to write the request: nothing of it left the house.
            raise ConnectorError(ErrorKind.bug, BAD_SETTING, code=type(error).__name__) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError, TypeError, ValueError) as error:
            raise journey.failure(ErrorKind.bug, BAD_SETTING, error) from None
        except (TimeoutError, httpx.TimeoutException) as error:
            raise journey.failure(ErrorKind.transient, "平台没有在限定时间内回应，系统会稍后处理", error) from None
        except httpx.HTTPError as error:
            raise journey.failure(ErrorKind.transient, "与平台的连接失败或中断，系统会稍后处理", error) from None

    def _patience(self, seconds: float | None) -> dict[str, float | None]:
        usual = self._timeout.as_dict()
        return usual if seconds is None else {**usual, "read": max(usual["read"] or 0.0, seconds / 3)}

    async def _exchange(self, client: httpx.AsyncClient, asked: Mapping[str, Any], journey: _Journey) -> Answer:
        response = await client.send(client.build_request(**_written(asked)), stream=True)
        try:
            body = await self._body(response, journey)
        finally:
            await response.aclose()
        return Answer(response.status_code, dict(response.headers), body, journey.write)

    async def listen(self, url: str, wanted: str, *, headers: Mapping[str, str], seconds: float) -> bool:
        """Read a stream of events line by line; True as soon as a line is ``wanted``, False after ``seconds``.

        :class:`ConnectorError` when the stream is refused, breaks off, is silent for too long or has lines without end.
        """
        journey = _Journey(write=False)
        try:
            async with asyncio.timeout(seconds), self._client(url) as client:
                patient = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS)
                async with client.stream("GET", url, headers=headers, timeout=patient) as response:
                    if response.status_code != 200:
                        kind, code = kind_of_status(response.status_code), f"http {response.status_code}"
                        raise ConnectorError(kind, NOT_TOLD, code=code)
                    async for line in _lines(response, journey):
                        if line.strip() == wanted.encode():
                            return True
        except TimeoutError:
            return False
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise journey.failure(ErrorKind.transient, "即时通知的连接中断，系统会重新连接", error) from None
        raise ConnectorError(ErrorKind.transient, "即时通知的连接中断，系统会重新连接", code="ended")

    def _client(self, url: str, most: int = 2) -> httpx.AsyncClient:
        tls = _tls(not url.lower().startswith("http://"))
        transport = httpx.AsyncHTTPTransport(verify=tls)
        # httpx offers no public way to say where a connection may go; its pool does.
        transport._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, max_connections=most, max_keepalive_connections=min(most, KEPT),
            keepalive_expiry=KEPT_SECONDS, http2=False, network_backend=GuardedBackend(self.live, self._judge),
        )  # fmt: skip
        # No Accept-Encoding: compressed bodies are unpacked below under the size cap, should they come anyway.
        return httpx.AsyncClient(
            transport=transport,
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
        )

    async def _body(self, response: httpx.Response, journey: _Journey) -> bytes:
        body = bytearray()
        async for chunk in _unpacked(response, journey, self._body_bytes):
            body += chunk
            if len(body) > self._body_bytes:
                raise journey.failure(ErrorKind.protocol, TOO_LARGE, ValueError())
        return bytes(body)


def _written(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is asked with a streamed body opened; its length is told, since many platforms refuse bodies without."""
    body = asked["content"]
    if body is None or isinstance(body, bytes):
        return asked
    headers = {**(asked["headers"] or {}), "Content-Length": str(body.length)}
    return {**asked, "content": body.chunks(), "headers": headers}


async def _unpacked(response: httpx.Response, journey: _Journey, most: int) -> AsyncIterator[bytes]:
    """The body as it comes; one read of it (64 KB) that unpacks to more than ``most`` bytes is refused."""
    unpack = _unpacker(response.headers.get("content-encoding", ""))
    async for raw in response.aiter_raw():
        try:
            chunk = unpack(raw, most + 1)
        except zlib.error as error:
            raise journey.failure(ErrorKind.protocol, "平台返回的压缩内容已损坏", error) from None
        if len(chunk) > most:
            raise journey.failure(ErrorKind.protocol, TOO_LARGE, ValueError())
        yield chunk


async def _lines(response: httpx.Response, journey: _Journey) -> AsyncIterator[bytes]:
    """The lines of a stream, each with its end; nothing is kept but one that has not ended yet."""
    begun = b""
    async for chunk in _unpacked(response, journey, BURST_BYTES):
        lines = (begun + chunk).splitlines(keepends=True)
        begun = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        if len(begun) > LINE_BYTES:
            raise journey.failure(ErrorKind.protocol, TOO_LARGE, ValueError())
        for line in lines:
            yield line


def _with_params(url: str, params: Mapping[str, str] | Sequence[tuple[str, str]] | None) -> httpx.URL | str:
    pairs = httpx.QueryParams(dict(params) if isinstance(params, Mapping) else list(params or ()))
    return httpx.URL(url).copy_merge_params(pairs) if pairs else url


class _Journey:
    """How far one request came: whether it had to open a connection, whether its first byte has left the house."""

    def __init__(self, write: bool) -> None:
        self.write = write
        self.sent = False
        self.connected = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        self.sent = self.sent or event.endswith("send_request_headers.started")
        self.connected = self.connected or event.startswith("connection.connect")

    def failure(self, kind: ErrorKind, human: str, error: Exception) -> ConnectorError:
        effect = Effect.unknown if self.write and self.sent else Effect.not_done
        return ConnectorError(kind, human, code=type(error).__name__, effect=effect)


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    if encoding.strip().lower() not in ("gzip", "deflate", "x-gzip"):
        return lambda chunk, room: chunk
    # 32 added to the window size: zlib and gzip headers are told apart by themselves.
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    return inflate.decompress


def _retry_after(value: str, now: datetime) -> datetime | None:
    if value.strip().isdigit():
        return _later(now, min(float(value[:12]), LONGEST_WAIT.total_seconds()))
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _reset(value: str, now: datetime) -> datetime | None:
    try:
        number = float(value)
    except ValueError:
        return _iso(value)
    # Small numbers are seconds from now, large ones seconds since 1970.
    return _later(now, number) if number < 10**8 else _later(datetime(1970, 1, 1, tzinfo=UTC), number)


def _later(start: datetime, seconds: float) -> datetime | None:
    try:
        return start + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def _iso(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
