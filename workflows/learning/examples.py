"""From corrections to examples: what is learnt from, what is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, func, or_
from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.models import Case, CaseState, Correction, Message
from nlp.lesson import LEAST, MOST, TASKS

# How long a case must have been answered before its message counts as seen and left as it was.
SETTLED = timedelta(days=1)
MOST_LEFT = 500
_ANSWERED = (CaseState.replied, CaseState.closed)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one task can learn from now. ``rows``: (title, text, label, weight), the newest first; ``left``: (title,
    text) of messages in answered cases whose tags nobody touched. ``ids``: of the corrections, one a row."""

    task: str
    rows: list[tuple[str, str, str, float]]
    left: list[tuple[str, str]]
    corrections: int
    confirmations: int
    ids: list[int]

    @property
    def newest(self) -> int:
        """The newest correction."""
        return max(self.ids, default=0)


async def gather(unit: Unit, task: str) -> Lesson:
    """All examples of a task in force: the newest word per message, withdrawn ones and cleared tags left out."""
    newest = (
        columns(func.max(col(Correction.id)))
        .where(col(Correction.field) == task, col(Correction.withdrawn_at).is_(None))
        .group_by(col(Correction.message_id))
    )
    wanted = (
        columns(Message.title, Message.text, Correction.after, Correction.before, Correction.id)  # type: ignore[call-overload]
        .join(Correction, col(Correction.message_id) == col(Message.id))
        .where(col(Correction.id).in_(newest), col(Correction.after) != "")
        .order_by(col(Correction.id).desc())
        .limit(MOST)
    )
    found = await unit.rows(wanted)
    right = sum(row.after == row.before for row in found)
    rows = [(row.title, row.text, row.after, 1.0) for row in found]
    left = await _left(unit) if len(rows) >= LEAST else []
    return Lesson(task, rows, left, len(found) - right, right, [row.id for row in found])


async def _left(unit: Unit) -> list[tuple[str, str]]:
    """The newest messages a person has dealt with and whose tags nobody has set right or taken back."""
    touched = select(Correction.message_id).where(col(Correction.message_id) == col(Message.id))
    wanted = (
        columns(Message.title, Message.text)  # type: ignore[call-overload]
        .join(Case, col(Case.first_message_id) == col(Message.id))
        .where(
            col(Case.state).in_(_ANSWERED), col(Case.last_message_at) < clock.now() - SETTLED, ~touched.exists(),
            col(Message.is_own).is_(False),
        )
        .order_by(col(Case.last_message_at).desc(), col(Case.id).desc())
        .limit(MOST_LEFT)
    )  # fmt: skip
    return [(row.title, row.text) for row in await unit.rows(wanted)]


async def is_taken_back(unit: Unit, task: str, newest: int, since: datetime | None) -> bool:
    """Whether any correction up to ``newest`` has been withdrawn since."""
    gone = columns(func.count()).where(col(Correction.field) == task, _gone(newest, since))
    return bool((await unit.rows(gone))[0][0])


def _gone(newest: int, since: datetime | None) -> ColumnElement[bool]:
    """Learnt from up to this correction, and taken back since."""
    return and_(col(Correction.id) <= newest, col(Correction.withdrawn_at) > since) if since else false()


async def fresh(unit: Unit, since: int, at: datetime | None) -> int:
    """How many corrections and confirmations have come since the one with this id, or were learnt from and have been
    taken back since ``at``."""
    came = and_(col(Correction.id) > since, col(Correction.withdrawn_at).is_(None))
    counted = columns(func.count()).where(or_(came, _gone(since, at)), col(Correction.field).in_(TASKS))
    return int((await unit.rows(counted))[0][0])
