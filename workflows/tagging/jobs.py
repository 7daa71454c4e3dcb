"""What the worker does for tagging: safe to run twice, late, or not at all."""

from __future__ import annotations

from datetime import timedelta

from hub import clock
from workflows.house import House
from workflows.learning import live
from workflows.tagging import batches, office, renewal

_BUDGET = timedelta(seconds=30)


async def tag_messages(house: House) -> int:
    """Tag until nothing waits or 30 seconds are over, then look after messages left without a case; how many."""
    await live.load(house)
    await office.know_accounts(house)
    until, done = clock.now() + _BUDGET, 0
    while count := await batches.tag_waiting(house, house.ctx.settings.tag_batch):
        done += count
        if clock.now() > until:
            return done
    await batches.attach_waiting(house)
    return done


async def retag_messages(house: House) -> int:
    """Bring old messages to the analyser in force for about 30 seconds; how many changed."""
    await live.load(house)  # an analyser that is behind would undo what others have done
    await office.know_accounts(house)
    return await renewal.go_on(house, clock.now() + _BUDGET)
