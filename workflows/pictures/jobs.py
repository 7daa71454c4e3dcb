"""What the worker does about pictures."""

from __future__ import annotations

from workflows.house import House
from workflows.pictures.store import sweep


async def sweep_pictures(house: House) -> int:
    """Forget pictures that no post ever had; how many."""
    return await sweep(house)
