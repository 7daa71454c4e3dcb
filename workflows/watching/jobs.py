"""What the worker does for monitoring: safe to run twice, late, or not at all."""

from __future__ import annotations

from workflows.house import House
from workflows.watching import runs


async def run_plans(house: House) -> int:
    """Work on plans that look back for about 30 seconds; how many messages were looked at."""
    return await runs.run_waiting(house)
