"""The table of moves: from which state to which, who may, what must be given. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.models import CaseState as S
from hub.rights import May


class Move(StrEnum):
    """Everything that can be done to a case. Some leave the state as it is."""

    accept = "accept"
    refuse = "refuse"
    answer_direct = "answer_direct"
    dispatch = "dispatch"
    sign = "sign"
    assign = "assign"
    hand_back = "hand_back"
    ask_ruling = "ask_ruling"
    rule = "rule"
    forward = "forward"
    suspend = "suspend"
    resume = "resume"
    ask_extension = "ask_extension"
    grant_extension = "grant_extension"
    refuse_extension = "refuse_extension"
    reclass = "reclass"
    submit = "submit"
    ask_citizen = "ask_citizen"
    send_back = "send_back"
    approve = "approve"
    answer_sent = "answer_sent"
    question_sent = "question_sent"
    answer_failed = "answer_failed"
    answer_retried = "answer_retried"
    answer_returned = "answer_returned"
    answer_elsewhere = "answer_elsewhere"
    close = "close"
    redo = "redo"
    reopen = "reopen"
    citizen_again = "citizen_again"
    merge = "merge"
    unmerge = "unmerge"


class Need(StrEnum):
    """What has to be given with a move."""

    note = "note"
    department = "department"
    person = "person"
    until = "until"
    urgency = "urgency"
    into = "into"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table. ``rights``: any of them will do; empty: only the hub itself.

    ``members_only``: the person must belong to the lead department (or, as its head, stand above it).
    """

    to: Mapping[S, S]
    rights: frozenset[May]
    needs: tuple[Need, ...] = ()
    members_only: bool = False


def _step(to: Mapping[S, S], *rights: May, needs: tuple[Need, ...] = (), members_only: bool = False) -> Step:
    return Step(to, frozenset(rights), needs, members_only)


def _stay(*states: S) -> dict[S, S]:
    return {state: state for state in states}


_WITH_DEPARTMENT = (S.dispatched, S.handling)
_NOTE = (Need.note,)

MOVES: dict[Move, Step] = {
    Move.accept: _step({S.new: S.triaged}, May.accept),
    Move.refuse: _step({S.new: S.void, S.triaged: S.void}, May.refuse, needs=_NOTE),
    Move.answer_direct: _step({S.triaged: S.review}, May.dispatch),
    Move.dispatch: _step({S.triaged: S.dispatched}, May.dispatch, needs=(Need.department,)),
    Move.sign: _step({S.dispatched: S.handling}, May.sign, members_only=True),
    Move.assign: _step(_stay(*_WITH_DEPARTMENT), May.sign, needs=(Need.person,), members_only=True),
    Move.hand_back: _step(
        {S.dispatched: S.triaged, S.handling: S.triaged}, May.hand_back, needs=_NOTE, members_only=True
    ),
    Move.ask_ruling: _step(_stay(*_WITH_DEPARTMENT), May.hand_back, needs=_NOTE, members_only=True),
    Move.rule: _step(
        {S.dispatched: S.dispatched, S.handling: S.dispatched}, May.dispatch, needs=(Need.department, Need.note)
    ),
    # The desk sends an unsigned case elsewhere when the hub sent it wrong; a head hands it down.
    Move.forward: _step(
        {S.dispatched: S.dispatched, S.handling: S.dispatched},
        May.hand_back,
        May.dispatch,
        needs=(Need.department, Need.note),
    ),
    Move.suspend: _step({S.handling: S.waiting}, May.suspend, needs=(Need.note, Need.until)),
    Move.resume: _step({S.waiting: S.handling}, May.suspend),
    Move.ask_extension: _step(_stay(S.handling), May.draft_reply, needs=_NOTE, members_only=True),
    Move.grant_extension: _step(_stay(S.handling, S.waiting, S.review), May.suspend),
    Move.refuse_extension: _step(_stay(S.handling, S.waiting, S.review), May.suspend, needs=_NOTE),
    Move.reclass: _step(
        _stay(S.new, S.triaged, S.dispatched, S.handling), May.dispatch, needs=(Need.urgency, Need.note)
    ),
    # The desk answers in cases its own office is in the lead of.
    Move.submit: _step({S.handling: S.review, S.waiting: S.review}, May.draft_reply, May.dispatch, members_only=True),
    # A question to the citizen goes out through review like an answer; then the case waits for what they say.
    Move.ask_citizen: _step({S.handling: S.review}, May.draft_reply, May.dispatch, members_only=True),
    Move.send_back: _step({S.review: S.handling}, May.review_reply, needs=_NOTE),
    Move.approve: _step(_stay(S.review), May.review_reply),
    Move.answer_sent: _step({S.review: S.replied}),
    Move.question_sent: _step({S.review: S.waiting}),
    Move.answer_failed: _step({S.review: S.handling}),
    Move.answer_retried: _step({S.handling: S.review}),
    # It left and did not arrive: nobody was answered, or asked.
    Move.answer_returned: _step({S.waiting: S.handling, S.replied: S.handling, S.closed: S.handling}),
    Move.answer_elsewhere: _step(
        {S.handling: S.replied, S.waiting: S.replied}, May.draft_reply, May.dispatch, needs=_NOTE, members_only=True
    ),
    Move.close: _step({S.replied: S.closed}, May.close),
    Move.redo: _step({S.replied: S.handling}, May.reopen, needs=_NOTE),
    Move.reopen: _step({S.closed: S.handling, S.void: S.triaged}, May.reopen, needs=_NOTE),
    Move.citizen_again: _step({S.replied: S.handling, S.closed: S.handling}),
    Move.merge: _step(
        {S.new: S.merged, S.triaged: S.merged, S.dispatched: S.merged, S.handling: S.merged},
        May.dispatch,
        needs=(Need.into, Need.note),
    ),
    Move.unmerge: _step({S.merged: S.triaged}, May.dispatch, needs=_NOTE),
}

# Moves that belong to an answer: the replies room makes them together with the reply's own change.
REPLY_MOVES = frozenset({
    Move.answer_direct, Move.submit, Move.ask_citizen, Move.send_back, Move.approve, Move.answer_elsewhere,
})  # fmt: skip
# How a draft is handed in: the last of these says whether it answers or asks.
HANDS_IN = frozenset({Move.answer_direct, Move.submit, Move.ask_citizen})
BY_THE_HUB = frozenset(move for move, step in MOVES.items() if not step.rights)
CLOSED_STATES = frozenset({S.replied, S.closed, S.void, S.merged})
