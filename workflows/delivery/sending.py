"""Sending one delivery: pictures made ready, begin in one transaction, call the platform in none, end in another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.base import Attachment, ConnectorError, Effect, ErrorKind, Outcome, Outgoing
from connectors.videos import against_video
from hub import clock, log
from hub.db import Unit, reading
from hub.i18n import _
from hub.models import Account, AttemptResult, Delivery, DeliveryKind, DeliveryState
from hub.policy.sending import sending
from workflows.delivery import door
from workflows.delivery.answers import end, record_failed
from workflows.delivery.hands import is_by_hand
from workflows.delivery.outbox import outgoing
from workflows.delivery.together import Together
from workflows.delivery.turning import turn_away
from workflows.house import House
from workflows.pictures.fitting import form_of
from workflows.pictures.placed import placed_of
from workflows.pictures.ready import Altered, planned, ready
from workflows.tokens import Line
from workflows.videos.placed import placed_video
from workflows.videos.store import path_of

# The error kind of what is not what was approved.
TAMPERED = "tampered"
K = DeliveryKind
_log = log.get(__name__)


async def send(house: House, delivery_id: int, together: Together | None = None) -> DeliveryState | None:
    """Try to send one delivery now; its state afterwards, None when there was nothing to do (yet).

    Safe to call at any time, twice, or for a delivery that is not due: only the door decides. The platform is called
    after the begin is committed and before the end is begun, whoever else's begins and ends share those transactions.
    """
    together = together or Together(house.ctx)
    pictures = await _pictures(house, delivery_id)
    ticket: door.Ticket | DeliveryState | None = await together.do(partial(_begin, delivery_id=delivery_id))
    if not isinstance(ticket, door.Ticket):
        return ticket
    out, kind, why = _looked_at(house, ticket, pictures)
    if kind or out is None:
        refuse = partial(record_failed, ticket=ticket, kind=kind, human=why, result=AttemptResult.refused)
        refused: DeliveryState | None = await together.do(refuse)
        return refused
    answer = await _call(house, ticket, out)
    state: DeliveryState | None = await together.do(partial(end, ticket=ticket, answer=answer))
    _log.info("delivery_attempt", delivery=delivery_id, attempt=ticket.attempt.number, state=state or "superseded")
    return state


async def _begin(unit: Unit, delivery_id: int) -> door.Ticket | DeliveryState | None:
    """The ticket, or where the delivery was put that may not leave now."""
    ticket = await door.begin(unit, delivery_id)
    return ticket or await turn_away(unit, delivery_id)


def _looked_at(house: House, ticket: door.Ticket, pictures: Pictures) -> tuple[Outgoing | None, str, str]:
    """The last look at what is about to leave: altered rows and pictures, the platform's own rules. Nothing is called
    yet. What leaves, or the error's kind and why.
    """
    delivery, account = ticket.delivery, ticket.account
    if not door.is_intact(delivery):
        return None, TAMPERED, _("待发内容与批准时的指纹不一致")
    if delivery.kind is not K.post and not house.can_answer(account):
        return None, ErrorKind.permission.value, _("账号已断开，不能在平台上答复")
    if account.platform not in house.platforms:
        return None, ErrorKind.bug.value, _("没有「%(name)s」这个平台的连接程序", name=account.platform)
    if pictures.made is None or pictures.kept != delivery.attachments:
        return None, TAMPERED, _("配图已不在，或与批准的不一致")
    connector, ref = house.connector(account), house.ref(account)
    video = placed_video(delivery.video)
    going = video.going_out(path_of(house.ctx.settings, video.sha256)) if video else None
    if going and ticket.uploaded is None and not is_by_hand(house, account, delivery.form):
        return None, TAMPERED, _("视频没有传到平台的记录，请作废后重新送审")
    out = outgoing(delivery, pictures.made, going, ticket.uploaded)
    form = form_of(connector.post_forms(ref), delivery.form)
    problems = [*(against_video(out, form) if going else ()), *connector.validate(ref, out)]
    if problems:
        return None, ErrorKind.content_rejected.value, "；".join(dict.fromkeys(problem.text for problem in problems))
    return out, "", ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a delivery keeps of its pictures, and what goes out; None where one is not what was approved."""

    kept: list[dict[str, Any]]
    made: Sequence[Attachment] | None


async def _pictures(house: House, delivery_id: int) -> Pictures:
    """The pictures made ready before the sending begins: making them small can take longer than a lease lasts.

    Where people publish, they fetch them themselves.
    """
    async with reading(house.ctx) as unit:
        delivery = await unit.get(Delivery, delivery_id)
        if delivery is None or not delivery.attachments:
            return Pictures([], ())
        account = await unit.get(Account, delivery.account_id)
    if account is None or account.platform not in house.platforms:
        return Pictures(delivery.attachments, ())
    connector, ref = house.connector(account), house.ref(account)
    if connector.limits(ref).by_hand:
        return Pictures(delivery.attachments, planned(placed_of(delivery.attachments)))
    try:
        made = await ready(house, delivery.attachments, form_of(connector.post_forms(ref), delivery.form))
    except Altered:
        return Pictures(delivery.attachments, None)
    return Pictures(delivery.attachments, made)


async def _call(house: House, ticket: door.Ticket, out: Outgoing) -> Outcome | ConnectorError:
    """The platform call, every failure turned into an answer. No transaction is open.

    Nothing is called once a call could outlive the lease: whoever finds a lease ended relies on it that no call runs.
    """
    ends = ticket.delivery.lease_until
    if ends is None or clock.now() + sending().longest_call > ends:
        return ConnectorError(ErrorKind.transient, _("系统繁忙，没有在限定时间内开始发送，稍后自动再试"), code="late")
    line, connector = Line(house, house.ref(ticket.account)), house.connector(ticket.account)
    speak = {K.post: connector.publish, K.reply: connector.reply, K.stage: connector.tell}[ticket.delivery.kind]
    try:
        async with asyncio.timeout(sending().longest_call.total_seconds()):
            return await line.call(lambda ref: speak(ref, out))
    except TimeoutError:
        if line.is_renewing:
            human = _("更新授权没有在限定时间内完成，稍后自动再试")
            return ConnectorError(ErrorKind.transient, human, code="renewing")
        human = _("平台没有在限定时间内回应，正在核实")
        return ConnectorError(ErrorKind.transient, human, code="timeout", effect=Effect.unknown)
    except ConnectorError as error:
        return error
    except Exception as error:  # noqa: BLE001 -- a fault of ours after the request may have left: the outcome is unknown
        _log.exception("connector_fault", delivery=ticket.delivery.id, platform=ticket.account.platform)
        human = _("程序出错，正在核实是否已经发出")
        return ConnectorError(ErrorKind.bug, human, code=type(error).__name__, effect=Effect.unknown)
