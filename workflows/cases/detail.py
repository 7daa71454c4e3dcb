"""One case with everything its page shows, masked, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from hub import audit
from hub.clock import local
from hub.db import Unit
from hub.errors import NotAllowed, NotFound
from hub.i18n import N_, _
from hub.models import Case, CaseState, Message, Reply
from hub.policy.packs import Limit
from hub.queries import visible
from hub.rights import Actor, May
from workflows.cases import timeline
from workflows.cases.facts import Known, find, know
from workflows.cases.moves import REPLY_MOVES, Move
from workflows.cases.rows import CaseRow, as_row, rows_of_cases
from workflows.cases.states import Extension, Offer, Ruling, moves_for, reasons_against_drafting, standing_reasons
from workflows.cases.suggested import explain
from workflows.cases.timeline import EventEntry, MessageEntry, ReplyEntry
from workflows.letters.stored import contact_of


@dataclass(frozen=True, slots=True)
class Clock:
    """One time limit: since when, until when, when it was met, and the rule it comes from. ``days``: working days to go
    or gone since."""

    label: str
    span: str
    source: str
    due_at: datetime | None
    met_at: datetime | None
    is_late: bool
    days: int = 0


@dataclass(frozen=True, slots=True)
class Suggested:
    """A department the router suggests, with its reason in words."""

    department_id: int
    department: str
    why: str
    p: float


@dataclass(frozen=True, slots=True)
class Related:
    """Another case this one is merged with."""

    id: int
    number: str
    title: str
    state: CaseState


@dataclass(frozen=True)
class Detail:
    """Everything on the page. ``case`` gives ids and the version; texts for people come from the other fields."""

    case: Case
    row: CaseRow
    messages: list[MessageEntry]
    earlier_messages: int
    events: list[EventEntry]
    replies: list[ReplyEntry]
    draft: Reply | None
    clocks: list[Clock]
    suggestions: list[Suggested]
    moves: list[Offer]
    reply_reasons: dict[Move, list[str]]
    may_draft: list[str]
    may_note: bool
    may_reveal: bool
    may_correct: bool
    ruling: Ruling
    extension: Extension
    asks: bool
    merged_into: Related | None
    merged: list[Related]


async def detail(unit: Unit, case_id: int, actor: Actor) -> Detail:
    """The case for its page; NotFound when the person may not see it. Reads only.

    ``reply_reasons``: for each move of an answer why it cannot be made now (empty list: go ahead); ``may_draft``: why
    the person cannot write in the draft box.
    """
    case = await find(unit, case_id, actor)
    known = await know(unit, case)
    merged = await unit.all(select(Case).where(col(Case.merged_into_id) == case.id).order_by(col(Case.id)))
    ids = [case_id, *(other.id or 0 for other in merged)]
    shown, history = await timeline.messages(unit, ids), await timeline.events(unit, case_id)
    citizens = sum(not message.is_own for message in shown)
    return Detail(
        case=case, row=await _row(unit, known), messages=shown, earlier_messages=max(0, case.message_count - citizens),
        events=history, replies=await timeline.replies(unit, case, history), draft=known.reply,
        clocks=clocks_of(known), suggestions=_suggested(case), moves=moves_for(known.facts, actor),
        reply_reasons={move: standing_reasons(move, known.facts, actor) for move in REPLY_MOVES},
        may_draft=reasons_against_drafting(known.facts, actor), may_note=actor.can(May.add_note),
        may_reveal=actor.can(May.reveal_personal), may_correct=actor.can(May.correct_tags),
        ruling=known.facts.ruling, extension=known.facts.extension,
        asks=known.facts.draft is not None and known.facts.draft.asks,
        merged_into=await _into(unit, case, actor), merged=[_related(other) for other in merged],
    )  # fmt: skip


async def _row(unit: Unit, known: Known) -> CaseRow:
    found = await unit.rows(rows_of_cases().where(col(Case.id) == known.case.id))
    return as_row(found[0], known.policy, known.facts.now)


def clocks_of(known: Known) -> list[Clock]:
    """The limits of the case's class with their sources, as far as they concern it."""
    case, limits = known.case, known.policy.clocks(known.case.urgency)
    rows: list[tuple[str, Limit, datetime | None, datetime | None]] = [
        (N_("受理"), limits.accept, case.accept_due_at, case.dispatched_at),
        (N_("签收"), limits.sign, case.sign_due_at, case.signed_at),
        (N_("办结"), limits.finish, case.due_at, case.replied_at),
        (N_("退回"), limits.hand_back, _may_still_return(known), None),
    ]
    now = known.facts.now
    return [
        Clock(_(label), str(limit.span), limit.source, due, met, (met or now) > due, _days(known, due))
        for label, limit, due, met in rows
        if due is not None
    ]


def _may_still_return(known: Known) -> datetime | None:
    """Until when the department may hand it back; once that is over it is no limit any more."""
    until = known.facts.hand_back_until
    returnable = known.case.state in (CaseState.dispatched, CaseState.handling)
    return until if until and returnable and until >= known.facts.now else None


def _days(known: Known, due: datetime) -> int:
    return known.policy.calendar.days_between(*sorted((local(known.facts.now).date(), local(due).date())))


def _suggested(case: Case) -> list[Suggested]:
    stored: list[dict[str, Any]] = case.routing.get("suggestions", [])
    return [Suggested(one["department_id"], one["department"], explain(one), one["p"]) for one in stored]


async def _into(unit: Unit, case: Case, actor: Actor) -> Related | None:
    if case.merged_into_id is None:
        return None
    target = await unit.first(select(Case).where(col(Case.id) == case.merged_into_id, visible.cases(actor)))
    return _related(target) if target else None


def _related(case: Case) -> Related:
    return Related(case.id or 0, case.number, case.title, case.state)


@dataclass(frozen=True, slots=True)
class Revealed:
    """A message as it was written. ``unopened``: who wrote it is sealed with a key that is not known."""

    title: str
    text: str
    author_name: str
    unopened: bool = False


async def reveal(unit: Unit, actor: Actor, message_id: int) -> Revealed:
    """The unmasked message; every look is written into the audit log, so the unit must be a writing one.

    NotAllowed without the right, NotFound when the person may not see the message.
    """
    if not actor.can(May.reveal_personal):
        raise NotAllowed(_("您没有查看个人信息的权限"))
    message = await unit.first(select(Message).where(col(Message.id) == message_id, visible.messages(actor)))
    if message is None:
        raise NotFound(_("没有这条消息，或者您无权查看"))
    await audit.record(unit, actor, "message.reveal", f"message/{message_id}", case_id=message.case_id)
    contact = await contact_of(unit, message)
    name = " ".join((contact or {}).values()) or message.author_name
    return Revealed(message.title, message.text, name, unopened=contact is None)
