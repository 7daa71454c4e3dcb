"""The press office in browsers: pages over the real services and a pretend platform in a process of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from hub import clock, crypto
from hub.models import Role, SignIn
from tests.workflows.delivery import office as offices
from tests.workflows.delivery.conftest import hands, office, outbox_platform, sandbox
from tests.workflows.delivery.office import Office
from web.app import create_app
from web.auth import COOKIE

__all__ = ["hands", "office", "outbox_platform", "sandbox"]

Browse = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def db_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Empty but for what the office brings."""
    path = tmp_path / "hub.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def browse(office: Office) -> Browse:
    """``async with browse("press") as page``: a signed-in browser of one of the office's people."""
    app = create_app(office.house)

    @asynccontextmanager
    async def browsing(who: str) -> AsyncIterator[httpx.AsyncClient]:
        token, csrf = crypto.new_token(), crypto.new_token()
        async with office.work() as unit:
            until = clock.now() + timedelta(days=1)
            user = office[who].user_id or 0
            unit.add(SignIn(user_id=user, token_hash=crypto.digest(token), csrf=csrf, expires_at=until))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            client.cookies.set(COOKIE, token)
            client.headers["X-CSRF-Token"] = csrf
            yield client

    return browsing


@pytest.fixture
async def leader(office: Office) -> Office:
    """The office with a leader above the department and a person of another one."""
    async with office.work() as unit:
        await offices._hire(unit, office, "leader", office["press"].department_id or 0, Role.leader)
    return office


@contextmanager
def statements(office: Office) -> Iterator[list[str]]:
    """Everything the database is asked meanwhile, without BEGIN and the like."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    engine = office.ctx.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)
