"""Bring a database to the newest shape, or say how it differs from the models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel import SQLModel

import hub.models  # noqa: F401 -- fills the metadata
from hub.db import make_engine

T = TypeVar("T")
# The full-text index is made by hand per database and is not a model.
OUTSIDE_MODELS = ("message_search",)


def config() -> Config:
    """Alembic's configuration, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("path_separator", "os")
    return settings


def keep(_object: object, name: str | None, kind: str, _reflected: bool, _against: object) -> bool:
    """Leave the full-text index and its shadow tables out of comparisons."""
    return not (kind in {"table", "index"} and name is not None and OUTSIDE_MODELS[0] in name)


def upgrade(url: str) -> None:
    """Apply what is missing. Safe to run twice."""

    def apply(connection: Connection) -> None:
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")

    asyncio.run(_with_connection(url, apply))


def differences(url: str) -> list[Any]:
    """What the models say that the database does not, as alembic's difference tuples; empty when they agree."""

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"include_object": keep, "compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    return asyncio.run(_with_connection(url, compare))


async def _with_connection(url: str, work: Callable[[Connection], T]) -> T:
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
