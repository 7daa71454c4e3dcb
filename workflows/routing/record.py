"""How routing has done, week by week: what was suggested at each case's first dispatch, and where the case ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import clock
from hub.clock import at_local
from hub.db import Unit
from hub.errors import NotAllowed
from hub.i18n import N_, _
from hub.models import Case, Department, Dispatch
from hub.queries import visible
from hub.rights import Actor, May

MOST_EXAMPLES = 5
BASES: dict[str, str] = {
    "rule": N_("派单规则"),
    "learnt": N_("以往派单"),
    "signs": N_("归口、职责、属地"),
    "": N_("没有建议"),
}


@dataclass(slots=True)
class Line:
    """One rule, or one kind of grounds. ``alone``: dispatched by the hub; ``taken``: people went by the suggestion;
    ``changed``: people chose another at once; ``moved``: it went as suggested and ended elsewhere. ``right``: it ended
    in the suggested department or below it, which signed for it; ``waiting``: it is there, and nobody has signed."""

    basis: str
    rule_id: int | None
    name: str
    cases: int = 0
    alone: int = 0
    taken: int = 0
    changed: int = 0
    moved: int = 0
    waiting: int = 0
    right: int = 0

    @property
    def judged(self) -> int:
        """Cases of which is known whether the suggestion was right."""
        return self.cases - self.waiting

    @property
    def share(self) -> float:
        """How many of the judged suggestions were right, 0..1."""
        return self.right / self.judged if self.judged else 0.0


@dataclass(slots=True)
class Confusion:
    """Suggested one department, ended in another. ``examples``: (id, number) of cases the person may see."""

    suggested: str
    final: str
    basis: str
    cases: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Week:
    """The table of one week, Monday first."""

    monday: date
    lines: list[Line]
    confusions: list[Confusion]
    cases: int
    unadvised: int

    @property
    def right(self) -> int:
        """Cases whose suggestion was right."""
        return sum(line.right for line in self.lines if line.basis)

    @property
    def judged(self) -> int:
        """Cases with a suggestion of which is known whether it was right."""
        return sum(line.judged for line in self.lines if line.basis)


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def this_week() -> date:
    """The Monday of the running week."""
    return monday_of(clock.today())


async def week(unit: Unit, actor: Actor, monday: date) -> Week:
    """First dispatches of the week from ``monday`` on. Counts hold no words of citizens; cases are named only to those
    who may see them. NotAllowed without the right."""
    if not actor.can(May.set_rules):
        raise NotAllowed(_("没有查看派单成效的权限"))
    rows = await _rows(unit, actor, monday)
    houses = {one.id or 0: (one.short_name, one.path) for one in await unit.all(select(Department))}
    lines: dict[tuple[str, int | None], Line] = {}
    confused: dict[tuple[int, int, str], Confusion] = {}
    wrong: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for row in rows:
        key = (row.basis, row.rule_id)
        name = row.rule_name or _(BASES.get(row.basis, row.basis))
        line = lines.setdefault(key, Line(row.basis, row.rule_id, name))
        if not _count(line, row, houses):
            continue
        pair = (row.suggested_id, row.final_id or 0, row.basis)
        names = (houses[row.suggested_id][0], houses[row.final_id][0] if row.final_id else _("还在值班台"))
        confused.setdefault(pair, Confusion(*names, row.rule_name or _(BASES[row.basis]))).cases += 1
        wrong[pair].append(row.case_id)
    await _name_examples(unit, actor, confused, wrong)
    return Week(
        monday, _in_order(lines.values()), sorted(confused.values(), key=lambda one: -one.cases), len(rows),
        sum(line.cases for line in lines.values() if not line.basis),
    )  # fmt: skip


async def _rows(unit: Unit, actor: Actor, monday: date) -> Sequence[Any]:
    asked: tuple[Any, ...] = (
        col(Dispatch.case_id), col(Dispatch.department_id), col(Dispatch.by_id), col(Dispatch.suggested_id),
        col(Dispatch.basis), col(Dispatch.rule_id), col(Dispatch.rule_name), col(Case.department_id).label("final_id"),
        col(Case.signed_at),
    )  # fmt: skip
    span = (col(Dispatch.at) >= at_local(monday), col(Dispatch.at) < at_local(monday + timedelta(days=7)))
    wanted = (
        columns(*asked)
        .join(Case, col(Case.id) == col(Dispatch.case_id))
        .where(visible.dispatches(actor), col(Dispatch.is_first), *span)
    )
    return await unit.rows(wanted.order_by(col(Dispatch.id)))


def _count(line: Line, row: Any, houses: Mapping[int, tuple[str, str]]) -> bool:
    """Add one dispatch; whether its suggestion was wrong."""
    line.cases += 1
    if row.suggested_id is None:
        return False
    went = _within(houses, row.department_id, row.suggested_id)
    there = _within(houses, row.final_id, row.suggested_id)
    line.alone += row.by_id is None
    line.taken += row.by_id is not None and went
    line.changed += not went
    line.moved += went and not there
    taken = row.signed_at is not None or row.final_id != row.department_id  # sent on inside one's own house: taken
    line.waiting += there and not taken
    line.right += there and taken
    return not there


def _within(houses: Mapping[int, tuple[str, str]], here: int | None, above: int) -> bool:
    return here in houses and above in houses and houses[here or 0][1].startswith(houses[above][1])


def _in_order(lines: Iterable[Line]) -> list[Line]:
    bases = list(BASES)
    return sorted(lines, key=lambda line: (bases.index(line.basis) if line.basis in bases else 9, -line.cases))


async def _name_examples(
    unit: Unit, actor: Actor, confused: Mapping[Any, Confusion], wrong: Mapping[Any, list[int]]
) -> None:
    chosen = {number for numbers in wrong.values() for number in numbers[:MOST_EXAMPLES]}
    if not chosen:
        return
    seen = columns(col(Case.id), col(Case.number)).where(col(Case.id).in_(chosen), visible.cases(actor))
    numbers = {row[0]: row[1] for row in await unit.rows(seen)}
    for pair, one in confused.items():
        one.examples = [(number, numbers[number]) for number in wrong[pair][:MOST_EXAMPLES] if number in numbers]


async def weeks(unit: Unit, actor: Actor, count: int = 8) -> list[tuple[date, int, int]]:
    """(Monday, judged cases, of these right) of the last ``count`` weeks, the running one last."""
    found = []
    for back in range(count - 1, -1, -1):
        monday = this_week() - timedelta(days=7 * back)
        table = await week(unit, actor, monday)
        found.append((monday, table.judged, table.right))
    return found


_SUMMED = ("cases", "alone", "taken", "changed", "moved", "waiting", "judged", "right")


def totals(lines: Iterable[Line]) -> Counter[str]:
    """Sums over all lines with a suggestion, for the foot of the table."""
    total: Counter[str] = Counter()
    for line in lines:
        if line.basis:
            total.update({name: getattr(line, name) for name in _SUMMED})
    return total
