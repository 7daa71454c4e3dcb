"""Reading platforms page by page: the platform is called outside any transaction, items and cursor move together."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.base import ConnectorError, ErrorKind, Page
from hub import clock, log
from hub.db import reading, unit_of_work
from hub.errors import NotFound
from hub.i18n import _, written
from hub.models import Account
from workflows import circuits
from workflows.house import House
from workflows.intake import notices, streams
from workflows.intake.arrivals import store
from workflows.intake.streams import Leased
from workflows.metering import BUDGET, Key, pace, standing, tallied
from workflows.tokens import Line

PAGES = 20
# A usual reading: what its first steps cost tells how often the calls of a day allow one.
USUAL_PAGES = 3
AT_ONCE = 8
BUDGET_OF_TIME = timedelta(seconds=30)
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=30)
# Waiting does not mend these: somebody must act, and asking again soon only annoys the platform.
FOR_PEOPLE = frozenset({ErrorKind.auth_human, ErrorKind.auth_expired, ErrorKind.permission, ErrorKind.account_risk})
_random = secrets.SystemRandom()
_log = log.get(__name__)


async def pull_due(house: House) -> int:
    """Read every stream whose time has come, a few at once; how many new items came. Safe to run twice."""
    await streams.make_missing(house)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(stream_id: int) -> int:
        async with gate:
            return await pull_stream(house, stream_id)

    return sum(await asyncio.gather(*[one(stream_id) for stream_id in await streams.due(house)]))


async def pull_stream(house: House, stream_id: int) -> int:
    """Read one stream to its end, at most 20 pages or 30 seconds; how many new items came.

    Nothing to do when somebody else reads it. A platform that fails leaves its words and the next time on the stream;
    what was stored before stays, with the cursor that covers it. A killed process is replaced when its lease ends.
    """
    leased = await streams.lease(house, stream_id)
    if leased is None:
        return 0
    with tallied() as spent:
        return await _walk(house, leased, spent)


async def _walk(house: House, leased: Leased, spent: Counter[Key]) -> int:
    line, connector = Line(house, leased.account), house.platforms[leased.account.platform]
    new, until = 0, clock.now() + BUDGET_OF_TIME
    usual: dict[Key, int] = {}  # a long walk is the exception, and must not keep the next reading waiting for hours
    for left in reversed(range(PAGES)):
        name, cursor = leased.name, leased.cursor
        try:
            page = await line.call(lambda ref, n=name, c=cursor: connector.pull(ref, n, c))  # type: ignore[misc]
        except ConnectorError as error:
            await _failed(house, leased, error)
            return new
        except Exception as error:  # noqa: BLE001 -- a connector's own fault must not leave the stream without a word
            _log.error("pull broke", stream=leased.id, error=type(error).__name__)
            await _failed(house, leased, _fault(error))
            return new
        if left >= PAGES - USUAL_PAGES:
            usual = dict(spent)
        more = page.more and left > 0 and clock.now() < until
        due_at = None if more else await _next(house, leased, page, usual)
        count, kept = await _keep(house, leased, page, due_at)
        new += count
        if kept is None:
            return new
        leased = kept
    return new


async def _keep(house: House, leased: Leased, page: Page, due_at: datetime | None) -> tuple[int, Leased | None]:
    """Store the page and its cursor in one transaction; the lease prolonged, or None when this was the last page
    (``due_at``: when the stream is read next).

    When the lease was lost meanwhile the items are stored all the same, the other reader's cursor stays.
    """
    now = clock.now()
    until = now + streams.LEASE
    values: dict[str, Any] = {"cursor": dict(page.cursor), "failures": 0, "error_kind": "", "error": ""}
    values |= {"lease_until": until} if due_at is None else {"due_at": due_at}
    if not page.more:
        values["pulled_at"] = now
    new = 0
    async with unit_of_work(house.ctx) as unit:
        if page.items or page.notices:
            account = await unit.get(Account, leased.account.id)
            if account is None:
                raise NotFound(_("账号已不存在"))
            new = len((await store(unit, account, page.items, "pull")).new)
            await notices.act(unit, account, page.notices)
        held = await streams.release(unit, leased.id, leased.lease_until, **values)
        if leased.is_recovering:
            await circuits.went_well(unit, leased.account.id)
    go_on = held and due_at is None
    return new, _moved(leased, page.cursor, until) if go_on else None


def _moved(leased: Leased, cursor: Mapping[str, Any], until: datetime) -> Leased:
    return replace(leased, cursor=cursor, failures=0, lease_until=until)


async def _next(house: House, leased: Leased, page: Page, spent: Mapping[Key, int]) -> datetime:
    """At once when the platform has more, else after its interval; slower where its budget would not last."""
    now, account = clock.now(), leased.account
    if page.more:
        return now
    connector = house.platforms[account.platform]
    every = timedelta(seconds=connector.limits(account).pull_every)
    if spent:
        shared = await streams.sharers(house, account)
        async with reading(house.ctx) as unit:
            every = max(every, pace(await standing(unit, account, connector.budgets(account)), spent, account, shared))
    return now + _about(every)


def _about(span: timedelta) -> timedelta:
    """Up to a tenth more or less, so that accounts do not all ask in the same second."""
    return span * _random.uniform(0.9, 1.1)


def wait_after(error: ConnectorError, failures: int, now: datetime) -> datetime:
    """When to ask again after the n-th failure in a row: what the platform said, else 15 s doubled up to 30 min."""
    wait = min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_WAIT)
    if error.kind in FOR_PEOPLE:
        wait = max(wait, LONGEST_WAIT / 2)
    return max(now + _about(wait), error.retry_at or now)


async def _failed(house: House, leased: Leased, error: ConnectorError) -> None:
    """Leave the words and the next time. Waiting for our own budget is no failure: nobody was asked."""
    now, waits = clock.now(), error.code == BUDGET
    failures = leased.failures if waits else leased.failures + 1
    due_at = _spread(error.retry_at or now) if waits else wait_after(error, failures, now)
    words = {"error_kind": error.kind.value, "error": error.human, "failures": failures, "due_at": due_at}
    async with unit_of_work(house.ctx) as unit:
        await streams.release(unit, leased.id, leased.lease_until, **words)
        await circuits.note(unit, leased.account.id, error)
    _log.warning("pull failed", stream=leased.id, platform=leased.account.platform, kind=error.kind.value)


def _spread(at: datetime) -> datetime:
    """Within two minutes after: when a window begins anew, not every account asks in its first second."""
    return at + timedelta(seconds=_random.uniform(0.0, 120.0))


def _fault(error: Exception) -> ConnectorError:
    words = written("程序出错（%(name)s），请把日志交给管理员", name=type(error).__name__)
    return ConnectorError(ErrorKind.bug, words)
