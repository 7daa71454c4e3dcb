"""The unique key is the only arbiter: however often and from however many sides the same items come."""

from __future__ import annotations

import asyncio
import random

import pytest

from connectors.base import Kind, RawItem
from hub.db import Context, open_context, unit_of_work
from hub.models import Account, Arrival
from tests.workflows.intake import town
from workflows.house import House
from workflows.intake import store


async def _deliver(ctx: Context, account: Account, items: list[RawItem], batch: int) -> int:
    new = 0
    for start in range(0, len(items), batch):
        async with unit_of_work(ctx) as unit:
            stored = await store(unit, account, items[start : start + batch], "pull")
            assert len(stored.new) + stored.known == len(items[start : start + batch])
        new += len(stored.new)
    return new


@pytest.mark.parametrize("batch", [1, 37])
async def test_eight_connections_shuffled_repeats_exactly_once(any_house: House, batch: int) -> None:
    account = await town.account(any_house)
    rnd = random.Random(batch)
    items = [town.letter(n) for n in range(120 if batch == 1 else 600)]
    contexts = [open_context(any_house.ctx.settings) for _ in range(8)]
    new = await asyncio.gather(
        *[_deliver(one, account, rnd.sample(items * 2, len(items) * 2), batch) for one in contexts]
    )
    for one in contexts:
        await one.close()
    assert sum(new) == len(items)
    stored = await town.all_rows(any_house, Arrival)
    assert sorted(row.external_id for row in stored) == sorted(item.external_id for item in items)


async def test_ids_are_given_for_new_items_only_and_the_bell_rings_for_them(any_house: House) -> None:
    account = await town.account(any_house)
    bell = any_house.ctx.bell
    async with unit_of_work(any_house.ctx) as unit:
        first = await store(unit, account, [town.letter(1), town.letter(2), town.letter(1, "改过")], "pull")
        assert bell.rung == [], "nothing is rung before the commit"  # type: ignore[attr-defined]
    assert (len(first.new), first.known) == (2, 1)
    assert bell.rung == [("read_arrivals", ())]  # type: ignore[attr-defined]
    async with unit_of_work(any_house.ctx) as unit:
        again = await store(unit, account, [town.letter(1, "又改过"), town.letter(3)], "push")
        nothing = await store(unit, account, [], "push")
    assert (len(again.new), again.known) == (1, 1)
    assert (nothing.new, nothing.known) == ([], 0)
    kept = await town.arrival(any_house, "1")
    assert "路灯坏了" in kept.payload


async def test_the_same_id_of_another_kind_or_account_is_another_item(any_house: House) -> None:
    one, other = await town.account(any_house), await town.account(any_house, name="另一个")
    item = town.letter(1)
    async with unit_of_work(any_house.ctx) as unit:
        assert len((await store(unit, one, [item, RawItem(Kind.comment, "1", item.payload)], "pull")).new) == 2
        assert len((await store(unit, other, [item], "pull")).new) == 1


async def test_what_no_database_takes_is_kept_all_the_same(any_house: House) -> None:
    account = await town.account(any_house)
    odd = [
        RawItem(Kind.letter, "x" * 4000, '{"text": "长编号"}'),
        RawItem(Kind.letter, "x" * 4001, "{}"),
        RawItem(Kind.letter, "nul\x00id", '"\x00 and \ud800 and 𠮷😀\u202e"'),
        RawItem(Kind.letter, "=cmd|' /C calc'!A0", "=1+1"),
    ]
    for _ in range(2):
        async with unit_of_work(any_house.ctx) as unit:
            await store(unit, account, odd, "push")
    stored = {row.external_id: row.payload for row in await town.all_rows(any_house, Arrival)}
    assert len(stored) == 4
    assert '"\\u0000 and \\ud800 and 𠮷😀\u202e"' in stored.values()
    assert stored["=cmd|' /C calc'!A0"] == "=1+1"
