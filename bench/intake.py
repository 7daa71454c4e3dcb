"""Intake to case, against a plain loop of jieba, stock snownlp and one insert a row, in the same run."""

from __future__ import annotations

import asyncio
import csv
import sqlite3
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlmodel import col, func, select

from bench import ground
from bench.figures import Figure
from hub import clock
from hub.db import reading
from hub.models import Case
from hub.rights import system
from hub.settings import Settings
from workflows.house import House
from workflows.intake import import_file
from workflows.intake.reading import read_waiting
from workflows.tagging.batches import tag_waiting

OURS, PLAIN = 4000, 200
MARK = 5.0


def run() -> Iterator[Figure]:
    """Messages per second from stored arrival to open case; the plain loop neither routes nor opens anything."""
    with ground.folder() as data:
        ours = asyncio.run(_ours(ground.settings_in(data)))
    with ground.folder() as data:
        plain = _plain(data)
    yield Figure("intake_to_case", round(ours, 1), "messages/s", round(plain, 1), round(ours / plain, 2),
                 f"against jieba + snownlp + insert row by row; mark ≥ {MARK:g} ×")  # fmt: skip


async def _ours(settings: Settings) -> float:
    async with ground.open_house(settings) as house:
        await _feed(house, 200, "warm")  # models and dictionaries are loaded once a process
        begun = time.perf_counter()
        await _feed(house, OURS, "measured")
        seconds = time.perf_counter() - begun
        async with reading(house.ctx) as unit:
            cases = await unit.one(select(func.count(col(Case.id))))
        assert cases == OURS + 200, cases
    return OURS / seconds


async def _feed(house: House, count: int, name: str) -> None:
    """Bring in a file of ``count`` messages, read, tag and open cases."""
    path = house.ctx.settings.data / f"{name}.csv"
    at = clock.local(clock.now() - timedelta(minutes=5)).strftime("%Y-%m-%d %H:%M:%S")
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["编号", "内容", "时间", "昵称"])
        table.writerows([f"{name}-{n}", text, at, f"市民{n}"] for n, text in enumerate(ground.texts(count)))
    await import_file(house, path, "bench", mapping=None, dry_run=False, actor=system(), progress=lambda done: None)
    while await read_waiting(house, 1000):
        pass
    while await tag_waiting(house, 500):
        pass


def _plain(data: Path) -> float:
    """What one would write first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
        from snownlp import SnowNLP

        jieba.setLogLevel(60)
        jieba.lcut("预热")
        SnowNLP("预热").sentiments  # noqa: B018 -- loads its models
    table = sqlite3.connect(data / "plain.db")
    table.execute("CREATE TABLE message (text TEXT, words TEXT, sentiment REAL)")
    begun = time.perf_counter()
    for text in ground.texts(PLAIN):
        row = (text, " ".join(jieba.lcut(text)), SnowNLP(text).sentiments)
        table.execute("INSERT INTO message VALUES (?, ?, ?)", row)
        table.commit()
    seconds = time.perf_counter() - begun
    table.close()
    return PLAIN / seconds
