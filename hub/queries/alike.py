"""Rows of the search index that share rare tokens, quickly at any size: bounded look-ups first, exact reading last."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, any_, bindparam, delete, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col, select

from hub.db import Context, Unit, reading, unit_of_work
from hub.insert import insert
from hub.models import WordShare, WordTally
from hub.queries.search import ANSWERED, kept

MILLION = 1_000_000
# Words are counted over the newest so many messages, again when a tenth more have come.
SAMPLE, GROWN, AT_LEAST = 20_000, 1.1, 200
# A token's rows, newest first on SQLite: no single token may fill the candidates.
PER_TOKEN = 500
_PART, _CHUNK = 1_000, 500
_TALLY = "words"
_POSTINGS_POSTGRES = """
SELECT q.n, ARRAY(SELECT rowid FROM message_search WHERE tokens @@ CAST(q.t AS tsquery) LIMIT :most)
FROM unnest(CAST(:queries AS text[])) WITH ORDINALITY AS q(t, n)
"""
_TOKENS_POSTGRES = """
SELECT rowid, array_to_string(tsvector_to_array(tokens), ' ') FROM message_search
WHERE rowid = ANY(CAST(:ids AS bigint[]))
"""
_COUNTS_POSTGRES = """
SELECT word, ndoc FROM ts_stat('SELECT tokens FROM message_search WHERE rowid > {since}')
"""


def among(unit: Unit, column: Any, values: Sequence[Any], kind: Any = BigInteger) -> ColumnElement[bool]:
    """``column IN values``. On PostgreSQL as one array, so that the statement is the same however many they are: it is
    written and planned once, not anew for every case."""
    if unit.ctx.is_sqlite:
        return col(column).in_(values)
    return col(column) == any_(bindparam(None, list(values), ARRAY(kind), unique=True))


async def tokens_of(unit: Unit, message_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The tokens each message is found by; ids that are not in the index are missing."""
    ids = sorted(set(message_ids))
    if not ids:
        return {}
    if unit.ctx.is_sqlite:
        numbers = ",".join(str(int(number)) for number in ids)
        statement = text(f"SELECT rowid, tokens FROM message_search WHERE rowid IN ({numbers})")  # noqa: S608
    else:
        statement = text(_TOKENS_POSTGRES).bindparams(ids=ids)
    rows = await unit.rows(statement)
    return {row[0]: frozenset(row[1].split()) - {ANSWERED} for row in rows}


async def shares(unit: Unit, tokens: Iterable[str]) -> dict[str, int]:
    """Messages per million that hold each token; rare ones are missing."""
    wanted = select(WordShare.token, WordShare.per_million).where(among(unit, WordShare.token, list(tokens), Text))
    return {row[0]: row[1] for row in await unit.rows(wanted)}


async def size(unit: Unit) -> int:
    """About how many messages the index holds: the number of its last row."""
    rows = await unit.rows(text("SELECT rowid FROM message_search ORDER BY rowid DESC LIMIT 1"))
    return int(rows[0][0]) if rows else 0


async def postings(
    unit: Unit, tokens: Sequence[str], *, only_answered: bool = False, most: int = PER_TOKEN
) -> list[tuple[str, int]]:
    """(token, message id) for messages that hold it, at most ``most`` a token; one statement.

    ``only_answered``: only messages whose case has a sent reply."""
    wanted = [token for token in tokens if kept(token) == [token]]
    if not wanted:
        return []
    if unit.ctx.is_sqlite:
        return await _postings_sqlite(unit, wanted, only_answered, most)
    mark = f" & '{ANSWERED}'" if only_answered else ""
    queries = [f"'{token}'{mark}" for token in wanted]
    rows = await unit.rows(text(_POSTINGS_POSTGRES).bindparams(queries=queries, most=most))
    return [(wanted[row[0] - 1], number) for row in rows for number in row[1]]


async def _postings_sqlite(unit: Unit, wanted: Sequence[str], only_answered: bool, most: int) -> list[tuple[str, int]]:
    mark = f' AND "{ANSWERED}"' if only_answered else ""
    newest = "message_search WHERE message_search MATCH :t{n} ORDER BY rowid DESC LIMIT :m"
    one = "SELECT * FROM (SELECT {n}, rowid FROM " + newest + ")"  # noqa: S608 -- numbers and bound values only
    statement = text(" UNION ALL ".join(one.format(n=n) for n in range(len(wanted))))
    given: dict[str, Any] = {f"t{n}": f'"{token}"{mark}' for n, token in enumerate(wanted)}
    return [(wanted[row[0]], row[1]) for row in await unit.rows(statement.bindparams(m=most, **given))]


async def count_words(ctx: Context, *, sample: int = SAMPLE) -> int:
    """Count anew how common tokens are when the messages have grown by a tenth; how many tokens are kept (0: not due).

    Safe to run twice and beside others: the later count stands."""
    async with reading(ctx) as unit:
        last, tally = await size(unit), await unit.get(WordTally, _TALLY)
    before = tally.documents if tally else 0
    if last < max(before * GROWN, before + AT_LEAST if before else 1):
        return 0
    counts, documents = await (_counts_sqlite if ctx.is_sqlite else _counts_postgres)(ctx, last - sample)
    if not documents:
        return 0
    least = 3 if documents > _PART else 2
    given = [
        {"token": token, "per_million": round(MILLION * n / documents)}
        for token, n in sorted(counts.items())
        if n >= least and token != ANSWERED and len(token) <= 64
    ]
    async with unit_of_work(ctx) as unit:
        await unit.run(delete(WordShare))
        for start in range(0, len(given), _CHUNK):
            await unit.run(insert(unit, WordShare).on_conflict_do_nothing(), given[start : start + _CHUNK])
        row = {"name": _TALLY, "documents": last, "counts": b"", "lease": ""}
        kept_row = insert(unit, WordTally).on_conflict_do_update(index_elements=["name"], set_={"documents": last})
        await unit.run(kept_row, row)
    return len(given)


async def _counts_postgres(ctx: Context, since: int) -> tuple[Mapping[str, int], int]:
    async with reading(ctx) as unit:
        rows = await unit.rows(text(_COUNTS_POSTGRES.format(since=int(since))))
        documents = await unit.rows(text("SELECT count(*) FROM message_search WHERE rowid > :s").bindparams(s=since))
    return {row[0]: row[1] for row in rows}, documents[0][0]


async def _counts_sqlite(ctx: Context, since: int) -> tuple[Mapping[str, int], int]:
    """In parts, so that memory stays small and others get their turn."""
    counts: Counter[str] = Counter()
    documents, after = 0, since
    while True:
        async with reading(ctx) as unit:
            part = text("SELECT rowid, tokens FROM message_search WHERE rowid > :a ORDER BY rowid LIMIT :n")
            rows = await unit.rows(part.bindparams(a=after, n=_PART))
        if not rows:
            return counts, documents
        await asyncio.to_thread(counts.update, (token for row in rows for token in set(row[1].split())))
        documents, after = documents + len(rows), rows[-1][0]
