"""``python -m web.demo.prepare``: newest tables, and the invented city when the data folder is new."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, select

from hub import clock, log, migrations
from hub.db import Unit, reading, unit_of_work
from hub.models import Account, Department
from hub.rights import system
from hub.settings import Settings, load
from web.demo import city, watching
from web.demo.sandbox import Control
from web.demo.standing import UNFINISHED
from workflows.accounts import push_path
from workflows.house import House, open_house
from workflows.intake import streams


def main() -> int:
    """Prepare the data folder of the settings in force."""
    settings = load()
    log.configure("WARNING", "json")
    control = Control(settings.sandbox_url)
    control.await_ready()
    if (settings.data / UNFINISHED).exists():
        _start_over(settings, control)
    migrations.upgrade(settings.database)
    city.note_places(settings)
    asyncio.run(_prepare(open_house(settings), control))
    return 0


def _start_over(settings: Settings, control: Control) -> None:
    """Somebody stopped the first start half way: half a city is none."""
    for name in ("hub.db", "hub.db-wal", "hub.db-shm"):
        (settings.data / name).unlink(missing_ok=True)
    control.reset()


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
    """The whole city; the note says that it is not finished, should we be stopped on the way."""
    from web.demo import history  # with the analyser: not wanted where the city stands
    from workflows.tagging import office

    now, note = clock.now(), house.ctx.settings.data / UNFINISHED
    note.touch()
    office.configure(house.ctx.settings)
    async with unit_of_work(house.ctx) as unit:
        await city.settle(unit, system(), house.ctx.settings)
        await city.open_accounts(unit, control)
        await city.keep_words(unit, system())
    await streams.make_missing(house)
    async with reading(house.ctx) as unit:
        people = await history.cast(unit)
    await watching.set_up(house, people.desk)
    with clock.frozen(now) as move:
        await history.History(house, control, people, _telling(move, now)).play(now)
    note.unlink()


def _telling(move: Callable[[datetime], None], now: datetime) -> Callable[[datetime], None]:
    """``move`` that also prints how much of the time is lived through, in whole percent, one a line."""
    begun, said = now, -1

    def move_and_tell(moment: datetime) -> None:
        nonlocal begun, said
        move(moment)
        begun = min(begun, moment)
        done = int(100 * (moment - begun) / max(now - begun, timedelta(seconds=1)))
        if done > said:
            said = done
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()

    return move_and_tell


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
