"""The application: one house, all routes behind the gate, layers in the order a request meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from hub.errors import HubError
from web.auth import Brake, Identify
from web.errors import on_http_error, on_hub_error
from web.gate import as_route
from web.live import Feed
from web.observe.access import Access, Counted
from web.observe.health import Vitals
from web.routes import all_places, all_routes
from web.security import BodyLimit, SecureHeaders
from web.templating import STATIC
from workflows.house import House
from workflows.tally import Tally

COMPRESSED = (".js", ".css", ".svg")


def create_app(house: House) -> Starlette:
    """The hub's web side for one house. The lifespan runs the live feed and closes the house at the end."""
    registry, routes = CollectorRegistry(), all_routes()
    layers = [
        Middleware(Access, counted=Counted(registry)),
        Middleware(SecureHeaders),
        Middleware(Identify),
        Middleware(BodyLimit, routes=routes),
    ]
    app = Starlette(
        routes=[_static(), *map(as_route, routes)], middleware=layers, lifespan=_lifespan(house),
        exception_handlers={HubError: on_hub_error, HTTPException: on_http_error},
    )  # fmt: skip
    app.router.redirect_slashes = False  # would lead to whatever Host the asker names; see web.errors
    app.state.house = house
    app.state.places = all_places()
    app.state.registry = registry
    app.state.badges = {}
    app.state.tasks = set()
    app.state.tally = Tally(house.ctx.settings)
    app.state.brake = Brake(name="sign-in", tally=app.state.tally)
    app.state.letter_brake = Brake(tries=10, seconds=600.0, name="letter", tally=app.state.tally)
    app.state.feed = Feed(house.ctx)
    app.state.vitals = Vitals(house)
    return app


class Built(StaticFiles):
    """The bundled front end; what is text goes out compressed. Pages do not: compressing secrets beside typed text
    would tell them by its length."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC, check_dir=False)
        self._zipped = GZipMiddleware(super().__call__, minimum_size=1000, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file."""
        if scope["type"] == "http" and scope["path"].endswith(COMPRESSED):
            await self._zipped(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _static() -> BaseRoute:
    return Mount("/static", Built(), name="static")


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Stop what goes on in the background."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _lifespan(house: House) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        feed: Feed = app.state.feed
        try:
            async with feed.running():
                yield
        finally:
            await _end(app.state.tasks)
            await app.state.tally.close()
            await house.close()

    return lifespan
