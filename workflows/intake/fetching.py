"""Fetching the pictures that wait: leased row by row, no transaction open while another server is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from connectors.base import AccountRef, Attached, ConnectorError, ErrorKind, Purpose
from connectors.media import SECONDS, fetch
from hub import clock, feed, log
from hub.db import Unit, reading, unit_of_work
from hub.i18n import written
from hub.models import (
    Account,
    Arrival,
    Case,
    Message,
    OutsidePicture,
    PictureState,
)
from workflows.house import House
from workflows.intake import files

# Longer than one attempt may take: when it is over, whoever had it is gone.
LEASE = timedelta(seconds=SECONDS + 30)
# Before each further attempt; after the last one it is given up.
WAITS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
MOST_ATTEMPTS = len(WAITS) + 1
# What may go better later; everything else is given up at once, and a person may ask again.
_PASSES = (ErrorKind.transient, ErrorKind.rate_limited, ErrorKind.quota_day, ErrorKind.auth_expired)
_BUDGET = timedelta(seconds=30)
_LOOKED_AT = 20
_log = log.get(__name__)


async def fetch_waiting(house: House) -> int:
    """Fetch what is due until nothing is left or 30 seconds are over; how many were tried. Safe to run twice and
    beside others: each row is leased, and what a killed process leaves is due again when its lease ends."""
    until, tried = clock.now() + _BUDGET, 0
    while clock.now() < until and (picture := await _take(house)) is not None:
        await _try(house, picture)
        tried += 1
    return tried


async def _take(house: House) -> OutsidePicture | None:
    """The one that has waited longest, leased to this process."""
    now = clock.now()
    is_due = col(OutsidePicture.due_at) <= now
    oldest = (col(OutsidePicture.due_at), col(OutsidePicture.id))
    async with reading(house.ctx) as unit:
        due = await unit.all(select(OutsidePicture).where(is_due).order_by(*oldest).limit(_LOOKED_AT))
    for one in due:
        same = (col(OutsidePicture.id) == one.id, col(OutsidePicture.attempts) == one.attempts, is_due)
        async with unit_of_work(house.ctx) as unit:
            claimed = await unit.claim(OutsidePicture, *same, attempts=one.attempts + 1, due_at=now + LEASE)
        if claimed:
            one.attempts += 1
            return one
    return None


async def _try(house: House, picture: OutsidePicture) -> None:
    if picture.attempts > MOST_ATTEMPTS:
        await _give_up(house, picture, written("取回时程序多次中断"))
        return
    try:
        data = await _bytes(house, picture)
    except ConnectorError as error:
        _log.info("picture not fetched", picture=picture.id, kind=error.kind.value, code=error.code)
        await _failed(house, picture, error)
        return
    except Exception as error:  # noqa: BLE001 -- a connector's own fault must not keep the other pictures waiting
        _log.error("picture broke", picture=picture.id, error=type(error).__name__)
        await _give_up(house, picture, written("程序出错（%(name)s），请把日志交给管理员", name=type(error).__name__))
        return
    found = files.judged(Attached(written("图片%(n)s", n=picture.number + 1), data))
    if found is None or not found.is_picture:
        await _give_up(house, picture, written("那里给出的不是图片（或者是不收的格式）"))
    else:
        await _keep(house, picture, found)


async def _bytes(house: House, picture: OutsidePicture) -> bytes:
    account = await _account(house, picture)
    query = await house.platforms[account.platform].media_query(account, picture.url)
    live = house.ctx.settings.live
    return await fetch(picture.url, live=live, most=files.MOST_BYTES, query=query, clock=clock.now)


async def _account(house: House, picture: OutsidePicture) -> AccountRef:
    async with reading(house.ctx) as unit:
        theirs = select(Account).join(Arrival, col(Arrival.account_id) == col(Account.id))
        return house.ref(await unit.one(theirs.where(Arrival.id == picture.arrival_id)), Purpose.reading)


async def _failed(house: House, picture: OutsidePicture, error: ConnectorError) -> None:
    if error.kind not in _PASSES or picture.attempts >= MOST_ATTEMPTS:
        await _give_up(house, picture, error.human)
        return
    now = clock.now()
    due_at = max(now + WAITS[picture.attempts - 1], error.retry_at or now)
    async with unit_of_work(house.ctx) as unit:
        await _end(unit, picture, due_at=due_at, error=error.human)


async def _give_up(house: House, picture: OutsidePicture, why: str) -> None:
    async with unit_of_work(house.ctx) as unit:
        if await _end(unit, picture, state=PictureState.given_up, due_at=None, error=why):
            await _tell(unit, await _message(unit, picture))


async def _keep(house: House, picture: OutsidePicture, found: files.Judged) -> None:
    """File, bytes and the message's new address of it, or none of them."""
    async with unit_of_work(house.ctx) as unit:
        if not await _end(unit, picture, state=PictureState.kept, due_at=None, error="", since=clock.now()):
            return
        row = await files.put(unit, picture.arrival_id, files.number_of_fetched(picture.number), found)
        message = await _message(unit, picture)
        kept = {**message.media[picture.number], "url": files.address(row), "source": picture.url}
        message.media = [kept if place == picture.number else one for place, one in enumerate(message.media)]
        await _tell(unit, message)


async def _end(unit: Unit, picture: OutsidePicture, **values: Any) -> bool:
    """Whether the attempt was still ours: after the lease somebody else may have begun another one."""
    mine = (
        col(OutsidePicture.id) == picture.id, col(OutsidePicture.attempts) == picture.attempts,
        col(OutsidePicture.state) == PictureState.waiting,
    )  # fmt: skip
    return await unit.claim(OutsidePicture, *mine, **values)


async def _message(unit: Unit, picture: OutsidePicture) -> Message:
    """Locked: two pictures of one message may come at the same moment."""
    return await unit.one(select(Message).where(Message.arrival_id == picture.arrival_id).with_for_update())


async def _tell(unit: Unit, message: Message) -> None:
    feed.tell(unit, "messages", message.id)
    case = await unit.get(Case, message.case_id) if message.case_id else None
    if case is not None:
        feed.tell(unit, "cases", case.id, case.department_id)
