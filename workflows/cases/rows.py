"""One line of a case list with everything it shows, read in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy import case as case_when
from sqlmodel import col

from hub.clock import local
from hub.i18n import N_, _
from hub.models import Account, Case, CaseClass, CaseState, Department, Message, MessageKind, User
from hub.policy.packs import Policy
from hub.privacy import excerpt
from nlp import mask
from workflows.cases.words import class_label, state_label
from workflows.tagging.markup import plainly

EXCERPT = 90
# More than a line shows is read, so that a number at the cut is never shown half masked.
_READ = 400
ACCEPT, SIGN, FINISH = N_("受理时限"), N_("签收时限"), N_("办结时限")
_DESK = frozenset({CaseState.new, CaseState.triaged})
_RUNNING = frozenset({CaseState.handling, CaseState.waiting, CaseState.review})


@dataclass(frozen=True, slots=True)
class Deadline:
    """The clock a case is under now. ``is_soon``: most of the span is gone; ``is_provisional``: holidays unknown.

    ``days``: working days to go (or gone since, when late), for lengths of a day and more; today is none of them.
    """

    label: str
    at: datetime
    is_late: bool
    is_soon: bool
    is_provisional: bool
    days: int = 0


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as lists show it; ``title`` and ``excerpt`` are masked."""

    id: int
    number: str
    version: int
    state: CaseState
    state_label: str
    title: str
    excerpt: str
    kind: MessageKind
    account_id: int
    account: str
    platform: str
    author_name: str
    topic: str
    place: str
    sentiment: str
    is_sensitive: bool
    urgency: CaseClass
    urgency_label: str
    department_id: int | None
    department: str
    handler_id: int | None
    handler: str
    message_count: int
    likes: int
    heat: float
    returns: int
    redos: int
    opened_at: datetime
    last_message_at: datetime
    accept_due_at: datetime | None
    due_at: datetime | None
    replied_at: datetime | None
    closed_at: datetime | None
    deadline: Deadline | None
    suggestions: list[dict[str, Any]]


_CASE: tuple[Any, ...] = (
    Case.id, Case.number, Case.version, Case.state, Case.title, Case.kind, Case.account_id, Case.author_name,
    Case.topic, Case.place, Case.sentiment, Case.is_sensitive, Case.urgency, Case.department_id, Case.handler_id,
    Case.message_count, Case.likes, Case.heat, Case.returns, Case.redos, Case.opened_at, Case.last_message_at,
    Case.accept_due_at, Case.due_at, Case.replied_at, Case.closed_at,
)  # fmt: skip


def rows_of_cases() -> Select[Any]:
    """The select behind every list; conditions, order and limit are the caller's."""
    columns: tuple[Any, ...] = (
        *_CASE,
        *(Case.sign_due_at, Case.dispatched_at, Case.calendar_version, Case.routing),
        col(Department.short_name).label("department"),
        col(User.name).label("handler"),
        col(Account.name).label("account"),
        col(Account.platform).label("platform"),
        col(Message.text).label("text"),
    )
    return (
        select(*columns)
        .join(Account, col(Account.id) == col(Case.account_id))
        .outerjoin(Department, col(Department.id) == col(Case.department_id))
        .outerjoin(User, col(User.id) == col(Case.handler_id))
        .outerjoin(Message, col(Message.id) == col(Case.first_message_id))
    )


def as_row(found: Any, policy: Policy, now: datetime) -> CaseRow:
    """A database row as people see it."""
    plain = {column.key: getattr(found, column.key) for column in _CASE}
    return CaseRow(
        **plain,
        state_label=state_label(found.state),
        urgency_label=class_label(found.urgency),
        excerpt=excerpt(mask(plainly((found.text or "")[:_READ])), (), EXCERPT),
        account=found.account,
        platform=found.platform,
        department=found.department or "",
        handler=found.handler or "",
        deadline=deadline(found, policy, now),
        suggestions=list(found.routing.get("suggestions", ())),
    )


def deadline(case: Any, policy: Policy, now: datetime) -> Deadline | None:
    """The clock that runs in this state: accept, sign, finish; none when answered, closed or never dispatched."""
    label, at, since = _clock(case)
    if at is None:
        return None
    share = policy.limits["soon_share"].value
    is_late = at < now
    is_soon = not is_late and since is not None and (now - since) >= share * (at - since)
    days = policy.calendar.days_between(*sorted((local(now).date(), local(at).date())))
    return Deadline(_(label), at, is_late, is_soon, str(case.calendar_version).endswith("~"), days)


def signs_first() -> ColumnElement[bool]:
    """Whether the clock of an unsigned case is the one for signing, for the database."""
    sign, finish = col(Case.sign_due_at), col(Case.due_at)
    comes_first = and_(sign.is_not(None), or_(finish.is_(None), sign <= finish))
    return and_(col(Case.state) == CaseState.dispatched, comes_first)


def clock_at() -> ColumnElement[datetime]:
    """When the clock of an open case runs out, for the database: the ``at`` of its :class:`Deadline`."""
    accept, finish = col(Case.accept_due_at), col(Case.due_at)
    on_desk = and_(col(Case.state).in_(_DESK), accept.is_not(None), or_(finish.is_(None), accept <= finish))
    return case_when((on_desk, accept), (signs_first(), col(Case.sign_due_at)), else_=finish)


def _clock(case: Any) -> tuple[str, datetime | None, datetime | None]:
    """Whichever clock of its state comes first: a case handed back or round may be late as a whole before the desk or
    the new department is."""
    own: tuple[str, datetime | None, datetime | None] = ("", None, None)
    if case.state in _DESK:
        own = ACCEPT, case.accept_due_at, case.opened_at
    elif case.state is CaseState.dispatched:
        own = SIGN, case.sign_due_at, case.dispatched_at
    elif case.state not in _RUNNING:
        return own
    if own[1] is not None and (case.due_at is None or own[1] <= case.due_at):
        return own
    return FINISH, case.due_at, case.dispatched_at or case.opened_at
