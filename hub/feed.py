"""The change feed behind live pages: rows, so that it works across processes and without the queue."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col, func, select

from hub import clock
from hub.db import Unit
from hub.models import Change

KEPT = timedelta(minutes=10)


def tell(unit: Unit, topic: str, object_id: int | None = None, department_id: int | None = None) -> None:
    """Say in the caller's transaction that something changed. Topics: cases, messages, posts, opinion, imports."""
    unit.add(Change(topic=topic, object_id=object_id, department_id=department_id))


async def sweep(unit: Unit) -> int:
    """Forget changes older than ten minutes. Safe to run at any time.

    The newest stays: SQLite gives the numbers of an emptied table anew, and pages that wait for the next one would
    wait for ever.
    """
    newest = select(func.max(col(Change.id))).scalar_subquery()
    old = col(Change.at) < clock.now() - KEPT
    return (await unit.run(delete(Change).where(old, col(Change.id) < newest))).rowcount
