"""What the worker does for intake: each safe to run twice, late, or not at all."""

from __future__ import annotations

from datetime import timedelta

from hub import clock
from workflows.house import House
from workflows.intake import clearing, fetching, pulling, reading, runs, uploads

_BUDGET = timedelta(seconds=30)
_BATCH = 500


async def pull_due(house: House) -> int:
    """Read every stream whose time has come; how many new items."""
    return await pulling.pull_due(house)


async def read_arrivals(house: House) -> int:
    """Turn stored arrivals into messages until none is left or 30 seconds are over; how many."""
    until, done = clock.now() + _BUDGET, 0
    while count := await reading.read_waiting(house, _BATCH):
        done += count
        if clock.now() > until:
            break
    return done


async def fetch_pictures(house: House) -> int:
    """Fetch pictures that messages point to and keep them, for about 30 seconds; how many were tried."""
    return await fetching.fetch_waiting(house)


async def run_imports(house: House) -> int:
    """Work on uploaded files for about 30 seconds; how many rows."""
    return await runs.run_waiting(house)


async def sweep_uploads(house: House) -> int:
    """Remove uploaded files that no import will take any more; how many."""
    return await uploads.sweep(house)


async def sweep_files(house: House) -> int:
    """At night, for about 30 seconds, clear kept pictures whose time is over (`HUB_KEEP_FILES_DAYS`); how many."""
    return await clearing.clear_night(house)
