"""One matter with everything around it: its messages with the reason they are here, its cases, its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.i18n import _
from hub.models import Account, Case, CaseState, Department, Matter, MatterEvent, MatterMessage, Message
from hub.privacy import excerpt
from hub.queries import keyset, visible
from hub.rights import Actor
from nlp import mask
from workflows.matters import undoing, words
from workflows.matters.leading import with_case
from workflows.matters.lists import MatterRow, names_of, shown
from workflows.matters.shaping import find, may_shape

MESSAGES, CASES, EVENTS = 30, 20, 100
MOST_DAYS = 60
TITLE, TEXT = 80, 400
_READ = 1_500
# Another name beside the one the condition of what may be seen speaks of.
_Case: Any = aliased(Case)


class Which(StrEnum):
    """The order of a matter's messages."""

    newest = "newest"
    first = "first"
    liked = "liked"


@dataclass(frozen=True, slots=True)
class Member:
    """One message of the matter, masked. ``near``: how like the others it is, 0..1; ``words``: what it is about.

    ``is_held``: a person put it here. ``copies``: how many re-posts of the same text there are besides."""

    id: int
    title: str
    text: str
    author: str
    account: str
    at: datetime
    likes: int
    reposts: int
    sentiment: str
    is_sensitive: bool
    place: str
    near: float
    words: tuple[str, ...]
    is_held: bool
    is_copy: bool
    is_removed: bool
    number: str
    department: str


@dataclass(frozen=True, slots=True)
class Members:
    """Some messages and where the next ones begin; ``after`` empty: these were the last."""

    rows: list[Member]
    after: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """A case that grew from messages of the matter; ``title`` is masked."""

    number: str
    title: str
    state: CaseState
    department: str
    messages: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Point:
    """One sentence of the summary, masked, from message ``message_id``; ``kind``: main | other."""

    message_id: int
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of the history. ``undo``: the step's id where this person may take it back, or 0."""

    at: datetime
    what: str
    who: str
    note: str
    change: str
    matter_id: int | None
    undo: int


@dataclass(frozen=True, slots=True)
class Away:
    """Where a merged matter went. ``undo``: the step to take back there, 0 where none can be; ``version``: of the
    matter it went into."""

    matter_id: int
    undo: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything on the page. ``days``: messages by office day. ``points`` are only those whose message the person may
    see; ``hidden`` counts the rest.

    ``merged_into``: id of the matter it went into, or None; ``away`` says how to come back from there."""

    row: MatterRow
    days: list[tuple[date, int]]
    points: list[Point]
    hidden: int
    cases: list[Linked]
    history: list[Happened]
    merged_into: int | None
    away: Away | None
    may_shape: bool
    is_named: bool


async def detail(unit: Unit, matter_id: int, actor: Actor) -> Detail:
    """NotFound when there is no such matter, or none of it is for this person."""
    matter = await find(unit, matter_id, actor)
    points, hidden = (await told(unit, actor, {matter_id: matter.summary}))[matter_id]
    return Detail(
        row=shown(matter, await names_of(unit), clock.now()), days=by_day(matter), points=points,
        hidden=hidden,
        cases=await _cases(unit, matter, actor), history=await _history(unit, matter, actor),
        merged_into=matter.merged_into_id, away=await _away(unit, matter, actor), may_shape=may_shape(actor),
        is_named=matter.is_named,
    )  # fmt: skip


def by_day(matter: Matter) -> list[tuple[date, int]]:
    """Messages by office day from the first to the newest day that is kept, days without any included."""
    days = {date.fromisoformat(on): n for on, n in (matter.figures or {}).get("days", {}).items()}
    if not days:
        return []
    last = max(days)
    first = max(min(days), last - timedelta(days=MOST_DAYS - 1))
    span = (last - first).days + 1
    return [(first + timedelta(days=n), days.get(first + timedelta(days=n), 0)) for n in range(span)]


async def told(unit: Unit, actor: Actor, summaries: Mapping[int, Sequence[Any]]) -> dict[int, tuple[list[Point], int]]:
    """Per matter the sentences of its summary from messages the person may see, and how many come from others.

    A message that somebody has moved elsewhere since says nothing about the matter any more, whatever was summed up."""
    ids = [one["message_id"] for summary in summaries.values() for one in summary]
    home: dict[int, int | None] = {}
    allowed: set[int | None] = set()
    if ids:
        stands = columns(MatterMessage.message_id, MatterMessage.matter_id)  # type: ignore[call-overload]
        home = {row[0]: row[1] for row in await unit.rows(stands.where(col(MatterMessage.message_id).in_(ids)))}
        seen = select(col(Message.id)).where(col(Message.id).in_(ids), visible.messages(actor))
        allowed = set(await unit.all(seen))
    found = {}
    for matter_id, summary in summaries.items():
        here = [one for one in summary if home.get(one["message_id"]) == matter_id]
        points = [Point(one["message_id"], one["text"], one["kind"]) for one in here if one["message_id"] in allowed]
        found[matter_id] = (points, len(here) - len(points))
    return found


async def _cases(unit: Unit, matter: Matter, actor: Actor) -> list[Linked]:
    """The newest cases the person may see, with how many of the matter's messages each has, merged ones included."""
    key: tuple[Any, ...] = (Case.number, Case.title, Case.state, Case.last_message_at, Department.short_name)
    members = columns(*key, func.count().label("n")).select_from(MatterMessage)
    statement: Any = (
        with_case(members.join(Message, col(Message.id) == col(MatterMessage.message_id)))
        .outerjoin(Department, col(Department.id) == col(Case.department_id))
        .where(col(MatterMessage.matter_id) == matter.id, col(Case.id).is_not(None), visible.cases(actor))
        .group_by(col(Case.id), *key)
        .order_by(col(Case.last_message_at).desc(), col(Case.id).desc())
        .limit(CASES)
    )
    return [
        Linked(row.number, mask(row.title), row.state, row.short_name or "", row.n, row.last_message_at)
        for row in await unit.rows(statement)
    ]


async def _history(unit: Unit, matter: Matter, actor: Actor) -> list[Happened]:
    newest = select(MatterEvent).where(MatterEvent.matter_id == matter.id).order_by(col(MatterEvent.id).desc())
    events = await unit.all(newest.limit(EVENTS))
    able = await undoing.undoable(unit, matter, events) if may_shape(actor) else set()
    return [
        Happened(
            one.at, _(words.EVENTS.get(one.what, one.what)), _(one.by_name), one.note,
            words.happened(one.what, one.data), one.data.get("matter_id"), (one.id or 0) if one.id in able else 0,
        )
        for one in events
    ]  # fmt: skip


async def _away(unit: Unit, matter: Matter, actor: Actor) -> Away | None:
    if matter.merged_into_id is None:
        return None
    found = await undoing.taken_in(unit, matter) if may_shape(actor) else None
    return Away(matter.merged_into_id, found[1].id or 0, found[0].version) if found else Away(matter.merged_into_id)


async def members(
    unit: Unit, matter_id: int, actor: Actor, *, which: Which = Which.newest, after: str = "", limit: int = MESSAGES
) -> Members:
    """The messages the person may see. Newest and first leave nothing out; the most liked leave copies out, one page.

    ``after`` is a page's own mark; Invalid when it is none."""
    matter = await find(unit, matter_id, actor)
    wanted = _rows().where(col(MatterMessage.matter_id) == matter.id, visible.messages(actor))
    at, number = col(MatterMessage.at), col(MatterMessage.message_id)
    if which is Which.liked:
        liked = wanted.where(~col(MatterMessage.is_copy)).order_by(col(Message.likes).desc(), number)
        return Members([_member(row) for row in await unit.rows(liked.limit(limit))])
    if after:
        wanted = wanted.where(_behind(after, which))
    order = (at.desc(), number.desc()) if which is Which.newest else (at, number)
    found = await unit.rows(wanted.order_by(*order).limit(limit + 1))
    rows = [_member(row) for row in found[:limit]]
    last = rows[-1] if len(found) > limit else None
    return Members(rows, f"{last.at.isoformat()}~{last.id}" if last else "")


def _rows() -> Any:
    wanted: tuple[Any, ...] = (
        Message.id, Message.title, Message.text, Message.author_name, Message.likes, Message.sentiment,
        Message.is_sensitive, Message.place, Message.removed_at, MatterMessage.at, MatterMessage.near,
        MatterMessage.words, MatterMessage.is_held, MatterMessage.is_copy, MatterMessage.reposts,
        col(Account.name).label("account"), _Case.number, Department.short_name,
    )  # fmt: skip
    messages = (
        columns(*wanted)
        .select_from(MatterMessage)
        .join(Message, col(Message.id) == col(MatterMessage.message_id))
        .join(Account, col(Account.id) == col(Message.account_id))
    )
    return with_case(messages, _Case).outerjoin(Department, col(Department.id) == col(_Case.department_id))


def _behind(mark: str, which: Which) -> ColumnElement[bool]:
    side = keyset.older if which is Which.newest else keyset.newer
    return side(mark, col(MatterMessage.at), col(MatterMessage.message_id))


def _member(row: Any) -> Member:
    return Member(
        id=row.id, title=excerpt(mask(row.title[:_READ]), (), TITLE), text=excerpt(mask(row.text[:_READ]), (), TEXT),
        author=row.author_name, account=row.account, at=row.at, likes=row.likes, reposts=row.reposts,
        sentiment=row.sentiment, is_sensitive=row.is_sensitive, place=row.place, near=row.near,
        words=tuple(row.words or ()), is_held=row.is_held, is_copy=row.is_copy, is_removed=row.removed_at is not None,
        number=row.number or "", department=row.short_name or "",
    )  # fmt: skip


async def others(unit: Unit, actor: Actor, matter_id: int, limit: int = 60) -> list[tuple[int, str, int]]:
    """Open matters it could be merged into, the hottest first: id, name, messages."""
    open_ones = select(Matter).where(
        col(Matter.state) == "open", col(Matter.id) != matter_id, visible.matters(actor),
        col(Matter.messages) + col(Matter.copies) >= 2,
    )  # fmt: skip
    found = await unit.all(open_ones.order_by(col(Matter.heat).desc(), col(Matter.id).desc()).limit(limit))
    return [(one.id or 0, one.name, one.messages + one.copies) for one in found]
