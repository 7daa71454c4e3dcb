"""Askers at the same moment share one piece of work, and nothing but that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from workflows.batching import AT_ONCE, Batched


class Work:
    """Doubles numbers, notes what came together; 13 spoils whatever it is in."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, numbers: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(numbers))
        await self.gate.wait()
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


async def test_one_alone_waits_for_nobody_and_the_others_go_together() -> None:
    work = Work()
    desk = Batched(work)
    work.gate.clear()
    first = asyncio.create_task(desk.ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [asyncio.create_task(desk.ask(number)) for number in range(2, 6)]
    await asyncio.sleep(0.01)
    assert not first.done()
    assert work.batches == [[1]]
    work.gate.set()
    assert [await one for one in (first, *later)] == [2, 4, 6, 8, 10]
    assert work.batches == [[1], [2, 3, 4, 5]]
    assert await desk.ask(7) == 14, "and it goes on after a rest"


async def test_only_the_one_at_fault_is_told_so() -> None:
    work = Work()
    desk = Batched(work)
    told = await asyncio.gather(*[desk.ask(number) for number in (1, 13, 3)], return_exceptions=True)
    assert (told[0], told[2]) == (2, 6)
    assert isinstance(told[1], ValueError)
    assert work.batches == [[1, 13, 3], [1], [13], [3]]


async def test_who_has_left_holds_nobody_up() -> None:
    work = Work()
    desk = Batched(work)
    work.gate.clear()
    tasks = [asyncio.create_task(desk.ask(number)) for number in (1, 2)]
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    work.gate.set()
    assert await tasks[1] == 4
    assert await desk.ask(3) == 6


async def test_no_batch_is_endless() -> None:
    work = Work()
    desk = Batched(work)
    assert len(await asyncio.gather(*[desk.ask(number) for number in range(100, 100 + 2 * AT_ONCE + 5)])) == 405
    assert [len(batch) for batch in work.batches] == [AT_ONCE, AT_ONCE, 5]


async def test_an_end_that_is_no_error_is_not_swallowed() -> None:
    async def gone(numbers: Sequence[int]) -> Sequence[int]:
        raise KeyError(numbers[0])

    with pytest.raises(KeyError):
        await Batched(gone).ask(1)
