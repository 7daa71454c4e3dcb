"""What became of an answer's delivery: the case moves on the platform's word only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlmodel import col, func, select

from hub import clock, feed
from hub.db import Unit
from hub.errors import Refused
from hub.i18n import N_, _
from hub.models import Audience, Case, CaseEvent, CaseState, Delivery, DeliveryState, Message, Reply, ReplyState
from hub.queries.search import mark_answered
from hub.rights import system
from workflows.cases.facts import Known, know, open_reply, other_open
from workflows.cases.moves import MOVES, Move
from workflows.cases.service import change
from workflows.cases.states import Given
from workflows.delivery.states import next_step

SENDER = N_("发送服务")


async def settled(unit: Unit, delivery: Delivery) -> None:
    """Write the outcome into answer and case, in the engine's transaction. Safe to call twice.

    sent: the case is answered. failed, cancelled: it is the department's again, with the reason and the next step; so
    it is when an answer that was sent did not arrive.
    Unknown, held, missed: it stays in review and shows why. Waiting again after a failure: back to review; Refused
    when another answer is being written meanwhile.
    """
    reply = await unit.get(Reply, delivery.reply_id)
    case = await unit.get(Case, reply.case_id) if reply else None
    if reply is None or case is None:
        return
    await unit.session.refresh(reply)
    await unit.session.refresh(case)
    await _OUTCOMES.get(delivery.state, _trouble)(unit, delivery, reply, case)
    feed.tell(unit, "cases", case.id, case.department_id)


async def _sent(unit: Unit, delivery: Delivery, reply: Reply, case: Case) -> None:
    if reply.state is ReplyState.sent:
        return
    if case.state is CaseState.review and reply.state is ReplyState.approved:
        await _gone_out(unit, await know(unit, case), _said(delivery, reply))
    else:  # it left after all, when the case was already back at the department or further
        _note(unit, case, Move.answer_sent.value, _said(delivery, reply), Audience.citizen)
    await unit.compare_and_set(reply, state=ReplyState.sent, sent_at=delivery.sent_at or clock.now())
    if case.state is not CaseState.waiting:
        await mark_answered(unit, await messages_of(unit, case))


async def _gone_out(unit: Unit, known: Known, said: dict[str, Any]) -> None:
    """Answered; or asked: then the clock stands until the citizen says something, or the time for it is over."""
    if known.facts.draft is not None and known.facts.draft.asks:
        until = known.facts.now + known.policy.days("ask_days")
        await change(unit, known, Move.question_sent, system(SENDER), given=Given(until=until), **said)
    else:
        await change(unit, known, Move.answer_sent, system(SENDER), **said)


async def _failed(unit: Unit, delivery: Delivery, reply: Reply, case: Case) -> None:
    if reply.state is ReplyState.failed:
        return
    said = _said(delivery, reply)
    if reply.state is ReplyState.sent:
        await _came_back(unit, delivery, reply, case, said)
    elif case.state is CaseState.review and reply.state is ReplyState.approved:
        known = await know(unit, case)
        await change(unit, known, Move.answer_failed, system(SENDER), note=_why(delivery), **said)
    else:
        _note(unit, case, Move.answer_failed.value, said, Audience.office)
    await unit.compare_and_set(reply, state=ReplyState.failed)


async def _came_back(unit: Unit, delivery: Delivery, reply: Reply, case: Case, said: dict[str, Any]) -> None:
    """It left and did not arrive: the case is the department's again, unless it has gone on without this answer."""
    newest = await unit.one(select(func.max(col(Reply.id))).where(Reply.case_id == case.id))
    went_on = newest != reply.id or await other_open(unit, case)
    if went_on or case.state not in MOVES[Move.answer_returned].to:
        _note(unit, case, Move.answer_returned.value, said, Audience.office)
        return
    known = await know(unit, case)
    await change(unit, known, Move.answer_returned, system(SENDER), note=_why(delivery), **said)


async def _waiting(unit: Unit, delivery: Delivery, reply: Reply, case: Case) -> None:
    """A person had a failed one sent again."""
    if reply.state is not ReplyState.failed:
        return
    if case.state is not CaseState.handling or await open_reply(unit, case) is not None:
        raise Refused([_("工单 %(number)s 已另行处理，不能再发送原答复", number=case.number)])
    known = await know(unit, case)
    await change(unit, known, Move.answer_retried, system(SENDER), **_said(delivery, reply))
    await unit.compare_and_set(reply, state=ReplyState.approved)


async def _trouble(unit: Unit, delivery: Delivery, reply: Reply, case: Case) -> None:
    """Nobody knows yet, or something holds it back: the case stays where it is and says so."""
    _note(unit, case, "send_trouble", _said(delivery, reply) | {"state": delivery.state.value}, Audience.office)


async def _handed(unit: Unit, delivery: Delivery, reply: Reply, case: Case) -> None:
    """A person is to answer on the platform: the case stays in review until they bring back that it is done."""
    _note(unit, case, "answer_by_hand", {"delivery_id": delivery.id, "reply_id": reply.id}, Audience.office)


async def _removed(unit: Unit, delivery: Delivery, reply: Reply, case: Case) -> None:
    _note(unit, case, "answer_removed", _said(delivery, reply), Audience.office)


_OUTCOMES: dict[DeliveryState, Callable[[Unit, Delivery, Reply, Case], Awaitable[None]]] = {
    DeliveryState.sent: _sent,
    DeliveryState.failed: _failed,
    DeliveryState.cancelled: _failed,
    DeliveryState.waiting: _waiting,
    DeliveryState.removed: _removed,
    DeliveryState.by_hand: _handed,
}


def _why(delivery: Delivery) -> str:
    return delivery.error or delivery.held_reason or _("发送已取消")


def _said(delivery: Delivery, reply: Reply) -> dict[str, Any]:
    said = {"delivery_id": delivery.id, "reply_id": reply.id}
    if delivery.state in {DeliveryState.sent, DeliveryState.waiting}:
        return said
    return said | {"error": delivery.error or delivery.held_reason, "next_step": next_step(delivery.error_kind)}


def _note(unit: Unit, case: Case, what: str, data: dict[str, Any], audience: Audience) -> None:
    """A line of history without a change of state."""
    event = CaseEvent(
        case_id=case.id or 0, at=clock.now(), what=what, from_state=case.state, to_state=case.state, by_name=SENDER,
        data=data, audience=audience,
    )  # fmt: skip
    unit.add(event)


async def messages_of(unit: Unit, case: Case) -> list[int]:
    """Ids of the citizen's messages: whoever looks for similar cases finds them as answered ones."""
    wanted = select(col(Message.id)).where(Message.case_id == case.id, ~col(Message.is_own))
    return [number for number in await unit.all(wanted) if number is not None]
