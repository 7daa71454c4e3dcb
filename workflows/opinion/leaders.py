"""The leaders' page: what the public says, which matters are hot, what is late, how answering goes. Never counts
messages: figures come from the rollups, cases from their indexes, so the page costs the same at any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import func, literal_column
from sqlmodel import col, select

import nlp
from hub import clock
from hub.db import Unit
from hub.errors import NotAllowed
from hub.i18n import _
from hub.models import Case, Department, Rollup
from hub.queries import visible
from hub.rights import Actor, May
from workflows.cases.facts import policy_of
from workflows.cases.lists import late as is_late
from workflows.cases.rows import clock_at
from workflows.matters import lists as matters
from workflows.matters.detail import Point, told
from workflows.matters.lists import MatterRow
from workflows.opinion.rollups import hour_of

HOTTEST = 5
# The median is taken over the newest this many answers.
MEDIAN_OF = 5000
DAYS = (14, 30)
# Written like the partial indexes' own condition: SQLite does not use such an index for "is_open = 1".
_IS_OPEN: Any = literal_column('"case".is_open')
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """A count now and over the same hours one day or one week before."""

    now: int
    before: int

    @property
    def change(self) -> float | None:
        """Share of growth, -1..; None when there was nothing before."""
        return (self.now - self.before) / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Hot:
    """A matter many speak about. ``points``: its sentences from messages the person may see, masked."""

    row: MatterRow
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class LateAt:
    """How many open cases are late at one department (None: not dispatched), as the case list counts them.

    ``oldest``: the clock longest past; ``days``: working days since then, by the calendar the clocks run on.
    """

    department_id: int | None
    department: str
    cases: int
    oldest: datetime
    days: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers sent since Monday: how many, and the median of the hours from the opening of the case (None: none)."""

    this_week: int
    median_hours: float | None


@dataclass(frozen=True, slots=True)
class LeadersPage:
    """Everything on the page. Series have one value per office day of ``days``, the last one is today."""

    at: datetime
    today: Figure
    week: Figure
    sensitive_today: int
    days: tuple[date, ...]
    messages: tuple[int, ...]
    sentiments: Mapping[str, tuple[int, ...]]
    topics: Mapping[str, tuple[int, ...]]
    hottest: tuple[Hot, ...]
    late: int
    late_at: tuple[LateAt, ...]
    answers: Answers

    @property
    def is_empty(self) -> bool:
        """Whether nobody wrote in all these days."""
        return not any(self.messages)


async def page(unit: Unit, actor: Actor, now: datetime, *, days: int = 14) -> LeadersPage:
    """The page as of ``now``, with series over ``days`` (14 or 30) office days. NotAllowed without the right.

    Figures are the whole office's; cases are those the actor may see. ``now`` may lie in the past (old files).
    """
    if not actor.can(May.read_opinion):
        raise NotAllowed(_("没有查看舆情概览的权限"))
    span = _days(now, max(DAYS) if days > min(DAYS) else min(DAYS))
    by_hour = await _by_hour(unit, span[0], now)
    sentiments = _folded(by_hour, span, "sentiment")
    departments = await _departments(unit)
    late_at = await _late(unit, actor, now, departments)
    return LeadersPage(
        at=now,
        today=_figure(by_hour, _midnight(span[-1]), now, _DAY),
        week=_figure(by_hour, _monday(now), now, 7 * _DAY),
        sensitive_today=sum(cell.sensitive for cell in by_hour if cell.hour >= _midnight(span[-1])),
        days=span,
        messages=tuple(map(sum, zip(*sentiments.values(), strict=True))) or (0,) * len(span),
        sentiments={name: sentiments.get(name, (0,) * len(span)) for name in nlp.SENTIMENTS},
        topics=_most_first(_folded(by_hour, span, "topic")),
        hottest=await _hottest(unit, actor, now),
        late=sum(one.cases for one in late_at),
        late_at=late_at,
        answers=await _answers(unit, actor, now),
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    hour: datetime
    day: date
    topic: str
    sentiment: str
    messages: int
    sensitive: int


async def _by_hour(unit: Unit, first: date, now: datetime) -> list[_Cell]:
    """Sums by hour × topic × sentiment from the first day on, but at least from the Monday before last."""
    since = min(_midnight(first), _monday(now) - 7 * _DAY)
    key: list[Any] = [Rollup.hour, Rollup.topic, Rollup.sentiment]
    sums: list[Any] = [func.sum(Rollup.messages), func.sum(Rollup.sensitive)]
    statement: Any = select(*key, *sums).where(col(Rollup.hour) >= since, col(Rollup.hour) <= hour_of(now))
    rows = await unit.rows(statement.group_by(*key))
    return [_Cell(row[0], clock.local(row[0]).date(), row[1], row[2], int(row[3]), int(row[4])) for row in rows]


def _figure(cells: list[_Cell], start: datetime, now: datetime, back: timedelta) -> Figure:
    """The hours from ``start`` to the running one, and the same hours ``back`` before."""
    last = hour_of(now)
    before = sum(cell.messages for cell in cells if start - back <= cell.hour <= last - back)
    return Figure(sum(cell.messages for cell in cells if start <= cell.hour <= last), before)


def _folded(cells: list[_Cell], span: tuple[date, ...], attribute: str) -> dict[str, tuple[int, ...]]:
    """Values by day for each topic or sentiment that has any message in these days."""
    place = {day: n for n, day in enumerate(span)}
    found: dict[str, list[int]] = {}
    for cell in cells:
        if cell.day in place and cell.messages:
            found.setdefault(getattr(cell, attribute), [0] * len(span))[place[cell.day]] += cell.messages
    return {name: tuple(values) for name, values in found.items() if any(values)}


def _most_first(series: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {name: series[name] for name in sorted(series, key=lambda name: (-sum(series[name]), name))}


async def _departments(unit: Unit) -> dict[int, str]:
    rows = await unit.rows(select(Department.id, Department.short_name))
    return {row[0]: row[1] for row in rows}


async def _hottest(unit: Unit, actor: Actor, now: datetime) -> tuple[Hot, ...]:
    found = await matters.matters(unit, actor, limit=HOTTEST, now=now)
    points = await told(unit, actor, {row.id: row.summary for row in found.rows})
    return tuple(Hot(row, tuple(points[row.id][0])) for row in found.rows)


async def _late(unit: Unit, actor: Actor, now: datetime, departments: Mapping[int, str]) -> tuple[LateAt, ...]:
    """By department, the most late first: the same cases that the list behind the figure shows."""
    columns: list[Any] = [col(Case.department_id), func.count(), func.min(clock_at())]
    statement: Any = select(*columns).where(is_late(now), visible.cases(actor))
    rows = await unit.rows(statement.group_by(col(Case.department_id)))
    calendar, today = policy_of(unit).calendar, clock.local(now).date()
    found = [
        LateAt(
            row[0], departments.get(row[0] or 0, ""), row[1], row[2],
            calendar.days_between(clock.local(row[2]).date(), today),
        )
        for row in rows
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.cases, one.oldest)))


async def _answers(unit: Unit, actor: Actor, now: datetime) -> Answers:
    this_week = (col(Case.replied_at) >= _monday(now), col(Case.replied_at) <= now, visible.cases(actor))
    count: Any = select(func.count()).select_from(Case).where(*this_week)
    spans: Any = select(Case.opened_at, Case.replied_at).where(*this_week).order_by(col(Case.replied_at).desc())
    hours = [(row[1] - row[0]) / timedelta(hours=1) for row in await unit.rows(spans.limit(MEDIAN_OF))]
    this_many = len(hours) if len(hours) < MEDIAN_OF else (await unit.rows(count))[0][0]
    return Answers(this_many, round(median(hours), 1) if hours else None)


def _days(now: datetime, count: int) -> tuple[date, ...]:
    last = clock.local(now).date()
    return tuple(last - _DAY * back for back in reversed(range(count)))


def _midnight(day: date) -> datetime:
    return clock.at_local(day)


def _monday(now: datetime) -> datetime:
    day = clock.local(now).date()
    return _midnight(day - _DAY * day.weekday())
