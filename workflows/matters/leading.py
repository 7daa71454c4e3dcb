"""The case a message is handled in: its own, or the one that was merged into."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import col

from hub.models import Case, Message

_Own: Any = aliased(Case)


def with_case(statement: Any, as_case: Any = Case) -> Any:
    """The statement over messages with that case as ``as_case``, empty where a message has none."""
    leads = as_case.id == func.coalesce(_Own.merged_into_id, _Own.id)
    return statement.outerjoin(_Own, _Own.id == col(Message.case_id)).outerjoin(as_case, leads)
