"""What the worker does for matters: safe to run twice, late, or not at all."""

from __future__ import annotations

from datetime import timedelta

from hub import clock
from hub.queries import alike
from workflows.house import House
from workflows.matters import counting, describing, placing

_BUDGET = timedelta(seconds=20)


async def place_messages(house: House) -> int:
    """Place what waits for 20 seconds at most, then bring figures, names and sentences up to date; how many placed."""
    until, done = clock.now() + _BUDGET, 0
    while count := await placing.place_waiting(house):
        done += count
        if clock.now() > until:
            break
    await counting.count_stale(house)
    await describing.describe_grown(house)
    return done


async def count_matters(house: House) -> int:
    """Look again at the hottest matters: cases moved, tags were corrected; how many."""
    marked = await counting.look_again(house)
    await counting.count_stale(house)
    return marked


async def count_words(house: House) -> int:
    """Count anew which tokens are common when messages have grown by a tenth; how many are kept."""
    return await alike.count_words(house.ctx)
