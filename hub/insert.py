"""INSERT that knows conflicts, in the dialect of the database in force."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from hub.db import Unit


def insert(unit: Unit, model: type[SQLModel]) -> Any:
    """An INSERT with ``on_conflict_do_nothing`` and ``on_conflict_do_update``.

    Column defaults of models are not applied: give every column that may not be empty. Sort the rows by the unique
    key they may conflict on, or two writers can wait for each other on PostgreSQL.
    """
    return sqlite.insert(model) if unit.ctx.is_sqlite else postgresql.insert(model)
