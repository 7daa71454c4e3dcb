"""The pretend platform as one Starlette application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.server.app import SameSite
from connectors.wechat.simulator import api, control, page
from connectors.wechat.simulator.pushing import Pushing
from connectors.wechat.simulator.world import World


def create_app(path: Path | None) -> Starlette:
    """The platform, kept in the JSON file at ``path`` (None: in memory only)."""
    world = World.open(path)
    pushing = Pushing(world)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(pushing.run())
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    app = Starlette(
        routes=[Route("/health", health), *api.routes(), *control.routes(), *page.routes()],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "testserver"]),
            Middleware(SameSite),
        ],
        lifespan=lifespan,
    )
    app.state.world, app.state.pushing = world, pushing
    return app


async def health(request: Request) -> Response:
    """200 while it lives."""
    return JSONResponse({"ok": True, "accounts": len(request.app.state.world.officials)})
