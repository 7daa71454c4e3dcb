"""A house with the real analyser, and messages written a moment ago."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from connectors.registry import connectors
from hub import clock
from hub.db import Context, unit_of_work
from hub.models import Account
from tests.workflows.intake import town
from workflows.house import House
from workflows.intake import read_waiting, store
from workflows.tagging.batches import tag_waiting

Say = Callable[..., Awaitable[None]]


@pytest.fixture
def any_house(any_ctx: Context) -> House:
    return House(any_ctx, connectors(live=False))


@pytest.fixture
def house(ctx: Context) -> House:
    return House(ctx, connectors(live=False))


def saying(house: House) -> Say:
    """``await say("路灯坏了", ago=timedelta(hours=2))``: citizens write, the hub reads and tags."""
    accounts: list[Account] = []
    count = 0

    async def say(*texts: str, ago: timedelta = timedelta(0), tag: bool = True) -> None:
        nonlocal count
        if not accounts:
            accounts.append(await town.account(house))
        at, items = (clock.now() - ago).isoformat(), []
        for text in texts:
            count += 1
            items.append(town.letter(f"w{count}", text, created_at=at))
        async with unit_of_work(house.ctx) as unit:
            await store(unit, accounts[0], items, "pull")
        while await read_waiting(house):
            pass
        while tag and await tag_waiting(house):
            pass

    return say


@pytest.fixture
def any_say(any_house: House) -> Say:
    return saying(any_house)


@pytest.fixture
def say(house: House) -> Say:
    return saying(house)
