"""The embedded database's driver: every statement is one trip to the connection's thread instead of four.

SQLAlchemy's adapter of aiosqlite asks the thread for a cursor, for the execution, for the rows and for the cursor's
end, one after the other. A trip costs more than most of our statements: 200 posts due at once made 22,000 of them.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import Any, NamedTuple

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)


class _Done(NamedTuple):
    """What one statement brought back."""

    description: Any
    rows: list[Any]
    lastrowid: int
    rowcount: int


def _execute(connection: sqlite3.Connection, statement: str, parameters: Any) -> _Done:
    cursor = connection.cursor()
    try:
        cursor.execute(statement, parameters)
        if cursor.description:
            return _Done(cursor.description, cursor.fetchall(), -1, -1)
        return _Done(None, [], cursor.lastrowid or -1, cursor.rowcount)
    finally:
        cursor.close()


def _execute_many(connection: sqlite3.Connection, statement: str, parameters: Any) -> _Done:
    cursor = connection.cursor()
    try:
        cursor.executemany(statement, parameters)
        return _Done(None, [], cursor.lastrowid or -1, cursor.rowcount)
    finally:
        cursor.close()


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor whose statement, rows and end are one trip."""

    __slots__ = ()

    def execute(self, operation: Any, parameters: Any = None) -> None:
        """Run it and fetch everything."""
        self._trip(_execute, operation, () if parameters is None else parameters)

    def executemany(self, operation: Any, seq_of_parameters: Any) -> None:
        """Run it once per set of parameters."""
        self._trip(_execute_many, operation, seq_of_parameters)

    def _trip(self, run: Any, *what: Any) -> None:
        aside: Any = self._connection
        try:
            done: _Done = self.await_(aside._execute(run, aside._conn, *what))
        except Exception as error:  # noqa: BLE001 -- the adapter's own way: it names what it knows, and raises again
            self._adapt_connection._handle_exception(error)
        self.description, self.lastrowid, self.rowcount = done.description, done.lastrowid, done.rowcount
        self._rows = deque(done.rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    """A connection that hands out such cursors; those that stream are SQLAlchemy's own."""

    __slots__ = ()

    def cursor(self, server_side: bool = False) -> AsyncAdapt_aiosqlite_cursor:
        """A cursor."""
        return super().cursor(server_side=True) if server_side else _Cursor(self)


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """For ``create_async_engine(url, module=Driver())``."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *given: Any, **options: Any) -> AsyncAdapt_aiosqlite_connection:
        """A new connection with a thread of its own."""
        made = super().connect(*given, **options)
        return _Connection(made.dbapi, made._connection)
