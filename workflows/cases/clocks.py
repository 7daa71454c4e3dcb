"""What a move does to the fields of a case, clocks first. Pure: the policy and the moment are passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.models import Case, CaseClass, CaseState
from hub.policy.packs import Limit, Policy
from workflows.cases.moves import Move
from workflows.cases.states import Given, is_open


@dataclass(frozen=True, slots=True)
class Change:
    """One move about to be made. ``remaining``: what was left of the deadline when the case was suspended."""

    move: Move
    to: CaseState
    case: Case
    now: datetime
    policy: Policy
    by_id: int | None
    by_department_id: int | None
    note: str
    given: Given
    remaining: timedelta | None = None
    suspended_at: datetime | None = None


def due(policy: Policy, urgency: CaseClass, limit: Limit, start: datetime) -> datetime:
    """When a limit that began at ``start`` is over for this class."""
    return policy.calendar.add(start, limit.span, round_the_clock=policy.clocks(urgency).round_the_clock)


def stamp(policy: Policy, due_at: datetime) -> str:
    """Calendar and pack version stored with a due time; ends in ~ when the day is provisional."""
    return f"{policy.version}/{policy.calendar.stamp(due_at)}"[:32]


def accept_due(policy: Policy, urgency: CaseClass, start: datetime) -> datetime:
    """T1: until when the desk has to accept what came in at ``start``."""
    return due(policy, urgency, policy.clocks(urgency).accept, start)


def dispatch_fields(policy: Policy, urgency: CaseClass, at: datetime, due_at: datetime | None) -> dict[str, Any]:
    """T2 and T3 start at dispatch, not at signing. A deadline that already runs is never restarted."""
    clocks = policy.clocks(urgency)
    finish = due_at or due(policy, urgency, clocks.finish, at)
    return {
        "dispatched_at": at,
        "sign_due_at": due(policy, urgency, clocks.sign, at),
        "signed_at": None,
        "due_at": finish,
        "accept_due_at": None,
        "calendar_version": stamp(policy, finish),
    }


def hand_back_until(policy: Policy, case: Case) -> datetime | None:
    """T4: until when the department may say that it is not theirs."""
    if case.dispatched_at is None:
        return None
    return due(policy, case.urgency, policy.clocks(case.urgency).hand_back, case.dispatched_at)


def follow_up_over(policy: Policy, case: Case) -> datetime | None:
    """T6: when an answered case nobody rated is closed."""
    if case.replied_at is None:
        return None
    return due(policy, case.urgency, policy.clocks(case.urgency).follow_up, case.replied_at)


def remaining(policy: Policy, urgency: CaseClass, due_at: datetime | None, at: datetime) -> timedelta | None:
    """What is left of a deadline at ``at``, in the time its class runs on; negative when it is late."""
    if due_at is None:
        return None
    if policy.clocks(urgency).round_the_clock:
        return due_at - at
    return policy.calendar.working_between(at, due_at)


def _after(change: Change, start: datetime, left: timedelta) -> datetime:
    """The deadline when the clock goes on at ``start`` with ``left`` on it."""
    policy, urgency = change.policy, change.case.urgency
    if policy.clocks(urgency).round_the_clock:
        return start + left
    return policy.calendar.add_working(start, left)


def fields(change: Change) -> dict[str, Any]:
    """Every column the move sets, ``state`` included."""
    values: dict[str, Any] = {"state": change.to, "is_open": is_open(change.to)}
    if effect := _EFFECTS.get(change.move):
        values |= effect(change)
    return values


def _to_desk(change: Change) -> dict[str, Any]:
    """Back to the desk: no department, no handler; the desk answers in the time of a return, T3 keeps running."""
    clocks = change.policy.clocks(change.case.urgency)
    return {
        "department_id": None,
        "handler_id": None,
        "sign_due_at": None,
        "signed_at": None,
        "accept_due_at": due(change.policy, change.case.urgency, clocks.hand_back, change.now),
    }


def _dispatch(change: Change) -> dict[str, Any]:
    assert change.given.department is not None  # refused before
    if change.move is Move.rule and change.given.department.id == change.case.department_id:
        return {}
    clocks = dispatch_fields(change.policy, change.case.urgency, change.now, change.case.due_at)
    return {"department_id": change.given.department.id, "handler_id": None, **clocks}


def _answer_direct(change: Change) -> dict[str, Any]:
    """The desk answers itself: its own office is in the lead, should the draft come back."""
    clocks = dispatch_fields(change.policy, change.case.urgency, change.now, change.case.due_at)
    own = {"department_id": change.by_department_id, "handler_id": change.by_id, "signed_at": change.now}
    return clocks | own


def _sign(change: Change) -> dict[str, Any]:
    return {"signed_at": change.now, "handler_id": change.case.handler_id or change.by_id}


def _assign(change: Change) -> dict[str, Any]:
    return {"handler_id": change.given.person.id if change.given.person else None}


def _hand_back(change: Change) -> dict[str, Any]:
    return {"returns": change.case.returns + 1, **_to_desk(change)}


def _suspend(change: Change) -> dict[str, Any]:
    """Until the end date the clock stands: the stored deadline moves behind it, so that nothing shows as late."""
    case, until = change.case, change.given.until
    left = remaining(change.policy, case.urgency, case.due_at, change.now)
    assert until is not None  # refused before
    values: dict[str, Any] = {"waiting_until": until}
    if left is not None and left > timedelta():
        values["due_at"] = _after(change, until, left)
    return values


def _resume(change: Change) -> dict[str, Any]:
    values: dict[str, Any] = {"waiting_until": None}
    if change.suspended_at is not None:
        passed = int((change.now - change.suspended_at).total_seconds())
        values["paused_seconds"] = change.case.paused_seconds + passed
    if change.remaining is not None and change.remaining > timedelta():
        values["due_at"] = _after(change, change.now, change.remaining)
    return values


def _submit(change: Change) -> dict[str, Any]:
    """A case submitted while it waits goes on as if resumed."""
    return _resume(change) if change.case.state is CaseState.waiting else {}


def _replied(change: Change) -> dict[str, Any]:
    return {"replied_at": change.now, **_submit(change)}


def _extension(change: Change) -> dict[str, Any]:
    """At most one first span more, counted from the old deadline."""
    case, policy = change.case, change.policy
    if case.due_at is None:
        return {}
    later = due(policy, case.urgency, policy.clocks(case.urgency).extension, case.due_at)
    return {"due_at": later, "calendar_version": stamp(policy, later)}


def _reclass(change: Change) -> dict[str, Any]:
    """The new class counts from the moments at which the clocks began."""
    case, policy, urgency = change.case, change.policy, change.given.urgency
    assert urgency is not None  # refused before
    values: dict[str, Any] = {"urgency": urgency}
    if case.dispatched_at is not None and case.due_at is not None:
        return values | dispatch_fields(policy, urgency, case.dispatched_at, None) | {"signed_at": case.signed_at}
    if case.accept_due_at is not None:
        values["accept_due_at"] = accept_due(policy, urgency, case.opened_at)
    return values


def _again(change: Change) -> dict[str, Any]:
    """Answered or closed and open again: a new T3, the person who knew it still on it."""
    case, policy = change.case, change.policy
    values: dict[str, Any] = {"replied_at": None, "closed_at": None, "void_reason": ""}
    if change.to is CaseState.triaged:
        return values | {"due_at": None} | _to_desk(change)
    finish = due(policy, case.urgency, policy.clocks(case.urgency).finish, change.now)
    return values | {"due_at": finish, "calendar_version": stamp(policy, finish)}


def _returned(change: Change) -> dict[str, Any]:
    """An answer that did not arrive begins a new round; after a question the clock goes on where it stood."""
    return _resume(change) if change.case.state is CaseState.waiting else _again(change)


def _redo(change: Change) -> dict[str, Any]:
    return {"redos": change.case.redos + 1, **_again(change)}


def _unmerge(change: Change) -> dict[str, Any]:
    return {"merged_into_id": None, **_to_desk(change)}


_EFFECTS: dict[Move, Callable[[Change], dict[str, Any]]] = {
    Move.accept: lambda change: {"accept_due_at": None},
    Move.refuse: lambda change: {"void_reason": change.note, "closed_at": change.now, "accept_due_at": None},
    Move.answer_direct: _answer_direct,
    Move.dispatch: _dispatch,
    Move.rule: _dispatch,
    Move.forward: _dispatch,
    Move.sign: _sign,
    Move.assign: _assign,
    Move.hand_back: _hand_back,
    Move.suspend: _suspend,
    Move.question_sent: _suspend,
    Move.resume: _resume,
    Move.grant_extension: _extension,
    Move.reclass: _reclass,
    Move.submit: _submit,
    Move.answer_sent: _replied,
    Move.answer_elsewhere: _replied,
    Move.close: lambda change: {"closed_at": change.now},
    Move.redo: _redo,
    Move.reopen: _again,
    Move.citizen_again: _again,
    Move.answer_returned: _returned,
    Move.merge: lambda change: {"merged_into_id": change.given.into_id, "accept_due_at": None},
    Move.unmerge: _unmerge,
}
