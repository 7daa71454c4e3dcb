"""A database of any earlier shape, with a row in every table that refers to all it can, comes up to date and keeps it
all."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, func, insert, select, update

from hub.embedded import Postgres
from hub.migrations import differences, runner

REVISIONS = [each.revision for each in ScriptDirectory.from_config(runner.config()).walk_revisions()][::-1]
# Tables that have another name today.
MOVED = {"letterfile": "arrivalfile", "letterbytes": "arrivalbytes"}
AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
VALUES: dict[type, Any] = {
    int: 1, str: "x", bool: True, float: 0.5, bytes: b"x", datetime: AT, date: AT.date(), dict: {},
}  # fmt: skip


@pytest.mark.parametrize("revision", REVISIONS[:-1])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_every_row_survives(revision: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "sqlite":
        _up_with_rows(f"sqlite+aiosqlite:///{tmp_path / 'hub.db'}", revision)
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = f"from_{revision}"
    try:
        _up_with_rows(postgres.create_database(name), revision)
    finally:
        postgres.drop_database(name)


def _up_with_rows(url: str, revision: str) -> None:
    _migrate(url, revision)
    before = asyncio.run(runner._with_connection(url, _fill))
    assert len(before) > 20
    assert set(before.values()) == {1}
    _migrate(url, "head")
    after = asyncio.run(runner._with_connection(url, _counted))
    assert {name: after[MOVED.get(name, name)] for name in before} == before
    assert differences(url) == []


def _migrate(url: str, revision: str) -> None:
    def apply(connection: Connection) -> None:
        settings = runner.config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)

    asyncio.run(runner._with_connection(url, apply))


def _fill(connection: Connection) -> dict[str, int]:
    """One row in every table, each foreign key on the row of the other table."""
    tables = _tables(connection)
    filled: set[str] = set()
    later: list[tuple[Table, Column[Any]]] = []
    for table in tables:
        row = {}
        for column in table.columns:
            targets = {key.column.table.name for key in column.foreign_keys}
            if targets - filled - {table.name}:
                assert column.nullable, f"{table.name}.{column.name} needs a row that is not there yet"
                later.append((table, column))
            else:
                row[column.name] = 1 if targets else VALUES[column.type.python_type]
        connection.execute(insert(table).values(row))
        filled.add(table.name)
    for table, column in later:
        connection.execute(update(table).values({column.name: 1}))
    return _counted(connection)


def _counted(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in _tables(connection)
    }


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: runner.keep(None, name, "table", True, None))
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]
