"""From a draft to a delivery: submitted, then approved or sent back by somebody who did not write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub import clock
from hub.db import Unit
from hub.errors import NotFound, Stale
from hub.i18n import _
from hub.models import Case, CaseState, DeliveryKind, Department, Message, Reply, ReplyState
from hub.rights import Actor
from workflows.cases.facts import Known, find, know
from workflows.cases.moves import Move
from workflows.cases.service import change
from workflows.checking.confirming import Finding, Unfit, settle
from workflows.delivery import create, text_hash
from workflows.house import House
from workflows.replies.checks import check
from workflows.replies.windows import window_of


async def submit(
    house: House,
    unit: Unit,
    reply_id: int,
    actor: Actor,
    *,
    version: int,
    confirm: str = "",
    note: str = "",
    asks: bool = False,
) -> Case:
    """Hand the draft to review. Unfit with every reason; Unconfirmed when a finding needs a name behind it.

    ``confirm``: names exactly the findings that were shown, see :mod:`workflows.checking.confirming`.
    ``asks``: it is a question back to the citizen: once it is sent the case waits for what they say, clock standing.
    ``version``: the reply's, so that what is submitted is what the person saw.
    """
    known, reply, message = await _open(unit, reply_id, actor, version)
    findings = await check(house, unit, message, reply.text)
    _refuse(findings)
    confirmed = settle(findings, confirm)
    direct = Move.answer_direct if known.case.state is CaseState.triaged else Move.submit
    move = Move.ask_citizen if asks else direct
    said: dict[str, Any] = {"reply_id": reply.id, "confirmed": [finding.text for finding in confirmed]}
    case = await change(unit, known, move, actor, note=note, **said)
    await _set(unit, reply, state=ReplyState.reviewing, submitted_at=clock.now(), review_note="")
    return case


async def approve(
    house: House, unit: Unit, reply_id: int, actor: Actor, *, version: int, content_hash: str, note: str = ""
) -> Case:
    """Approve exactly the text with ``content_hash`` and put it into the outbox; the case moves on when it is sent.

    Refused for whoever wrote in it, for another text than the one shown, and for what the platform would not take.
    """
    known, reply, message = await _open(unit, reply_id, actor, version)
    own_hash = text_hash(reply.text, account_id=message.account_id, target_id=message.external_id)
    if content_hash != reply.content_hash or content_hash != own_hash:
        raise Stale([_("答复内容与您看到的不一致，请刷新后重新审核")])
    _refuse(await check(house, unit, message, reply.text))
    case = await change(unit, known, Move.approve, actor, note=note, reply_id=reply.id, content_hash=content_hash)
    window = await window_of(unit, message)
    delivery = await create(
        unit, kind=DeliveryKind.reply, account_id=message.account_id, text=reply.text, approved_hash=content_hash,
        scheduled_at=clock.now(), latest_at=window.until if window else None, reply_id=reply.id, case_id=case.id,
        target=message, in_charge=await unit.get(Department, case.department_id) if case.department_id else None,
    )  # fmt: skip
    await _set(
        unit, reply, state=ReplyState.approved, reviewer_id=actor.user_id, reviewer_name=actor.name,
        reviewed_at=clock.now(), review_note=note.strip(), approved_hash=content_hash, delivery_id=delivery.id,
    )  # fmt: skip
    return case


async def send_back(unit: Unit, reply_id: int, actor: Actor, *, version: int, note: str) -> Case:
    """Return the draft with a comment; the case is the department's again."""
    known, reply, _message = await _open(unit, reply_id, actor, version)
    # The text as it was read stays in the history, so that the next reviewer sees what was changed.
    case = await change(unit, known, Move.send_back, actor, note=note, reply_id=reply.id, text=reply.text)
    await _set(
        unit, reply, state=ReplyState.returned, review_note=note.strip(), reviewer_id=actor.user_id,
        reviewer_name=actor.name, reviewed_at=clock.now(),
    )  # fmt: skip
    return case


def _refuse(findings: Sequence[Finding]) -> None:
    if blocking := [finding for finding in findings if finding.blocks]:
        raise Unfit([finding.text for finding in blocking], blocking)


async def _open(unit: Unit, reply_id: int, actor: Actor, version: int) -> tuple[Known, Reply, Message]:
    """The case's open answer, when it is this one in this version."""
    reply = await unit.get(Reply, reply_id)
    if reply is None:
        raise NotFound(_("没有这份答复，或者您无权查看"))
    known = await know(unit, await find(unit, reply.case_id, actor))
    message = await unit.get(Message, reply.message_id)
    if message is None or known.reply is None or known.reply.id != reply.id or reply.version != version:
        raise Stale([_("这份答复刚被他人处理，请刷新后再操作")])
    return known, reply, message


async def _set(unit: Unit, reply: Reply, **values: object) -> None:
    if not await unit.compare_and_set(reply, **values):
        raise Stale([_("这份答复刚被他人处理，请刷新后再操作")])
