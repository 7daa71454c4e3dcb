"""The database door: engine, the unit of work, claims by conditional UPDATE, and the bell that rings after a commit."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import CursorResult, Executable, event, make_url, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from hub.crypto import Vault
from hub.settings import Settings
from hub.sqlite import Driver

Row = TypeVar("Row", bound=SQLModel)
T = TypeVar("T")


class Bell(Protocol):
    """Makes a worker look at once. Losing a ring is harmless: every sweep finds what waits."""

    async def ring(self, job: str, *args: str) -> None:
        """Ask for ``job`` soon. Never raises: a bell that is away is as good as a silent one."""


class SilentBell:
    """A bell nobody hears: tests and commands, where sweeps do the work. Remembers what was rung."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, tuple[str, ...]]] = []

    async def ring(self, job: str, *args: str) -> None:
        """Remember the ring."""
        self.rung.append((job, args))


def make_engine(url: str) -> AsyncEngine:
    """An engine for SQLite (WAL; writers wait at BEGIN IMMEDIATE instead of failing later) or PostgreSQL."""
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True, hide_parameters=True)
    engine = create_async_engine(url, module=Driver(), hide_parameters=True)  # errors must not carry rows into logs
    event.listen(engine.sync_engine, "do_connect", _make_private)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def sqlite_file(url: str) -> Path | None:
    """The file of an embedded database; None where it is none, or in memory."""
    found = make_url(url)
    is_file = found.get_backend_name() == "sqlite" and found.database and not found.database.startswith((":", "file:"))
    return Path(str(found.database)) if is_file else None


def _make_private(_dialect: object, _record: object, given: Sequence[Any], _named: object) -> None:
    """A new database is readable by its owner only, and with it what SQLite lays beside it (-wal, -shm)."""
    with suppress(OSError):  # it is there, or cannot be: then SQLite says why
        os.close(os.open(given[0], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we emit BEGIN ourselves
    cursor = connection.cursor()
    # Destroyed secrets leave no sealed copy in unused pages: not every build of SQLite overwrites them by itself.
    for pragma in (
        "busy_timeout=15000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


class Turns:
    """Taking turns at the embedded database: its one writer is waited for first come, first served.

    SQLite lets waiting writers poll, and whoever polls at the right moment wins: with forty writers at once some
    starved beyond the 15 seconds after which the driver gives up. PostgreSQL needs no turns.
    """

    def __init__(self, needed: bool) -> None:
        self._lock = asyncio.Lock() if needed else None
        self._owner: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def mine(self) -> AsyncIterator[None]:
        """Wait for the turn and hold it. A task that has it already is refused: it would wait for itself."""
        if self._lock is None:
            yield
            return
        me = asyncio.current_task()
        if self._owner is me and me is not None:
            raise RuntimeError("a unit of work inside another one")
        async with self._lock:
            self._owner = me
            try:
                yield
            finally:
                self._owner = None


@dataclass
class Context:
    """What every request, job and command needs. One per process."""

    settings: Settings
    engine: AsyncEngine
    bell: Bell = field(default_factory=SilentBell)

    def __post_init__(self) -> None:
        self.vault = Vault(*self.settings.keys)
        self._write = async_sessionmaker(self.engine, class_=AsyncSession, expire_on_commit=False)
        reading = self.engine.execution_options(reading=True)
        self._turns = Turns(self.is_sqlite)
        self._read = async_sessionmaker(reading, class_=AsyncSession, expire_on_commit=False, autoflush=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is in use."""
        return self.engine.dialect.name == "sqlite"

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()


def open_context(settings: Settings, bell: Bell | None = None) -> Context:
    """A context on the database in force."""
    return Context(settings, make_engine(settings.database), bell or SilentBell())


class Unit:
    """One transaction. Reads, writes, and remembers what to ring for once it is committed."""

    def __init__(self, ctx: Context, session: AsyncSession) -> None:
        self.ctx = ctx
        self.session = session
        self._rings: dict[tuple[str, tuple[str, ...]], None] = {}

    def add(self, *rows: SQLModel) -> None:
        """Stage new rows."""
        self.session.add_all(rows)

    async def flush(self) -> None:
        """Send staged rows, so that their ids are known."""
        await self.session.flush()

    async def get(self, model: type[Row], key: object) -> Row | None:
        """The row by primary key."""
        return await self.session.get(model, key)

    async def all(self, statement: SelectOfScalar[T]) -> Sequence[T]:
        """All results of a one-column (or one-model) select."""
        return (await self.session.exec(statement)).all()

    async def first(self, statement: SelectOfScalar[T]) -> T | None:
        """The first result or None."""
        return (await self.session.exec(statement)).first()

    async def one(self, statement: SelectOfScalar[T]) -> T:
        """The only result."""
        return (await self.session.exec(statement)).one()

    async def rows(self, statement: Executable) -> Sequence[Any]:
        """All rows of a select of several columns; each row has the columns as attributes."""
        return (await self.run(statement)).all()

    async def run(self, statement: Executable, params: Any = None) -> CursorResult[Any]:
        """Any other statement; the result has ``rowcount``."""
        connection = await self.session.connection()
        return await connection.execute(statement, params)

    async def compare_and_set(self, row: Row, **values: Any) -> bool:
        """Change ``row`` only if its ``version`` is still the one we read; on success the object is up to date."""
        model: Any = type(row)
        was: int = row.version  # type: ignore[attr-defined]
        values["version"] = was + 1
        statement = update(model).where(model.id == row.id, model.version == was).values(**values)  # type: ignore[attr-defined]
        await self.flush()
        if (await self.run(statement)).rowcount != 1:
            return False
        for name, value in values.items():
            set_committed_value(row, name, value)  # the database already has it
        return True

    async def claim(self, model: type[SQLModel], *conditions: Any, **values: Any) -> bool:
        """Conditional UPDATE of one row; True when exactly one row changed, i.e. it is ours."""
        await self.flush()
        return (await self.run(update(model).where(*conditions).values(**values))).rowcount == 1

    def later(self, job: str, *args: str) -> None:
        """Ring for ``job`` after the commit; the same ring twice counts once."""
        self._rings[(job, args)] = None

    async def lock_chain(self, number: int) -> None:
        """Hold the audit chain's end until the commit. SQLite's writer lock already does."""
        if not self.ctx.is_sqlite:
            await self.run(text("SELECT pg_advisory_xact_lock(:n)"), {"n": number})

    async def ring(self) -> None:
        """Ring for everything remembered; called after the commit."""
        for job, args in self._rings:
            await self.ctx.bell.ring(job, *args)


@asynccontextmanager
async def unit_of_work(ctx: Context) -> AsyncIterator[Unit]:
    """One writing transaction: committed at the end, rolled back on any error, bells rung after the commit."""
    async with ctx._turns.mine(), ctx._write() as session:
        unit = Unit(ctx, session)
        async with session.begin():
            yield unit
    await unit.ring()


@asynccontextmanager
async def reading(ctx: Context) -> AsyncIterator[Unit]:
    """One reading transaction: never blocks a writer, always rolled back. What was read may be used afterwards."""
    async with ctx._read() as session:
        try:
            yield Unit(ctx, session)
        finally:
            session.expunge_all()  # a rollback would expire what was read, and pages show it after this block
            await session.rollback()


__all__ = [
    "Bell",
    "Context",
    "SilentBell",
    "Unit",
    "make_engine",
    "open_context",
    "reading",
    "select",
    "sqlite_file",
    "unit_of_work",
]
