"""What platforms tell about our own affairs, acted on in the transaction that keeps what came along.

A notice is only a reason to look now: what the platform then answers counts. Safe to act on twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import col, select

from connectors.base import Notice, NoticeKind
from hub import clock, log
from hub.db import Unit
from hub.i18n import written
from hub.models import Account, Attempt, AttemptResult, Delivery, DeliveryState, Message, MessageKind
from workflows import circuits
from workflows.delivery.answers import PENDING
from workflows.delivery.ledger import settle

S = DeliveryState
# What a platform says of itself is shown to this length.
LONGEST_WORDS = 200
_log = log.get(__name__)


async def act(unit: Unit, account: Account, notices: Sequence[Notice]) -> None:
    """Look at what the platform told of; what concerns nothing of ours is passed over."""
    for notice in notices:
        _log.info("notice", account=account.id, kind=notice.kind.value)
        if (act_on := _ACTS.get(notice.kind)) is not None:
            await act_on(unit, account, notice)


async def _job_ended(unit: Unit, account: Account, notice: Notice) -> None:
    """The delivery whose last attempt is that job is asked about at once."""
    waiting = (
        select(col(Delivery.id))
        .join(Attempt, (col(Attempt.delivery_id) == col(Delivery.id)) & (col(Attempt.number) == col(Delivery.attempts)))
        .where(
            Delivery.account_id == account.id, Delivery.state == S.unknown, Attempt.error == notice.about,
            Attempt.error_kind == PENDING, col(Attempt.result) == AttemptResult.unknown,
        )
    )  # fmt: skip
    found = await unit.all(waiting)
    if found:
        mine = (col(Delivery.id).in_(found), col(Delivery.state) == S.unknown)
        await unit.run(update(Delivery).where(*mine).values(attempt_at=clock.now()))
        unit.later("sweep_deliveries")


async def _removed(unit: Unit, account: Account, notice: Notice) -> None:
    """The item is looked at now instead of at its next time."""
    mine = (
        col(Delivery.account_id) == account.id, col(Delivery.remote_id) == notice.about,
        col(Delivery.state) == S.sent,
    )  # fmt: skip
    if notice.about and (await unit.run(update(Delivery).where(*mine).values(watch_at=clock.now()))).rowcount:
        unit.later("watch_removed")


async def _bounced(unit: Unit, account: Account, notice: Notice) -> None:
    """It was sent and did not arrive: nothing can be looked up, so it counts as failed, with the platform's words."""
    if not notice.about:
        return
    sent = select(col(Delivery.id)).where(
        Delivery.account_id == account.id, Delivery.remote_id == notice.about, Delivery.state == S.sent
    )
    why = notice.words.strip()[:LONGEST_WORDS]
    said = written("没有送达：%(why)s", why=why) if why else written("没有送达，对方的服务器把它退了回来")
    for number in await unit.all(sent):
        await settle(
            unit, number or 0, col(Delivery.state) == S.sent, state=S.failed, watch_at=None, attempt_at=None,
            error_kind="target_refuses", error=said,
        )  # fmt: skip


async def _revoked(unit: Unit, account: Account, notice: Notice) -> None:
    reason = written("平台通知：对本系统的授权已被取消，需要重新授权")
    await circuits.trip(unit, account.id or 0, circuits.REVOKED, reason)


async def _left(unit: Unit, account: Account, notice: Notice) -> None:
    """Whoever left cannot be answered in private any more: cases say so at once."""
    now = clock.now()
    theirs = (
        col(Message.account_id) == account.id, col(Message.thread_id) == notice.about,
        col(Message.kind) == MessageKind.private, col(Message.reply_until) > now,
    )  # fmt: skip
    if notice.about:
        await unit.run(update(Message).where(*theirs).values(reply_until=now))


_ACTS = {
    NoticeKind.job_ended: _job_ended,
    NoticeKind.removed: _removed,
    NoticeKind.bounced: _bounced,
    NoticeKind.revoked: _revoked,
    NoticeKind.left: _left,
}
