"""Tags into the database: one statement over many messages, the objects at hand kept in step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col

from hub.db import Unit
from hub.models import Message, Tagging
from workflows.tagging.columns import copied, tagging
from workflows.tagging.types import Tagged

_COPIED = ("topic", "sentiment", "is_sensitive", "request", "urgency", "place", "emotion", "subtopic", "personal")
_SET: Any = (
    update(Message.__table__)  # type: ignore[attr-defined]
    .where(col(Message.id) == bindparam("b_id"))
    .values(tagged_at=bindparam("b_at"), **{name: bindparam(f"b_{name}") for name in _COPIED})
)


async def write(unit: Unit, batch: Sequence[Tagged], now: datetime) -> None:
    """Taggings of citizens' messages, which are current from now on, and the copied columns of all messages."""
    if not batch:
        return
    given = []
    for one in batch:
        values = copied(one.message, one.analysis)
        given.append({"b_id": one.message.id, "b_at": now} | {f"b_{name}": value for name, value in values.items()})
        for name, value in {**values, "tagged_at": now}.items():
            set_committed_value(one.message, name, value)  # written below in one statement
    await unit.run(_SET, given)
    rows = [tagging(one.message.id or 0, one.analysis, now) for one in batch if not one.message.is_own]
    if rows:
        await unit.run(insert(Tagging), rows)
