"""What time does to cases: reminders, the end of a suspension, the end of the follow-up. The rows are the schedule.

Every function may run twice, late, or not at all: the event it writes is the mark that it was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func
from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import clock, feed, log
from hub.db import Unit, reading, unit_of_work
from hub.errors import Refused
from hub.i18n import N_
from hub.models import Case, CaseEvent, CaseState
from hub.policy.packs import Policy
from hub.rights import system
from workflows.cases.clocks import follow_up_over
from workflows.cases.facts import IS_OPEN, know, policy_of
from workflows.cases.moves import Move
from workflows.cases.service import change
from workflows.house import House

REMINDER = N_("时限提醒")
_CHAIN = 7302
_AT_ONCE = 500
# The last quarter of the longest span (15 working days) is shorter than this.
_AHEAD = timedelta(days=8)
_RUNNING = (CaseState.dispatched, CaseState.handling, CaseState.review)
_ROUND = (
    Move.dispatch, Move.rule, Move.forward, Move.redo, Move.reopen, Move.citizen_again, Move.answer_returned,
)  # fmt: skip
_log = log.get(__name__)


async def sweep_cases(house: House) -> int:
    """All of the below; how many cases were touched."""
    return await resume_waiting(house) + await close_answered(house) + await remind(house)


async def remind(house: House) -> int:
    """Not signed in time, deadline near, deadline over. Each said once; at working times, urgent classes at any."""
    async with reading(house.ctx) as unit:
        if not await _to_say(unit, clock.now()):
            return 0  # the usual case holds up no writer
    async with unit_of_work(house.ctx) as unit:
        await unit.lock_chain(_CHAIN)  # two sweeps at once would both say it
        now = clock.now()
        said = await _to_say(unit, now)
        for case, what in said:
            unit.add(_reminder(case, what, now))
            feed.tell(unit, "cases", case.id, case.department_id)
        return len(said)


def _reminder(case: Any, what: str, now: datetime) -> CaseEvent:
    return CaseEvent(
        case_id=case.id, at=now, what=what, from_state=case.state, to_state=case.state, by_name=REMINDER
    )  # fmt: skip


async def _to_say(unit: Unit, now: datetime) -> list[tuple[Any, str]]:
    policy = policy_of(unit)
    found = [*await _unsigned(unit, now), *await _late(unit, now), *await _soon(unit, policy, now)]
    return [(case, what) for case, what in found if _may_speak(policy, case, now)]


def _may_speak(policy: Policy, case: Any, now: datetime) -> bool:
    return policy.clocks(case.urgency).round_the_clock or policy.calendar.is_working_time(now)


_SHORT: tuple[Any, ...] = (Case.id, Case.state, Case.urgency, Case.department_id, Case.dispatched_at, Case.due_at)


def _unsaid(what: str, since: Any) -> Any:
    """The mark of a reminder is later than the moment it reminds of; a new deadline is reminded of anew."""
    said = select(CaseEvent.id).where(CaseEvent.case_id == col(Case.id), CaseEvent.what == what)
    return ~exists(said.where(col(CaseEvent.at) >= since))


async def _unsigned(unit: Unit, now: datetime) -> list[tuple[Any, str]]:
    what, at = "sign_overdue", col(Case.sign_due_at)
    wanted = columns(*_SHORT).where(IS_OPEN, col(Case.state) == CaseState.dispatched, at < now, _unsaid(what, at))
    return [(case, what) for case in await unit.rows(wanted.limit(_AT_ONCE))]


async def _late(unit: Unit, now: datetime) -> list[tuple[Any, str]]:
    what, at = "overdue", col(Case.due_at)
    wanted = columns(*_SHORT).where(IS_OPEN, col(Case.state).in_(_RUNNING), at < now, _unsaid(what, at))
    return [(case, what) for case in await unit.rows(wanted.limit(_AT_ONCE))]


async def _soon(unit: Unit, policy: Policy, now: datetime) -> list[tuple[Any, str]]:
    """Most of the span is gone: since the round began, which a redo or a new department starts."""
    at = col(Case.due_at)
    near = columns(*_SHORT).where(IS_OPEN, col(Case.state).in_(_RUNNING), at >= now, at < now + _AHEAD)
    cases = await unit.rows(near.order_by(at).limit(10 * _AT_ONCE))
    share, last = policy.limits["soon_share"].value, await _last_events(unit, [case.id for case in cases])
    found = []
    for case in cases:
        began = last.get((case.id, "round")) or case.dispatched_at
        if began is None:
            continue
        soon_at = began + share * (case.due_at - began)
        said_at = last.get((case.id, "due_soon"))
        if now >= soon_at and (said_at is None or said_at < began):
            found.append((case, "due_soon"))
    return found


async def _last_events(unit: Unit, case_ids: Sequence[int]) -> dict[tuple[int, str], datetime]:
    """When each case was last reminded, and when its round began."""
    found: dict[tuple[int, str], datetime] = {}
    names = ["due_soon", *(move.value for move in _ROUND)]
    for start in range(0, len(case_ids), _AT_ONCE):
        among = col(CaseEvent.case_id).in_(case_ids[start : start + _AT_ONCE])
        latest = columns(col(CaseEvent.case_id), col(CaseEvent.what), func.max(col(CaseEvent.at)))
        grouped = latest.where(among, col(CaseEvent.what).in_(names)).group_by(
            col(CaseEvent.case_id), col(CaseEvent.what)
        )
        for case_id, what, at in await unit.rows(grouped):
            key = (case_id, "due_soon" if what == "due_soon" else "round")
            found[key] = max(at, found.get(key, at))
    return found


async def resume_waiting(house: House) -> int:
    """Suspended cases whose end date has come go on."""
    over = (col(Case.state) == CaseState.waiting, col(Case.waiting_until) <= clock.now())
    return await _each(house, await _ids(house, *over), Move.resume, cause="timer")


async def close_answered(house: House) -> int:
    """Answered cases nobody rated are closed when the follow-up is over; "not rated" is not "satisfied"."""
    now = clock.now()
    async with reading(house.ctx) as unit:
        policy = policy_of(unit)
        answered = (col(Case.state) == CaseState.replied, col(Case.replied_at) < now)
        oldest = select(Case).where(*answered).order_by(col(Case.replied_at)).limit(_AT_ONCE)
        cases = [case for case in await unit.all(oldest) if _is_over(policy, case, now)]
    return await _each(house, [case.id or 0 for case in cases], Move.close, rating="none")


def _is_over(policy: Policy, case: Case, now: datetime) -> bool:
    over = follow_up_over(policy, case)
    return over is not None and over <= now


async def _ids(house: House, *conditions: Any) -> list[int]:
    async with reading(house.ctx) as unit:
        found = await unit.all(select(col(Case.id)).where(*conditions).order_by(col(Case.id)).limit(_AT_ONCE))
    return [number for number in found if number is not None]


async def _each(house: House, case_ids: Iterable[int], move: Move, **data: Any) -> int:
    """The move on each, in a transaction of its own; what somebody else moved meanwhile is left alone."""
    done = 0
    for case_id in case_ids:
        try:
            async with unit_of_work(house.ctx) as unit:
                case = await unit.get(Case, case_id)
                if case is not None:
                    await change(unit, await know(unit, case), move, system(REMINDER), **data)
                    done += 1
        except Refused as refused:
            _log.info("case left alone", case=case_id, move=move.value, reasons=len(refused.reasons))
    return done
