"""Until when and how often a citizen can still be answered where the platform sets limits.

The platform says it per message (``reply_until``, ``reply_left``). In private it means the person: a new message opens
the window anew, and every answer since that message counts, whichever case it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, func, select

from hub import clock
from hub.db import Unit
from hub.i18n import _, moment
from hub.models import Delivery, DeliveryKind, DeliveryState, Message, MessageKind

S = DeliveryState
# Where intake keeps ``Inbound.reply_left``.
LEFT = "reply_left"
ON_THE_WAY = (S.waiting, S.sending, S.unknown, S.held)
GONE_OUT = (S.sent, S.removed)


@dataclass(frozen=True, slots=True)
class Window:
    """``until`` None: no end; ``left`` None: as often as one likes; answers on their way are taken off already."""

    until: datetime | None
    left: int | None

    @property
    def why_not(self) -> str:
        """Why the platform takes no answer any more; empty: it does."""
        if self.until is not None and self.until <= clock.now():
            return _("平台允许答复的时间已于 %(at)s 截止", at=moment(self.until))
        if self.left is not None and self.left <= 0:
            return _("在来信人再次来信之前，平台允许的答复次数已用完")
        return ""


async def window_of(unit: Unit, message: Message) -> Window | None:
    """The window in which ``message`` can be answered; None: the platform sets no limit."""
    newest = await _newest(unit, message) if message.kind is MessageKind.private else message
    allowed = newest.extra.get(LEFT)
    if not isinstance(allowed, int):
        return Window(newest.reply_until, None) if newest.reply_until is not None else None
    return Window(newest.reply_until, max(0, allowed - await _used(unit, newest)))


async def _newest(unit: Unit, message: Message) -> Message:
    """The last thing its author wrote in private."""
    found = await unit.first(
        select(Message)
        .where(*_talk(message), ~col(Message.is_own))
        .order_by(col(Message.created_at).desc(), col(Message.id).desc())
        .limit(1)
    )
    return found or message


def _talk(message: Message) -> tuple[ColumnElement[bool], ...]:
    """What was said in private with the same person."""
    return (
        col(Message.account_id) == message.account_id,
        col(Message.thread_id) == message.thread_id,
        col(Message.kind) == MessageKind.private,
    )


async def _used(unit: Unit, message: Message) -> int:
    """Answers since ``message`` that left or are about to."""
    to_it: tuple[ColumnElement[bool], ...] = (
        col(Delivery.case_id) == message.case_id,
        col(Delivery.target_id) == message.external_id,
    )
    if message.kind is MessageKind.private:
        to_it = (
            col(Delivery.case_id).in_(select(Message.case_id).where(*_talk(message))),
            col(Delivery.target_kind) == MessageKind.private.value,
            col(Delivery.target_author_id) == message.author_id,
        )
    gone_out = and_(col(Delivery.state).in_(GONE_OUT), col(Delivery.sent_at) >= message.received_at)
    counted = select(func.count(col(Delivery.id))).where(
        col(Delivery.account_id) == message.account_id,
        col(Delivery.kind) == DeliveryKind.reply,
        *to_it,
        or_(gone_out, col(Delivery.state).in_(ON_THE_WAY)),
    )
    return await unit.one(counted)
