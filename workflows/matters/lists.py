"""Matters by heat, by growth, by first seen: figures from their rows, nothing counted while a page waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.errors import Invalid, NotAllowed
from hub.i18n import _
from hub.models import Account, Department, Matter, MatterMessage, MatterState, Message
from hub.queries import visible
from hub.rights import Actor, May
from workflows.opinion.rollups import hour_of

PAGE = 25
SPARK_DAYS = 14
# Fewer messages (copies included) are a coincidence rather than a matter; the list shows them when asked to.
LEAST, LEAST_OF_ALL = 3, 2
_GROWING_FROM = 300  # the hottest so many are sorted by growth


class Order(StrEnum):
    """How the list is sorted."""

    heat = "heat"
    growth = "growth"
    new = "new"


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a matter: a mood, a place, a department, a source; ``key`` for links."""

    key: str
    name: str
    n: int


@dataclass(frozen=True, slots=True)
class MatterRow:
    """One matter as lists show it. ``today``/``yesterday``: messages of the last 24 hours and the 24 before.

    ``spark``: messages of the last SPARK_DAYS office days, today last. ``point``: its first sentence (masked) with
    the message it comes from, or "" and 0.
    """

    id: int
    name: str
    state: MatterState
    version: int
    messages: int
    copies: int
    people: int
    likes: int
    reposts: int
    sensitive: int
    heat: float
    first_at: datetime
    last_at: datetime
    today: int
    yesterday: int
    spark: tuple[int, ...]
    moods: tuple[Share, ...]
    places: tuple[Share, ...]
    departments: tuple[Share, ...]
    sources: tuple[Share, ...]
    summary: tuple[Mapping[str, Any], ...]
    is_new: bool

    @property
    def growth(self) -> int:
        """More (or fewer) messages than the day before."""
        return self.today - self.yesterday

    @property
    def voices(self) -> int:
        """Messages and copies."""
        return self.messages + self.copies


@dataclass(frozen=True, slots=True)
class Filters:
    """``days``: with a message in the last so many days (0: ever). ``all_sizes``: those of two messages, too."""

    order: Order = Order.heat
    state: MatterState = MatterState.open
    days: int = 0
    all_sizes: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and where the next ones begin; ``after`` empty: these were the last."""

    rows: list[MatterRow]
    after: str = ""


async def matters(
    unit: Unit,
    actor: Actor,
    filters: Filters = Filters(),
    *,
    after: str = "",
    limit: int = PAGE,
    now: datetime | None = None,
) -> Page:
    """The matters a person may see. ``after`` is a page's own mark; Invalid when it is none, NotAllowed without the
    right. Sorted by growth there is one page only, of the hottest."""
    if not actor.can(May.read_opinion):
        raise NotAllowed(_("没有查看热点的权限"))
    now = now or clock.now()
    wanted = select(Matter).where(*_narrowed(actor, filters, now))
    names = await names_of(unit)
    if filters.order is Order.growth:
        hottest = wanted.order_by(col(Matter.heat).desc(), col(Matter.id).desc())
        found = await unit.all(hottest.limit(max(_GROWING_FROM, limit)))
        rows = [shown(matter, names, now) for matter in found]
        return Page(sorted(rows, key=lambda row: (-row.growth, -row.heat, row.id))[:limit])
    key: Any = col(Matter.heat) if filters.order is Order.heat else col(Matter.first_at)
    if after:
        wanted = wanted.where(_behind(key, after, filters.order))
    found = await unit.all(wanted.order_by(key.desc(), col(Matter.id).desc()).limit(limit + 1))
    rows = [shown(matter, names, now) for matter in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    return Page(rows, _mark(last, filters.order) if last else "")


def _narrowed(actor: Actor, filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    voices = col(Matter.messages) + col(Matter.copies)
    least = LEAST_OF_ALL if filters.all_sizes else LEAST
    conditions = [visible.matters(actor), col(Matter.state) == filters.state, voices >= least]
    if filters.days:
        conditions.append(col(Matter.last_at) > now - timedelta(days=filters.days))
    return conditions


def _mark(matter: Matter, order: Order) -> str:
    return f"{matter.heat!r}~{matter.id}" if order is Order.heat else f"{matter.first_at.isoformat()}~{matter.id}"


def _behind(key: Any, mark: str, order: Order) -> ColumnElement[bool]:
    text, _tilde, number = mark.partition("~")
    try:
        value: Any = float(text) if order is Order.heat else datetime.fromisoformat(text)
        last = int(number)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(mark)
    except ValueError:
        raise Invalid({"after": _("页码无效，请从第一页开始")}) from None
    return or_(key < value, and_(key == value, col(Matter.id) < last))


@dataclass(frozen=True, slots=True)
class Names:
    """Short names of departments and names of accounts by id."""

    departments: Mapping[int, str]
    accounts: Mapping[int, str]


async def names_of(unit: Unit) -> Names:
    """Both, in two statements."""
    departments = await unit.rows(select(Department.id, Department.short_name))
    accounts = await unit.rows(select(Account.id, Account.name))
    return Names({row[0]: row[1] for row in departments}, {row[0]: row[1] for row in accounts})


def shown(matter: Matter, names: Names, now: datetime) -> MatterRow:
    """A row from the table's row alone."""
    figures = matter.figures or {}
    today, yesterday = _last_two_days(figures.get("hours", {}), now)
    return MatterRow(
        id=matter.id or 0, name=matter.name or _("（尚未命名）"), state=matter.state, version=matter.version,
        messages=matter.messages, copies=matter.copies, people=matter.people, likes=matter.likes,
        reposts=matter.reposts, sensitive=figures.get("sensitive", 0), heat=matter.heat, first_at=matter.first_at,
        last_at=matter.last_at, today=today, yesterday=yesterday, spark=spark(figures.get("days", {}), now, SPARK_DAYS),
        moods=_shares(figures.get("moods"), {}), places=_shares(figures.get("places"), {}),
        departments=_shares(figures.get("departments"), names.departments),
        sources=_shares(figures.get("accounts"), names.accounts), summary=tuple(matter.summary or ()),
        is_new=matter.first_at > now - timedelta(days=1),
    )  # fmt: skip


def _last_two_days(hours: Mapping[str, int], now: datetime) -> tuple[int, int]:
    """Messages of the last 24 hours (the running one included) and of the 24 before."""
    this = hour_of(now)
    edges = [(this - timedelta(hours=back)).strftime("%Y-%m-%dT%H") for back in (0, 23, 24, 47)]
    today = sum(n for hour, n in hours.items() if edges[1] <= hour <= edges[0])
    return today, sum(n for hour, n in hours.items() if edges[3] <= hour <= edges[2])


def spark(days: Mapping[str, int], now: datetime, count: int) -> tuple[int, ...]:
    """Messages of the last ``count`` office days, today last."""
    last: date = clock.local(now).date()
    return tuple(days.get((last - timedelta(days=back)).isoformat(), 0) for back in reversed(range(count)))


def _shares(given: Sequence[Sequence[Any]] | None, names: Mapping[int, str]) -> tuple[Share, ...]:
    return tuple(Share(str(key), names.get(key, "") if names else str(key), n) for key, n in given or ())


@dataclass(frozen=True, slots=True)
class Named:
    """A matter by name, with how many messages it has."""

    id: int
    name: str
    voices: int


async def around(unit: Unit, actor: Actor, *, case_id: int | None = None, message_id: int | None = None) -> list[Named]:
    """The matters that the messages of a case, or one message, are about; none for who may not see hot issues."""
    if not actor.can(May.read_opinion):
        return []
    mine = col(Message.case_id) == case_id if case_id is not None else col(Message.id) == message_id
    members = select(col(MatterMessage.matter_id)).join(Message, col(Message.id) == col(MatterMessage.message_id))
    wanted = select(Matter).where(col(Matter.id).in_(members.where(mine)), visible.matters(actor))
    found = await unit.all(wanted.where(col(Matter.state) != MatterState.merged).order_by(col(Matter.heat).desc()))
    return [Named(one.id or 0, one.name, one.messages + one.copies) for one in found[:3]]
