"""Short-lived access: renewed before it ends, and once when a call finds it ended, by one refresher per account.

A call that is told ``auth_expired`` waits for new secrets and is repeated once. However many calls fail together, the
platform is asked for new secrets once: the claim is a column of the account's row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import or_
from sqlmodel import col, select

from connectors.base import AccountRef, ConnectorError, ErrorKind, Purpose, Renewed
from hub import clock, log
from hub.db import Unit, reading, unit_of_work
from hub.feed import tell
from hub.i18n import written
from hub.models import Account, CircuitState
from workflows.house import House

T = TypeVar("T")
LEASE = timedelta(seconds=45)
LONGEST_CALL = 12.0
LOOK_EVERY = 0.1
SOON, SOONER = timedelta(days=7), timedelta(days=3)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
BATCH, AT_ONCE = 100, 8
# Renewals that failed in a row before a person is told.
WORRYING = 3
AUTH = frozenset({ErrorKind.auth_human.value, ErrorKind.auth_expired.value, "revoked"})
_log = log.get(__name__)


class Life(StrEnum):
    """How long the access of an account lives. unknown: the platform does not say; soon: 7 days, sooner: 3 days."""

    unknown = "unknown"
    fine = "fine"
    soon = "soon"
    sooner = "sooner"
    dead = "dead"


def life_of(account: Account, now: datetime) -> Life:
    """Whether a person must think of the account's access. What renews itself is fine until it fails."""
    if account.circuit is CircuitState.open and account.circuit_kind in AUTH:
        return Life.dead
    if account.expires_at is None:
        return Life.unknown
    if account.is_renewable and account.renew_failures < WORRYING:
        return Life.fine
    left = account.expires_at - now
    if left <= timedelta():
        return Life.dead
    if left <= SOONER:
        return Life.sooner
    return Life.soon if left <= SOON else Life.fine


def renew_at(expires_at: datetime | None, is_renewable: bool | None, now: datetime) -> datetime | None:
    """When the refresher is due: well before the end; at once while nobody knows whether it can be done at all."""
    if expires_at is None or is_renewable is False:
        return None
    if is_renewable is None:
        return now
    margin = min(max((expires_at - now) * 0.15, timedelta(seconds=30)), timedelta(days=1))
    return max(expires_at - margin, now)


def ended() -> ConnectorError:
    """What a call comes to when its access has ended and no program can renew it."""
    return ConnectorError(ErrorKind.auth_human, written("授权已失效，需要管理员重新授权"), code="expired")


def unopened() -> ConnectorError:
    """What a call comes to when no key that is known opens the secrets."""
    return ConnectorError(ErrorKind.auth_human, written("凭据打不开：加密用的密钥换过或丢了"), code="unopened")


class Line:
    """A line to one account's platform: every call on it is repeated once with new secrets when the old have ended.

    ``ref`` always has the newest secrets; ``is_renewing`` while no call but the refresher's is on the way.
    """

    def __init__(self, house: House, ref: AccountRef) -> None:
        self.house = house
        self.ref = ref
        self.is_renewing = False

    async def call(self, act: Callable[[AccountRef], Awaitable[T]]) -> T:
        """What ``act`` brings; :class:`ConnectorError` as it raises, or why new secrets could not be had."""
        try:
            return await act(self.ref)
        except ConnectorError as error:
            if error.kind is not ErrorKind.auth_expired:
                raise
        self.is_renewing = True
        self.ref = await _renewed(self.house, self.ref)
        self.is_renewing = False
        return await act(self.ref)


async def renew_due(house: House) -> int:
    """Renew whatever is due; how many were. Safe to run in any number of processes."""
    now = clock.now()
    due = select(Account).where(col(Account.renew_at) <= now, col(Account.is_active), _is_free(now))
    async with reading(house.ctx) as unit:
        accounts = await unit.all(due.order_by(col(Account.renew_at)).limit(BATCH))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(account: Account) -> bool:
        async with gate:
            return await _renew_in_time(house, account)

    return sum(await asyncio.gather(*[one(account) for account in accounts]))


async def _renew_in_time(house: House, account: Account) -> bool:
    if account.platform not in house.platforms:
        return False
    try:
        return await house.see_through(_claimed(house, account)) is not None
    except ConnectorError as error:
        _log.info("not_renewed", account=account.id, kind=error.kind.value)
        return False


async def _renewed(house: House, ref: AccountRef) -> AccountRef:
    """The account with secrets newer than those of ``ref``: somebody else's fresh ones, or asked for here."""
    if not ref.id:
        return await _for_newcomer(house, ref)
    deadline = asyncio.get_running_loop().time() + LONGEST_CALL + 3
    while asyncio.get_running_loop().time() < deadline:
        async with reading(house.ctx) as unit:
            account = await unit.get(Account, ref.id)
        if account is None or not account.sealed:
            raise ended()
        fresh = house.secrets_of(account)
        if fresh is None:
            raise unopened()
        if fresh != dict(ref.secrets):
            return replace(ref, secrets=fresh)
        asked = await house.see_through(_claimed(house, account))
        if asked is not None:
            return replace(ref, secrets=asked)
        await asyncio.sleep(LOOK_EVERY)
    raise ConnectorError(ErrorKind.transient, written("正在更新授权，稍后自动再试"), code="renewing")


async def _for_newcomer(house: House, ref: AccountRef) -> AccountRef:
    """An account that is only being connected has no row to claim."""
    fresh = await house.platforms[ref.platform].refresh(ref)
    if fresh is None:
        raise ended()
    return replace(ref, secrets={**ref.secrets, **fresh.secrets})


async def _claimed(house: House, account: Account) -> dict[str, str] | None:
    """The new secrets, or None where somebody else is the refresher.

    Never broken off on the way: some platforms use up what they are asked with, whoever hears the answer.
    """
    return await _ask(house, account) if await _claim(house, account) else None


async def _claim(house: House, account: Account) -> bool:
    """Become the refresher, if nobody is and the secrets are still those we know."""
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        mine = (col(Account.id) == account.id, col(Account.sealed) == account.sealed, _is_free(now))
        return await unit.claim(Account, *mine, renew_lease=now + LEASE)


async def _ask(house: House, account: Account) -> dict[str, str]:
    """Ask the platform for new secrets and seal them at once; the claim ends whatever comes of it."""
    try:
        if house.secrets_of(account) is None:
            raise unopened()
        ref = house.ref(account, Purpose.people)
        async with asyncio.timeout(LONGEST_CALL):
            fresh = await house.platforms[account.platform].refresh(ref)
    except TimeoutError:
        error = ConnectorError(ErrorKind.transient, written("平台没有在限定时间内回应，系统会稍后处理"), code="timeout")
    except ConnectorError as raised:
        error = raised
    except Exception as raised:  # noqa: BLE001 -- a connector's own fault must not leave the claim without a word
        _log.error("refresh broke", account=account.id, error=type(raised).__name__)
        human = written("程序出错（%(name)s），请把日志交给管理员", name=type(raised).__name__)
        error = ConnectorError(ErrorKind.bug, human, code=type(raised).__name__)
    else:
        if fresh is not None:
            return await _keep(house, account, fresh)
        error = ended()
    await _failed(house, account, error)
    raise error


async def _keep(house: House, account: Account, fresh: Renewed) -> dict[str, str]:
    now = clock.now()
    secrets = {**house.ctx.vault.open(account.sealed), **fresh.secrets}
    values = {**renewed_values(fresh.expires_at, not fresh.is_last, now), "sealed": house.ctx.vault.seal(secrets)}
    async with unit_of_work(house.ctx) as unit:
        there = await _sealed_now(unit, account)
        if not _are_same(unit, account.sealed, there):  # a person gave other secrets meanwhile: theirs stay
            await unit.claim(Account, col(Account.id) == account.id, renew_lease=None)
            return house.ctx.vault.open(there)
        await unit.claim(Account, col(Account.id) == account.id, **values, version=Account.version + 1)
        await _try_circuit(unit, account, now)
        tell(unit, "accounts", account.id)
    return secrets


async def _sealed_now(unit: Unit, account: Account) -> str:
    """What the row holds; nobody changes it before the commit."""
    return await unit.one(select(col(Account.sealed)).where(Account.id == account.id).with_for_update())


def _are_same(unit: Unit, one: str, other: str) -> bool:
    """Whether the same secrets are sealed in both: where the key was changed meanwhile, only they are."""
    if one == other:
        return True
    try:
        return bool(one and other) and unit.ctx.vault.open(one) == unit.ctx.vault.open(other)
    except ValueError:
        return False


def renewed_values(expires_at: datetime | None, is_renewable: bool | None, now: datetime) -> dict[str, Any]:
    """The columns of an account whose access was just given or renewed."""
    return {
        "expires_at": expires_at, "is_renewable": is_renewable, "renew_at": renew_at(expires_at, is_renewable, now),
        "renewed_at": now, "renew_failures": 0, "renew_error": "", "renew_lease": None,
    }  # fmt: skip


async def _try_circuit(unit: Unit, account: Account, now: datetime) -> None:
    """Where ended access had opened the circuit, new access is tried at once."""
    opened = (col(Account.circuit) == CircuitState.open, col(Account.circuit_kind).in_(AUTH - {"revoked"}))
    if await unit.claim(Account, col(Account.id) == account.id, *opened, probe_at=now):
        unit.later("tend_accounts")


async def _failed(house: House, account: Account, error: ConnectorError) -> None:
    """Leave the words; try again later unless only a person can help."""
    now, failures = clock.now(), account.renew_failures + 1
    values: dict[str, Any] = {"renew_lease": None, "renew_failures": failures, "renew_error": error.human}
    if error.code == "expired":
        values |= {"is_renewable": False, "renew_at": None, "renew_failures": 0, "renew_error": ""}
    elif error.kind in (ErrorKind.auth_human, ErrorKind.permission, ErrorKind.account_risk):
        values |= {"renew_at": None}
    elif account.renew_at is not None:
        wait = min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_WAIT)
        values |= {"renew_at": max(now + wait, error.retry_at or now)}
    async with unit_of_work(house.ctx) as unit:
        # What is wrong with earlier secrets says nothing of those a person gave meanwhile.
        if _are_same(unit, account.sealed, await _sealed_now(unit, account)):
            await unit.claim(Account, col(Account.id) == account.id, **values)
            tell(unit, "accounts", account.id)


def _is_free(now: datetime) -> Any:
    return or_(col(Account.renew_lease).is_(None), col(Account.renew_lease) < now)
