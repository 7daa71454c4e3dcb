"""One circuit per account: after repeated failures, or at once when a person must act, nothing is asked or sent.

Open: streams are not read and deliveries wait with the reason. It closes when a cheap call goes well again (tried at
growing distances, where trying may help), or when a person says that it is mended. What it holds goes on by itself.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlmodel import col, select

from connectors.base import ConnectorError, ErrorKind, Health
from hub import audit, clock, log
from hub.db import Unit, reading, unit_of_work
from hub.errors import NotAllowed, NotFound, Refused
from hub.feed import tell
from hub.i18n import _, written
from hub.models import Account, CircuitState, Delivery, DeliveryState, Stream
from hub.rights import Actor, May, system
from workflows.house import House
from workflows.metering import BUDGET
from workflows.tokens import Line

K = ErrorKind
# A person must act: one such answer is enough.
AT_ONCE = frozenset({K.auth_human, K.auth_expired, K.account_risk})
# Each may pass by itself; so many in a row do not.
COUNTED = frozenset({K.transient, K.protocol, K.bug})
IN_A_ROW = 6
# Kinds of an open circuit that no trying mends.
REVOKED = "revoked"
BY_HAND_ONLY = frozenset({K.account_risk.value, REVOKED})
FIRST_PROBE = timedelta(minutes=1)
LONGEST = {K.auth_human.value: timedelta(hours=6), K.auth_expired.value: timedelta(hours=6)}
LONGEST_PROBE = timedelta(minutes=30)
PROBING = timedelta(minutes=2)
BATCH, TRIED_AT_ONCE = 20, 8
# The mark of deliveries that wait for the circuit, and how long at most before they ask again.
HELD = "circuit"
HELD_FOR = timedelta(minutes=10)
_random = secrets.SystemRandom()
_log = log.get(__name__)


def is_closed() -> ColumnElement[bool]:
    """The condition that calls on the account may be made."""
    return col(Account.circuit) == CircuitState.closed


async def note(unit: Unit, account_id: int, error: ConnectorError) -> bool:
    """Write a failed call down; True when it opened the circuit. Costs nothing for failures that say nothing of it."""
    if error.code in (BUDGET, "address"):
        return False
    if error.kind in AT_ONCE:
        return await trip(unit, account_id, error.kind.value, error.human)
    if error.kind not in COUNTED:
        return False
    counted = (
        update(Account)
        .where(col(Account.id) == account_id, is_closed())
        .values(failures=Account.failures + 1)
        .returning(col(Account.failures))
    )
    failures = (await unit.run(counted)).scalar_one_or_none() or 0
    if failures < IN_A_ROW:
        return False
    return await trip(unit, account_id, error.kind.value, error.human)


async def went_well(unit: Unit, account_id: int) -> None:
    """A call of an account that had failed before went well: begin to count anew."""
    failing = (col(Account.failures) > 0) | (col(Account.trips) > 0)
    await unit.claim(Account, col(Account.id) == account_id, is_closed(), failing, failures=0, trips=0)


async def trip(unit: Unit, account_id: int, kind: str, reason: str) -> bool:
    """Open the circuit; False when it is open already or the account is gone."""
    now = clock.now()
    account = await unit.first(
        select(Account).where(Account.id == account_id).execution_options(populate_existing=True)
    )
    if account is None:
        return False
    opened = await unit.claim(
        Account, col(Account.id) == account_id, is_closed(), circuit=CircuitState.open, circuit_kind=kind,
        circuit_reason=reason, circuit_since=now, probe_at=next_probe(kind, account.trips + 1, now),
        trips=account.trips + 1,
    )  # fmt: skip
    if opened:
        await audit.record(unit, system(), "account.circuit_open", f"account/{account_id}", kind=kind, reason=reason)
        tell(unit, "accounts", account_id)
        _log.warning("circuit_open", account=account_id, kind=kind)
    return opened


def next_probe(kind: str, trips: int, now: datetime) -> datetime | None:
    """When to try by itself after the n-th opening in a row: a minute, doubled; None where only a person mends it."""
    if kind in BY_HAND_ONLY:
        return None
    wait = min(FIRST_PROBE * 2 ** min(max(trips, 1) - 1, 12), LONGEST.get(kind, LONGEST_PROBE))
    return now + timedelta(seconds=wait.total_seconds() * _random.uniform(0.9, 1.1))


async def close(unit: Unit, actor: Actor, account_id: int) -> Account:
    """A person says it is mended: everything goes on at once. Opens again when it is not. Safe to repeat."""
    if not actor.can(May.manage_accounts):
        raise NotAllowed(_("你没有管理账号的权限。"))
    account = await unit.get(Account, account_id)
    if account is None:
        raise NotFound(_("没有这个账号。"))
    if account.disconnected_at is not None:
        raise Refused([_("账号已断开，凭据已销毁。要再用，请重新填写凭据。")])
    if account.circuit is CircuitState.open:
        kind = account.circuit_kind
        await shut(unit, account_id)
        await audit.record(unit, actor, "account.circuit_close", f"account/{account_id}", kind=kind)
    return account


async def shut(unit: Unit, account_id: int, **values: Any) -> bool:
    """Close it and let go what waited for it: streams are read, deliveries are tried at once."""
    now = clock.now()
    # In the order in which calls write their rows: streams and deliveries first, the account last.
    await unit.run(
        update(Stream)
        .where(col(Stream.account_id) == account_id, col(Stream.error_kind) != "")
        .values(due_at=now, failures=0, error="", error_kind="")
    )
    held = (col(Delivery.account_id) == account_id, col(Delivery.state) == DeliveryState.waiting)
    await unit.run(
        update(Delivery).where(*held, col(Delivery.error_kind) == HELD).values(attempt_at=now, error_kind="", error="")
    )
    clean = {"circuit_kind": "", "circuit_reason": "", "circuit_since": None, "probe_at": None, "failures": 0}
    closed = await unit.claim(
        Account, col(Account.id) == account_id, col(Account.circuit) == CircuitState.open,
        circuit=CircuitState.closed, **{**clean, **values},
    )  # fmt: skip
    tell(unit, "accounts", account_id)
    unit.later("pull_due")
    unit.later("sweep_deliveries")
    return closed


def words_of(account: Account) -> str:
    """Why nothing leaves on an account whose circuit is open: kept in the deliveries that wait."""
    return written("账号已自动停用，暂不发送：%(why)s", why=account.circuit_reason)


async def probe_due(house: House) -> int:
    """Try the accounts whose time has come with one cheap call each; how many work again. Safe to run anywhere."""
    now = clock.now()
    waiting = (
        select(Account)
        .where(col(Account.circuit) == CircuitState.open, col(Account.probe_at) <= now)
        .order_by(col(Account.probe_at))
        .limit(BATCH)
    )
    async with reading(house.ctx) as unit:
        accounts = await unit.all(waiting)
    gate = asyncio.Semaphore(TRIED_AT_ONCE)

    async def one(account: Account) -> bool:
        async with gate:
            return await _probe(house, account)

    return sum(await asyncio.gather(*[one(account) for account in accounts]))


async def _probe(house: House, account: Account) -> bool:
    """One account; the next try is set before the call, so that several workers try once."""
    number = account.id or 0
    async with unit_of_work(house.ctx) as unit:
        mine = (col(Account.id) == number, col(Account.circuit) == CircuitState.open)
        if not await unit.claim(
            Account, *mine, col(Account.probe_at) == account.probe_at, probe_at=clock.now() + PROBING
        ):
            return False
    if account.platform not in house.platforms:
        return False
    error = await _ask(house, account)
    async with unit_of_work(house.ctx) as unit:
        if error is None:
            return await shut(unit, number)
        kind = error.kind.value if error.kind in AT_ONCE | COUNTED else account.circuit_kind
        again = next_probe(kind, account.trips + 1, clock.now())
        if again and error.retry_at:
            again = max(again, error.retry_at)
        await unit.claim(
            Account, *mine, circuit_kind=kind, circuit_reason=error.human, probe_at=again, trips=account.trips + 1
        )
        tell(unit, "accounts", number)
    return False


async def _ask(house: House, account: Account) -> ConnectorError | None:
    """What is still wrong, or None."""
    connector = house.platforms[account.platform]
    try:
        health: Health = await Line(house, house.ref(account)).call(connector.check)
    except ConnectorError as error:
        return error
    except Exception as error:  # noqa: BLE001 -- a connector's own fault: the account stays as it is
        _log.error("probe broke", account=account.id, error=type(error).__name__)
        return ConnectorError(K.bug, written("程序出错（%(name)s），请把日志交给管理员", name=type(error).__name__))
    return None if health.ok else not_accepted(health)


def not_accepted(health: Health) -> ConnectorError:
    """What an answer comes to that credentials are worth nothing: a person must act."""
    return ConnectorError(K.auth_human, health.note or written("平台不认可这些凭据，需要重新授权"))
