"""The single door: one conditional UPDATE decides whether a delivery may leave, now, by this process.

Everything that can forbid a sending is a condition of that UPDATE; ``reasons_against`` says the same in words for
people and for the engine, which then moves the row to where it belongs (held, missed, later).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Update, and_, bindparam, exists, or_, tuple_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select
from sqlmodel.sql.sqltypes import UTCDateTime

from hub import clock
from hub.db import Unit
from hub.models import (
    Account,
    Attempt,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Pause,
    PauseScope,
    Post,
    PostState,
    Reply,
    ReplyState,
    VideoJourney,
)
from hub.policy.sending import sending
from workflows import circuits
from workflows.delivery.outbox import send_key, text_hash
from workflows.delivery.stopping import LIMITED

DOOR = 7310
MINUTE = timedelta(minutes=1)
S = DeliveryState


@dataclass(frozen=True, slots=True)
class Ticket:
    """A sending that has begun: the row as it stands, its account, and the attempt that was committed.

    ``uploaded``: what names its video on the platform; None where nothing was brought there.
    """

    delivery: Delivery
    account: Account
    attempt: Attempt
    key: str
    uploaded: Mapping[str, str] | None = None


async def begin(unit: Unit, delivery_id: int) -> Ticket | None:
    """Pass the door: claim, lease and attempt row in the caller's transaction; None when it may not leave now.

    The platform may be called only after this transaction is committed. Two processes never both get a ticket.
    """
    now = clock.now()
    given = {"this_one": delivery_id, "per_minute": unit.ctx.settings.overdue_per_minute} | asdict(moments(now))
    if not unit.ctx.is_sqlite and not (await unit.run(_looking(), given)).first():
        return None  # whoever cannot pass anyway does not queue at the door
    await unit.lock_chain(DOOR)
    if (await unit.run(_passing(), given)).rowcount != 1:
        return None
    found = await unit.session.exec(
        select(Delivery, Account)
        .join(Account, col(Account.id) == col(Delivery.account_id))
        .where(Delivery.id == delivery_id)
        .execution_options(populate_existing=True)
    )
    delivery, account = found.one()
    key = send_key(delivery)
    attempt = Attempt(
        delivery_id=delivery_id,
        number=delivery.attempts,
        key=f"{key}.{delivery.attempts}",
        content_hash=delivery.content_hash,
        started_at=now,
    )
    unit.add(attempt)
    await unit.flush()
    journey = await unit.get(VideoJourney, delivery_id) if delivery.video else None
    return Ticket(delivery, account, attempt, key, journey.ref if journey else None)


@dataclass(frozen=True, slots=True)
class Moments:
    """The times the conditions compare with: real ones, or places to be filled when the statement runs.

    ``impatient``: a lease that ends later began just now; ``outage``: what was due before is overdue.
    """

    now: Any
    lease_end: Any
    impatient: Any
    outage: Any
    minute_ago: Any


def moments(now: datetime) -> Moments:
    """Everything that follows from the present moment."""
    pack = sending()
    lease_end = now + pack.lease
    return Moments(now, lease_end, lease_end - pack.order_patience, now - pack.overdue, now - MINUTE)


# Where a moment is put in when the statement runs.
_AT = Moments(*(bindparam(each.name, type_=UTCDateTime()) for each in fields(Moments)))


def _conditions() -> tuple[ColumnElement[bool], ...]:
    """Everything that must hold at the moment of leaving."""
    return (
        col(Delivery.id) == bindparam("this_one"),
        is_due(_AT),
        ~is_missed(_AT),
        is_approved(),
        is_in_use(),
        exists().where(col(Account.id) == col(Delivery.account_id), circuits.is_closed()),
        ~is_paused(),
        ~is_without_video(_AT),
        ~is_limited(_AT),
        ~is_out_of_order(_AT),
        or_(~is_overdue(_AT), sent_lately(_AT) < bindparam("per_minute", type_=Integer())),
    )


@lru_cache(maxsize=1)
def _looking() -> Any:
    return select(col(Delivery.id)).where(*_conditions())


@lru_cache(maxsize=1)
def _passing() -> Update:
    """The door itself. Built once: putting these conditions together takes longer than running them."""
    return (
        update(Delivery)
        .where(*_conditions())
        .values(
            state=S.sending,
            version=Delivery.version + 1,
            attempts=Delivery.attempts + 1,
            lease_until=_AT.lease_end,
            attempt_at=_AT.lease_end,
        )
    )


def is_in_use() -> ColumnElement[bool]:
    """Nothing new is published on an account that is switched off; whoever wrote to it is answered and told all the
    same."""
    used = exists().where(col(Account.id) == col(Delivery.account_id), col(Account.is_active))
    return or_(col(Delivery.kind) != DeliveryKind.post, used)


def is_due(at: Moments) -> ColumnElement[bool]:
    """It waits, and its time has come: the plan's and the engine's own."""
    return and_(
        col(Delivery.state) == S.waiting, col(Delivery.attempt_at) <= at.now, col(Delivery.scheduled_at) <= at.now
    )


def is_missed(at: Moments) -> ColumnElement[bool]:
    """It is too late for it."""
    return and_(col(Delivery.latest_at).is_not(None), col(Delivery.latest_at) < at.now)


def is_approved() -> ColumnElement[bool]:
    """What would leave is what was approved, and the approval still stands where it was given.

    Where a case stands needs no reviewer: whoever made the move decided it.
    """
    post = exists().where(
        col(Post.id) == col(Delivery.post_id),
        col(Post.state) == PostState.approved,
        col(Post.approved_hash) == col(Post.content_hash),
        col(Post.reviewer_id) != col(Post.author_id),
    )
    reply = exists().where(
        col(Reply.id) == col(Delivery.reply_id),
        col(Reply.state) == ReplyState.approved,
        col(Reply.approved_hash) == col(Delivery.approved_hash),
        col(Reply.text) == col(Delivery.text),
        or_(col(Reply.author_id).is_(None), col(Reply.reviewer_id) != col(Reply.author_id)),
    )
    return and_(
        col(Delivery.content_hash) == col(Delivery.approved_hash),
        or_(
            and_(col(Delivery.kind) == DeliveryKind.post, post),
            and_(col(Delivery.kind) == DeliveryKind.reply, reply),
            col(Delivery.kind) == DeliveryKind.stage,
        ),
    )


def is_paused() -> ColumnElement[bool]:
    """A pause is in force for everything or for its account."""
    return exists().where(
        col(Pause.lifted_at).is_(None),
        or_(
            col(Pause.scope) == PauseScope.everything,
            and_(col(Pause.scope) == PauseScope.account, col(Pause.account_id) == col(Delivery.account_id)),
        ),
    )


def is_without_video(at: Moments) -> ColumnElement[bool]:
    """Its video has not reached the platform, or will be forgotten there before the sending ends."""
    forgotten = and_(col(VideoJourney.until).is_not(None), col(VideoJourney.until) <= at.lease_end)
    return exists().where(
        col(VideoJourney.delivery_id) == col(Delivery.id), or_(col(VideoJourney.ref).is_(None), forgotten)
    )


def is_limited(at: Moments) -> ColumnElement[bool]:
    """The platform told this account to wait, whichever delivery it told."""
    other: Any = aliased(Delivery)
    return exists().where(
        other.account_id == col(Delivery.account_id),
        other.state == S.waiting,
        other.error_kind.in_(LIMITED),
        other.attempt_at > at.now,
    )


def is_out_of_order(at: Moments) -> ColumnElement[bool]:
    """An earlier post of the same account, or whatever else was said earlier of the same case, goes first, or is on its
    way.

    Patience is short: a crashed or slow one holds the others back by a few seconds only.
    """
    other: Any = aliased(Delivery)
    earlier = and_(
        other.state == S.waiting,
        other.attempt_at <= at.now,
        other.scheduled_at <= at.now,
        or_(other.latest_at.is_(None), other.latest_at >= at.now),
        tuple_(other.scheduled_at, other.id) < tuple_(col(Delivery.scheduled_at), col(Delivery.id)),
    )
    on_its_way = and_(other.state == S.sending, other.lease_until > at.impatient)
    is_post = col(Delivery.kind) == DeliveryKind.post
    return exists().where(
        other.account_id == col(Delivery.account_id),
        other.id != col(Delivery.id),
        or_(and_(is_post, other.kind == DeliveryKind.post), and_(~is_post, other.case_id == col(Delivery.case_id))),
        or_(earlier, on_its_way),
    )


def is_overdue(at: Moments) -> ColumnElement[bool]:
    """A post so late that there must have been an outage."""
    return and_(col(Delivery.kind) == DeliveryKind.post, col(Delivery.scheduled_at) < at.outage)


def sent_lately(at: Moments) -> Any:
    """How many posts of the account were tried within the last minute."""
    other: Any = aliased(Delivery)
    return (
        select(func.count())
        .select_from(Attempt)
        .join(other, other.id == col(Attempt.delivery_id))
        .where(
            other.account_id == col(Delivery.account_id),
            other.kind == DeliveryKind.post,
            col(Attempt.started_at) > at.minute_ago,
        )
        .correlate(Delivery)
        .scalar_subquery()
    )


def is_intact(delivery: Delivery) -> bool:
    """Whether what the row says is still what its hash was made of."""
    made = text_hash(
        delivery.text,
        account_id=delivery.account_id,
        target_id=delivery.target_id,
        title=delivery.title,
        form=delivery.form,
        attachments=delivery.attachments,
        video=delivery.video,
    )
    return made == delivery.content_hash
