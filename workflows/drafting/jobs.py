"""What the worker does for drafts of a model: safe to run twice, late, or not at all."""

from __future__ import annotations

from workflows.drafting import running
from workflows.house import House


async def run_models(house: House) -> int:
    """Write the drafts people asked for; how many were tried."""
    return await running.run_waiting(house)
