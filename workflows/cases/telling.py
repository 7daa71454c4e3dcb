"""What the system a work order came from is told of its way, besides the answer: put into the outbox in the transaction
of the move itself, so that it is told once, and never of a move that was not made.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from connectors.stages import Stage, wanted
from hub import clock, feed
from hub.db import Unit
from hub.i18n import N_
from hub.models import (
    Account,
    Case,
    CaseEvent,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Department,
    Message,
)
from workflows.cases.moves import Move
from workflows.delivery.outbox import create, text_hash
from workflows.delivery.states import next_step

SENDER = N_("发送服务")
# A department that hands a case back gives it to the desk: that is the house's own, until it goes elsewhere.
STAGES: dict[Move, Stage] = {
    Move.accept: Stage.accepted, Move.reopen: Stage.accepted, Move.sign: Stage.signed,
    Move.dispatch: Stage.transferred, Move.forward: Stage.transferred, Move.rule: Stage.transferred,
    Move.refuse: Stage.returned, Move.close: Stage.closed,
}  # fmt: skip
_ON_ITS_WAY = frozenset({DeliveryState.waiting, DeliveryState.sending})


async def tell(unit: Unit, case: Case, move: Move, note: str, *, goes_on: bool) -> None:
    """Say that a move was made, where the case's account wants to hear it; only of a refusal why (``note``).

    ``goes_on``: another department has it now. A ruling that leaves it where it is tells nothing new.
    """
    stage = STAGES.get(move)
    if stage is None or (move is Move.rule and not goes_on):
        return
    account = await unit.get(Account, case.account_id)
    if account is not None and stage in wanted(account.options) and account.disconnected_at is None:
        await _put(unit, case, stage, note if stage is Stage.returned else "")


async def tell_sent_off(unit: Unit, case_ids: Sequence[int]) -> None:
    """As :func:`tell`, of new cases that the hub accepted and dispatched by itself."""
    if not case_ids:
        return
    these = col(Case.id).in_(case_ids)
    theirs = col(Account.id).in_(select(col(Case.account_id)).where(these))
    accounts = await unit.all(select(Account).where(theirs, col(Account.disconnected_at).is_(None)))
    # Most sources want to hear nothing: their cases need not be looked at.
    hearing = {account.id: stages for account in accounts if (stages := wanted(account.options))}
    if not hearing:
        return
    cases = select(Case).where(these, col(Case.account_id).in_(hearing)).order_by(col(Case.id))
    for case in await unit.all(cases):
        for stage in (Stage.accepted, Stage.transferred):
            if stage in hearing[case.account_id]:
                await _put(unit, case, stage, "")


async def _put(unit: Unit, case: Case, stage: Stage, why: str) -> None:
    message = await unit.get(Message, case.first_message_id) if case.first_message_id else None
    if message is None:
        return
    made = text_hash(why, account_id=case.account_id, target_id=message.external_id, form=stage.value)
    await create(
        unit, kind=DeliveryKind.stage, account_id=case.account_id, text=why, approved_hash=made, form=stage.value,
        scheduled_at=clock.now(), case_id=case.id, target=message,
        in_charge=await unit.get(Department, case.department_id) if case.department_id else None,
    )  # fmt: skip


async def settled(unit: Unit, delivery: Delivery) -> None:
    """What became of it stands in the case's history, with the receipt; the case itself waits for nothing."""
    case = await unit.get(Case, delivery.case_id) if delivery.case_id else None
    if case is None or delivery.state in _ON_ITS_WAY:
        return
    data = {"stage": delivery.form, "delivery_id": delivery.id}
    is_told = delivery.state is DeliveryState.sent
    if is_told:
        data["receipt"] = delivery.extra.get("receipt", "")
    else:
        data |= {"error": delivery.error or delivery.held_reason, "next_step": next_step(delivery.error_kind)}
    event = CaseEvent(
        case_id=case.id or 0, at=clock.now(), what="stage_told" if is_told else "stage_trouble",
        from_state=case.state, to_state=case.state, by_name=SENDER, data=data,
    )  # fmt: skip
    unit.add(event)
    feed.tell(unit, "cases", case.id, case.department_id)
