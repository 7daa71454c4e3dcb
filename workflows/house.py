"""What every workflow needs in one hand: the database door and the platforms."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from connectors.base import AccountRef, Connector, Purpose
from connectors.pool import Pool
from connectors.registry import connectors
from hub import clock
from hub.db import Bell, Context, open_context
from hub.models import Account
from hub.settings import Settings
from workflows.metering import RowMeter

T = TypeVar("T")


@dataclass
class House:
    """One per process; ``ctx`` is the hub's context, ``platforms`` the connectors by platform name, ``pool`` the
    connections they keep open, where they do; ``desks``: what a process has one of, by name, made when first needed."""

    ctx: Context
    platforms: Mapping[str, Connector]
    pool: Pool | None = None
    desks: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _errands: set[asyncio.Task[Any]] = field(default_factory=set, repr=False, compare=False)

    def ref(self, account: Account, purpose: Purpose = Purpose.people) -> AccountRef:
        """The account as its connector sees it, secrets opened; ``purpose`` decides how far its budget may be used.

        Without any where no key opens them: like an account that was never granted access it fails in words, alone.
        """
        return AccountRef(
            id=account.id or 0,
            platform=account.platform,
            name=account.name,
            external_id=account.external_id,
            base_url=account.base_url,
            secrets=self.secrets_of(account) or {},
            options=account.options,
            purpose=purpose,
        )

    def secrets_of(self, account: Account) -> dict[str, str] | None:
        """What is sealed in the account; None where no key that is known opens it."""
        try:
            return self.ctx.vault.open(account.sealed)
        except ValueError:
            return None

    def connector(self, account: Account) -> Connector:
        """The account's platform."""
        return self.platforms[account.platform]

    def can_answer(self, account: Account) -> bool:
        """Whether answers have a way out: it is connected, even if switched off, or they are read on our own page."""
        if account.disconnected_at is None:
            return True
        connector = self.platforms.get(account.platform)
        return connector is not None and connector.limits(self.ref(account)).takes_letters

    async def see_through(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` comes to; it is brought to its end even when whoever waits for it gives up. Closing waits."""
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._errands.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that one nobody waits for any more is not reported as lost

    async def close(self) -> None:
        """Give everything back, once what must be seen through is."""
        if self._errands:
            await asyncio.wait(self._errands)
        if self.pool is not None:
            await self.pool.aclose()
        await self.ctx.close()


def open_house(settings: Settings, bell: Bell | None = None) -> House:
    """A house on the settings in force; outside live mode only addresses on this machine are reached."""
    ctx = open_context(settings, bell)
    pool = Pool()
    return House(ctx, connectors(settings.live, clock.now, RowMeter(ctx), settings.inner, pool), pool)
