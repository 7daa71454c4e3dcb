"""The embedded database's driver: one trip a statement, and everything else as before."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiosqlite
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from hub.db import make_engine

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n"


async def test_rows_counts_errors_and_streams(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    try:
        async with engine.begin() as there:
            await there.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
            many = [{"name": f"{n}"} for n in range(1000)]
            assert (await there.execute(text("INSERT INTO item (name) VALUES (:name)"), many)).rowcount == 1000
            assert (await there.execute(text("UPDATE item SET name = name || '!' WHERE id <= 10"))).rowcount == 10
            assert (await there.execute(text("SELECT count(*) FROM item"))).scalar_one() == 1000
            back = await there.execute(text("INSERT INTO item (name) VALUES ('new') RETURNING id, name"))
            assert back.one() == (1001, "new")
            seen = [row.id async for row in await there.stream(text("SELECT id FROM item ORDER BY id"))]
            assert seen == list(range(1, 1002))
        with pytest.raises(IntegrityError):
            async with engine.begin() as there:
                await there.execute(text("INSERT INTO item (name) VALUES ('new')"))
        with pytest.raises(OperationalError):
            async with engine.begin() as there:
                await there.execute(text("SELECT nothing FROM nowhere"))
        async with engine.begin() as there:
            assert (await there.execute(text("SELECT count(*) FROM item"))).scalar_one() == 1001
    finally:
        await engine.dispose()


async def test_a_statement_nobody_waits_for_any_more_leaves_the_database_usable(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")

    async def ask() -> None:
        async with engine.begin() as there:
            await there.execute(text(SLOW))

    try:
        task = asyncio.create_task(ask())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(15), engine.begin() as there:
            assert (await there.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await engine.dispose()


async def test_each_statement_is_one_trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trips = 0
    execute = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, *given: object, **more: object) -> object:
        nonlocal trips
        trips += 1
        return await execute(self, *given, **more)  # type: ignore[arg-type]

    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    try:
        async with engine.connect() as there:
            await there.execute(text("SELECT 1"))
            monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
            for n in range(20):
                assert (await there.execute(text("SELECT :n"), {"n": n})).scalar_one() == n
            assert trips == 20
    finally:
        await engine.dispose()


async def test_what_was_destroyed_leaves_no_copy_in_unused_pages(tmp_path: Path) -> None:
    """Also with a SQLite that was built without it."""
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    event.listen(
        engine.sync_engine, "connect", lambda made, _: made.cursor().execute("PRAGMA secure_delete=OFF"), insert=True
    )
    try:
        async with engine.begin() as there:
            assert (await there.execute(text("PRAGMA secure_delete"))).scalar_one() == 1
    finally:
        await engine.dispose()
