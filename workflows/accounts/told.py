"""One account as plain values, for commands and their JSON; nothing secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.db import reading
from hub.models import CircuitState
from workflows.accounts.detail import budgets, overview
from workflows.accounts.health import Health
from workflows.house import House
from workflows.metering import Left


async def told(house: House, account_id: int) -> dict[str, Any]:
    """Names as in the fixed points of ``hub account check --json``; times as ISO text in UTC, or None."""
    async with reading(house.ctx) as unit:
        one = await overview(house, unit, account_id)
        lefts = await budgets(house, unit, one.account)
    account = one.account
    reasons = [account.circuit_reason] if account.circuit is CircuitState.open else []
    reasons += [stream.error for stream in one.streams if stream.error]
    return {
        "name": account.name, "platform": account.platform, "external_id": account.external_id,
        "ok": one.health in (Health.fine, Health.waiting, Health.expiring), "health": one.health.value,
        "reasons": reasons, "expires_at": _iso(account.expires_at), "renews_itself": account.is_renewable,
        "circuit": account.circuit.value, "pulled_at": _iso(one.pulled_at), "pushed_at": _iso(account.last_push_at),
        "budgets": [_budget(left) for left in lefts],
    }  # fmt: skip


def _budget(one: Left) -> dict[str, Any]:
    return {
        "calls": one.window.calls, "seconds": int(one.window.per.total_seconds()), "scope": one.window.scope.value,
        "most": one.allowance.most, "used": one.used, "left": one.left, "left_to_read": one.left_to_read,
        "resets_at": _iso(one.ends_at),
    }  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
