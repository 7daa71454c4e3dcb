"""What the worker does for routing: safe to run twice, late, or not at all."""

from __future__ import annotations

from workflows.house import House
from workflows.routing import learning


async def learn_routing(house: House) -> int:
    """Once a night, learn from the office's dispatches which department matters go to; how many matters."""
    return await learning.learn_if_due(house)
