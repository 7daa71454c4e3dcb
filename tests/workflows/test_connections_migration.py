"""When an account was disconnected stood among its options; the migration gives it a column of its own."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection
from sqlmodel import select

import hub.migrations
from hub.db import Context, reading, unit_of_work
from hub.models import Account

FILE = Path(hub.migrations.__file__).parent / "versions" / "0008_connections.py"
AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def _move(connection: Connection) -> None:
    """The step of the migration alone, on a database of today."""
    spec = importlib.util.spec_from_file_location("connections_migration", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with Operations.context(MigrationContext.configure(connection)):
        module._move_disconnected()


async def test_disconnected_accounts_stay_disconnected(any_ctx: Context) -> None:
    async with unit_of_work(any_ctx) as unit:
        gone = {"app_key": "k", "disconnected": AT.isoformat()}
        unit.add(Account(platform="sandbox", name="旧号", options=gone, is_active=False))
        unit.add(Account(platform="sandbox", name="新号", options={"app_key": "k"}))
    async with any_ctx.engine.begin() as connection:
        await connection.run_sync(_move)
        await connection.run_sync(_move)
    async with reading(any_ctx) as unit:
        rows = {row.name: row for row in await unit.all(select(Account))}
    assert (rows["旧号"].disconnected_at, rows["旧号"].options) == (AT, {"app_key": "k"})
    assert (rows["新号"].disconnected_at, rows["新号"].options) == (None, {"app_key": "k"})
