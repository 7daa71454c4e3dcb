"""Column kinds shared by all tables."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Enum, Integer
from sqlmodel import Field

BIG = BigInteger().with_variant(Integer, "sqlite")


def key() -> Any:
    """A 64-bit primary key given by the database, growing."""
    return Field(default=None, primary_key=True, sa_type=BIG)


def ref(target: str, *, index: bool = True, nullable: bool = False, cascade: bool = False) -> Any:
    """A reference to ``table.id``; ``nullable`` ones default to None."""
    rules: dict[str, Any] = {"ondelete": "CASCADE"} if cascade else {}
    if nullable:
        return Field(default=None, foreign_key=target, index=index, sa_type=BIG, nullable=True, **rules)
    return Field(foreign_key=target, index=index, sa_type=BIG, **rules)


def stored(kind: type[StrEnum], **given: Any) -> Any:
    """An enumeration stored as its value in a text column, so that a new member needs no migration."""
    column = Enum(
        kind, native_enum=False, length=32, create_constraint=False, values_callable=lambda e: [m.value for m in e]
    )
    return Field(sa_type=column, **given)


def plain(**given: Any) -> Any:
    """A JSON column."""
    return Field(sa_type=JSON, **given)


def known(**given: Any) -> Any:
    """A JSON column that is NULL where nobody has looked yet; defaults to None."""
    return Field(default=None, sa_type=JSON(none_as_null=True), nullable=True, **given)
