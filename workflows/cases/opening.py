"""From tagged messages to cases: join the open one, wake an answered one, or open a new one. Few statements a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, insert, or_, union, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select

from hub import clock, feed
from hub.db import Unit
from hub.errors import Unavailable
from hub.i18n import _
from hub.models import Case, CaseEvent, Department, Dispatch, Message, MessageKind, Reply
from hub.queries.search import mark_answered
from workflows.cases.facts import IS_OPEN, policy_of
from workflows.cases.joining import join
from workflows.cases.newcases import Columns, Planned, Thread, is_answered, plan, thread_key
from workflows.cases.routing import Candidate
from workflows.cases.telling import tell_sent_off
from workflows.routing.guide import guide_in_force
from workflows.tagging.types import Tagged

# More single changes than this are told as "many": open pages read their list again once.
_TELL_EACH = 50
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Touched:
    """A case that was opened or joined; ``is_live``: somebody has work with it."""

    id: int
    department_id: int | None
    is_live: bool = True


async def attach(unit: Unit, batch: Sequence[Tagged]) -> list[int]:
    """Every citizen's message of the batch to its case; ids of all cases opened or joined.

    Own items and messages that have a case are left alone, so running twice does nothing more. The one-open-case
    index of the database decides between two writers; the loser joins the winner's case.
    """
    await unit.flush()
    wanted = [one for one in batch if _wants_case(one.message)]
    if not wanted:
        return []
    answered, threads = _grouped(wanted)
    touched = await _open(unit, answered)
    for _attempt in range(_TRIES):
        open_cases = await _open_cases(unit, threads)
        known = await _asleep(unit, [t for t in threads if _place(t) not in open_cases]) | open_cases
        joining = [(thread, known[_place(thread)]) for thread in threads if _place(thread) in known]
        joined, apart = await join(unit, joining)
        touched += await _link(unit, [(thread, Touched(case.id or 0, case.department_id)) for thread, case in joined])
        fresh = apart + [thread for thread in threads if _place(thread) not in known]
        opened = await _open(unit, fresh)
        touched += opened
        threads = [thread for thread in fresh if thread.first.case_id is None]
        if not threads:
            await _tell(unit, touched)
            return list(dict.fromkeys(case.id for case in touched))
    raise Unavailable(_("工单正被大量并发写入，请稍后重试"))


def _wants_case(message: Message) -> bool:
    return message.needs_case and not message.is_own and message.case_id is None


Place = tuple[int, str]


def _place(thread: Thread) -> Place:
    return thread.first.account_id, thread.key


def _grouped(tagged: Iterable[Tagged]) -> tuple[list[Thread], list[Thread]]:
    """Messages that came with their answer, each alone; all others by thread, in one order for every writer."""
    answered: list[Thread] = []
    together: dict[Place, list[Tagged]] = defaultdict(list)
    for one in sorted(tagged, key=lambda one: (one.message.created_at, one.message.id or 0)):
        key = thread_key(one.message)
        if is_answered(one.message):
            answered.append(Thread(key, [one]))
        else:
            together[one.message.account_id, key].append(one)
    return answered, [Thread(place[1], group) for place, group in sorted(together.items())]


async def _open_cases(unit: Unit, threads: Sequence[Thread]) -> dict[Place, Case]:
    by_account: dict[int, list[str]] = defaultdict(list)
    for thread in threads:
        by_account[thread.first.account_id].append(thread.key)
    places = [and_(col(Case.account_id) == id_, col(Case.thread_key).in_(keys)) for id_, keys in by_account.items()]
    if not places:
        return {}
    found = await unit.all(select(Case).where(IS_OPEN, or_(*places)))
    return {(case.account_id, case.thread_key): case for case in found}


async def _asleep(unit: Unit, threads: Sequence[Thread]) -> dict[Place, Case]:
    """The newest case, open no more, of the same person in each thread; found by way of its messages."""
    parts = []
    by_account: dict[int, list[Message]] = defaultdict(list)
    for thread in threads:
        if thread.first.thread_id:
            by_account[thread.first.account_id].append(thread.first)
    for account_id, messages in by_account.items():
        roots, authors = {m.thread_id for m in messages}, {m.author_id for m in messages}
        mine = (col(Message.account_id) == account_id, col(Message.author_id).in_(authors), _HAS_CASE)
        at_root = (col(Message.kind).in_(list(MessageKind)), col(Message.external_id).in_(roots))
        for condition in ((col(Message.thread_id).in_(roots),), at_root):
            parts.append(select(col(Message.case_id)).where(*mine, *condition))
    if not parts:
        return {}
    found = await unit.all(select(Case).where(col(Case.id).in_(union(*parts))).order_by(col(Case.id)))
    return {(case.account_id, case.thread_key): case for case in found}


_HAS_CASE = col(Message.case_id).is_not(None)


async def _open(unit: Unit, threads: Sequence[Thread]) -> list[Touched]:
    """New cases for threads that have none; those that lost a race are not among them and their messages stay free."""
    if not threads:
        return []
    policy, now, candidates = policy_of(unit), clock.now(), await departments(unit)
    guide = await guide_in_force(unit)
    planned = [plan(thread, candidates, policy, now, guide) for thread in threads]
    ids = await _insert_cases(unit, [one.case for one in planned])
    won = [(ids[one.case["number"]], one) for one in planned if one.case["number"] in ids]
    await _insert_beside(unit, won)
    await tell_sent_off(unit, [id_ for id_, one in won if one.dispatch is not None])
    touched = [(one.thread, Touched(id_, one.case["department_id"], one.reply is None)) for id_, one in won]
    return await _link(unit, touched)


async def departments(unit: Unit) -> list[Candidate]:
    """Everybody a case may go to."""
    active = select(Department).where(col(Department.is_active)).order_by(col(Department.id))
    return [Candidate.of(department) for department in await unit.all(active)]


async def _insert_cases(unit: Unit, cases: Sequence[Columns]) -> dict[str, int]:
    """Ids by number of those that the one-open-case index let in."""
    made: Any = sqlite.insert(Case) if unit.ctx.is_sqlite else postgresql.insert(Case)
    statement = made.on_conflict_do_nothing().returning(Case.id, Case.number)
    return {number: id_ for id_, number in (await unit.run(statement, list(cases))).all()}


async def _insert_beside(unit: Unit, planned: Sequence[tuple[int, Planned]]) -> None:
    events = [event | {"case_id": case_id} for case_id, one in planned for event in one.events]
    replies = [one.reply | {"case_id": case_id} for case_id, one in planned if one.reply is not None]
    dispatches = [one.dispatch | {"case_id": case_id} for case_id, one in planned if one.dispatch is not None]
    if events:
        await unit.run(insert(CaseEvent), events)
    if dispatches:
        await unit.run(insert(Dispatch), dispatches)
    if replies:
        await unit.run(insert(Reply), replies)
        await mark_answered(unit, [reply["message_id"] for reply in replies])


_LINK = (
    update(Message.__table__)  # type: ignore[attr-defined]
    .where(col(Message.id) == bindparam("b_id"), col(Message.case_id).is_(None))
    .values(case_id=bindparam("b_case"), needs_case=False)
)


async def _link(unit: Unit, pairs: Sequence[tuple[Thread, Touched]]) -> list[Touched]:
    """Messages to their cases, in one statement over all."""
    given = [{"b_id": m.id, "b_case": case.id} for thread, case in pairs for m in thread.messages]
    if given:
        await unit.run(_LINK, given)
    for thread, case in pairs:
        for message in thread.messages:
            set_committed_value(message, "case_id", case.id)
            set_committed_value(message, "needs_case", False)  # the database already has both
    return [case for _thread, case in pairs]


async def _tell(unit: Unit, cases: Sequence[Touched]) -> None:
    live = [case for case in cases if case.is_live]
    if len(live) <= _TELL_EACH:
        for case in live:
            feed.tell(unit, "cases", case.id, case.department_id)
        return
    for department_id in {case.department_id for case in live}:
        feed.tell(unit, "cases", None, department_id)


__all__ = ["attach", "departments"]
