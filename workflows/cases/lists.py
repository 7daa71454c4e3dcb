"""Lists of cases: urgent ones first, then by the clock, at the desk and in a department; else the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, false, func, literal, not_, or_, union_all
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.errors import Invalid
from hub.i18n import _
from hub.models import Account, Case, CaseClass, CaseEvent, CaseState, Department, Message, Reply, ReplyState
from hub.queries import search, visible
from hub.rights import Actor, May
from nlp import query_tokens
from workflows.cases.facts import IS_OPEN, SETTLES_EXTENSION, policy_of
from workflows.cases.moves import Move
from workflows.cases.rows import CaseRow, as_row, clock_at, rows_of_cases, signs_first

# Counting further than people read is waste: badges show 999+.
MOST_COUNTED = 1000
# What ends the mark of a place among the urgent ones on top.
PRESSES = "u"


class Which(StrEnum):
    """The lists of the house."""

    mine = "mine"
    desk = "desk"
    rulings = "rulings"
    extensions = "extensions"
    review = "review"
    follow_up = "follow_up"
    all = "all"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a person narrowed the list to; empty means everything. ``text``: words, or a case number.

    ``written_since``: the citizen wrote at this moment or later; ``answered_since``: answered then or later.
    """

    state: CaseState | None = None
    department_id: int | None = None
    topic: str = ""
    sentiment: str = ""
    account_id: int | None = None
    urgency: CaseClass | None = None
    late: bool = False
    sensitive: bool = False
    text: str = ""
    written_since: datetime | None = None
    answered_since: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is narrowed."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and where the next ones begin; ``after`` empty: these were the last.

    ``pressing``: so many at the top are urgent and stand before all others, whatever their clocks.
    """

    rows: list[CaseRow]
    after: str = ""
    pressing: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Badges. Each is counted to 1,000 at most; None where the person has no such list."""

    open: int | None = None
    late: int | None = None
    unsigned: int | None = None
    desk: int | None = None
    desk_late: int | None = None
    desk_urgent: int | None = None
    rulings: int | None = None
    extensions: int | None = None
    review: int | None = None
    follow_up: int | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filter row offers: (id, name)."""

    departments: list[tuple[int, str]]
    accounts: list[tuple[int, str]]


async def page(
    unit: Unit, actor: Actor, which: Which, filters: Filters = Filters(), *, after: str = "", limit: int = 25
) -> Page:
    """One page of a list, one statement. ``after`` is a page's own mark; Invalid when it is not one."""
    now, order = clock.now(), _ORDERS.get(which, _NEWEST)
    conditions = [visible.cases(actor), *_belongs(which, actor), *_narrowed(unit, filters, now)]
    found = await unit.rows(order.sorted(conditions, _read_mark(after) if after else None, limit + 1))
    policy = policy_of(unit)
    rows = [as_row(row, policy, now) for row in found[:limit]]
    pressing = sum(row.presses for row in found[:limit])
    return Page(rows, _mark(found[limit - 1]) if len(found) > limit else "", pressing)


async def some(unit: Unit, actor: Actor, case_ids: Sequence[int]) -> list[CaseRow]:
    """These cases as rows, the oldest first; those the person may not see are left out."""
    wanted = rows_of_cases().where(visible.cases(actor), col(Case.id).in_(case_ids))
    policy, now = policy_of(unit), clock.now()
    return [as_row(row, policy, now) for row in await unit.rows(wanted.order_by(col(Case.opened_at), col(Case.id)))]


async def counts(unit: Unit, actor: Actor) -> Counts:
    """All badges of a person in one statement, from indexes."""
    now = clock.now()
    wanted = {name: condition for name, condition in _countable(actor, now).items() if condition is not None}
    if not wanted:
        return Counts()
    parts = [_capped(actor, condition).label(name) for name, condition in wanted.items()]
    row = (await unit.rows(columns(*parts)))[0]
    return Counts(**dict(zip(wanted, row, strict=True)))


def waiting_for(actor: Actor, which: Which) -> Select[Any]:
    """Ids of the cases of a list that wait for this person's hand: what a badge counts."""
    conditions = _belongs(which, actor)
    if which is Which.mine:
        unsigned = col(Case.state) == CaseState.dispatched
        nobody_else = func.coalesce(col(Case.handler_id), actor.user_id) == actor.user_id
        conditions = [*conditions, or_(unsigned, and_(col(Case.state) == CaseState.handling, nobody_else))]
    if which is Which.desk:
        conditions = [or_(*conditions, _ruling_asked(), _extension_asked())]
    return columns(col(Case.id)).where(visible.cases(actor), *conditions)


async def choices(unit: Unit, actor: Actor) -> Choices:
    """Departments and accounts to filter by; departments only as far as the person sees their cases."""
    departments = select(Department).where(col(Department.is_active)).order_by(col(Department.path))
    if not actor.can(May.read_all_cases):
        departments = departments.where(col(Department.path).startswith(actor.path or "-", autoescape=True))
    accounts = await unit.all(select(Account).order_by(col(Account.id)))
    return Choices(
        [(d.id or 0, d.short_name or d.name) for d in await unit.all(departments)],
        [(a.id or 0, a.name) for a in accounts],
    )


def _belongs(which: Which, actor: Actor) -> list[Any]:
    """What makes a case belong on a list."""
    match which:
        case Which.mine:
            return [IS_OPEN, *_own_tree(actor)]
        case Which.desk:
            return [col(Case.state).in_([CaseState.new, CaseState.triaged])]
        case Which.rulings:
            return [_ruling_asked()]
        case Which.extensions:
            return [_extension_asked()]
        case Which.review:
            return [_to_review(actor)]
        case Which.follow_up:
            return [col(Case.state) == CaseState.replied]
        case Which.all:
            return []


def _own_tree(actor: Actor) -> list[Any]:
    """The department's own list, also for people who may read more."""
    if actor.department_id is None:
        return [false()]
    if actor.can(May.read_tree_cases) and actor.path:
        below = select(Department.id).where(col(Department.path).startswith(actor.path, autoescape=True))
        return [col(Case.department_id).in_(below)]
    return [col(Case.department_id) == actor.department_id]


def _ruling_asked() -> ColumnElement[bool]:
    """Disputes the desk has to decide. Few cases were returned twice, so the history is asked for few."""
    said = select(CaseEvent.id).where(CaseEvent.case_id == col(Case.id))
    asked = exists(said.where(CaseEvent.what == Move.ask_ruling.value))
    ruled = exists(said.where(CaseEvent.what == Move.rule.value))
    in_dispute = col(Case.state).in_([CaseState.dispatched, CaseState.handling])
    return and_(in_dispute, col(Case.returns) > 0, asked, ~ruled)


def _extension_asked() -> ColumnElement[bool]:
    """More time asked for and neither granted nor refused since; a new round begins anew."""
    asked, later = aliased(CaseEvent), aliased(CaseEvent)
    settled = exists(
        select(col(later.id)).where(
            col(later.case_id) == col(Case.id), col(later.id) > col(asked.id), col(later.what).in_(SETTLES_EXTENSION)
        )
    )
    open_request = select(col(asked.id)).where(
        col(asked.case_id) == col(Case.id), col(asked.what) == Move.ask_extension.value, ~settled
    )
    return and_(col(Case.state).in_([CaseState.handling, CaseState.waiting, CaseState.review]), exists(open_request))


def _to_review(actor: Actor) -> ColumnElement[bool]:
    """Answers waiting for review, not written by the person who would review them."""
    waiting = exists(
        select(Reply.id).where(
            Reply.case_id == col(Case.id),
            col(Reply.state) == ReplyState.reviewing,
            func.coalesce(col(Reply.author_id), 0) != (actor.user_id or 0),
        )
    )
    return and_(col(Case.state) == CaseState.review, waiting)


def late(now: datetime) -> ColumnElement[bool]:
    """Late in the state it is in: not accepted, not signed, or not answered in time."""
    desk = and_(col(Case.state).in_([CaseState.new, CaseState.triaged]), col(Case.accept_due_at) < now)
    unsigned = and_(col(Case.state) == CaseState.dispatched, col(Case.sign_due_at) < now)
    return and_(IS_OPEN, or_(desk, unsigned, col(Case.due_at) < now))


def _narrowed(unit: Unit, filters: Filters, now: datetime) -> list[Any]:
    conditions: list[Any] = [
        col(getattr(Case, name)) == value
        for name in ("state", "department_id", "topic", "sentiment", "account_id", "urgency")
        if (value := getattr(filters, name))
    ]
    if filters.late:
        conditions.append(late(now))
    if filters.sensitive:
        conditions.append(col(Case.is_sensitive))
    if filters.written_since:
        conditions.append(col(Case.last_message_at) >= filters.written_since)
    if filters.answered_since:
        conditions.append(col(Case.replied_at) >= filters.answered_since)
    if filters.text.strip():
        conditions.append(_matching(unit, filters.text.strip()))
    return conditions


def _matching(unit: Unit, text: str) -> ColumnElement[bool]:
    """The case of that number, or with a message that holds every word."""
    by_number = col(Case.number) == text
    found = search.condition(unit, query_tokens(text))
    if found is None:
        return by_number
    return or_(by_number, col(Case.id).in_(select(Message.case_id).where(found)))


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a list: the row's time there and its id. ``presses``: among the urgent ones on top."""

    at: datetime | None
    last: int
    presses: bool = False


@dataclass(frozen=True, slots=True)
class _Order:
    """A sort order with an index behind it. The rows it yields have their place as ``sort_at``."""

    column: str
    newest_first: bool = False

    def sorted(self, conditions: Sequence[Any], after: Mark | None, limit: int) -> Select[Any]:
        at = col(getattr(Case, self.column))
        wanted = rows_of_cases().add_columns(at.label("sort_at"), literal(0).label("presses")).where(*conditions)
        if after:
            wanted = wanted.where(self._behind(at, after))
        if self.newest_first:
            return wanted.order_by(at.desc(), col(Case.id).desc()).limit(limit)
        return wanted.order_by(at.asc().nulls_last(), col(Case.id)).limit(limit)

    def _behind(self, at: Any, after: Mark) -> ColumnElement[bool]:
        if self.newest_first:
            return or_(at < after.at, and_(at == after.at, col(Case.id) < after.last))
        return _later(at, after)


class _Nearest:
    """A department's cases by the clock a row shows: for signing where that comes first, else for the answer. Urgent
    ones stand on top, by their clocks: an old praise that is late does not stand before people in danger.

    Short reads put together: those of by far the most cases stay in the department's index.
    """

    def sorted(self, conditions: Sequence[Any], after: Mark | None, limit: int) -> Select[Any]:
        parts = [part for among, at in self._clocks() for part in self._parts([*conditions, *among], at, after, limit)]
        found = union_all(*[columns(part.c.id, part.c.sort_at, part.c.presses) for part in parts]).subquery()
        wanted = rows_of_cases().add_columns(found.c.sort_at, found.c.presses).join(found, found.c.id == col(Case.id))
        by_clock = found.c.sort_at.asc().nulls_last()
        return wanted.order_by(found.c.presses.desc(), by_clock, col(Case.id)).limit(limit)

    def _clocks(self) -> list[tuple[list[Any], Any]]:
        """Which cases go by which clock."""
        signing = signs_first()
        return [([signing], col(Case.sign_due_at)), ([not_(signing)], col(Case.due_at))]

    def _parts(self, conditions: Sequence[Any], at: Any, after: Mark | None, limit: int) -> Iterator[Subquery]:
        """The urgent ones and the others; an old letter without a clock presses nobody."""
        urgent = and_(col(Case.urgency) == CaseClass.urgent, at.is_not(None))
        for presses, among in ((True, urgent), (False, not_(urgent))):
            if after and presses and not after.presses:
                continue
            part = columns(col(Case.id).label("id"), at.label("sort_at"), literal(int(presses)).label("presses"))
            part = part.where(*conditions, among)
            if after and after.presses is presses:
                part = part.where(_later(at, after))
            yield part.order_by(at.asc().nulls_last(), col(Case.id)).limit(limit).subquery()


class _AtDesk(_Nearest):
    """Cases at the desk by their clock: nearly all of them wait to be accepted, so that one read does."""

    def _clocks(self) -> list[tuple[list[Any], Any]]:
        return [([], clock_at())]


def _later(at: Any, after: Mark) -> ColumnElement[bool]:
    """Behind a place in a list that ends with the rows without a time."""
    number = col(Case.id)
    if after.at is None:
        return and_(at.is_(None), number > after.last)
    return or_(at > after.at, and_(at == after.at, number > after.last), at.is_(None))


_NEWEST = _Order("last_message_at", newest_first=True)
# At the desk what must be accepted first; old letters of a file without a clock after everything that has one.
_ORDERS: dict[Which, _Order | _Nearest] = {
    Which.mine: _Nearest(), Which.desk: _AtDesk(), Which.follow_up: _Order("replied_at"),
}  # fmt: skip


def _mark(row: Any) -> str:
    return f"{row.sort_at.isoformat() if row.sort_at else ''}~{row.id}{PRESSES if row.presses else ''}"


def _read_mark(mark: str) -> Mark:
    at, _tilde, number = mark.partition("~")
    try:
        moment = datetime.fromisoformat(at) if at else None
        if moment is not None and moment.tzinfo is None:
            raise ValueError(at)
        return Mark(moment, int(number.removesuffix(PRESSES)), number.endswith(PRESSES))
    except ValueError:
        raise Invalid({"after": _("页码无效，请从第一页开始")}) from None


def _countable(actor: Actor, now: datetime) -> dict[str, ColumnElement[bool] | None]:
    """The badges a person has, by their rights."""
    works = actor.can(May.sign) or actor.can(May.draft_reply)
    own = and_(IS_OPEN, *_own_tree(actor))
    desk = col(Case.state).in_([CaseState.new, CaseState.triaged])
    unsigned = col(Case.state) == CaseState.dispatched
    return {
        "open": own if works else None,
        "late": and_(own, late(now)) if works else None,
        "unsigned": and_(own, unsigned) if works else None,
        "desk": desk if actor.can(May.accept) else None,
        "desk_late": and_(desk, col(Case.accept_due_at) < now) if actor.can(May.accept) else None,
        # Old letters out of a file may have been urgent once: only what has a clock presses now.
        "desk_urgent": and_(desk, col(Case.urgency) == CaseClass.urgent, col(Case.accept_due_at).is_not(None))
        if actor.can(May.accept)
        else None,
        "rulings": _ruling_asked() if actor.can(May.dispatch) else None,
        "extensions": _extension_asked() if actor.can(May.suspend) else None,
        "review": _to_review(actor) if actor.can(May.review_reply) else None,
        "follow_up": col(Case.state) == CaseState.replied if actor.can(May.close) else None,
    }


def _capped(actor: Actor, condition: ColumnElement[bool]) -> Any:
    inner = columns(literal(1)).select_from(Case).where(visible.cases(actor), condition).limit(MOST_COUNTED).subquery()
    return columns(func.count()).select_from(inner).scalar_subquery()


FILTER_NAMES: Sequence[str] = tuple(field.name for field in fields(Filters))
