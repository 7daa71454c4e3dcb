"""Full-text search over messages: words and character pairs cut by us, the same answers on SQLite and PostgreSQL.

The index holds tokens parted by blanks. What a person typed reaches it as quoted tokens, never as query syntax.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    any_,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlmodel import col

from hub.db import Unit
from hub.models import Message

# Stands in the index of messages whose case was answered; private use, so that nobody can type it.
ANSWERED = "\ue000answered"
_INDEX: Any = table("message_search", column("rowid"), column("tokens"))
_TOKEN = re.compile(r"[^\W_]+")
_LONGEST = 64
_MOST_TOKENS = 64
_CHUNK = 500
# Ranking reads every match: common words, which say little, are left out once this many rows are in sight.
_ENOUGH = 4000
_INSERT_SQLITE = "INSERT OR REPLACE INTO message_search (rowid, tokens) VALUES (:i, :t)"
_INSERT_POSTGRES = """
INSERT INTO message_search (rowid, tokens) VALUES (:i, array_to_tsvector(string_to_array(:t, ' ')))
ON CONFLICT (rowid) DO UPDATE SET tokens = excluded.tokens
"""
_MARK_SQLITE = "UPDATE message_search SET tokens = tokens || ' ' || :m WHERE rowid = :i AND instr(tokens, :m) = 0"
_MARK_POSTGRES = """
UPDATE message_search SET tokens = tokens || array_to_tsvector(ARRAY[CAST(:m AS text)]) WHERE rowid = :i
"""


async def index(unit: Unit, rows: Iterable[tuple[int, str]], *, answered: Container[int] = ()) -> None:
    """Put messages into the index by id, replacing what stood there. Safe to run twice.

    ``answered``: the ids among them whose case has a sent reply (see :func:`mark_answered`).
    """
    given = [{"i": n, "t": " ".join(kept(tokens) + [ANSWERED] * (n in answered))} for n, tokens in rows]
    statement = text(_INSERT_SQLITE if unit.ctx.is_sqlite else _INSERT_POSTGRES)
    for start in range(0, len(given), _CHUNK):
        await unit.run(statement, given[start : start + _CHUNK])


async def mark_answered(unit: Unit, message_ids: Iterable[int]) -> None:
    """Let indexed messages be found as answered ones. Safe to run twice; ids not in the index are ignored."""
    given = [{"i": number, "m": ANSWERED} for number in message_ids]
    if given:
        await unit.run(text(_MARK_SQLITE if unit.ctx.is_sqlite else _MARK_POSTGRES), given)


async def tokens_of(unit: Unit, ids: Sequence[int]) -> dict[int, str]:
    """The tokens that stand in the index for these messages, parted by blanks; PostgreSQL keeps no order of them."""
    words = "tokens" if unit.ctx.is_sqlite else "array_to_string(tsvector_to_array(tokens), ' ')"
    found: dict[int, str] = {}
    for start in range(0, len(ids), _CHUNK):
        chosen = _INDEX.c.rowid.in_(ids[start : start + _CHUNK])
        rows = await unit.rows(select(_INDEX.c.rowid, literal_column(words)).select_from(_INDEX).where(chosen))
        found |= {number: tokens.replace(ANSWERED, "").strip() for number, tokens in rows}
    return found


def condition(unit: Unit, groups: Sequence[Sequence[str]]) -> ColumnElement[bool] | None:
    """``Message.id`` is a match of every token of every group; None when there is nothing to look for."""
    query = _all_of(unit, groups)
    if not query:
        return None
    found = select(_INDEX.c.rowid).where(_matches(unit, query))
    if unit.ctx.is_sqlite:
        return col(Message.id).in_(found)
    # An array is made first: left to itself PostgreSQL may walk all messages in the list's order for a rare word.
    return col(Message.id) == any_(func.array(found.scalar_subquery(), type_=ARRAY(BigInteger)))


async def match(
    unit: Unit,
    groups: Sequence[Sequence[str]],
    *,
    where: Iterable[Any] = (),
    before: int | None = None,
    limit: int = 25,
) -> list[int]:
    """Ids of matching messages, newest arrival first, at most ``limit``; the next page starts ``before`` the last id.

    ``where``: conditions on ``Message``, the actor's visibility above all. Nothing searchable finds nothing.
    """
    query = _all_of(unit, groups)
    if not query:
        return []
    found = [_matches(unit, query)] if before is None else [_matches(unit, query), _INDEX.c.rowid < before]
    if not unit.ctx.is_sqlite:
        found = await _narrowed(unit, found)
    statement = select(_INDEX.c.rowid).select_from(_joined(unit)).where(*found, *where)
    return [row[0] for row in await unit.rows(statement.order_by(_INDEX.c.rowid.desc()).limit(limit))]


async def _narrowed(unit: Unit, found: list[Any]) -> list[Any]:
    """PostgreSQL walks back from the newest message for a page, which is right for common words and never ends for
    rare ones: those are looked up by the index first."""
    few = select(_INDEX.c.rowid).where(*found).limit(_ENOUGH)
    rows = [row[0] for row in await unit.rows(few)]
    return found if len(rows) == _ENOUGH else [_INDEX.c.rowid == any_(cast(rows, ARRAY(BigInteger)))]


def kept(tokens: str) -> list[str]:
    """Tokens both databases take as they are: letters and digits only, lower case, none longer than 64."""
    return [token for token in _TOKEN.findall(tokens.lower()) if len(token) <= _LONGEST]


def _all_of(unit: Unit, groups: Sequence[Sequence[str]]) -> str:
    tokens = dict.fromkeys(found for group in groups for given in group for found in kept(given))
    return _join(unit, [[token] for token in list(tokens)[:_MOST_TOKENS]])


def _join(unit: Unit, groups: Sequence[Sequence[str]]) -> str:
    """All of: any of. Every token is quoted, so that none can be an operator."""
    quote, either, both = ('"', " OR ", " AND ") if unit.ctx.is_sqlite else ("'", " | ", " & ")
    return both.join("(" + either.join(f"{quote}{token}{quote}" for token in group) + ")" for group in groups)


def _matches(unit: Unit, query: str) -> Any:
    if unit.ctx.is_sqlite:
        return literal_column("message_search").op("MATCH")(query)
    return _INDEX.c.tokens.op("@@")(_tsquery(query))


def _tsquery(query: str) -> Any:
    return cast(cast(query, Text), TSQUERY)


def _joined(unit: Unit) -> Any:
    """Index rows with their messages. The + keeps SQLite from asking the index once per message."""
    number: Any = literal_column("+message_search.rowid") if unit.ctx.is_sqlite else _INDEX.c.rowid
    return _INDEX.join(Message, col(Message.id) == number)
