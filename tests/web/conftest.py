"""A hub behind real HTTP semantics: every test gets the application on its own migrated database."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from connectors.registry import connectors
from hub import clock
from hub.db import Context
from tests.web.world import PASSWORD, World, build
from web.app import create_app
from web.auth import COOKIE
from workflows.house import House

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(scope="session")
def world_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """A database with the people and objects of :mod:`world`, made once."""
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path_factory.mktemp("world") / "hub.db"
    shutil.copyfile(sqlite_template, path)
    with ThreadPoolExecutor(1) as thread:
        made = thread.submit(lambda: asyncio.run(build(path))).result()
    return path, made


@pytest.fixture
def world(world_template: tuple[Path, World]) -> World:
    """Who and what is there; see :mod:`world`."""
    return world_template[1]


@pytest.fixture
def db_url(world_template: tuple[Path, World], tmp_path: Path) -> str:
    """A copy of the world's database, the test's own."""
    path = tmp_path / "hub.db"
    shutil.copyfile(world_template[0], path)
    shutil.copytree(world_template[0].parent / "videos", tmp_path / "videos")
    _as_if_just_seen(path)
    return f"sqlite+aiosqlite:///{path}"


def _as_if_just_seen(path: Path) -> None:
    """The world is made once for a whole run: nobody's session may grow idle while other tests take their time."""
    now = clock.now()
    times = [moment.strftime("%Y-%m-%d %H:%M:%S.%f") for moment in (now, now + timedelta(days=1))]
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE signin SET seen_at = ?, expires_at = ?", times)
        database.commit()


@pytest.fixture
def house(ctx: Context) -> House:
    return House(ctx, connectors(live=False))


@pytest.fixture
def app(house: House) -> Starlette:
    return create_app(house)


@pytest.fixture
def visit(app: Starlette, world: World) -> Visit:
    """``async with visit('dispatcher') as client``: a browser of a person with that role, or of nobody (None).

    ``side``: whether the person is of the department ``own`` or of ``other``. Writes carry the CSRF token.
    """

    @asynccontextmanager
    async def visiting(
        who: str | None = None, *, side: str = "own", csrf: bool = True
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            if who is not None:
                session = world.sessions[who, side]
                client.cookies.set(COOKIE, session.token)
                if csrf:
                    client.headers["X-CSRF-Token"] = session.csrf
            yield client

    return visiting


@pytest.fixture
async def client(visit: Visit) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of nobody."""
    async with visit() as found:
        yield found


__all__ = ["PASSWORD"]


@pytest.fixture
def own_copy(db_url: str, world_template: tuple[Path, World]) -> Callable[[], Awaitable[None]]:
    """``await own_copy()``: put the world's database back as it was, once what goes on in the background has ended."""

    async def restore() -> None:
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=20)
        with (
            closing(sqlite3.connect(world_template[0])) as template,
            closing(sqlite3.connect(db_url.removeprefix("sqlite+aiosqlite:///"))) as used,
        ):
            template.backup(used)
        _as_if_just_seen(Path(db_url.removeprefix("sqlite+aiosqlite:///")))

    return restore
