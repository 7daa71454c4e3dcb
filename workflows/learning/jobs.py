"""What the worker does for learning: each safe to run twice, late, or not at all."""

from __future__ import annotations

from workflows.house import House
from workflows.learning import lessons, live


async def learn_waiting(house: House) -> int:
    """At night see whether a lesson is due; go through the one that waits. How many versions were made."""
    await lessons.begin_night(house)
    return await lessons.learn_waiting(house)


async def load_learnt(house: House) -> bool:
    """Bring this worker to the versions in force; whether anything changed."""
    return await live.load(house)
