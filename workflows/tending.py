"""What the worker does for accounts: access is renewed in time, open circuits are tried, old grants forgotten."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col

from hub import clock
from hub.db import unit_of_work
from hub.models import Authorisation
from workflows import circuits, tokens
from workflows.house import House

KEPT = timedelta(days=1)


async def tend_accounts(house: House) -> int:
    """Renew what is due, try what is open; how many accounts were helped. Safe to run anywhere, twice, or late."""
    return await tokens.renew_due(house) + await circuits.probe_due(house)


async def sweep_authorisations(house: House) -> int:
    """Forget grants by page that were used or left lying; how many."""
    async with unit_of_work(house.ctx) as unit:
        old = col(Authorisation.expires_at) < clock.now() - KEPT
        return (await unit.run(delete(Authorisation).where(old))).rowcount
