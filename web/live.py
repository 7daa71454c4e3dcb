"""Live pages: one tail of the change rows per process feeds every open stream; each person hears only of what they
may see."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from hub import clock, log
from hub.db import Context, Unit, reading
from hub.models import Change, Department
from hub.rights import Actor, May
from web.faults import TooMany

EVERY_SECONDS = 0.4
# So long after a look the tail's own place is good enough for a page: a little early only tells it something twice.
FRESH_SECONDS = 2.0
# PostgreSQL commits out of the order of ids: rows younger than this are looked at again.
WINDOW = timedelta(seconds=30)
BATCH = 2000
STREAMS, STREAMS_EACH = 400, 12
# More than this many objects at once are told as a number only.
NAMED = 50

# Topic → rights of which one lets a person hear of it at all.
TOPICS: Mapping[str, frozenset[May]] = {
    "cases": frozenset({May.read_all_cases, May.read_tree_cases, May.read_department_cases}),
    "messages": frozenset({May.read_messages, May.read_all_cases, May.read_tree_cases, May.read_department_cases}),
    "posts": frozenset({May.read_posts, May.write_post}),
    "opinion": frozenset({May.read_opinion}),
    "plans": frozenset({May.read_opinion}),
    "rules": frozenset({May.set_rules}),
    "imports": frozenset({May.import_files}),
    "quarantine": frozenset({May.settle_quarantine}),
    "accounts": frozenset({May.manage_accounts}),
    "status": frozenset({May.read_status}),
    "learning": frozenset({May.teach_analyser, May.read_audit}),
}
# Topics whose rows belong to a department; the right that hears of all departments.
OWNED = {"cases": May.read_all_cases, "messages": May.read_messages}

_log = log.get("web.live")


@dataclass(frozen=True, slots=True)
class News:
    """What one tick brings for one topic."""

    topic: str
    n: int
    ids: list[int]

    def data(self) -> str:
        """As JSON."""
        return json.dumps({"topic": self.topic, "n": self.n, "ids": self.ids})


@dataclass(eq=False)
class Stream:
    """One open page: what it listens to and what it has not been told yet."""

    actor: Actor
    topics: frozenset[str]
    case_id: int | None = None
    pending: list[Change] = field(default_factory=list)
    position: int = 0
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    def wants(self, change: Change) -> bool:
        """Whether the page listens to this topic (and case)."""
        other = self.case_id is not None and change.topic == "cases" and change.object_id != self.case_id
        return change.topic in self.topics and not other


class Feed:
    """The tail and its streams. Looks only while somebody listens."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.streams: set[Stream] = set()
        self.floor = 0
        self._seen: set[int] = set()
        self._paths: dict[int, str] = {}
        self._wanted = asyncio.Event()
        self._tail: asyncio.Task[None] | None = None
        self._looked_at = -FRESH_SECONDS

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tail the changes for as long as the block runs."""
        self._tail = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            self.close()
            self._tail.cancel()
            with suppress(asyncio.CancelledError):
                await self._tail

    def close(self) -> None:
        """End every stream: the process is going to stop."""
        for stream in self.streams:
            stream.closed = True
            stream.bell.set()

    async def open(self, stream: Stream, since: int | None = None) -> None:
        """Let a page listen, from the row after ``since`` when it knows one. Raises TooMany above the limits.

        Nothing is missed in between: the stream hears the tail from here on, and what came after ``since`` is read
        now; where that can no longer be known, the page is told that anything may have changed.
        """
        if len(self.streams) >= STREAMS or self._of(stream.actor) >= STREAMS_EACH:
            raise TooMany(30)
        if not self.streams:
            await self._begin()
        self.streams.add(stream)
        stream.position = self.floor
        self._wanted.set()
        if since is not None and not await self._catch_up(stream, since):
            stream.pending.extend(Change(topic=t) for t in stream.topics if stream.actor.may & TOPICS[t])
            stream.bell.set()

    async def _begin(self) -> None:
        """Stand at the end of the rows; on PostgreSQL a little before it, and what is there counts as seen."""
        self.floor = await self.mark()
        self._seen = {row.id or 0 for row in await self.after(self.floor)}

    async def _catch_up(self, stream: Stream, since: int) -> bool:
        """Tell the stream what came after ``since``; False when some of it is forgotten already, or too much."""
        async with reading(self.ctx) as unit:
            oldest = await unit.first(select(func.min(Change.id)))
            missed = await _rows_after(unit, since)
        if len(missed) == BATCH or (oldest is not None and oldest > since + 1):
            return False
        await self._hand_out(missed, [stream])
        return True

    def _of(self, actor: Actor) -> int:
        return sum(1 for stream in self.streams if stream.actor.user_id == actor.user_id)

    def leave(self, stream: Stream) -> None:
        """The page is gone. Safe to call twice."""
        self.streams.discard(stream)
        if not self.streams:
            self._wanted.clear()

    async def newest(self) -> int:
        """The id up to which everything is told already."""
        async with reading(self.ctx) as unit:
            top = await unit.first(select(func.max(Change.id)))
        return top or 0

    async def mark(self, *, exact: bool = False) -> int:
        """The id up to which whoever reads from now on sees everything: a page rendered now carries it.

        ``exact``: for a page that follows the person's own write, which it must not be told of as news.
        """
        if not exact and self.streams and asyncio.get_running_loop().time() - self._looked_at < FRESH_SECONDS:
            return self.floor
        newest = select(func.max(Change.id))
        if not self.ctx.is_sqlite:
            newest = newest.where(col(Change.at) <= clock.now() - WINDOW)
        async with reading(self.ctx) as unit:
            return await unit.first(newest) or 0

    async def after(self, since: int) -> Sequence[Change]:
        """Rows after one, oldest first."""
        async with reading(self.ctx) as unit:
            return await _rows_after(unit, since)

    def position_after(self, rows: Iterable[Change], before: int) -> int:
        """The id up to which nothing can appear any more: all rows on SQLite, on PostgreSQL those of some age."""
        settled = clock.now() - WINDOW
        for row in rows:
            if not self.ctx.is_sqlite and row.at > settled:
                break
            before = row.id or before
        return before

    async def visible(self, actor: Actor, changes: Iterable[Change]) -> list[Change]:
        """Those of the changes this person may hear of."""
        changes = list(changes)
        await self._learn_paths(changes)
        return [change for change in changes if may_hear(actor, change, self._paths)]

    async def _follow(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                await self._look()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("live feed cannot read", kind=type(error).__name__)
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self) -> None:
        rows = await self.after(self.floor)
        fresh = [row for row in rows if row.id not in self._seen]
        self._seen.update(row.id or 0 for row in fresh)
        self.floor = self.position_after(rows, self.floor)
        self._seen = {number for number in self._seen if number > self.floor}
        self._looked_at = asyncio.get_running_loop().time()
        await self._hand_out(fresh, list(self.streams))

    async def _hand_out(self, changes: Sequence[Change], streams: Iterable[Stream]) -> None:
        if not changes:
            return
        await self._learn_paths(changes)
        for stream in streams:
            heard = [c for c in changes if stream.wants(c) and may_hear(stream.actor, c, self._paths)]
            stream.position = self.floor
            if heard:
                stream.pending.extend(heard)
                stream.bell.set()

    async def _learn_paths(self, changes: Iterable[Change]) -> None:
        unknown = {c.department_id for c in changes if c.department_id is not None} - set(self._paths)
        if not unknown:
            return
        async with reading(self.ctx) as unit:
            self._paths = dict((await unit.session.exec(select(Department.id, Department.path))).all())  # type: ignore[arg-type]


async def _rows_after(unit: Unit, since: int) -> Sequence[Change]:
    return await unit.all(select(Change).where(col(Change.id) > since).order_by(col(Change.id)).limit(BATCH))


def may_hear(actor: Actor, change: Change, paths: Mapping[int, str]) -> bool:
    """Whether the person may learn that this changed. ``paths``: department id → path."""
    if not actor.may & TOPICS.get(change.topic, frozenset()):
        return False
    if change.topic not in OWNED or actor.can(OWNED[change.topic]):
        return True
    if change.department_id is None:
        return False
    if actor.can(May.read_tree_cases) and actor.path:
        return paths.get(change.department_id, "").startswith(actor.path)
    return actor.can(May.read_department_cases) and change.department_id == actor.department_id


def gather(changes: Iterable[Change]) -> list[News]:
    """One piece of news per topic, however many rows there are."""
    by_topic: dict[str, Counter[int]] = {}
    for change in changes:
        by_topic.setdefault(change.topic, Counter())[change.object_id or 0] += 1
    news = []
    for topic, objects in by_topic.items():
        ids = sorted(number for number in objects if number)
        news.append(News(topic, len(ids) + objects[0], ids if len(ids) <= NAMED else []))
    return news
