"""The newest messages of citizens: filters, words, keyset pages; one statement each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import col

from hub.db import Unit
from hub.i18n import _
from hub.models import Account, Case, CaseState, Department, Message, MessageKind
from hub.privacy import excerpt
from hub.queries import keyset, search, visible
from hub.rights import Actor
from nlp import mask, query_tokens
from workflows.tagging.markup import plainly

TITLE, EXCERPT = 60, 120
# More than a line shows is read, so that a number at the cut is never shown half masked.
_READ = 600
# Under a name of its own: what a person may see asks the cases, too.
Case_: Any = aliased(Case)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a person narrowed the list to; empty means everything. ``text``: words, all of them.

    ``since``: written at this moment or later.
    """

    account_id: int | None = None
    kind: MessageKind | None = None
    topic: str = ""
    subtopic: str = ""
    sentiment: str = ""
    emotion: str = ""
    sensitive: bool = False
    state: CaseState | None = None
    text: str = ""
    since: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is narrowed."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One line; ``title`` is the message's own or the beginning of its text; both texts are masked."""

    id: int
    title: str
    excerpt: str
    kind: MessageKind
    account: str
    platform: str
    author_name: str
    topic: str
    subtopic: str
    sentiment: str
    emotion: str
    is_sensitive: bool
    urgency: str
    place: str
    likes: int
    created_at: datetime
    is_tagged: bool
    is_removed: bool
    number: str
    state: CaseState | None
    department: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and where the next ones begin; ``after`` empty: these were the last."""

    rows: list[MessageRow]
    after: str = ""


async def newest(unit: Unit, actor: Actor, filters: Filters = Filters(), *, after: str = "", limit: int = 30) -> Page:
    """What citizens wrote, the newest first. ``after`` is a page's own mark; Invalid when it is not one."""
    wanted = _rows().where(visible.messages(actor), ~col(Message.is_own), *narrowed(unit, filters))
    if after:
        wanted = wanted.where(_behind(after))
    found = await unit.rows(wanted.order_by(col(Message.created_at).desc(), col(Message.id).desc()).limit(limit + 1))
    rows = [_shown(row) for row in found[:limit]]
    last = rows[-1] if len(found) > limit else None
    return Page(rows, f"{last.created_at.isoformat()}~{last.id}" if last else "")


def _rows() -> Any:
    wanted: tuple[Any, ...] = (
        Message.id, Message.title, Message.text, Message.kind, Message.author_name, Message.topic, Message.sentiment,
        Message.is_sensitive, Message.urgency, Message.place, Message.likes, Message.created_at, Message.tagged_at,
        Message.removed_at, Message.subtopic, Message.emotion, Case_.number, Case_.state,
        col(Account.name).label("account"), Account.platform, col(Department.short_name).label("department"),
    )  # fmt: skip
    return (
        columns(*wanted)
        .select_from(Message)
        .join(Account, col(Account.id) == col(Message.account_id))
        .outerjoin(Case_, col(Case_.id) == col(Message.case_id))
        .outerjoin(Department, col(Department.id) == col(Case_.department_id))
    )


def narrowed(unit: Unit, filters: Filters) -> list[Any]:
    """The conditions of the filters, for a statement that joins ``Case_``."""
    conditions: list[Any] = [
        col(getattr(Message, name)) == value
        for name in ("account_id", "kind", "topic", "subtopic", "sentiment", "emotion")
        if (value := getattr(filters, name))
    ]
    if filters.sensitive:
        conditions.append(col(Message.is_sensitive))
    if filters.since:
        conditions.append(col(Message.created_at) >= filters.since)
    if filters.state:
        conditions.append(col(Case_.state) == filters.state)
    if filters.text.strip():
        found = search.condition(unit, query_tokens(filters.text))
        conditions.append(found if found is not None else col(Case_.number) == filters.text.strip())
    return conditions


def _behind(mark: str) -> ColumnElement[bool]:
    return keyset.older(mark, col(Message.created_at), col(Message.id))


def _shown(row: Any) -> MessageRow:
    text = excerpt(mask(plainly(row.text[:_READ])), (), EXCERPT)
    return MessageRow(
        id=row.id, title=excerpt(mask(plainly(row.title[:_READ])), (), TITLE) or text or _("（无文字内容）"),
        excerpt=text if row.title else "", kind=row.kind, account=row.account, platform=row.platform,
        author_name=row.author_name, topic=row.topic, subtopic=row.subtopic, sentiment=row.sentiment,
        emotion=row.emotion, is_sensitive=row.is_sensitive,
        urgency=row.urgency, place=row.place, likes=row.likes, created_at=row.created_at,
        is_tagged=row.tagged_at is not None, is_removed=row.removed_at is not None, number=row.number or "",
        state=row.state, department=row.department or "",
    )  # fmt: skip
