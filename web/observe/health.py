"""Is everything alive? Each part is asked for at most a second; answers are kept for one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from hub import clock
from hub.db import reading
from hub.i18n import _
from hub.migrations.runner import config
from hub.models import Heartbeat
from workflows import vitals
from workflows.house import House

SILENT_AFTER = timedelta(seconds=10)
PATIENCE = 1.0
KEPT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Sign:
    """One part's state; ``age``: seconds since its last sign of life; ``said``: why it counts as dead."""

    ok: bool
    age: float = 0.0
    said: str = ""

    def facts(self) -> dict[str, object]:
        """As JSON."""
        return {"ok": self.ok, "age": round(self.age, 1), **({"why": self.said} if self.said else {})}


class Vitals:
    """Asks the parts, one question at a time however many ask us."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._lock = asyncio.Lock()
        self._kept: dict[str, Sign] = {}
        self._asked_at = -KEPT_SECONDS

    async def signs(self) -> dict[str, Sign]:
        """Every part by name: web, worker, queue, and the sandbox where one is configured."""
        async with self._lock:
            if time.monotonic() - self._asked_at >= KEPT_SECONDS:
                self._kept = await self._ask()
                self._asked_at = time.monotonic()
            return self._kept

    async def reason_not_ready(self) -> str:
        """Why requests cannot be served, in words; empty when they can. Once the shape is right it stays right."""
        try:
            async with reading(self.house.ctx) as unit:
                found = (await unit.run(text("SELECT version_num FROM alembic_version"))).scalars().all()
        except SQLAlchemyError:
            return _("数据库不可用，或者还没有升级到最新结构（hub migrate）")
        return "" if set(found) == _heads() else _("数据库还没有升级到最新结构（hub migrate）")

    async def _ask(self) -> dict[str, Sign]:
        questions = {"web": self._web, "worker": self._worker, "queue": self._queue}
        if self.house.ctx.settings.sandbox_url:
            questions["sandbox"] = self._sandbox
        answers = await asyncio.gather(*(_patiently(question) for question in questions.values()))
        return dict(zip(questions, answers, strict=True))

    async def _web(self) -> Sign:
        """We answer; the question is whether we can read."""
        async with reading(self.house.ctx) as unit:
            await unit.run(text("SELECT 1"))
        return Sign(True)

    async def _worker(self) -> Sign:
        """One that beat lately; on our own machine we see at once when its process is gone."""
        newest = select(Heartbeat).where(Heartbeat.kind == "worker").order_by(col(Heartbeat.at).desc())
        async with reading(self.house.ctx) as unit:
            beats = await unit.all(newest.limit(50))
        if not beats:
            return Sign(False, said=_("后台任务进程从未启动"))
        lately = [beat for beat in beats if clock.now() - beat.at <= SILENT_AFTER]
        alive = [beat for beat in lately if not vitals.has_ended(beat.data)]
        age = (clock.now() - (alive or beats)[0].at).total_seconds()
        if alive:
            return Sign(True, age)
        return Sign(False, age, _("后台任务进程已经结束") if lately else _("后台任务进程没有动静"))

    async def _queue(self) -> Sign:
        alive = await vitals.queue_answers(self.house.ctx.settings)
        return Sign(alive, said="" if alive else _("队列没有应答"))

    async def _sandbox(self) -> Sign:
        alive = await vitals.sandbox_answers(self.house)
        return Sign(alive, said="" if alive else _("沙箱平台没有应答"))


@lru_cache(maxsize=1)
def _heads() -> set[str]:
    return set(ScriptDirectory.from_config(config()).get_heads())


async def _patiently(question: Callable[[], Awaitable[Sign]]) -> Sign:
    try:
        return await asyncio.wait_for(question(), PATIENCE)
    except TimeoutError:
        return Sign(False, said=_("一秒内没有应答"))
    except SQLAlchemyError:
        return Sign(False, said=_("数据库不可用"))
