"""A fresh hub in a temporary folder, with one file account; texts to feed it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from connectors.registry import connectors
from hub import clock, log, migrations
from hub.db import open_context, unit_of_work
from hub.models import Account, Department
from hub.settings import Settings, load
from web.demo import city
from workflows.house import House


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="zhengsheng-bench-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def settings_in(data: Path) -> Settings:
    """Settings of a migrated hub in ``data``, quiet."""
    log.configure("ERROR", "json")
    settings = load(data)
    migrations.upgrade(settings.database)
    return settings


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """The hub with its departments and one account, ready for messages."""
    house = House(open_context(settings), connectors(live=False))
    try:
        async with unit_of_work(house.ctx) as unit:
            for number, given in enumerate(city.office()["departments"], 1):
                unit.add(
                    Department(
                        id=number, code=given["code"], name=given["name"], short_name=given["short_name"],
                        path=f"/{number}/", topics=given.get("topics", []), duties=given.get("duties", ""),
                    )
                )  # fmt: skip
            await unit.flush()
            unit.add(Account(platform="file", name="bench", department_id=1))
        yield house
    finally:
        await house.close()


def texts(count: int) -> list[str]:
    """What the invented citizens wrote, repeated with small differences."""
    said = [one.text for one in city.sayings(clock.now())]
    return [f"{said[n % len(said)]}（第{n}次反映）" for n in range(count)]
