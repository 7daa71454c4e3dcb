"""Entries made before departments had lists of their own keep holding everywhere; going back leaves only these."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

import hub.migrations
from hub.migrations import differences

FILE = Path(hub.migrations.__file__).parent / "versions" / "0007_fuller_tags.py"

DEPARTMENT = (
    "INSERT INTO department (id, code, name, short_name, path, topics, duties, is_active) "
    "VALUES (1, 'A', '甲局', '甲局', '/1/', '[]', '', true)"
)
ADD = "INSERT INTO office_word (kind, word, other, severity, note, changed_at, changed_by, version{more}) VALUES "
ROW = "('prohibited', :word, '', '', '', '2026-01-01 00:00:00', '', 1{more})"


def _run(connection: Connection, step: str) -> None:
    """One step of the migration alone, on a database of today."""
    spec = importlib.util.spec_from_file_location("fuller_tags_migration", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with Operations.context(MigrationContext.configure(connection)):
        getattr(module, step)()


async def test_entries_survive_the_way_there_and_back(any_db_url: str) -> None:
    engine = create_async_engine(any_db_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(DEPARTMENT))
            await connection.execute(text(ADD.format(more="") + ROW.format(more="")), {"word": "旧称"})
            mine = text(ADD.format(more=", department_id") + ROW.format(more=", 1"))
            await connection.execute(mine, {"word": "旧称"})
        async with engine.begin() as connection:
            await connection.run_sync(_run, "_lists_of_the_office")
        async with engine.begin() as connection:
            await connection.run_sync(_run, "_lists_of_departments")
            rows = (await connection.execute(text("SELECT word, department_id FROM office_word"))).all()
    finally:
        await engine.dispose()
    assert [tuple(row) for row in rows] == [("旧称", None)]
    found = await asyncio.to_thread(differences, any_db_url)
    assert [step for step in found if "office_word" in repr(step)] == []
