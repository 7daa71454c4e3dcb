"""The one door to a case: check every reason, change by compare-and-set, write the history, tell open pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from hub import audit, clock, feed
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, Refused, Stale
from hub.i18n import _
from hub.models import Audience, Case, CaseClass, CaseEvent, CaseState, Department, Dispatch, User
from hub.rights import Actor, May
from workflows.cases import clocks
from workflows.cases.facts import PAUSES, Known, find, given_with, know, other_open
from workflows.cases.merging import carry_voices
from workflows.cases.moves import BY_THE_HUB, REPLY_MOVES, Move
from workflows.cases.newcases import dispatch_columns
from workflows.cases.rating import Rating
from workflows.cases.states import NOTHING, Given, reasons_against, target
from workflows.cases.suggested import after_return
from workflows.cases.telling import tell
from workflows.cases.words import move_label

# What the citizen may be told of the way of their matter; everything else is the office's own.
_CITIZEN_SEES = frozenset({
    Move.accept, Move.refuse, Move.dispatch, Move.rule, Move.forward, Move.sign, Move.grant_extension,
    Move.answer_sent, Move.question_sent, Move.close,
})  # fmt: skip
_DISPATCHES = frozenset({Move.dispatch, Move.rule, Move.forward})
_OPENS_AGAIN = frozenset({Move.redo, Move.reopen, Move.citizen_again, Move.answer_returned, Move.unmerge})


class Choices(TypedDict, total=False):
    """What a form may give with a move besides the note."""

    department_id: int | None
    person_id: int | None
    until: datetime | None
    urgency: CaseClass | None
    into_id: int | None
    rating: Rating | None


async def make_move(
    unit: Unit, case_id: int, move: Move, actor: Actor, *, version: int, note: str = "", **given: Unpack[Choices]
) -> Case:
    """Make a move for a person. Safe to run twice: a stale version is refused, never repeated.

    NotFound when the person may not see the case, Stale when somebody was faster, Refused with every reason.
    Moves of an answer go through ``workflows.replies``, those of the hub through nobody.
    """
    if move in REPLY_MOVES | BY_THE_HUB:
        raise Refused([_("「%(move)s」不能在这里操作", move=move_label(move))])
    case = await find(unit, case_id, actor)
    if case.version != version:
        raise stale()
    return await change(unit, await know(unit, case), move, actor, note=note, given=await given_with(unit, **given))


async def change(
    unit: Unit, known: Known, move: Move, actor: Actor, *, note: str = "", given: Given = NOTHING, **data: Any
) -> Case:
    """The door itself, for a case already read: other rooms use it for their moves. ``data`` goes into the event."""
    note = note.strip()
    if reasons := reasons_against(move, known.facts, actor, note=note, given=given):
        raise Refused(reasons)
    case, was, department_was = known.case, known.case.state, known.case.department_id
    target_was = case.merged_into_id
    values = clocks.fields(_change(known, move, actor, note, given))
    if move is Move.hand_back:
        values["routing"] = await _routed_anew(unit, case, given)
    if move in _OPENS_AGAIN:
        await _refuse_second_open(unit, case)
    await _set(unit, case, values)
    if move in {Move.merge, Move.unmerge}:
        await carry_voices(unit, case, case.merged_into_id or target_was or 0, back=move is Move.unmerge)
    data |= await _said(unit, known, move, given, values)
    if given.department is not None:
        data |= await _keep_dispatch(unit, known, move, actor, given.department.id)
    unit.add(_event(case, move, actor, was, note, data))
    await tell(unit, case, move, note, goes_on=case.department_id != department_was)
    for department in {department_was, case.department_id}:
        feed.tell(unit, "cases", case.id, department)
    if actor.user_id is not None:
        await audit.record(unit, actor, f"case.{move.value}", f"case/{case.number}", state=case.state.value)
    return case


def stale() -> Stale:
    """The words for somebody who was slower."""
    return Stale([_("该工单刚被他人处理，请刷新后再操作")])


def _change(known: Known, move: Move, actor: Actor, note: str, given: Given) -> clocks.Change:
    return clocks.Change(
        move=move,
        to=target(move, known.facts, given),
        case=known.case,
        now=known.facts.now,
        policy=known.policy,
        by_id=actor.user_id,
        by_department_id=actor.department_id,
        note=note,
        given=given,
        remaining=known.remaining,
        suspended_at=known.suspended_at,
    )


async def _set(unit: Unit, case: Case, values: dict[str, Any]) -> None:
    try:
        done = await unit.compare_and_set(case, **values)
    except IntegrityError:  # somebody opened the same thread meanwhile; this transaction is lost anyway
        raise stale() from None
    if not done:
        raise stale()


async def _refuse_second_open(unit: Unit, case: Case) -> None:
    """A thread has at most one open case."""
    if (other := await other_open(unit, case)) is not None:
        raise Refused([_("同一会话已有未办结的工单 %(number)s", number=other)])


async def _said(unit: Unit, known: Known, move: Move, given: Given, values: dict[str, Any]) -> dict[str, Any]:
    """What the timeline shows beside the note."""
    data: dict[str, Any] = {}
    if given.department is not None:
        department = await unit.get(Department, given.department.id)
        name = "proposed" if move is Move.hand_back else "department"
        data |= {f"{name}_id": given.department.id, name: department.short_name if department else ""}
    if given.person is not None:
        person = await unit.get(User, given.person.id)
        data |= {"person_id": given.person.id, "person": person.name if person else ""}
    if given.into_id is not None:
        into = await unit.get(Case, given.into_id)
        data |= {"into_id": given.into_id, "into": into.number if into else ""}
    if given.urgency is not None:
        data["urgency"] = given.urgency.value
    if given.rating is not None:
        data |= given.rating.as_data()
    if move in PAUSES:
        # the case object is already changed: what was left is worked out from the facts' deadline
        data |= {"until": given.until.isoformat() if given.until else "", **_left(known)}
    if (due_at := values.get("due_at")) is not None:
        data["due_at"] = due_at.isoformat()
    return data


async def _keep_dispatch(unit: Unit, known: Known, move: Move, actor: Actor, department_id: int) -> dict[str, Any]:
    """The dispatch with what had been suggested, for the figures of routing; what the timeline says of it."""
    if move not in _DISPATCHES:
        return {}
    case, at = known.case, clock.now()
    earlier = await unit.first(select(col(Dispatch.id)).where(Dispatch.case_id == case.id).limit(1))
    kept = dispatch_columns(department_id, case.routing, at, actor.user_id) | {"is_first": earlier is None}
    unit.add(Dispatch(case_id=case.id or 0, **kept))
    if move is not Move.dispatch:
        return {}
    suggested = case.routing.get("suggestions", [])
    rank = next((n for n, one in enumerate(suggested, 1) if one["department_id"] == department_id), 0)
    return {"advice": suggested[max(rank, 1) - 1] if suggested else {}, "advice_rank": rank}


async def _routed_anew(unit: Unit, case: Case, given: Given) -> dict[str, Any]:
    """Whoever handed it back is suggested last; whom they named, first."""
    proposed = await unit.get(Department, given.department.id) if given.department else None
    named = (proposed.id or 0, proposed.short_name or proposed.name) if proposed and proposed.is_active else None
    return after_return(case.routing, case.department_id or 0, named)


def _left(known: Known) -> dict[str, int]:
    facts = known.facts
    left = clocks.remaining(known.policy, facts.urgency, facts.due_at, facts.now)
    return {} if left is None else {"remaining_seconds": int(left.total_seconds())}


def _event(case: Case, move: Move, actor: Actor, was: str, note: str, data: dict[str, Any]) -> CaseEvent:
    return CaseEvent(
        case_id=case.id or 0,
        at=clock.now(),
        what=move.value,
        from_state=was,
        to_state=case.state,
        by_id=actor.user_id,
        by_name=actor.name,
        note=note,
        data=data,
        audience=Audience.citizen if move in _CITIZEN_SEES else Audience.office,
    )


async def dispatch_now(
    unit: Unit, case_id: int, actor: Actor, *, version: int, department_id: int | None, note: str = ""
) -> Case:
    """Accept (where that is still to do) and dispatch in one go, as the desk's button does."""
    case = await find(unit, case_id, actor)
    if case.version != version:
        raise stale()
    known, given = await know(unit, case), await given_with(unit, department_id=department_id)
    if case.state is CaseState.new:
        accepted = replace(known.facts, state=CaseState.triaged)
        reasons = reasons_against(Move.accept, known.facts, actor)
        if reasons := reasons + reasons_against(Move.dispatch, accepted, actor, note=note, given=given):
            raise Refused(reasons)  # before anything is written
        await change(unit, known, Move.accept, actor)
        known = await know(unit, case)
    return await change(unit, known, Move.dispatch, actor, note=note, given=given)


async def add_note(unit: Unit, case_id: int, actor: Actor, text: str) -> CaseEvent:
    """An internal note: read by the office only. Allowed in any state; never changes the version."""
    case = await find(unit, case_id, actor)
    if not actor.can(May.add_note):
        raise NotAllowed(_("%(who)s没有「%(what)s」权限", who=actor.name, what=_("内部备注")))
    if not text.strip():
        raise Invalid({"note": _("备注不能为空")})
    event = CaseEvent(case_id=case.id or 0, what="note", by_id=actor.user_id, by_name=actor.name, note=text.strip())
    unit.add(event)
    feed.tell(unit, "cases", case.id, case.department_id)
    await audit.record(unit, actor, "case.note", f"case/{case.number}")
    return event
