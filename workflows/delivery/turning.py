"""What happens to a delivery that may not pass the door now: later, held, missed, failed, each with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists
from sqlmodel import col, func, select

from hub import clock
from hub.db import Unit
from hub.i18n import DEFAULT, _, speaking, written
from hub.models import Account, Attempt, Delivery, DeliveryKind, DeliveryState, Pause, PauseScope, VideoJourney
from hub.policy.sending import sending
from workflows import circuits
from workflows.delivery import door
from workflows.delivery.ledger import change, settle
from workflows.delivery.states import VIDEO
from workflows.delivery.stopping import LIMITED

S = DeliveryState


async def turn_away(unit: Unit, delivery_id: int) -> DeliveryState | None:
    """Put a due delivery that did not pass where it belongs. None: not due, or an earlier one goes first."""
    now = clock.now()
    flags = await _flags(unit, delivery_id, now)
    if flags is None or flags.state is not S.waiting:
        return None
    waiting = col(Delivery.state) == S.waiting
    if flags.missed:
        return await _to(unit, delivery_id, waiting, S.missed, error=await _why_missed(unit, delivery_id, flags))
    if not flags.due:
        return None
    if flags.paused:
        return await hold(unit, delivery_id, await pause_reason(unit, flags.account_id))
    if not flags.active:
        return await hold(unit, delivery_id, _("账号已停用；启用后请决定立即发布、改期或作废"))
    if flags.broken:
        return await _wait_for_circuit(unit, delivery_id, flags.account_id, now)
    if not flags.approved:
        return await _to(
            unit, delivery_id, waiting, S.failed, error_kind="tampered", error=_("批准已失效或内容与批准的不一致")
        )
    return await _once_it_may(unit, delivery_id, flags, now)


async def _once_it_may(unit: Unit, delivery_id: int, flags: Any, now: datetime) -> DeliveryState | None:
    """Nothing is wrong with it: it goes out a little later by itself."""
    if flags.videoless:
        return await _wait_for_video(unit, delivery_id, now)
    if flags.limited:
        return await _later(unit, delivery_id, await _limit_of(unit, flags.account_id, now))
    if flags.overdue:
        return await _later(unit, delivery_id, await _window_opens(unit, flags.account_id, now))
    return None


async def hold(unit: Unit, delivery_id: int, reason: str) -> DeliveryState | None:
    """Keep it back until a person decides."""
    held = await settle(
        unit,
        delivery_id,
        col(Delivery.state) == S.waiting,
        state=S.held,
        attempt_at=None,
        held_reason=reason,
        settled_at=None,
    )
    return S.held if held else None


async def pause_reason(unit: Unit, account_id: int) -> str:
    """Why sending is paused for this account, in words; the wider pause first."""
    pause = await unit.first(
        select(Pause)
        .where(
            col(Pause.lifted_at).is_(None),
            (Pause.scope == PauseScope.everything) | (Pause.account_id == account_id),
        )
        .order_by(col(Pause.scope).desc(), col(Pause.id))
    )
    return words_of(pause) if pause else _("发布已暂停")


def words_of(pause: Pause) -> str:
    """A pause as the reason of what it holds back.

    Stored in the rows and found again by it when the pause is lifted: the same words in whatever language a person
    reads the pages.
    """
    with speaking(DEFAULT):
        if pause.scope is PauseScope.everything:
            return _("全部发布已暂停：%(reason)s", reason=pause.reason)
        return _("本账号的发布已暂停：%(reason)s", reason=pause.reason)


async def _flags(unit: Unit, delivery_id: int, now: datetime) -> Any:
    at = door.moments(now)
    broken = exists().where(col(Account.id) == col(Delivery.account_id), ~circuits.is_closed())
    rows = await unit.rows(
        select(  # type: ignore[call-overload]
            col(Delivery.account_id),
            col(Delivery.state),
            door.is_due(at).label("due"),
            door.is_missed(at).label("missed"),
            door.is_approved().label("approved"),
            door.is_paused().label("paused"),
            door.is_without_video(at).label("videoless"),
            door.is_limited(at).label("limited"),
            (door.is_overdue(at) & (door.sent_lately(at) >= unit.ctx.settings.overdue_per_minute)).label("overdue"),
            door.is_in_use().label("active"),
            broken.label("broken"),
        ).where(col(Delivery.id) == delivery_id)
    )
    return rows[0] if rows else None


async def _to(
    unit: Unit, delivery_id: int, condition: Any, state: DeliveryState, **values: Any
) -> DeliveryState | None:
    changed = await settle(unit, delivery_id, condition, state=state, attempt_at=None, **values)
    return state if changed else None


async def _later(unit: Unit, delivery_id: int, when: datetime) -> DeliveryState | None:
    changed = await change(unit, delivery_id, col(Delivery.state) == S.waiting, attempt_at=when)
    return S.waiting if changed else None


async def _wait_for_circuit(unit: Unit, delivery_id: int, account_id: int, now: datetime) -> DeliveryState | None:
    """It goes on by itself when the account works again, unless it is too late by then."""
    account = await unit.get(Account, account_id)
    assert account is not None
    when = max(account.probe_at or now, now) + circuits.HELD_FOR
    waiting = col(Delivery.state) == S.waiting
    words = {"error_kind": circuits.HELD, "error": circuits.words_of(account)}
    return S.waiting if await change(unit, delivery_id, waiting, attempt_at=when, **words) else None


async def _why_missed(unit: Unit, delivery_id: int, flags: Any) -> str:
    """Its time is over; whose video was still on the way is told why."""
    if not flags.videoless:
        return _("已过最晚发布时间，系统不会自行补发")
    journey = await unit.get(VideoJourney, delivery_id)
    if journey is not None and journey.error:
        return written("已过最晚发布时间，视频没有传到平台：%(why)s", why=journey.error)
    return written("已过最晚发布时间，视频还没有传到平台，系统不会自行补发")


async def _wait_for_video(unit: Unit, delivery_id: int, now: datetime) -> DeliveryState | None:
    """It goes out as soon as its video is there, unless it is too late by then; whoever uploads wakes it."""
    waiting = col(Delivery.state) == S.waiting
    words = {"error_kind": VIDEO, "error": written("视频还没有传到平台，传完马上发出")}
    unit.later("upload_videos")
    changed = await change(unit, delivery_id, waiting, attempt_at=now + sending().video_look, **words)
    return S.waiting if changed else None


async def _limit_of(unit: Unit, account_id: int, now: datetime) -> datetime:
    """When the platform lets this account go on."""
    until = await unit.one(
        select(func.max(Delivery.attempt_at)).where(
            Delivery.account_id == account_id,
            Delivery.state == S.waiting,
            col(Delivery.error_kind).in_(LIMITED),
        )
    )
    return until or now + timedelta(seconds=1)


async def _window_opens(unit: Unit, account_id: int, now: datetime) -> datetime:
    """When the oldest post of the last minute is a minute old."""
    oldest = await unit.one(
        select(func.min(Attempt.started_at))
        .join(Delivery, col(Delivery.id) == col(Attempt.delivery_id))
        .where(
            Delivery.account_id == account_id,
            Delivery.kind == DeliveryKind.post,
            col(Attempt.started_at) > now - door.MINUTE,
        )
    )
    return (oldest or now) + door.MINUTE + timedelta(milliseconds=50)
