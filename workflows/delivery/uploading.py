"""Videos on their way to their platforms, step by step, before their post's minute.

A journey is a row: whoever has its lease takes the next step and writes down what came of it, so a killed worker's
video goes on where it was. Nobody sees a video no post shows: whatever fails is done again, never "perhaps sent".
The door lets nothing out whose video is not there; only what never gets better ends a delivery here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import exists, or_, update
from sqlmodel import col, select

from connectors.base import ConnectorError, ErrorKind, Outgoing, Uploaded, Uploading
from connectors.videos import against_video
from hub import clock, log
from hub.db import Unit, reading, unit_of_work
from hub.i18n import written
from hub.models import Account, Delivery, DeliveryState, VideoJourney
from hub.policy.sending import sending
from workflows import circuits
from workflows.delivery import door
from workflows.delivery.ledger import change, settle, tell_pages
from workflows.delivery.outbox import outgoing
from workflows.delivery.progress import percent
from workflows.delivery.states import VIDEO
from workflows.delivery.stopping import LIMITED
from workflows.house import House
from workflows.metering import BUDGET
from workflows.pictures.fitting import form_of
from workflows.pictures.ready import Altered, ready
from workflows.tokens import Line
from workflows.videos import store
from workflows.videos.placed import placed_video

# One run works on what is due for about so long.
TURN = timedelta(seconds=30)
# Never get better by trying again.
FINAL = frozenset({ErrorKind.content_rejected, ErrorKind.target_refuses, ErrorKind.duplicate, ErrorKind.window_closed})
TAMPERED = "tampered"
S = DeliveryState
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Trip:
    """A journey in the hands of this process until its lease ends."""

    delivery_id: int
    holder: str


@dataclass(frozen=True, slots=True)
class Load:
    """What one step works with: the rows as they stand, and what goes out."""

    delivery: Delivery
    account: Account
    journey: VideoJourney
    out: Outgoing
    path: Path


class Spoilt(Exception):
    """It will not go out as it stands: ``kind`` as in the delivery's row, and why."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind, self.why = kind, why


async def upload_videos(house: House) -> int:
    """Bring whatever is due a few steps further, for about half a minute; how many journeys were worked on.

    Safe to run in any number of processes and overlapping: each journey is leased.
    """
    worked, ends = 0, clock.now() + TURN
    while (trip := await _claim(house)) is not None:
        async with _leased(house, trip):
            while await _step(house, trip):
                pass
        worked += 1
        if clock.now() > ends:
            break
    return worked


async def begin_again(unit: Unit, delivery_id: int) -> None:
    """A person wants it tried: at once, from the start unless the platform has it all."""
    nothing: dict[str, str] = {}
    mine = col(VideoJourney.delivery_id) == delivery_id, col(VideoJourney.ref).is_(None)
    await unit.run(update(VideoJourney).where(*mine).values(**_CLEAN, next_at=clock.now(), state=nothing, done=0))
    unit.later("upload_videos")


async def bring_anew(unit: Unit, delivery_id: int) -> None:
    """What was there is not any more: from the start."""
    mine = col(VideoJourney.delivery_id) == delivery_id
    fresh: dict[str, Any] = {"state": {}, "done": 0, "ref": None, "until": None, "next_at": clock.now()}
    await unit.run(update(VideoJourney).where(mine).values(**fresh))
    unit.later("upload_videos")


_CLEAN: dict[str, Any] = {"failures": 0, "error_kind": "", "error": ""}


# Whose turn it is -----------------------------------------------------------------------------------------------------


async def _claim(house: House) -> Trip | None:
    """The most urgent journey nobody works on, leased; None when nothing is due."""
    now = clock.now()
    async with reading(house.ctx) as unit:
        due = await unit.all(
            select(VideoJourney.delivery_id)
            .join(Delivery, col(Delivery.id) == col(VideoJourney.delivery_id))
            .where(*_is_due(now), _is_free(now))
            .order_by(col(Delivery.scheduled_at), col(Delivery.id))
            .limit(20)
        )
    for delivery_id in due:
        trip = Trip(delivery_id, secrets.token_hex(8))
        async with unit_of_work(house.ctx) as unit:
            mine = (col(VideoJourney.delivery_id) == delivery_id, _is_free(now), col(VideoJourney.next_at) <= now)
            if await unit.claim(VideoJourney, *mine, holder=trip.holder, lease_until=now + sending().video_lease):
                return trip
    return None


def _is_due(now: datetime) -> tuple[Any, ...]:
    """It will go out soon, may go out, and its video is not there, or soon no longer."""
    at = door.moments(now)
    return (
        col(Delivery.state) == S.waiting,
        col(Delivery.scheduled_at) <= now + sending().video_ahead,
        or_(col(VideoJourney.ref).is_(None), col(VideoJourney.until).is_not(None)),
        col(VideoJourney.next_at) <= now,
        ~door.is_missed(at),
        door.is_approved(),
        door.is_in_use(),
        ~door.is_paused(),
        exists().where(col(Account.id) == col(Delivery.account_id), circuits.is_closed()),
    )


def _is_free(now: datetime) -> Any:
    return or_(col(VideoJourney.lease_until).is_(None), col(VideoJourney.lease_until) < now)


@asynccontextmanager
async def _leased(house: House, trip: Trip) -> AsyncIterator[None]:
    """The lease is kept up while a step takes its time, and given back at the end."""
    keeping = asyncio.create_task(_keep(house, trip), name=f"video-lease-{trip.delivery_id}")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await house.see_through(_give_back(house, trip))


async def _keep(house: House, trip: Trip) -> None:
    lease = sending().video_lease
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        try:
            async with unit_of_work(house.ctx) as unit:
                await _note(unit, trip, lease_until=clock.now() + lease)
        except Exception:  # noqa: BLE001 -- the database is away: the lease may end, the step's outcome is then dropped
            _log.exception("video_lease_not_kept", delivery=trip.delivery_id)


async def _give_back(house: House, trip: Trip) -> None:
    async with unit_of_work(house.ctx) as unit:
        await _note(unit, trip, holder="", lease_until=None)


async def _note(unit: Unit, trip: Trip, **values: Any) -> bool:
    """Write something down, unless the journey has passed into other hands."""
    mine = col(VideoJourney.delivery_id) == trip.delivery_id, col(VideoJourney.holder) == trip.holder
    return await unit.claim(VideoJourney, *mine, **values)


# One step -------------------------------------------------------------------------------------------------------------


async def _step(house: House, trip: Trip) -> bool:
    """Take the next step and keep what came of it; True when the one after it may follow at once."""
    try:
        load_ = await _loaded(house, trip)
        if load_ is None:
            return False
        answer = await _asked(house, load_)
        if isinstance(answer, Uploaded):
            await _unaltered(load_.path, load_.out, "")
    except Spoilt as spoilt:
        await _spoil(house, trip, spoilt)
        return False
    async with unit_of_work(house.ctx) as unit:
        if isinstance(answer, ConnectorError):
            await _failed(unit, trip, load_, answer)
            return False
        if load_.account.failures or load_.account.trips:
            await circuits.went_well(unit, load_.account.id or 0)
        if isinstance(answer, Uploaded):
            await _arrived(unit, trip, load_, answer)
            return False
        return await _went_on(unit, trip, load_, answer)


async def _loaded(house: House, trip: Trip) -> Load | None:
    """Everything for a step; None when it is no longer due or ours. :class:`Spoilt` for what must not go out."""
    now = clock.now()
    async with reading(house.ctx) as unit:
        found = await unit.session.exec(
            select(Delivery, VideoJourney)
            .join(VideoJourney, col(VideoJourney.delivery_id) == col(Delivery.id))
            .where(col(Delivery.id) == trip.delivery_id, col(VideoJourney.holder) == trip.holder, *_is_due(now))
        )
        row = found.first()
        account = await unit.get(Account, row[0].account_id) if row else None
    if row is None or account is None or account.platform not in house.platforms:
        return None
    delivery, journey = row
    video = placed_video(delivery.video)
    if video is None or not door.is_intact(delivery):
        raise Spoilt(TAMPERED, written("待发内容与批准时的指纹不一致"))
    connector, ref = house.connector(account), house.ref(account)
    form = form_of(connector.post_forms(ref), delivery.form)
    path = store.path_of(house.ctx.settings, video.sha256)
    try:
        pictures = await ready(house, delivery.attachments, form)
    except Altered:
        raise Spoilt(TAMPERED, written("配图已不在，或与批准的不一致")) from None
    out = outgoing(delivery, pictures, video.going_out(path))
    is_first = journey.ref is not None or not journey.state
    if is_first and (problems := [*against_video(out, form), *connector.validate(ref, out)]):
        raise Spoilt(ErrorKind.content_rejected.value, "；".join(dict.fromkeys(one.text for one in problems)))
    stamp = await _unaltered(path, out, journey.stamp)
    if stamp != journey.stamp or journey.ref is not None:
        await _set_out(house, trip, journey, stamp)
    return Load(delivery, account, journey, out, path)


async def _set_out(house: House, trip: Trip, journey: VideoJourney, stamp: str) -> None:
    """Remember the file's marks; what the platform is about to forget begins anew."""
    values: dict[str, Any] = {"stamp": stamp}
    if journey.ref is not None:
        values |= {"state": {}, "done": 0, "ref": None, "until": None}
    async with unit_of_work(house.ctx) as unit:
        await _note(unit, trip, **values)
    for name, value in values.items():
        setattr(journey, name, value)


async def _unaltered(path: Path, out: Outgoing, known: str) -> str:
    """The file's marks, once its bytes are those that were approved; they are read anew when the marks are not
    ``known``."""
    assert out.video is not None
    try:
        stamp = await asyncio.to_thread(store.stamp, path)
        if stamp != known and await asyncio.to_thread(store.digest, path) != out.video.sha256:
            raise Spoilt(TAMPERED, written("视频文件与批准的不一致，没有发出"))
    except OSError:
        raise Spoilt(TAMPERED, written("视频文件已不在或读不出来，没有发出")) from None
    return stamp


async def _asked(house: House, load_: Load) -> Uploading | Uploaded | ConnectorError:
    """The platform call, every failure turned into an answer. No transaction is open."""
    line, connector = Line(house, house.ref(load_.account)), house.connector(load_.account)
    try:
        async with asyncio.timeout(sending().video_step.total_seconds()):
            return await line.call(lambda ref: connector.upload(ref, load_.out, dict(load_.journey.state)))
    except TimeoutError:
        return ConnectorError(ErrorKind.transient, written("平台没有在限定时间内收下这一段视频"), code="timeout")
    except ConnectorError as error:
        return error
    except Exception as error:  # noqa: BLE001 -- a fault of ours; nobody saw anything, the next try tells more
        _log.exception("upload_fault", delivery=load_.delivery.id, platform=load_.account.platform)
        return ConnectorError(ErrorKind.bug, written("程序出错，视频没有传完"), code=type(error).__name__)


# What came of it ------------------------------------------------------------------------------------------------------


async def _went_on(unit: Unit, trip: Trip, load_: Load, answer: Uploading) -> bool:
    now = clock.now()
    next_at = answer.again_at or now
    values = {"state": dict(answer.state), "done": answer.done, "next_at": next_at, **_CLEAN}
    if not await _note(unit, trip, **values):
        return False
    size = load_.out.video.size if load_.out.video else 1
    if percent(answer.done, size) // 5 != percent(load_.journey.done, size) // 5 or load_.journey.error:
        await tell_pages(unit, load_.delivery)
    return next_at <= now


async def _arrived(unit: Unit, trip: Trip, load_: Load, answer: Uploaded) -> None:
    """The platform has it all: what waits for it is woken."""
    now, size = clock.now(), load_.out.video.size if load_.out.video else 0
    values = {
        "ref": dict(answer.ref), "until": answer.until, "uploaded_at": now, "state": {}, "done": size,
        "next_at": _anew_at(now, answer.until), **_CLEAN,
    }  # fmt: skip
    if not await _note(unit, trip, **values):
        return
    waits = col(Delivery.state) == S.waiting, col(Delivery.error_kind) == VIDEO
    woken = await change(unit, trip.delivery_id, *waits, attempt_at=now, error_kind="", error="")
    if woken is None:
        await tell_pages(unit, load_.delivery)
    unit.later("send_delivery", str(trip.delivery_id))
    _log.info("video_uploaded", delivery=trip.delivery_id, bytes=size)


def _anew_at(now: datetime, until: datetime | None) -> datetime:
    """When to bring it there again: before the platform forgets it, yet never at once after it has arrived."""
    if until is None:
        return now
    margin = min(sending().video_forgotten, (until - now) / 3)
    return max(until - margin, now + sending().video_lease)


async def _failed(unit: Unit, trip: Trip, load_: Load, error: ConnectorError) -> None:
    """Later, from where it was; anew where the platform has forgotten it; never where that cannot help."""
    now, failures = clock.now(), load_.journey.failures + 1
    if error.kind in FINAL:
        await _end(unit, trip, error.kind.value, error.human)
        return
    values: dict[str, Any] = {"error_kind": error.kind.value, "error": error.human}
    if error.code == BUDGET or error.kind.value in LIMITED:
        values["next_at"] = error.retry_at or now + sending().rate_limited
    elif error.kind in circuits.AT_ONCE:
        await circuits.note(unit, load_.account.id or 0, error)
        values["next_at"] = now + circuits.HELD_FOR
    else:
        if failures > sending().tries and error.kind is not ErrorKind.transient:
            await _end(unit, trip, error.kind.value, error.human)
            return
        wait = min(sending().wait(failures), sending().video_longest_wait)
        values |= {"failures": failures, "next_at": max(now + wait, error.retry_at or now)}
        if error.kind is ErrorKind.not_found:
            values |= {"state": {}, "done": 0}
    if await _note(unit, trip, **values):
        await tell_pages(unit, load_.delivery)
    _log.info("video_step_failed", delivery=trip.delivery_id, kind=error.kind.value, code=error.code)


async def _spoil(house: House, trip: Trip, spoilt: Spoilt) -> None:
    async with unit_of_work(house.ctx) as unit:
        await _end(unit, trip, spoilt.kind, spoilt.why)


async def _end(unit: Unit, trip: Trip, kind: str, why: str) -> None:
    """The delivery fails here, before its time: the earlier somebody knows, the better."""
    nothing: dict[str, Any] = {"state": {}, "done": 0, "ref": None, "until": None, "error_kind": kind, "error": why}
    if not await _note(unit, trip, **nothing):
        return
    waiting = col(Delivery.state) == S.waiting
    await settle(unit, trip.delivery_id, waiting, state=S.failed, attempt_at=None, error_kind=kind, error=why)
