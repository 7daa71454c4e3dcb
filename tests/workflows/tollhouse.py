"""A house connected to the platform that counts: its account, its streams, short ways to look at both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlmodel import col, select

from connectors.http import Http
from connectors.registry import connectors
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Stream
from tests.sims.toll import Toll, TollConnector, serving
from workflows.house import House
from workflows.metering import RowMeter


def open_toll_house(ctx: Context, daily: int = 100) -> House:
    """One process of a hub whose platforms include the counting one, every call paid."""
    http = Http(live=False, clock=clock.now, meter=RowMeter(ctx))
    return House(ctx, {**connectors(live=False), "toll": TollConnector(http, daily)})


@asynccontextmanager
async def opened(ctx: Context, toll: Toll | None = None, **given: Any) -> AsyncIterator[tuple[House, Toll, int]]:
    """A house, the platform, and the id of an account connected to it."""
    async with serving(toll or Toll()) as there:
        house = open_toll_house(ctx, there.daily)
        yield house, there, await connect(house, there, **given)


async def connect(house: House, toll: Toll, name: str = "收费号", **given: Any) -> int:
    """An account with a living token."""
    ref = toll.ref()
    async with unit_of_work(house.ctx) as unit:
        account = Account(
            platform="toll", name=name, external_id=ref.external_id, base_url=ref.base_url,
            sealed=house.ctx.vault.seal(ref.secrets), options={"app_key": "k1"}, **given,
        )  # fmt: skip
        unit.add(account)
        await unit.flush()
        unit.add(Stream(account_id=account.id or 0, name="mentions"))
    return account.id or 0


async def account_of(house: House, number: int) -> Account:
    async with reading(house.ctx) as unit:
        return await unit.one(select(Account).where(Account.id == number))


async def stream_of(house: House, number: int) -> Stream:
    async with reading(house.ctx) as unit:
        return await unit.one(select(Stream).where(Stream.account_id == number).order_by(col(Stream.id)))


async def change(house: House, number: int, **values: Any) -> None:
    async with unit_of_work(house.ctx) as unit:
        await unit.claim(Account, col(Account.id) == number, **values)
