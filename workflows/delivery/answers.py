"""What a platform's answer makes of a delivery: the second transaction of every sending."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import col, func, select

from connectors.base import ByHand, ConnectorError, Done, Effect, ErrorKind, Outcome, Pending
from hub import clock
from hub.db import Unit
from hub.i18n import _
from hub.models import Attempt, AttemptResult, Delivery, DeliveryKind, DeliveryState, Post, Reply, User
from hub.policy.sending import sending
from workflows import circuits
from workflows.delivery.door import Ticket
from workflows.delivery.ledger import CLEAN, OPEN_TO_ANSWERS, change, close_attempt, settle
from workflows.delivery.states import VIDEO
from workflows.delivery.stopping import LIMITED, UNTRIED
from workflows.delivery.uploading import bring_anew
from workflows.metering import BUDGET

S = DeliveryState
# The option of an account that names, by sign-in name, who publishes there by hand.
ASSIGNEE = "assignee"
# The attempt's error kinds that are not the platform's: it works on it; it says it has it.
PENDING = "pending"
# How often a video is brought to a platform that says it does not know it.
MOST_ANEW = 2
ACCEPTED = "accepted"


async def end(unit: Unit, ticket: Ticket, answer: Outcome | ConnectorError) -> DeliveryState | None:
    """Record the answer. None when this attempt is no longer the one that counts (its lease had run out)."""
    state = await _end(unit, ticket, answer)
    if isinstance(answer, ConnectorError):
        # What may pass by itself is tried again and given to a person in the end; only reading counts it.
        if answer.kind in circuits.AT_ONCE:
            await circuits.note(unit, ticket.account.id or 0, answer)
    elif ticket.account.failures or ticket.account.trips:
        await circuits.went_well(unit, ticket.account.id or 0)
    return state


async def _end(unit: Unit, ticket: Ticket, answer: Outcome | ConnectorError) -> DeliveryState | None:
    if isinstance(answer, Done):
        # Our own clock: a platform's is whole seconds and may be off, and lateness is measured from this.
        done = Done(answer.external_id, answer.url, extra=answer.extra)
        return await record_sent(unit, ticket.delivery, ticket.attempt.number, done, AttemptResult.done)
    if isinstance(answer, Pending):
        return await _record_pending(unit, ticket, answer)
    if isinstance(answer, ByHand):
        return await hand_over(unit, ticket, answer)
    if answer.effect is not Effect.not_done:
        return await record_unknown(unit, ticket, answer)
    if answer.code == BUDGET:
        return await _wait(unit, ticket, answer, answer.retry_at or clock.now() + sending().rate_limited, kind=BUDGET)
    if answer.kind in circuits.AT_ONCE:
        return await _wait(unit, ticket, answer, clock.now() + circuits.HELD_FOR, kind=circuits.HELD)
    if answer.kind.value in LIMITED:
        return await _record_limited(unit, ticket, answer)
    if answer.kind is ErrorKind.transient:
        return await _record_transient(unit, ticket, answer)
    if answer.kind is ErrorKind.not_found and ticket.uploaded is not None:
        return await _record_forgotten(unit, ticket, answer)
    return await record_failed(unit, ticket, answer.kind.value, answer.human, AttemptResult.refused)


async def hand_over(unit: Unit, ticket: Ticket, answer: ByHand) -> DeliveryState | None:
    """No program can do it there: it waits for a person with the steps to take, reminded as time passes.

    The office's own patience is for programs; only a latest time that a post names itself makes it missed.
    """
    delivery, now = ticket.delivery, clock.now()
    post = await unit.get(Post, delivery.post_id) if delivery.post_id else None
    latest_at = post.latest_at if post else None
    changed = await settle(
        unit,
        delivery.id or 0,
        *_still_ours(ticket.attempt.number),
        **CLEAN,
        state=S.by_hand,
        steps=list(answer.steps),
        assignee_id=delivery.assignee_id or await _hand_of(unit, ticket, post),
        latest_at=latest_at,
        reminders=0,
        lease_until=None,
        attempt_at=next_reminder(delivery.scheduled_at, now, latest_at),
        settled_at=None,
    )
    return S.by_hand if changed else None


async def _hand_of(unit: Unit, ticket: Ticket, post: Post | None) -> int | None:
    """Whose work it is: the account's person (by sign-in name), else who wrote it."""
    named = str(ticket.account.options.get(ASSIGNEE, "")).strip()
    if named:
        found = await unit.first(select(col(User.id)).where(User.username == named, col(User.is_active)))
        if found is not None:
            return found
    reply = await unit.get(Reply, ticket.delivery.reply_id) if ticket.delivery.reply_id else None
    return post.author_id if post else reply.author_id if reply else None


def next_reminder(due_at: datetime, now: datetime, latest_at: datetime | None = None) -> datetime:
    """When to remind next: soon after it was due, at the end of that day, then every morning; never after the latest
    time, at which it is missed.
    """
    pack, day = sending(), clock.local(due_at).date()
    ends = clock.at_local(day, pack.hand_day_ends.hour, pack.hand_day_ends.minute)
    morning = clock.at_local(clock.local(now).date(), pack.hand_morning.hour, pack.hand_morning.minute)
    wanted = [due_at + pack.hand_late, ends, morning, morning + timedelta(days=1)]
    following = min(at for at in wanted if at > now)
    # Just past the latest time, so that it is missed to the moment.
    return min(following, latest_at + timedelta(seconds=1)) if latest_at else following


async def record_sent(
    unit: Unit, delivery: Delivery, number: int, done: Done, result: AttemptResult, **by: Any
) -> DeliveryState | None:
    """The platform has it. True whatever we thought meanwhile, unless it is settled as sent already."""
    await close_attempt(unit, delivery.id or 0, number, result, error="", error_kind="", **by)
    sent_at, stays = done.at or clock.now(), delivery.kind is not DeliveryKind.stage
    changed = await settle(
        unit,
        delivery.id or 0,
        col(Delivery.state).in_(OPEN_TO_ANSWERS),
        **CLEAN,
        state=S.sent,
        remote_id=done.external_id,
        remote_url=done.url,
        extra=dict(delivery.extra) | dict(done.extra),
        sent_at=sent_at,
        attempt_at=None,
        lease_until=None,
        unknown_since=None,
        watch_at=next_watch(sent_at, clock.now()) if done.external_id and stays else None,
        figures_at=next_figures(sent_at, clock.now()) if done.external_id and delivery.post_id else None,
    )
    return S.sent if changed else None


def next_watch(sent_at: datetime, now: datetime) -> datetime | None:
    """When to look next whether it is still there: at growing distances; None once it has stood long enough."""
    return next((sent_at + after for after in sending().watch if sent_at + after > now), None)


def next_figures(sent_at: datetime, now: datetime) -> datetime | None:
    """When to ask next how a post does: the next age it comes to; None once it is past the last."""
    return next((sent_at + age for age in sending().figures if sent_at + age > now), None)


async def record_unknown(unit: Unit, ticket: Ticket, error: ConnectorError) -> DeliveryState | None:
    """It may be there or not: never sent again before the account's own list was read."""
    kind = ACCEPTED if error.effect is Effect.done else error.kind.value
    number, now = ticket.attempt.number, clock.now()
    await close_attempt(
        unit, ticket.delivery.id or 0, number, AttemptResult.unknown, error_kind=kind, error=_why(error)
    )
    changed = await change(
        unit,
        ticket.delivery.id or 0,
        *_still_ours(number),
        state=S.unknown,
        unknown_since=ticket.attempt.started_at,
        checks=0,
        lease_until=None,
        attempt_at=now + sending().looks[0],
        error_kind=kind,
        error=error.human,
    )
    return S.unknown if changed else None


async def _record_pending(unit: Unit, ticket: Ticket, pending: Pending) -> DeliveryState | None:
    number = ticket.attempt.number
    await close_attempt(
        unit, ticket.delivery.id or 0, number, AttemptResult.unknown, error_kind=PENDING, error=pending.job
    )
    changed = await change(
        unit,
        ticket.delivery.id or 0,
        *_still_ours(number),
        state=S.unknown,
        unknown_since=ticket.attempt.started_at,
        extra=dict(ticket.delivery.extra) | dict(pending.extra),
        checks=0,
        lease_until=None,
        attempt_at=pending.poll_after,
        error_kind=PENDING,
        error=_("平台正在处理，稍后会再问一次结果"),
    )
    return S.unknown if changed else None


async def _record_limited(unit: Unit, ticket: Ticket, error: ConnectorError) -> DeliveryState | None:
    """Wait as long as the platform says; waiting never fails a delivery (a post may become too late by it)."""
    until = max(error.retry_at or clock.now() + sending().rate_limited, clock.now() + timedelta(seconds=1))
    state = await _wait(unit, ticket, error, until)
    # The limit is the account's: whatever else of it was due earlier waits with the same words.
    others = (
        update(Delivery)
        .where(
            col(Delivery.account_id) == ticket.delivery.account_id,
            col(Delivery.state) == S.waiting,
            col(Delivery.attempt_at) < until,
        )
        .values(attempt_at=until, error_kind=error.kind.value, error=error.human)
    )
    await unit.run(others)
    return state


async def _record_transient(unit: Unit, ticket: Ticket, error: ConnectorError) -> DeliveryState | None:
    tries = await _tries(unit, ticket.delivery.id or 0)
    if tries >= sending().tries:
        return await record_failed(unit, ticket, error.kind.value, error.human, AttemptResult.refused)
    until = clock.now() + sending().wait(tries)
    return await _wait(unit, ticket, error, max(until, error.retry_at or until))


async def _record_forgotten(unit: Unit, ticket: Ticket, error: ConnectorError) -> DeliveryState | None:
    """The platform no longer knows the video that was brought there: it is brought anew, but not for ever."""
    if await _tries(unit, ticket.delivery.id or 0) > MOST_ANEW:
        return await record_failed(unit, ticket, error.kind.value, error.human, AttemptResult.refused)
    await bring_anew(unit, ticket.delivery.id or 0)
    return await _wait(unit, ticket, error, clock.now() + sending().video_look, kind=VIDEO)


async def _tries(unit: Unit, delivery_id: int) -> int:
    """Tries since a person last pressed "retry"; waiting for a rate limit is no try."""
    by_hand = (
        select(func.max(Attempt.number))
        .where(Attempt.delivery_id == delivery_id, col(Attempt.by_id).is_not(None))
        .scalar_subquery()
    )
    return await unit.one(
        select(func.count()).where(
            Attempt.delivery_id == delivery_id,
            col(Attempt.number) > func.coalesce(by_hand, 0),
            col(Attempt.error_kind).not_in(LIMITED + UNTRIED),
        )
    )


async def _wait(
    unit: Unit, ticket: Ticket, error: ConnectorError, until: datetime, *, kind: str = ""
) -> DeliveryState | None:
    """Try again at ``until``; ``kind``: why, where the platform's own kind does not say it."""
    number = ticket.attempt.number
    await close_attempt(
        unit,
        ticket.delivery.id or 0,
        number,
        AttemptResult.retry,
        error_kind=kind or error.kind.value,
        error=_why(error),
    )
    changed = await change(
        unit,
        ticket.delivery.id or 0,
        *_still_ours(number),
        state=S.waiting,
        lease_until=None,
        attempt_at=until,
        error_kind=kind or error.kind.value,
        error=error.human,
    )
    return S.waiting if changed else None


async def record_failed(
    unit: Unit, ticket: Ticket, kind: str, human: str, result: AttemptResult
) -> DeliveryState | None:
    """It will not go out as it stands; the error says why, the page adds the next step."""
    number = ticket.attempt.number
    await close_attempt(unit, ticket.delivery.id or 0, number, result, error_kind=kind, error=human)
    changed = await settle(
        unit,
        ticket.delivery.id or 0,
        *_still_ours(number),
        state=S.failed,
        lease_until=None,
        attempt_at=None,
        error_kind=kind,
        error=human,
    )
    return S.failed if changed else None


def _still_ours(number: int) -> tuple[Any, ...]:
    return col(Delivery.state) == S.sending, col(Delivery.attempts) == number


def _why(error: ConnectorError) -> str:
    return f"{error.human} [{error.code}]" if error.code else error.human
