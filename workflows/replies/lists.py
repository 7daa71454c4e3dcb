"""Answers waiting for review: for those who may review them, the longest waiting first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.models import Account, Case, CaseClass, CaseEvent, CaseState, Department, Message, Reply, ReplyState
from hub.privacy import excerpt
from hub.queries import keyset, visible
from hub.rights import Actor
from nlp import mask
from workflows.cases.moves import Move

EXCERPT = 90
_READ = 400


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One answer under review. ``is_own``: the person wrote it last; ``generated_by``: the model that drafted it.

    ``title`` and ``excerpt`` are masked; telephone lines of buildings stay in the draft: an office writes its own.
    """

    reply_id: int
    number: str
    title: str
    excerpt: str
    author_name: str
    is_own: bool
    submitted_at: datetime
    account: str
    department: str
    urgency: CaseClass
    is_sensitive: bool
    due_at: datetime | None
    is_late: bool
    generated_by: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and where the next ones begin; ``after`` empty: these were the last."""

    rows: list[ReviewRow]
    after: str = ""


async def waiting(unit: Unit, actor: Actor, *, own: bool = False, after: str = "", limit: int = 25) -> Page:
    """Answers under review in cases the person may see, one statement. ``own``: the person's own, else the others'."""
    written = col(Reply.author_id) == actor.user_id
    other = or_(col(Reply.author_id).is_(None), col(Reply.author_id) != actor.user_id)
    wanted = _rows().where(visible.cases(actor), written if own else other)
    if after:
        wanted = wanted.where(_behind(after))
    found = await unit.rows(wanted.order_by(col(Reply.submitted_at), col(Reply.id)).limit(limit + 1))
    rows = [_shown(row, actor) for row in found[:limit]]
    last = rows[-1] if len(found) > limit else None
    return Page(rows, f"{last.submitted_at.isoformat()}~{last.reply_id}" if last else "")


def _rows() -> Any:
    wanted: tuple[Any, ...] = (
        col(Reply.id), Case.number, Case.title, col(Reply.text), col(Reply.author_name), col(Reply.author_id),
        col(Reply.submitted_at), col(Account.name).label("account"), col(Department.short_name).label("department"),
        Case.urgency, Case.is_sensitive, Case.due_at, col(Reply.created_at), col(Reply.generated_by),
    )  # fmt: skip
    return (
        columns(*wanted)
        .select_from(Case)
        .join(Reply, and_(col(Reply.case_id) == col(Case.id), col(Reply.state) == ReplyState.reviewing))
        .join(Account, col(Account.id) == col(Case.account_id))
        .outerjoin(Department, col(Department.id) == col(Case.department_id))
        .where(col(Case.state) == CaseState.review)
    )


def _behind(mark: str) -> ColumnElement[bool]:
    return keyset.newer(mark, col(Reply.submitted_at), col(Reply.id))


def _shown(row: Any, actor: Actor) -> ReviewRow:
    said = mask(row.text[:_READ], fixed_lines=False)
    return ReviewRow(
        reply_id=row.id, number=row.number, title=row.title, excerpt=excerpt(said, (), EXCERPT),
        author_name=row.author_name, is_own=row.author_id == actor.user_id,
        submitted_at=row.submitted_at or row.created_at,
        account=row.account, department=row.department or "", urgency=row.urgency, is_sensitive=row.is_sensitive,
        due_at=row.due_at, is_late=row.due_at is not None and row.due_at < clock.now(),
        generated_by=row.generated_by,
    )  # fmt: skip


async def returned_text(unit: Unit, reply: Reply) -> str | None:
    """The text of this answer when it was last sent back; None when it never was."""
    said = select(CaseEvent).where(CaseEvent.case_id == reply.case_id, CaseEvent.what == Move.send_back.value)
    for event in await unit.all(said.order_by(col(CaseEvent.id).desc())):
        if event.data.get("reply_id") == reply.id:
            text: str | None = event.data.get("text")
            return text
    return None


async def answered_message(unit: Unit, reply: Reply) -> Message | None:
    """The citizen's message this answer is for."""
    return await unit.get(Message, reply.message_id)
