"""Pushes from platforms: verified on their raw bytes, stored before they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlmodel import col

from connectors.base import Accept, Challenge, ConnectorError, PushAnswer, Reject
from hub import clock, log
from hub.db import reading, unit_of_work
from hub.models import Account
from workflows.house import House
from workflows.intake import notices
from workflows.intake.arrivals import store

# The sign of life of an account's pushes is written no more often than this.
_SEEN_EVERY = timedelta(seconds=10)
_log = log.get(__name__)


async def receive_push(
    house: House, account_id: int, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> PushAnswer:
    """Check a push and store its items; the answer is given back only after the commit, so 2xx means stored.

    Repeats are stored once. Rejected: an unknown or switched-off account (404), what is not genuine (the connector's
    status), a connector that fails (503, the platform sends again). Errors of the database are raised: no answer then.
    """
    async with reading(house.ctx) as unit:
        account = await unit.get(Account, account_id)
    if account is None or not account.is_active or account.platform not in house.platforms:
        return Reject(404, "没有这个账号")
    try:
        answer = await house.platforms[account.platform].receive(house.ref(account), method, query, headers, body)
    except ConnectorError as error:
        _log.warning("push failed", account=account_id, kind=error.kind.value)
        return Reject(503, error.human)
    if isinstance(answer, Accept):
        await _keep(house, account, answer)
        if answer.passed_over:
            _log.info("push passed over", account=account_id, count=answer.passed_over)
    elif isinstance(answer, Reject):
        _log.info("push rejected", account=account_id, status=answer.status, reason=answer.reason)
    return answer


async def _keep(house: House, account: Account, answer: Accept) -> None:
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        await store(unit, account, answer.items, "push")
        await notices.act(unit, account, answer.notices)
        if account.last_push_at is None or account.last_push_at < now - _SEEN_EVERY:
            await unit.claim(Account, col(Account.id) == account.id, last_push_at=now)


__all__ = ["Accept", "Challenge", "PushAnswer", "Reject", "receive_push"]
