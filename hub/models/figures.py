"""How published posts do on their platforms: every reading kept, and per account when its posts are read next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import BIG, key, ref


def told() -> Any:
    """A figure as it was told; NULL where nobody told it, which is not 0."""
    return Field(default=None, sa_type=BIG, nullable=True)


class FigureReading(SQLModel, table=True):
    """What was told of one sent item at one moment. Never altered; all four NULL: asked, and nothing was told of it.

    ``step``: the place of the item's age among those of ``sending.toml``, so that none is kept twice; NULL: a person
    typed it (``by_id``).
    """

    __table_args__ = (UniqueConstraint("delivery_id", "step"),)
    id: int | None = key()
    delivery_id: int = ref("delivery.id", index=False, cascade=True)
    step: int | None = None
    read_at: datetime = Field(default_factory=clock.now)
    reads: int | None = told()
    likes: int | None = told()
    comments: int | None = told()
    reposts: int | None = told()
    by_id: int | None = ref("person.id", index=False, nullable=True)
    by_name: str = Field(default="", max_length=100)


class FigureRound(SQLModel, table=True):
    """One account's turn: not before ``due_at``, by whoever holds the lease. ``error``: why the last one failed."""

    account_id: int = Field(primary_key=True, foreign_key="account.id", sa_type=BIG, ondelete="CASCADE")
    due_at: datetime = Field(default_factory=clock.now)
    lease_until: datetime | None = None
    failures: int = 0
    error_kind: str = Field(default="", max_length=32)
    error: str = Field(default="", sa_type=Text)
