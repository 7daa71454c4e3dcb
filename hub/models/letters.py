"""Letters written on our own page: what the citizen may come back with, and what stays sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, ref


class Letter(SQLModel, table=True):
    """One letter, beside the arrival that holds what it says.

    ``ticket``: digest of the form it was written on, so that one form is one letter; ``code``: digest of the query
    code, which only the citizen has; ``sealed``: name, telephone and address, encrypted; ``sender``: digest of the
    sender's network address and the day, for the limit of letters an hour; ``first_id``: of a supplement, its letter.
    """

    id: int | None = key()
    account_id: int = ref("account.id")
    external_id: str = Field(max_length=64, index=True)
    ticket: str = Field(unique=True, max_length=64)
    code: str | None = Field(default=None, unique=True, max_length=64)
    sealed: str = Field(default="", sa_type=Text)
    sender: str = Field(default="", max_length=64)
    first_id: int | None = ref("letter.id", nullable=True)
    created_at: datetime = Field(default_factory=clock.now, index=True)
