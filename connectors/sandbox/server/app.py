"""The pretend platform as one Starlette application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.sandbox.server import api, control, page
from connectors.sandbox.server.pushes import Pushes
from connectors.sandbox.server.store import Store

PUSH_INTERVAL = 5.0
STRICT = [
    (b"content-security-policy", b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]


def create_app(db_path: Path | None, *, push_interval: float = PUSH_INTERVAL) -> Starlette:
    """The platform over the SQLite file at ``db_path`` (None: in memory). ``push_interval``: seconds between tries."""
    store = Store(db_path)
    routes = [Route("/health", health), *api.routes(), *control.routes(), *page.routes()]
    return frame(store, Pushes(store, push_interval), routes)


def frame(store: Store, pushes: Pushes, routes: list[Route]) -> Starlette:
    """What every pretend platform has around its addresses: its own host only, its pushes under way, a clean end."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sender = asyncio.create_task(pushes.run())
        yield
        sender.cancel()
        with suppress(asyncio.CancelledError):
            await sender
        store.close()

    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "testserver"]),
            Middleware(SameSite),
        ],
        lifespan=lifespan,
    )
    app.state.store, app.state.pushes = store, pushes
    return app


async def health(request: Request) -> Response:
    """200 while the store answers."""
    store: Store = request.app.state.store
    return JSONResponse({"ok": True, "items": store.value("SELECT COUNT(*) FROM item")})


class SameSite:
    """Refuses forms that another site sends through somebody's browser, and sends strict headers along."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        if scope["method"] != "GET" and origin not in ("", "null") and urlsplit(origin).netloc != headers.get("host"):
            await PlainTextResponse("请从沙箱平台自己的页面提交", 403)(scope, receive, send)
            return

        async def send_strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in STRICT if one[0] not in own)]
            await send(message)

        await self._app(scope, receive, send_strict)
