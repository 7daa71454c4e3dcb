"""A citizen writes again: the message joins their case, wakes it when it was answered, waits with it when suspended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlmodel import col

from hub import clock
from hub.db import Unit
from hub.errors import Stale
from hub.models import Audience, Case, CaseClass, CaseEvent, CaseState, Message
from hub.rights import system
from workflows.cases import clocks
from workflows.cases.facts import know, other_open, policy_of
from workflows.cases.moves import Move
from workflows.cases.newcases import Thread, class_of
from workflows.cases.service import change
from workflows.cases.states import is_open
from workflows.opinion.heat import heat

Pair = tuple[Thread, Case]
_EARLY = frozenset({CaseState.new, CaseState.triaged})


async def join(unit: Unit, pairs: Sequence[Pair]) -> tuple[list[Pair], list[Thread]]:
    """Threads joined to their cases, and those that need a new case: refused before, or answered too long ago.

    Counts move by addition and leave the version alone, so that a citizen's message never makes a clerk's page stale.
    """
    joined, apart = [], []
    for thread, case in pairs:
        into = await _woken(unit, thread, case)
        if into is None:
            apart.append(thread)
        else:
            joined.append((thread, into))
    if joined:
        await unit.run(_ADD, [_added(thread, case) for thread, case in joined])
        await unit.run(
            insert(CaseEvent), [_said(case, message) for thread, case in joined for message in thread.messages]
        )
        for thread, case in joined:
            await _raise_class(unit, thread, case)
    return joined, apart


_ADD: Any = (
    update(Case.__table__)  # type: ignore[attr-defined]
    .where(col(Case.id) == bindparam("b_id"))
    .values(
        message_count=col(Case.message_count) + bindparam("b_count"),
        likes=col(Case.likes) + bindparam("b_likes"),
        last_message_at=bindparam("b_last"),
        heat=bindparam("b_heat"),
        is_sensitive=bindparam("b_sensitive"),
    )
)


def _added(thread: Thread, case: Case) -> dict[str, Any]:
    messages = thread.messages
    likes = sum(message.likes for message in messages)
    newest = max(case.last_message_at, *(message.created_at for message in messages))
    return {
        "b_id": case.id,
        "b_count": len(messages),
        "b_likes": likes,
        "b_last": newest,
        "b_heat": heat(case.message_count + len(messages), case.likes + likes, newest),
        "b_sensitive": case.is_sensitive or any(message.is_sensitive for message in messages),
    }


def _said(case: Case, message: Message) -> dict[str, Any]:
    return {
        "case_id": case.id, "at": clock.now(), "what": "message", "from_state": case.state, "to_state": case.state,
        "by_id": None, "by_name": message.author_name[:100], "note": "", "data": {"message_id": message.id},
        "audience": Audience.citizen,
    }  # fmt: skip


async def _woken(unit: Unit, thread: Thread, case: Case) -> Case | None:
    """The case the thread joins, made open where it has to be; None: a new case is right."""
    for _attempt in range(3):
        case = await _root(unit, case)
        try:
            return await _wake(unit, thread, case)
        except Stale:  # somebody moved it meanwhile: look again
            await unit.session.refresh(case)
    return None


async def _root(unit: Unit, case: Case) -> Case:
    """Merged cases point to where the matter goes on; the table of moves allows no circle."""
    while case.state is CaseState.merged and case.merged_into_id is not None:
        target = await unit.get(Case, case.merged_into_id)
        if target is None:
            return case
        case = target
    return case


async def _wake(unit: Unit, thread: Thread, case: Case) -> Case | None:
    if case.state is CaseState.waiting:
        return await change(unit, await know(unit, case), Move.resume, system(), cause="message")
    if is_open(case.state):
        return case
    if case.state not in {CaseState.replied, CaseState.closed} or not _is_recent(unit, thread, case):
        return None
    if await other_open(unit, case):
        return None
    return await change(unit, await know(unit, case), Move.citizen_again, system(), message_id=thread.first.id)


def _is_recent(unit: Unit, thread: Thread, case: Case) -> bool:
    """Written since the case began, and read while it may still be woken."""
    done_at = case.closed_at or case.replied_at
    if done_at is None or thread.first.created_at < case.opened_at:
        return False
    return clock.now() <= done_at + policy_of(unit).days("reopen_days")


async def _raise_class(unit: Unit, thread: Thread, case: Case) -> None:
    """Before dispatch an urgent word in a later message makes the case urgent; afterwards the department judges."""
    is_urgent = any(class_of(message.urgency) is CaseClass.urgent for message in thread.messages)
    if not is_urgent or case.urgency is CaseClass.urgent or case.state not in _EARLY:
        return
    due = clocks.accept_due(policy_of(unit), CaseClass.urgent, clock.now())
    if await unit.compare_and_set(case, urgency=CaseClass.urgent, accept_due_at=due):
        unit.add(CaseEvent(case_id=case.id or 0, what="class_raised", by_name=system().name))
