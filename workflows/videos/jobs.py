"""What the worker does about videos."""

from __future__ import annotations

from workflows.house import House
from workflows.videos import incoming, store


async def sweep_videos(house: House) -> int:
    """Forget videos nobody needs any more, and what never came in whole; how many."""
    return await incoming.sweep(house) + await store.sweep(house)
