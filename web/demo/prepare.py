"""``python -m web.demo.prepare``: newest tables, and the invented city when the data folder is new."""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import update
from sqlmodel import col, select

from hub import clock, log, migrations
from hub.db import Unit, reading, unit_of_work
from hub.models import Account, Department
from hub.rights import system
from hub.settings import load
from web.demo import city, history
from web.demo.sandbox import Control
from workflows.accounts import push_path
from workflows.house import House, open_house
from workflows.intake import streams
from workflows.tagging import office


def main() -> int:
    """Prepare the data folder of the settings in force."""
    settings = load()
    log.configure("WARNING", "json")
    migrations.upgrade(settings.database)
    control = Control(settings.sandbox_url)
    control.await_ready()
    city.note_places(settings)
    office.configure(settings)
    asyncio.run(_prepare(open_house(settings), control))
    return 0


async def _prepare(house: House, control: Control) -> None:
    try:
        async with reading(house.ctx) as unit:
            empty = await unit.first(select(Department)) is None
        if empty:
            await _build(house, control)
        await _connect(house, control)
    finally:
        await house.close()


async def _build(house: House, control: Control) -> None:
    """The whole city in one go; a folder left half built by a kill is refused by the unique names, see ``--fresh``."""
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        await city.settle(unit, system(), house.ctx.settings)
        await city.open_accounts(unit, control)
    await streams.make_missing(house)
    async with reading(house.ctx) as unit:
        people = await history.cast(unit)
    with clock.frozen(now) as move:
        await history.History(house, control, people, move).play(now)


async def _connect(house: House, control: Control) -> None:
    """The sandbox may stand at another port today, and must know where to push."""
    async with unit_of_work(house.ctx) as unit:
        await _follow(unit, control.address)
        accounts = await unit.all(select(Account).where(Account.platform == "sandbox"))
    for account in accounts:
        url = house.ctx.settings.address + push_path(house.ctx.settings, account.id or 0)
        control.save_account(uid=account.external_id, push_url=url)


async def _follow(unit: Unit, address: str) -> None:
    moved = col(Account.platform) == "sandbox", col(Account.base_url) != address
    await unit.run(update(Account).where(*moved).values(base_url=address))


if __name__ == "__main__":
    sys.exit(main())
