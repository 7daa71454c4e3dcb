"""Cases like this one: answered ones with their answer for whoever writes, open ones for whoever may join them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select as columns
from sqlmodel import col, select

from hub.db import Unit
from hub.models import Case, CaseState, Department, Message, Reply, ReplyState, Tagging
from hub.queries import search, visible
from hub.rights import Actor
from nlp import mask
from workflows.cases.facts import IS_OPEN, find


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """One answered case; ``title`` and ``answer`` are masked, ``score`` sorts within one answer only."""

    case_id: int
    number: str
    title: str
    department: str
    answer: str
    answered_at: datetime | None
    score: float


async def answered(unit: Unit, case_id: int, actor: Actor, *, limit: int = 5) -> list[SimilarCase]:
    """The closest answered cases the person may see, closest first; one entry per case. Four statements."""
    case = await find(unit, case_id, actor)
    words = await _words(unit, case)
    if not words:
        return []
    seen = [visible.messages(actor)]
    # A case has several messages: some more hits than wanted leave enough cases.
    hits = await search.similar(unit, words, limit=3 * limit, exclude_case=case_id, where=seen)
    scores: dict[int, float] = {}
    for hit in hits:
        scores.setdefault(hit.case_id, hit.score)
    best = list(scores)[:limit]
    found = {row.id: row for row in await _read(unit, best)}
    return [_shown(found[number], scores[number]) for number in best if number in found]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case that may be the same matter; ``title`` is masked. ``same_author``: the same person wrote both."""

    case_id: int
    number: str
    title: str
    state: CaseState
    department: str
    last_message_at: datetime
    same_author: bool


async def still_open(unit: Unit, case_id: int, actor: Actor, *, limit: int = 4) -> list[OpenCase]:
    """The closest open cases the person may see, closest first: candidates for joining. Three statements."""
    case = await find(unit, case_id, actor)
    words = await _words(unit, case)
    if not words:
        return []
    seen = [visible.messages(actor)]
    hits = await search.similar(unit, words, only_answered=False, limit=8 * limit, exclude_case=case_id, where=seen)
    order = {number: place for place, number in reversed(list(enumerate(hit.case_id for hit in hits)))}
    if not order:
        return []
    wanted = columns(
        col(Case.id), col(Case.number), col(Case.title), col(Case.state), col(Department.short_name),
        col(Case.last_message_at), col(Case.author_id),
    ).outerjoin(Department, col(Department.id) == col(Case.department_id))  # fmt: skip
    found = await unit.rows(wanted.where(col(Case.id).in_(list(order)), IS_OPEN))
    return [
        OpenCase(
            row.id, row.number, row.title, row.state, row.short_name or "", row.last_message_at,
            bool(case.author_id) and row.author_id == case.author_id,
        )
        for row in sorted(found, key=lambda row: order[row.id])[:limit]
    ]  # fmt: skip


async def _words(unit: Unit, case: Case) -> list[str]:
    """The telling words the analyser stored: nothing is analysed while a page waits."""
    current = select(Tagging.keywords).join(Message, col(Message.id) == col(Tagging.message_id))
    stored = await unit.first(current.where(Message.id == case.first_message_id, col(Tagging.is_current)))
    return list(stored or [])


async def _read(unit: Unit, case_ids: Sequence[int]) -> Sequence[Any]:
    if not case_ids:
        return []
    newest = (
        select(Reply.id)
        .where(Reply.case_id == col(Case.id), col(Reply.state) == ReplyState.sent)
        .order_by(col(Reply.id).desc())
        .limit(1)
        .correlate(Case)
        .scalar_subquery()
    )
    wanted = columns(
        col(Case.id), col(Case.number), col(Case.title), col(Department.short_name), col(Reply.text), col(Reply.sent_at)
    )
    return await unit.rows(
        wanted.join(Reply, col(Reply.id) == newest)
        .outerjoin(Department, col(Department.id) == col(Case.department_id))
        .where(col(Case.id).in_(case_ids))
    )


def _shown(row: Any, score: float) -> SimilarCase:
    return SimilarCase(row.id, row.number, row.title, row.short_name or "", mask(row.text), row.sent_at, score)
