"""Corrections made before there was a table for them become examples when the database is brought up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, delete

import hub.migrations
from hub.db import unit_of_work
from hub.models import Correction
from tests.workflows.intake import town
from tests.workflows.learning import office
from workflows.house import House

FILE = Path(hub.migrations.__file__).parent / "versions" / "0006_learning.py"


def _keep(connection: Connection) -> None:
    """The step of the migration alone, on a database of today."""
    spec = importlib.util.spec_from_file_location("learning_migration", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with Operations.context(MigrationContext.configure(connection)):
        module._keep_what_was_corrected()


async def test_earlier_corrections_are_kept_as_examples(any_house: House) -> None:
    await office.corrected(any_house, 8)
    told = [one for one in await town.all_rows(any_house, Correction) if one.before != one.after]
    assert told
    async with unit_of_work(any_house.ctx) as unit:
        await unit.run(delete(Correction))
    async with any_house.ctx.engine.begin() as connection:
        await connection.run_sync(_keep)
    kept = await town.all_rows(any_house, Correction)
    assert [(one.message_id, one.field, one.before, one.after, one.by_id, one.p, one.tagging_id) for one in kept] == [
        (one.message_id, one.field, one.before, one.after, one.by_id, one.p, one.tagging_id) for one in told
    ]
    assert {one.because for one in kept} == {"other"}
