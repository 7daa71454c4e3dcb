"""Strict headers on every answer, and a limit on every body before anything reads it."""

from __future__ import annotations

from collections.abc import Iterable
from re import Pattern

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import HubError
from hub.i18n import _
from web.errors import on_hub_error
from web.faults import BadRequest, TooLarge
from web.request import house
from web.routes.table import PageRoute

CSP = "; ".join(
    (
        "default-src 'self'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
        "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'self'", "form-action 'self'", "object-src 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
ONE_YEAR = 31_536_000
SMALL_BODY = 1024**2


class SecureHeaders:
    """Adds the headers; pages are never kept by browsers or proxies, built files for ever."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), request, message["status"])
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _add(headers: MutableHeaders, request: HTTPConnection, status: int) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if request.url.path.startswith("/static/") and status in {200, 304}:
        kept = "public, max-age=31536000, immutable" if "v" in request.query_params else "public, max-age=300"
        headers["Cache-Control"] = kept
    else:
        headers.setdefault("Cache-Control", "no-store")
    if house(request).ctx.settings.cookie_secure:
        headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"


class BodyLimit:
    """Refuses a body that is too large for its route, by its announced length or while it comes in, and NULs in
    the address."""

    def __init__(self, app: ASGIApp, routes: Iterable[PageRoute]) -> None:
        self.app = app
        self._uploads: list[tuple[Pattern[str], int]] = [
            (compile_path(route.path)[0], route.most_mb) for route in routes if route.upload
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = HTTPConnection(scope)
        if b"%00" in scope["query_string"] or "\0" in scope["path"]:
            return await _refuse(BadRequest(_("地址里有不能使用的控制字符。")), scope, receive, send)
        limit = self._limit(request)
        announced = request.headers.get("content-length", "0")
        if not announced.isdigit() or int(announced) > limit:
            return await _refuse(TooLarge(limit), scope, receive, send)
        return await self.app(scope, _counted(receive, limit), send)

    def _limit(self, request: HTTPConnection) -> int:
        own = [most_mb for pattern, most_mb in self._uploads if pattern.match(request.url.path)]
        return max(house(request).ctx.settings.max_body_mb, *own) * 1024**2 if own else SMALL_BODY


async def _refuse(error: HubError, scope: Scope, receive: Receive, send: Send) -> None:
    response = await on_hub_error(Request(scope), error)
    await response(scope, receive, send)


def _counted(receive: Receive, limit: int) -> Receive:
    read = 0

    async def receive_counting() -> Message:
        nonlocal read
        message = await receive()
        if message["type"] == "http.request":
            read += len(message.get("body", b""))
            if read > limit:
                raise TooLarge(limit)
        return message

    return receive_counting
