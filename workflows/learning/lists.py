"""What the pages of learning show: what is in force, versions, changes, the lesson under way, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as columns
from sqlalchemy.orm import defer
from sqlmodel import col, select

from hub import clock, privacy
from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Because, Correction, LearnRun, LearnState, LearntModel, Message, ModelChange, User
from hub.queries import visible
from hub.rights import Actor
from nlp.lesson import LEAST, TASKS
from workflows.learning import lessons, live
from workflows.learning.live import InForce
from workflows.tagging.columns import masked_title
from workflows.tagging.withdrawing import reasons_against

VERSIONS, CHANGES, PAGE = 20, 20, 50
MOST_EXPORTED = 20_000
_SNIPPET = 120


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One task on the first page. ``corrections``, ``confirmations``: those in force; ``versions``: newest first;
    ``back``: the version before this one, one press away, None where there is none that could speak."""

    task: str
    now: InForce
    corrections: int
    confirmations: int
    versions: Sequence[LearntModel]
    back: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page. ``run``: the lesson under way; ``last``: the newest one that is over."""

    tasks: list[TaskPage]
    run: LearnRun | None
    last: LearnRun | None
    changes: Sequence[ModelChange]
    version: str


@dataclass(frozen=True, slots=True)
class Line:
    """One correction as the list shows it. ``text``: masked and shortened, empty when the person may not read it."""

    correction: Correction
    by_name: str
    text: str
    may_withdraw: list[str]

    @property
    def is_right(self) -> bool:
        """A confirmation."""
        return self.correction.before == self.correction.after


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of the list; empty: all."""

    field: str = ""
    after: str = ""
    because: Because | None = None
    by_id: int | None = None
    kind: str = ""  # set: set right; right: found right; withdrawn
    since: datetime | None = None


async def overview(unit: Unit) -> Overview:
    """Everything of the first page; the bytes of versions stay where they are."""
    each = await live.in_force(unit)
    done = (LearnState.done, LearnState.failed)
    last: Any = select(LearnRun).where(col(LearnRun.state).in_(done)).order_by(col(LearnRun.id).desc()).limit(1)
    changes = select(ModelChange).order_by(col(ModelChange.id).desc()).limit(CHANGES)
    return Overview(
        tasks=[await _task(unit, one) for one in each], run=await lessons.under_way(unit),
        last=await unit.first(last), changes=await unit.all(changes), version=await live.version_in_force(unit),
    )  # fmt: skip


async def _task(unit: Unit, now: InForce) -> TaskPage:
    wanted = select(LearntModel).options(_light()).where(col(LearntModel.task) == now.task)
    versions = await unit.all(wanted.order_by(col(LearntModel.number).desc()).limit(VERSIONS))
    right = col(Correction.before) == col(Correction.after)
    counted = columns(right, func.count()).where(
        col(Correction.field) == now.task, col(Correction.withdrawn_at).is_(None)
    )
    found = {bool(row[0]): int(row[1]) for row in await unit.rows(counted.group_by(right))}
    return TaskPage(now.task, now, found.get(False, 0), found.get(True, 0), versions, await _back(unit, now))


async def _back(unit: Unit, now: InForce) -> int | None:
    changed = select(ModelChange).where(
        ModelChange.task == now.task, col(ModelChange.from_number) != col(ModelChange.to_number)
    )
    last = await unit.first(changed.order_by(col(ModelChange.id).desc()).limit(1))
    if last is None or last.from_number == 0:
        return 0 if now.number else None
    before = (
        select(LearntModel)
        .options(_light())
        .where(LearntModel.task == now.task, LearntModel.number == last.from_number)
    )
    made = await unit.first(before)
    return made.number if made is not None and live.usable(made) else (0 if now.number else None)


def _light() -> Any:
    return defer(LearntModel.data)  # type: ignore[arg-type]


async def version(unit: Unit, number: int) -> LearntModel:
    """One version by its id; NotFound otherwise."""
    found = await unit.first(select(LearntModel).options(_light()).where(col(LearntModel.id) == number))
    if found is None:
        raise NotFound(_("没有这个版本"))
    return found


async def corrections(
    unit: Unit, actor: Actor, wanted: Wanted, *, before: int | None = None, limit: int = PAGE
) -> list[Line]:
    """Corrections of messages the person may see, newest first; ``before``: the id to go on from."""
    asked = (
        select(Correction, Message, User.name)
        .join(Message, col(Message.id) == col(Correction.message_id))
        .outerjoin(User, col(User.id) == col(Correction.by_id))
        .where(visible.messages(actor), *_conditions(wanted))
        .order_by(col(Correction.id).desc())
        .limit(limit)
    )
    if before is not None:
        asked = asked.where(col(Correction.id) < before)
    return [_line(actor, *row) for row in (await unit.session.exec(asked)).all()]


def _line(actor: Actor, one: Correction, message: Message, name: str | None) -> Line:
    shown = f"{masked_title(message)} {privacy.masked(message.text, message.personal)}".strip()
    return Line(one, name or "", shown[:_SNIPPET] + ("…" if len(shown) > _SNIPPET else ""), reasons_against(one, actor))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    given: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.field, col(Correction.field) == wanted.field),
        (wanted.after, col(Correction.after) == wanted.after),
        (wanted.because, col(Correction.because) == wanted.because),
        (wanted.by_id, col(Correction.by_id) == wanted.by_id),
        (wanted.since, col(Correction.at) >= (wanted.since or clock.now())),
        (wanted.kind == "withdrawn", col(Correction.withdrawn_at).is_not(None)),
        (wanted.kind in ("set", "right"), col(Correction.withdrawn_at).is_(None)),
        (wanted.kind == "set", col(Correction.before) != col(Correction.after)),
        (wanted.kind == "right", col(Correction.before) == col(Correction.after)),
    ]
    return [condition for said, condition in given if said]


async def teachers(unit: Unit) -> list[tuple[int, str]]:
    """(id, name) of everybody who has corrected something, for the filter."""
    asked = columns(User.id, User.name).where(col(User.id).in_(columns(Correction.by_id).distinct()))  # type: ignore[call-overload]
    return [(row[0], row[1]) for row in await unit.rows(asked.order_by(col(User.name)))]


__all__ = ["LEAST", "TASKS", "Line", "Overview", "TaskPage", "Wanted", "corrections", "overview", "teachers", "version"]
