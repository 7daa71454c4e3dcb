"""Similar cases beside an opened one, at a million messages, on the embedded database and on PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import ground
from bench.figures import Figure, quantile
from connectors.registry import connectors
from hub import log, migrations
from hub.db import open_context, reading
from hub.embedded import Postgres
from hub.queries.alike import count_words
from hub.queries.search import ANSWERED
from hub.rights import system
from hub.settings import load
from nlp import analyse
from workflows.cases import similar
from workflows.house import House

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "1000000"))
PER_CASE, ASKED = 5, 200
MARK_MS = 50.0
_NAMES = "锦鹿云枫栖澜岚溪松桂梅兰竹荷雁鹤霞虹星月江湖山河金玉宝华安康泰和平福禄寿喜春夏秋冬东南西北"
_KINDS = ("小区", "花园", "大道", "路口", "广场", "学校", "医院", "市场", "公园", "车站")
_AT = "2026-11-20 08:00:00.000000"


def run() -> Iterator[Figure]:
    """Milliseconds for both lists beside a case: answered ones with their answer, and open ones that may be joined."""
    with ground.folder() as data:
        yield from asyncio.run(_measure(data, "", "sqlite"))
    with tempfile.TemporaryDirectory(prefix="zhengsheng-bench-pg-") as path, Postgres(Path(path)) as server:
        yield from asyncio.run(_measure(Path(path), server.create_database("bench"), "postgres"))


async def _measure(data: Path, url: str, name: str) -> list[Figure]:
    log.configure("ERROR", "json")
    settings = load(data, db_url=url or None)
    await asyncio.to_thread(migrations.upgrade, settings.database)
    begun = time.perf_counter()
    if url:
        await _fill_postgres(url)
    else:
        await asyncio.to_thread(_fill_sqlite, data / "hub.db")
    filled = time.perf_counter() - begun
    house = House(open_context(settings), connectors(live=False))
    try:
        kept = await count_words(house.ctx)
        took, cpu, found = await _ask(house)
    finally:
        await house.close()
    figures = [
        _figure(f"similar_{name}_{share}", quantile(took, q), f"{MESSAGES} messages, both lists; mark: at most")
        for q, share in ((0.5, "p50"), (0.95, "p95"))
    ]
    figures.append(_figure(f"similar_{name}_cpu", cpu, "a case, of this process alone; mark: at most"))
    said = f"of {ASKED} cases had similar ones; filled in {filled:.0f} s, {kept} common tokens"
    return [*figures, Figure(f"similar_{name}_found", float(found), "cases", what=said)]


def _figure(name: str, value: float, what: str) -> Figure:
    return Figure(name, round(value, 1), "ms", MARK_MS, round(value / MARK_MS, 2), what)


async def _ask(house: House) -> tuple[list[float], float, int]:
    """Milliseconds of each case, processor milliseconds a case, how many had both lists filled."""
    rnd, took, found = random.Random(3), [], 0
    worked = time.process_time()
    for n in range(ASKED + 10):
        case_id = rnd.randrange(1, MESSAGES // PER_CASE)
        begun = time.perf_counter()
        async with reading(house.ctx) as unit:
            answered = await similar.answered(unit, case_id, system())
            still_open = await similar.still_open(unit, case_id, system())
        if n >= 10:  # the first ones meet a cold cache
            took.append(1000 * (time.perf_counter() - begun))
            found += bool(answered) and bool(still_open)
    return took, 1000 * (time.process_time() - worked) / (ASKED + 10), found


def _rows() -> Iterator[tuple[int, str]]:
    """(number, tokens): what the invented citizens wrote, each about a place of its own and mixed with another text."""
    rnd = random.Random(1)
    base = [one.tokens for one in analyse(list(dict.fromkeys(ground.texts(4_000))))]
    parts = [tokens.split() for tokens in base]
    halves = [" ".join(part[: len(part) // 2]) for part in parts]
    for number in range(1, MESSAGES + 1):
        name = "".join(rnd.choices(_NAMES, k=3)) + rnd.choice(_KINDS)
        pairs = " ".join(a + b for a, b in pairwise(name))
        yield number, f"{base[rnd.randrange(len(base))]} {halves[rnd.randrange(len(halves))]} {name} {pairs}"


def _answered(case: int) -> bool:
    return case % 3 != 0


def _message(number: int) -> tuple[Any, ...]:
    case = (number - 1) // PER_CASE + 1
    return (number, 1, number, "letter", str(number), "", "", "", "", "", "t", "", "[]", "{}", 0, False, _AT, _AT, case,
            False, _AT, "", "negative", False, "", "", "", "[]")  # fmt: skip


_MESSAGE = (
    "id, account_id, arrival_id, kind, external_id, thread_id, parent_id, author_id, author_name, title, text, url,"
    " media, extra, likes, is_own, created_at, received_at, case_id, needs_case, tagged_at, topic, sentiment,"
    " is_sensitive, request, urgency, place, personal"
)
_CASE = (
    "id, number, state, version, is_open, title, account_id, kind, thread_key, first_message_id, author_id,"
    " author_name, topic, place, sentiment, is_sensitive, urgency, routing, message_count, likes, heat, returns, redos,"
    " opened_at, last_message_at, paused_seconds, calendar_version, void_reason"
)
_REPLY = (
    "id, case_id, message_id, text, state, version, content_hash, author_name, created_at, reviewer_name, review_note,"
    " approved_hash, is_imported, sent_at"
)


def _case(number: int) -> tuple[Any, ...]:
    state = "closed" if _answered(number) else "handling"
    return (number, f"C{number}", state, 1, not _answered(number), "某事", 1, "letter", str(number),
            (number - 1) * PER_CASE + 1, "", "", "", "", "negative", False, "general", "{}", PER_CASE, 0, 0.0,
            0, 0, _AT, _AT, 0, "", "")  # fmt: skip


def _reply(number: int) -> tuple[Any, ...]:
    return (
        number,
        number,
        (number - 1) * PER_CASE + 1,
        "您好，已处理。",
        "sent",
        1,
        "h",
        "经办",
        _AT,
        "",
        "",
        "h",
        False,
        _AT,
    )


def _fill_sqlite(path: Path) -> None:
    table = sqlite3.connect(path, isolation_level=None)
    for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-200000"):
        table.execute(f"PRAGMA {pragma}")
    table.execute("BEGIN")
    cases = MESSAGES // PER_CASE
    _many(table, "message", _MESSAGE, (_message(n) for n in range(1, MESSAGES + 1)))
    _many(table, '"case"', _CASE, (_case(n) for n in range(1, cases + 1)))
    _many(table, "reply", _REPLY, (_reply(n) for n in range(1, cases + 1) if _answered(n)))
    marked = ((n, f"{tokens} {ANSWERED}" if _marked(n) else tokens) for n, tokens in _rows())
    _many(table, "message_search", "rowid, tokens", marked)
    table.execute("COMMIT")
    table.close()


def _many(table: sqlite3.Connection, name: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    places = ", ".join("?" * len(columns.split(",")))
    table.executemany(f"INSERT INTO {name} ({columns}) VALUES ({places})", rows)


def _marked(number: int) -> bool:
    return number % PER_CASE == 1 and _answered((number - 1) // PER_CASE + 1)


async def _fill_postgres(url: str) -> None:
    """COPY with the checks of foreign keys off, the index built at the end."""
    import asyncpg

    link = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    try:
        await link.execute(
            "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'"
        )
        await link.execute("DROP INDEX ix_message_search")
        await link.execute("CREATE TEMP TABLE raw (rowid BIGINT, tokens TEXT)")
        cases = range(1, MESSAGES // PER_CASE + 1)
        await _copy(link, "message", _MESSAGE, (_message(n) for n in range(1, MESSAGES + 1)))
        await _copy(link, "case", _CASE, (_case(n) for n in cases))
        await _copy(link, "reply", _REPLY, (_reply(n) for n in cases if _answered(n)))
        marked = ((n, f"{tokens} {ANSWERED}" if _marked(n) else tokens) for n, tokens in _rows())
        await link.copy_records_to_table("raw", records=marked)
        await link.execute("INSERT INTO message_search SELECT rowid, array_to_tsvector(ARRAY(SELECT DISTINCT"
                           " unnest(string_to_array(tokens, ' ')))) FROM raw", timeout=600)  # fmt: skip
        await link.execute("CREATE INDEX ix_message_search ON message_search USING gin (tokens)", timeout=600)
        await link.execute("ANALYZE", timeout=600)
    finally:
        await link.close()


async def _copy(link: Any, name: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Through text, so that times and JSON are read by the database."""

    def line(row: tuple[Any, ...]) -> bytes:
        return ("\t".join(str(value) for value in row) + "\n").encode()

    async def lines() -> Any:
        part = bytearray()
        for row in rows:
            part += line(row)
            if len(part) > 1 << 20:
                yield bytes(part)
                part.clear()
        yield bytes(part)

    await link.copy_to_table(name, source=lines(), columns=[one.strip() for one in columns.split(",")], timeout=600)
