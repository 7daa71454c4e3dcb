"""One message with what stands around it: its thread, its tags and who said them, its case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select

from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Account, Case, Department, Message, Tagging, User
from hub.queries import visible
from hub.rights import Actor, May
from workflows.cases import timeline
from workflows.cases.timeline import MessageEntry
from workflows.inbox.said import Analysed, analysed
from workflows.watching.hits import PlanOfMessage, plans_of

MOST_BESIDE = 50


@dataclass(frozen=True, slots=True)
class TaggingEntry:
    """Who said what about a message, and why; a machine has no ``by_name`` but a version."""

    at: datetime
    by_name: str
    version: str
    reason: str
    topic: str
    subtopic: str
    sentiment: str
    emotion: str
    is_sensitive: bool
    is_current: bool


@dataclass(frozen=True)
class MessageDetail:
    """Everything on the page of a message; texts are masked. ``case``: None when there is none the person may see.
    ``said``: None while it waits for the analyser. ``plans``: monitoring plans it hit, for those who watch."""

    message: Message
    entry: MessageEntry
    account: Account
    thread: list[MessageEntry]
    taggings: list[TaggingEntry]
    said: Analysed | None
    plans: list[PlanOfMessage]
    case: Case | None
    department: str
    may_correct: list[str]
    may_reveal: bool
    may_note: bool
    may_undo: bool


async def detail(unit: Unit, actor: Actor, message_id: int) -> MessageDetail:
    """The message for its page; NotFound when the person may not see it. Reads only.

    ``may_correct``: reasons why the person cannot correct its tags now; empty: go ahead. ``may_undo``: the latest word
    about the tags is this person's own.
    """
    message = await unit.first(select(Message).where(col(Message.id) == message_id, visible.messages(actor)))
    account = await unit.get(Account, message.account_id) if message else None
    if message is None or account is None:
        raise NotFound(_("没有这条消息，或者您无权查看"))
    said = await _taggings(unit, message_id)
    current = next((tagging for tagging, _name in said if tagging.is_current), None)
    case = await _case(unit, actor, message)
    department = await unit.get(Department, case.department_id) if case and case.department_id else None
    (entry,) = await timeline.entries(unit, [message], {message_id: current} if current else {})
    return MessageDetail(
        message=message, entry=entry, account=account,
        thread=await _thread(unit, actor, message, case), taggings=[_shown(*one) for one in said],
        said=analysed(message, current) if current else None, plans=await plans_of(unit, actor, message_id), case=case,
        department=department.short_name if department else "", may_correct=_reasons(actor, message),
        may_reveal=actor.can(May.reveal_personal), may_note=actor.can(May.add_note),
        may_undo=current is not None and current.by_id is not None and current.by_id == actor.user_id,
    )  # fmt: skip


def _reasons(actor: Actor, message: Message) -> list[str]:
    reasons = []
    if not actor.can(May.correct_tags):
        reasons.append(_("没有修正标签的权限"))
    if message.is_own:
        reasons.append(_("本账号发出的内容不打标签"))
    elif message.tagged_at is None:
        reasons.append(_("这条留言还没有打标签，请稍后再修正"))
    return reasons


async def _taggings(unit: Unit, message_id: int) -> Sequence[tuple[Tagging, str | None]]:
    said = select(Tagging, User.name).outerjoin(User, col(User.id) == col(Tagging.by_id))
    rows = await unit.session.exec(said.where(Tagging.message_id == message_id).order_by(col(Tagging.id).desc()))
    return list(rows.all())


def _shown(tagging: Tagging, name: str | None) -> TaggingEntry:
    return TaggingEntry(
        at=tagging.at, by_name=name or "", version=tagging.version, reason=tagging.reason, topic=tagging.topic,
        subtopic=tagging.subtopic or "", sentiment=tagging.sentiment, emotion=tagging.emotion or "",
        is_sensitive=tagging.is_sensitive, is_current=tagging.is_current,
    )  # fmt: skip


async def _case(unit: Unit, actor: Actor, message: Message) -> Case | None:
    """Its case; the one it is merged into for those who may see that alone."""
    if message.case_id is None:
        return None
    seen = select(Case).where(visible.cases(actor))
    if (own := await unit.first(seen.where(col(Case.id) == message.case_id))) is not None:
        return own
    into = select(col(Case.merged_into_id)).where(col(Case.id) == message.case_id).correlate(None)
    return await unit.first(seen.where(col(Case.id) == into.scalar_subquery()))


async def _thread(unit: Unit, actor: Actor, message: Message, case: Case | None) -> list[MessageEntry]:
    """The talk it belongs to: its case's, or what the same person and we wrote in the same thread."""
    if case is not None:
        return await timeline.messages(unit, [message.case_id or 0])
    if not message.thread_id:
        return await timeline.entries(unit, [message], {})
    same = (Message.account_id == message.account_id, Message.thread_id == message.thread_id)
    person = or_(col(Message.author_id) == message.author_id, col(Message.is_own))
    newest = (col(Message.created_at).desc(), col(Message.id).desc())
    wanted = select(Message).where(*same, person, visible.messages(actor)).order_by(*newest).limit(MOST_BESIDE)
    return await timeline.entries(unit, list(reversed(await unit.all(wanted))), {})
