"""Answers given outside the hub, where the platform takes none: recorded by hand, with a mark that stays."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from hub import clock
from hub.crypto import digest
from hub.db import Unit
from hub.errors import Invalid, NotFound, Refused, Stale
from hub.i18n import N_, _
from hub.models import Account, Case, Message, Reply, ReplyState
from hub.queries.search import mark_answered
from hub.rights import Actor
from workflows.cases.facts import Known, find, know
from workflows.cases.moves import Move
from workflows.cases.service import change, stale
from workflows.cases.states import reasons_against
from workflows.checking.confirming import Unfit, settle
from workflows.house import House
from workflows.replies.checks import check_words, why_not_here
from workflows.replies.settling import messages_of

CHANNELS = (N_("电话"), N_("上门"), N_("信函"), N_("短信"), N_("平台网页"), N_("其他"))


async def answer_elsewhere(
    house: House,
    unit: Unit,
    case_id: int,
    actor: Actor,
    *,
    version: int,
    text: str,
    channel: str,
    note: str,
    confirm: str = "",
) -> Case:
    """Record that the citizen was answered by another way. ``note``: why not on the platform, compulsory.

    Refused where the account can answer on its platform: there the answer goes through review. The words pass the same
    check as any answer: Unfit with every red line nobody let pass, Unconfirmed unless ``confirm`` names exactly what
    was shown. The mark is the event ``answer_elsewhere`` with the channel; the reply has no delivery. ``version``: the
    case's.
    """
    case = await find(unit, case_id, actor)
    if case.version != version:
        raise stale()
    if problems := _problems(text, channel):
        raise Invalid(problems)
    known = await know(unit, case)
    await _refuse_where_possible(house, unit, case)
    if reasons := reasons_against(Move.answer_elsewhere, known.facts, actor, note=note):
        raise Refused(reasons)  # before anything is written
    confirmed = await _checked(unit, known, text.strip(), confirm)
    reply = await _recorded(unit, known, actor, text.strip())
    changed = await change(
        unit,
        known,
        Move.answer_elsewhere,
        actor,
        note=note,
        reply_id=reply.id,
        channel=channel.strip(),
        confirmed=confirmed,
    )
    await mark_answered(unit, await messages_of(unit, case))
    return changed


async def _checked(unit: Unit, known: Known, text: str, confirm: str) -> list[str]:
    """What was found and confirmed, in words."""
    number = known.reply.message_id if known.reply else known.case.first_message_id
    message = await unit.get(Message, number)
    if message is None:
        raise NotFound(_("没有这张工单，或者您无权查看"))
    found = await check_words(unit, message, text)
    if blocking := [finding for finding in found if finding.blocks]:
        raise Unfit([finding.text for finding in blocking], blocking)
    return [finding.text for finding in settle(found, confirm)]


def _problems(text: str, channel: str) -> dict[str, str]:
    problems = {}
    if not text.strip():
        problems["text"] = _("答复不能为空")
    if not channel.strip() or len(channel) > 50:
        problems["channel"] = _("请填写答复渠道，最多 50 个字")
    return problems


async def _refuse_where_possible(house: House, unit: Unit, case: Case) -> None:
    newest = (col(Message.created_at).desc(), col(Message.id).desc())
    citizens = select(Message).where(Message.case_id == case.id, ~col(Message.is_own))
    message = await unit.first(citizens.order_by(*newest).limit(1))
    account = await unit.get(Account, message.account_id) if message else None
    if account is None or message is None:
        raise NotFound(_("没有这张工单，或者您无权查看"))
    if not await why_not_here(house, unit, account, message):
        raise Refused([_("该账号可以在平台上答复，请起草后送审")])


async def _recorded(unit: Unit, known: Known, actor: Actor, text: str) -> Reply:
    """The open draft, or a new reply, as sent now by this person."""
    values: dict[str, Any] = {
        "text": text, "content_hash": digest(text), "state": ReplyState.sent, "sent_at": clock.now(),
        "author_id": actor.user_id, "author_name": actor.name,
    }  # fmt: skip
    case = known.case
    if known.reply is not None:
        if not await unit.compare_and_set(known.reply, **values):
            raise Stale([_("这份答复刚被他人处理，请刷新后再操作")])
        return known.reply
    reply = Reply(case_id=case.id or 0, message_id=case.first_message_id or 0, **values)
    unit.add(reply)
    await unit.flush()
    return reply
