"""Counts that are kept, not counted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class Rollup(SQLModel, table=True):
    """Messages by hour × account × topic × sentiment × place, moved in the same transaction as the tagging."""

    __table_args__ = (Index("ix_rollup_hour", "hour"),)
    hour: datetime = Field(primary_key=True)
    account_id: int = Field(primary_key=True)
    topic: str = Field(primary_key=True, max_length=64)
    sentiment: str = Field(primary_key=True, max_length=16)
    place: str = Field(primary_key=True, max_length=64)
    messages: int = 0
    likes: int = 0
    sensitive: int = 0
