"""From rows to facts: what speaks for and against a move, read in two statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import literal_column
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Case, CaseClass, CaseEvent, Department, Message, Reply, ReplyState
from hub.people.actors import load_actor
from hub.policy import packs
from hub.policy.calendar import Span, SpanUnit
from hub.policy.packs import Policy
from hub.queries import visible
from hub.rights import Actor, May
from workflows.cases import clocks
from workflows.cases.moves import HANDS_IN, Move
from workflows.cases.rating import Rating
from workflows.cases.states import CaseFacts, DraftFacts, Extension, Given, Person, Ruling, Target

# Written like the partial indexes' own condition: SQLite does not use such an index for "is_open = 1".
IS_OPEN: Any = literal_column('"case".is_open')
OPEN_REPLY = (ReplyState.draft, ReplyState.reviewing, ReplyState.returned, ReplyState.approved)
# Events that say how a case stands where no column does.
_TELLING = (
    Move.ask_ruling,
    Move.rule,
    Move.ask_extension,
    Move.grant_extension,
    Move.refuse_extension,
    Move.suspend,
    Move.question_sent,
    *sorted(HANDS_IN),
    Move.redo,
    Move.reopen,
    Move.citizen_again,
    Move.answer_returned,
)
# Written once per person and answer: whoever wrote in it may not review it.
DRAFT = "draft"  # fmt: skip
_RULING = {Move.ask_ruling: Ruling.asked, Move.rule: Ruling.final}
_EXTENSION = {
    Move.ask_extension: Extension.asked,
    Move.grant_extension: Extension.granted,
    Move.refuse_extension: Extension.refused,
}
# Moves after which the clock stands; each says what was left on it.
PAUSES = frozenset({Move.suspend, Move.question_sent})
# A new round has its own deadline, and may ask for more time again.
_NEW_ROUND = {Move.redo, Move.reopen, Move.citizen_again, Move.answer_returned}


# After any of these no request for more time is open.
SETTLES_EXTENSION = tuple(move.value for move in (Move.grant_extension, Move.refuse_extension, *sorted(_NEW_ROUND)))


@dataclass(frozen=True, slots=True)
class Known:
    """A case with everything a move needs to know."""

    case: Case
    facts: CaseFacts
    policy: Policy
    reply: Reply | None = None
    suspended_at: datetime | None = None
    remaining: timedelta | None = None


def policy_of(unit: Unit) -> Policy:
    """The policy pack in force."""
    return packs.in_force(unit.ctx.settings.data)


async def find(unit: Unit, case_id: int, actor: Actor) -> Case:
    """The case, when the person may see it; NotFound otherwise, whichever it is."""
    case = await unit.first(select(Case).where(col(Case.id) == case_id, visible.cases(actor)))
    if case is None:
        raise NotFound(_("没有这张工单，或者您无权查看"))
    return case


async def numbered(unit: Unit, number: str, actor: Actor) -> Case:
    """As :func:`find`, by the number people know a case by."""
    case = await unit.first(select(Case).where(col(Case.number) == number, visible.cases(actor)))
    if case is None:
        raise NotFound(_("没有这张工单，或者您无权查看"))
    return case


async def is_visible(unit: Unit, case_id: int, actor: Actor) -> bool:
    """Whether the person may (still) see it: a case handed back leaves the department's sight."""
    seen = select(col(Case.id)).where(col(Case.id) == case_id, visible.cases(actor))
    return await unit.first(seen) is not None


async def know(unit: Unit, case: Case) -> Known:
    """Everything about a case at this moment."""
    policy, now = policy_of(unit), clock.now()
    path, request = await _beside(unit, case)
    reply = await open_reply(unit, case)
    told = await _telling_events(unit, case)
    ruling, extension, pause = _told([event for event in told if event.what != DRAFT])
    facts = CaseFacts(
        id=case.id or 0, state=case.state, now=now, urgency=case.urgency, request=request,
        department_id=case.department_id, department_path=path,
        returns=case.returns, returns_limit=policy.count("returns"),
        redos=case.redos, redos_limit=policy.count("redos"),
        hand_back_until=clocks.hand_back_until(policy, case), due_at=case.due_at,
        ruling=ruling, extension=extension,
        extensible=policy.clocks(case.urgency).extension.span != Span(0, SpanUnit.h),
        draft=_draft(reply, told) if reply else None,
        suspend_limit=policy.days("suspend_days"),
    )  # fmt: skip
    suspended_at, left = pause if pause else (None, None)
    return Known(case, facts, policy, reply, suspended_at, left)


async def open_reply(unit: Unit, case: Case) -> Reply | None:
    """The answer being worked on, if any."""
    newest = col(Reply.id).desc()
    wanted = select(Reply).where(Reply.case_id == case.id, col(Reply.state).in_(OPEN_REPLY))
    return await unit.first(wanted.order_by(newest).limit(1))


async def other_open(unit: Unit, case: Case) -> str | None:
    """The number of another open case of the same thread: it has at most one."""
    same = (Case.account_id == case.account_id, Case.thread_key == case.thread_key, col(Case.id) != case.id)
    return await unit.first(select(Case.number).where(*same, IS_OPEN))


async def _beside(unit: Unit, case: Case) -> tuple[str, str]:
    """Path of the lead department and the kind of request of the first message."""
    path = select(Department.path).where(col(Department.id) == case.department_id).scalar_subquery()
    request = select(Message.request).where(col(Message.id) == case.first_message_id).scalar_subquery()
    row = (await unit.rows(select(path, request)))[0]
    return row[0] or "", row[1] or ""


async def _telling_events(unit: Unit, case: Case) -> Sequence[Any]:
    names = [DRAFT, *(move.value for move in _TELLING)]
    wanted = select(CaseEvent.what, CaseEvent.at, CaseEvent.data, CaseEvent.by_id)
    return await unit.rows(
        wanted.where(CaseEvent.case_id == case.id, col(CaseEvent.what).in_(names)).order_by(col(CaseEvent.id))
    )


def _draft(reply: Reply, told: Sequence[Any]) -> DraftFacts:
    handed_in = [event.what for event in told if event.what in HANDS_IN and event.data.get("reply_id") == reply.id]
    asks = handed_in[-1:] == [Move.ask_citizen.value]
    return DraftFacts(_authors(reply, told), reply.state, bool(reply.text.strip()), asks)


def _authors(reply: Reply, events: Sequence[Any]) -> frozenset[int]:
    """Everybody who wrote in this answer."""
    wrote = {event.by_id for event in events if event.what == DRAFT and event.data.get("reply_id") == reply.id}
    return frozenset(number for number in {reply.author_id, *wrote} if number is not None)


def _told(events: Sequence[Any]) -> tuple[Ruling, Extension, tuple[datetime, timedelta | None] | None]:
    ruling, extension, pause = Ruling.none, Extension.none, None
    for what, at, data, _by_id in events:
        move = Move(what)
        ruling = _RULING.get(move, ruling)
        extension = Extension.none if move in _NEW_ROUND else _EXTENSION.get(move, extension)
        if move in PAUSES:
            left = data.get("remaining_seconds")
            pause = (at, None if left is None else timedelta(seconds=left))
    return ruling, extension, pause


async def given_with(
    unit: Unit,
    *,
    department_id: int | None = None,
    person_id: int | None = None,
    until: datetime | None = None,
    urgency: CaseClass | None = None,
    into_id: int | None = None,
    rating: Rating | None = None,
) -> Given:
    """Ids as they come from a form, looked up; what is not there stays empty and is refused with words."""
    department = await unit.get(Department, department_id) if department_id else None
    into = await unit.get(Case, into_id) if into_id else None
    return Given(
        department=Target(department.id or 0, department.path, department.is_active) if department else None,
        person=await _person(unit, person_id) if person_id else None,
        until=until,
        urgency=urgency,
        into_id=into.id if into else None,
        into_state=into.state if into else None,
        rating=rating,
    )


async def _person(unit: Unit, person_id: int) -> Person | None:
    actor = await load_actor(unit, person_id)
    if actor is None:
        return None
    return Person(person_id, actor.path, actor.can(May.sign))
