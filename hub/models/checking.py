"""What the office itself lays down for the check of texts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import key, ref, stored

_WHOLE = text("department_id IS NULL")


class WordKind(StrEnum):
    """person: a name and every title borne · order: names in their order · phrase: a fixed phrase and its slips ·
    prohibited and advertising: words not wanted, with what to say instead · ignored: what is right here."""

    person = "person"
    order = "order"
    phrase = "phrase"
    prohibited = "prohibited"
    advertising = "advertising"
    ignored = "ignored"


class OfficeWord(SQLModel, table=True):
    """One entry of an office's lists. ``other``: titles, names or slips joined by 、, the word to use instead, or the
    group of the rule that is ignored ("" = every rule). ``severity``: "" = the usual one of the rule; of what is
    ignored "red" = red lines too. ``department_id``: holds for this department and those below it; none: everywhere."""

    __tablename__ = "office_word"
    __table_args__ = (
        UniqueConstraint("kind", "word", "department_id"),
        # NULL is no value of a unique constraint: of what holds everywhere each entry is there once, too.
        Index("ix_office_word_whole", "kind", "word", unique=True, sqlite_where=_WHOLE, postgresql_where=_WHOLE),
    )
    id: int | None = key()
    kind: WordKind = stored(WordKind)
    department_id: int | None = ref("department.id", index=False, nullable=True)
    word: str = Field(max_length=200)
    other: str = Field(default="", sa_type=Text)
    severity: str = Field(default="", max_length=16)
    note: str = Field(default="", max_length=300)
    changed_at: datetime = Field(default_factory=clock.now)
    changed_by: str = Field(default="", max_length=100)
    version: int = 1
