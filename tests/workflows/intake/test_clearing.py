"""The rule of retention: only pictures of public messages without a case go, at night, and leave word."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from connectors.base import Kind
from hub import clock
from hub.db import unit_of_work
from hub.models import Account, ArrivalBytes, ArrivalFile, AuditEntry, Case, Message, OutsidePicture, PictureState
from tests.workflows.intake import town
from tests.workflows.intake.test_outside_pictures import PNG, _pointing, bring, settings, site
from workflows.house import House
from workflows.intake.jobs import fetch_pictures, sweep_files

KEPT_ON = clock.at_local(date(2026, 11, 24), 10)
DAYS = 100
DUE = clock.at_local(date(2027, 3, 5), 3)
__all__ = ["_pointing"]


async def keep(house: House, url: str, name: str, kind: Kind = Kind.mention, **more: Any) -> Message:
    """A message whose picture was kept, as public ones are when the setting says "all"."""
    settings(house, keep_pictures="all", keep_files_days=DAYS)
    with clock.frozen(KEPT_ON):
        await bring(house, f"{url}/{name}.jpg", kind=kind, name=name, **more)
        await fetch_pictures(house)
        async with unit_of_work(house.ctx) as unit:  # what tagging does, without opening a case
            await unit.run(update(Message).values(needs_case=False))
    return await town.message(house, name)


async def cleared(house: House, at: Any = DUE) -> int:
    with clock.frozen(at):
        return await sweep_files(house)


async def test_a_public_picture_without_a_case_goes_in_its_time_and_leaves_word(any_house: House) -> None:
    with site(PNG) as (url, _asked):
        message = await keep(any_house, url, "1")
    assert message.media[0]["url"].startswith("/letters/files/")
    assert await cleared(any_house, KEPT_ON + timedelta(days=DAYS, hours=-7)) == 0, "its time is not over"
    assert await cleared(any_house, DUE + timedelta(hours=9)) == 0, "not while the office works"
    assert await cleared(any_house) == 1
    assert await cleared(any_house) == 0
    assert await town.count(any_house, ArrivalFile) == await town.count(any_house, ArrivalBytes) == 0
    (picture,) = await town.all_rows(any_house, OutsidePicture)
    assert (picture.state, picture.since, picture.due_at) == (PictureState.cleared, DUE, None)
    assert (await town.message(any_house, "1")).media == [
        {"kind": "image", "url": f"{url}/1.jpg", "description": ""}
    ], "the address is all that is left"
    (entry,) = [one for one in await town.all_rows(any_house, AuditEntry) if one.what == "message.clear_pictures"]
    assert (entry.by_id, entry.data) == (None, {"number": 1, "days": DAYS})


@pytest.mark.parametrize("kind", [Kind.private, Kind.letter])
async def test_what_was_said_in_private_stays(house: House, kind: Kind) -> None:
    with site(PNG) as (url, _asked):
        await keep(house, url, "1", kind)
    assert await cleared(house) == 0
    assert await town.count(house, ArrivalBytes) == 1


@pytest.mark.parametrize("has_case", [True, False])
async def test_what_a_case_stands_for_or_will_stays(house: House, has_case: bool) -> None:
    with site(PNG) as (url, _asked):
        message = await keep(house, url, "1")
    (account,) = await town.all_rows(house, Account)
    async with unit_of_work(house.ctx) as unit:
        values: dict[str, Any] = {"needs_case": True}
        if has_case:
            case = Case(number="1", title="路灯", account_id=account.id or 0, kind=message.kind, thread_key="1")
            unit.add(case)
            await unit.flush()
            values = {"case_id": case.id}
        await unit.run(update(Message).where(col(Message.id) == message.id).values(**values))
    assert await cleared(house) == 0
    assert await town.count(house, ArrivalBytes) == 1


async def test_without_the_setting_nothing_goes_and_more_than_one_turn_is_taken(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.intake.clearing._AT_ONCE", 2)
    with site(PNG) as (url, _asked):
        for name in "12345":
            await keep(house, url, name)
    settings(house, keep_files_days=0)
    assert await cleared(house) == 0
    settings(house, keep_files_days=DAYS)
    assert await cleared(house) == 5


async def test_the_time_counts_from_when_it_was_kept(house: House) -> None:
    with site(PNG) as (url, _asked):
        await keep(house, url, "1")
    async with unit_of_work(house.ctx) as unit:
        await unit.run(update(OutsidePicture).values(since=DUE - timedelta(days=1)))
    assert await cleared(house) == 0, "asked for by a person yesterday"
    async with unit_of_work(house.ctx) as unit:
        await unit.run(update(OutsidePicture).values(since=None))
        await unit.run(update(Message).values(received_at=KEPT_ON))
    assert await cleared(house) == 1, "kept before this was noted: from when the message came"
