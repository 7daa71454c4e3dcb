"""Bringing an older database up to date keeps every tagging and correction; the renewal then fills in what is new."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, update
from sqlmodel import col

import hub.migrations
from hub.db import unit_of_work
from hub.models import Because, Correction, Message, Role, Tagging
from tests.workflows.intake import town
from tests.workflows.tagging.test_batches import WORDS, arrive
from workflows.house import House
from workflows.tagging import batches, jobs
from workflows.tagging.corrections import correct

FILE = Path(hub.migrations.__file__).parent / "versions" / "0007_fuller_tags.py"


def _migration() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuller_tags_migration", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _back_and_forth(connection: Connection) -> None:
    """As an older hub left it, then up to date again."""
    with Operations.context(MigrationContext.configure(connection)):
        module = _migration()
        module._shorter_tags()
        module._fuller_tags()


async def test_taggings_and_corrections_stay_and_are_filled_up(any_house: House) -> None:
    await arrive(any_house, *[town.letter(n, words) for n, words in enumerate(WORDS)])
    await batches.tag_waiting(any_house)
    actor = await town.person(any_house, Role.press_officer)
    first = await town.message(any_house, "0")
    async with unit_of_work(any_house.ctx) as unit:
        await correct(unit, actor, first.id or 0, request="建议", because=Because.subject)
    before = [one.emotion for one in await town.all_rows(any_house, Message)]
    taggings, corrections = await town.count(any_house, Tagging), await town.count(any_house, Correction)
    async with any_house.ctx.engine.begin() as connection:
        await connection.run_sync(_back_and_forth)
    assert (await town.count(any_house, Tagging), await town.count(any_house, Correction)) == (taggings, corrections)
    assert {one.emotion for one in await town.all_rows(any_house, Tagging)} == {None}
    assert {one.emotion for one in await town.all_rows(any_house, Message)} == {""}
    async with unit_of_work(any_house.ctx) as unit:
        machine = (col(Tagging.is_current), col(Tagging.by_id).is_(None))
        await unit.run(update(Tagging).where(*machine).values(version="2-older"))
    assert await jobs.retag_messages(any_house) == len(WORDS)
    assert [one.emotion for one in await town.all_rows(any_house, Message)] == before
    (settled,) = [one for one in await town.all_rows(any_house, Tagging) if one.is_current and one.by_id]
    assert (settled.request, settled.request_p) == ("建议", 1.0)
    assert settled.emotion is not None
