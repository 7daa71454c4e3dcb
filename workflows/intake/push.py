"""Pushes from platforms: verified on their raw bytes, stored before they are answered.

Those that come at the same moment are looked up and stored together: one reading of accounts, one transaction, one
ring. A burst of hundreds a second would otherwise wait for as many commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, or_, select

from connectors.base import Accept, AccountRef, Challenge, ConnectorError, PushAnswer, RawItem, Reject
from hub import clock, log
from hub.db import Unit, reading, unit_of_work
from hub.models import Account
from workflows.batching import Batched
from workflows.house import House
from workflows.intake import notices, proofs
from workflows.intake.arrivals import store, store_pushed
from workflows.intake.proofs import Shown

# The sign of life of an account's pushes is written no more often than this.
_SEEN_EVERY = timedelta(seconds=10)
# Somebody has seen the address of an earlier push.
_FORGED = Reject(403, "这个推送签名已经随另一条内容用过，拒收")
_log = log.get(__name__)


async def receive_push(
    house: House, account_id: int, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> PushAnswer:
    """Check a push and store its items; the answer is given back only after the commit, so 2xx means stored.

    Repeats are stored once. Rejected: an unknown or switched-off account (404), what is not genuine (the connector's
    status; 403 for a signature that was used for something else), a connector that fails (503, the platform sends
    again). Errors of the database are raised: no answer then.
    """
    desk = _desk(house)
    known = await desk.accounts.ask(account_id)
    if known is None:
        return Reject(404, "没有这个账号")
    account, ref = known
    try:
        answer = await house.platforms[ref.platform].receive(ref, method, query, headers, body)
    except ConnectorError as error:
        _log.warning("push failed", account=account_id, kind=error.kind.value)
        return Reject(503, error.human)
    if not isinstance(answer, Reject):
        is_genuine = await desk.keep(account, answer, body)
        answer = answer if is_genuine else _FORGED
    if isinstance(answer, Accept) and answer.passed_over:
        _log.info("push passed over", account=account_id, count=answer.passed_over)
    if isinstance(answer, Reject):
        _log.info("push rejected", account=account_id, status=answer.status, reason=answer.reason)
    return answer


_Known = tuple[Account, AccountRef] | None


@dataclass(frozen=True, slots=True)
class _Pushed:
    """What one push brought to an account."""

    account: Account
    items: Sequence[RawItem]
    shown: Shown | None


class _Desk:
    """Where a process takes its pushes."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.accounts: Batched[int, _Known] = Batched(self._look_up)
        self._items: Batched[_Pushed, bool] = Batched(self._store)

    async def _look_up(self, numbers: Sequence[int]) -> Sequence[_Known]:
        """Each account as it is now, with its secrets opened; None for those that take nothing."""
        async with reading(self._house.ctx) as unit:
            rows = await unit.all(select(Account).where(col(Account.id).in_(set(numbers))))
        taking = [row for row in rows if row.is_active and row.platform in self._house.platforms]
        known = {row.id: (row, self._house.ref(row)) for row in taking}
        return [known.get(number) for number in numbers]

    async def keep(self, account: Account, answer: Accept | Challenge, body: bytes) -> bool:
        """Stored when this returns; False, and nothing stored, where its signature was used for something else.

        What tells of our own affairs is acted on in a transaction of its own.
        """
        shown = proofs.shown(account.id or 0, answer.proof, body)
        if isinstance(answer, Challenge):
            async with unit_of_work(self._house.ctx) as unit:
                return all(await proofs.hold(unit, [shown]))
        if not answer.notices:
            return await self._items.ask(_Pushed(account, answer.items, shown))
        async with unit_of_work(self._house.ctx) as unit:
            if not all(await proofs.hold(unit, [shown])):
                return False
            await store(unit, account, answer.items, "push")
            await notices.act(unit, account, answer.notices)
            await _seen(unit, [account])
        return True

    async def _store(self, pushed: Sequence[_Pushed]) -> Sequence[bool]:
        async with unit_of_work(self._house.ctx) as unit:
            genuine = await proofs.hold(unit, [one.shown for one in pushed])
            taken = [one for one, is_genuine in zip(pushed, genuine, strict=True) if is_genuine]
            await store_pushed(unit, [(one.account.id or 0, one.items) for one in taken])
            await _seen(unit, [one.account for one in taken])
        return genuine


async def _seen(unit: Unit, accounts: Sequence[Account]) -> None:
    """The accounts' sign of life, in the order of their ids: two processes never wait for each other in a circle."""
    now = clock.now()
    old = now - _SEEN_EVERY
    stale = {account.id or 0 for account in accounts if account.last_push_at is None or account.last_push_at < old}
    for number in sorted(stale):
        long_ago = or_(col(Account.last_push_at).is_(None), col(Account.last_push_at) < old)
        await unit.claim(Account, col(Account.id) == number, long_ago, last_push_at=now)


def _desk(house: House) -> _Desk:
    found: _Desk = house.desks.setdefault("pushes", _Desk(house))
    return found


__all__ = ["Accept", "Challenge", "PushAnswer", "Reject", "receive_push"]
