"""Two administrators at one account: neither undoes what the other did."""

from __future__ import annotations

import asyncio

from hub.db import Context, unit_of_work
from hub.rights import system
from tests.workflows import tollhouse
from workflows.accounts import steps


async def test_numbers_given_at_the_same_time_are_all_kept(any_ctx: Context) -> None:
    async with tollhouse.opened(any_ctx) as (house, _toll, number):

        async def give(name: str) -> None:
            async with unit_of_work(any_ctx) as unit:
                await steps.set_budgets(unit, system("王敏"), number, {name: (5, None)})

        names = [f"read/{n}" for n in range(8)]
        before = await tollhouse.account_of(house, number)
        await asyncio.gather(*map(give, names))
        after = await tollhouse.account_of(house, number)
        assert sorted(after.options["budgets"]) == names
        assert after.version == before.version + 8
