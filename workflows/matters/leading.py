"""The case a message is handled in: its own, or where that one was merged into, however often."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import col

from hub.models import Case, Message

# Cases merged into each other one after the other; the table of moves allows no circle, but any length.
HOPS = 8
_WAY: list[Any] = [aliased(Case) for _ in range(HOPS)]


def with_case(statement: Any, as_case: Any = Case) -> Any:
    """The statement over messages with that case as ``as_case``, empty where a message has none."""
    own, *further = _WAY
    statement = statement.outerjoin(own, own.id == col(Message.case_id))
    for before, one in zip(_WAY, further, strict=False):
        statement = statement.outerjoin(one, one.id == before.merged_into_id)
    return statement.outerjoin(as_case, as_case.id == func.coalesce(*(one.id for one in reversed(_WAY))))
