"""The single door: one conditional UPDATE decides whether a delivery may leave, now, by this process.

Everything that can forbid a sending is a condition of that UPDATE; ``reasons_against`` says the same in words for
people and for the engine, which then moves the row to where it belongs (held, missed, later).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select

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
)
from hub.policy.sending import sending
from workflows.delivery.outbox import send_key, text_hash
from workflows.delivery.stopping import LIMITED

DOOR = 7310
MINUTE = timedelta(minutes=1)
S = DeliveryState


@dataclass(frozen=True, slots=True)
class Ticket:
    """A sending that has begun: the row as it stands, its account, and the attempt that was committed."""

    delivery: Delivery
    account: Account
    attempt: Attempt
    key: str


async def begin(unit: Unit, delivery_id: int) -> Ticket | None:
    """Pass the door: claim, lease and attempt row in the caller's transaction; None when it may not leave now.

    The platform may be called only after this transaction is committed. Two processes never both get a ticket.
    """
    await unit.lock_chain(DOOR)
    now = clock.now()
    if not await unit.claim(
        Delivery,
        *conditions(delivery_id, now, unit.ctx.settings.overdue_per_minute),
        state=S.sending,
        version=Delivery.version + 1,
        attempts=Delivery.attempts + 1,
        lease_until=now + sending().lease,
        attempt_at=now + sending().lease,
    ):
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
    return Ticket(delivery, account, attempt, key)


def conditions(delivery_id: int, now: datetime, per_minute: int) -> tuple[ColumnElement[bool], ...]:
    """Everything that must hold at the moment of leaving."""
    return (
        col(Delivery.id) == delivery_id,
        is_due(now),
        ~is_missed(now),
        is_approved(),
        exists().where(col(Account.id) == col(Delivery.account_id), col(Account.is_active)),
        ~is_paused(),
        ~is_limited(now),
        ~is_out_of_order(now),
        or_(~is_overdue(now), sent_lately(now) < per_minute),
    )


def is_due(now: datetime) -> ColumnElement[bool]:
    """It waits, and its time has come: the plan's and the engine's own."""
    return and_(col(Delivery.state) == S.waiting, col(Delivery.attempt_at) <= now, col(Delivery.scheduled_at) <= now)


def is_missed(now: datetime) -> ColumnElement[bool]:
    """It is too late for it."""
    return and_(col(Delivery.latest_at).is_not(None), col(Delivery.latest_at) < now)


def is_approved() -> ColumnElement[bool]:
    """What would leave is what was approved, and the approval still stands where it was given."""
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


def is_limited(now: datetime) -> ColumnElement[bool]:
    """The platform told this account to wait, whichever delivery it told."""
    other: Any = aliased(Delivery)
    return exists().where(
        other.account_id == col(Delivery.account_id),
        other.state == S.waiting,
        other.error_kind.in_(LIMITED),
        other.attempt_at > now,
    )


def is_out_of_order(now: datetime) -> ColumnElement[bool]:
    """An earlier one of the same account (of the same case, for replies) goes first, or is on its way.

    Patience is short: a crashed or slow one holds the others back by a few seconds only.
    """
    other: Any = aliased(Delivery)
    earlier = and_(
        other.state == S.waiting,
        other.attempt_at <= now,
        other.scheduled_at <= now,
        or_(other.latest_at.is_(None), other.latest_at >= now),
        tuple_(other.scheduled_at, other.id) < tuple_(col(Delivery.scheduled_at), col(Delivery.id)),
    )
    patience = now + sending().lease - sending().order_patience
    on_its_way = and_(other.state == S.sending, other.lease_until > patience)
    return exists().where(
        other.account_id == col(Delivery.account_id),
        other.kind == col(Delivery.kind),
        other.id != col(Delivery.id),
        or_(col(Delivery.kind) == DeliveryKind.post, other.case_id == col(Delivery.case_id)),
        or_(earlier, on_its_way),
    )


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """A post so late that there must have been an outage."""
    return and_(col(Delivery.kind) == DeliveryKind.post, col(Delivery.scheduled_at) < now - sending().overdue)


def sent_lately(now: datetime) -> Any:
    """How many posts of the account were tried within the last minute."""
    other: Any = aliased(Delivery)
    return (
        select(func.count())
        .select_from(Attempt)
        .join(other, other.id == col(Attempt.delivery_id))
        .where(
            other.account_id == col(Delivery.account_id),
            other.kind == DeliveryKind.post,
            col(Attempt.started_at) > now - MINUTE,
        )
        .correlate(Delivery)
        .scalar_subquery()
    )


def is_intact(delivery: Delivery) -> bool:
    """Whether the row's text is still the one whose hash it carries."""
    made = text_hash(delivery.text, account_id=delivery.account_id, target_id=delivery.target_id)
    return made == delivery.content_hash
