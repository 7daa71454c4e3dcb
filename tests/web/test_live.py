"""The live feed: who hears of what, how streams end, and that nothing is lost between them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
import uvicorn
from sqlmodel import col, func, select
from starlette.applications import Starlette

from hub import clock
from hub.db import Context, unit_of_work
from hub.feed import KEPT, sweep, tell
from hub.models import Role
from hub.people import load_actor
from hub.rights import Actor, May, rights_of
from tests.web.conftest import Visit
from tests.web.world import World
from web import live
from web.auth import COOKIE
from web.faults import TooMany
from web.live import TOPICS, Change, Feed, Stream, gather, may_hear
from web.routes import observe


def actor(role: Role, *, department: int = 2, path: str = "/1/2/") -> Actor:
    return Actor(1, "某人", department, path, frozenset({role}), rights_of([role]))


PATHS = {1: "/1/", 2: "/1/2/", 3: "/1/3/"}


@pytest.mark.parametrize(
    ("role", "topic", "department", "heard"),
    [
        (Role.handler, "cases", 2, True),
        (Role.handler, "cases", 3, False),
        (Role.handler, "cases", None, False),
        (Role.handler, "messages", 3, False),
        (Role.head, "cases", 3, False),
        (Role.leader, "cases", 2, True),
        (Role.dispatcher, "cases", 3, True),
        (Role.dispatcher, "cases", None, True),
        (Role.dispatcher, "messages", None, True),
        (Role.reviewer2, "cases", 3, True),
        (Role.reviewer2, "messages", 3, False),
        (Role.reviewer1, "cases", 2, False),
        (Role.handler, "posts", 2, False),
        (Role.press_officer, "posts", 3, True),
        (Role.administrator, "cases", 2, False),
        (Role.handler, "opinion", None, False),
        (Role.leader, "opinion", None, True),
        (Role.auditor, "no such topic", None, False),
    ],
)
def test_nobody_hears_of_what_they_may_not_see(role: Role, topic: str, department: int | None, heard: bool) -> None:
    change = Change(topic=topic, object_id=7, department_id=department)
    assert may_hear(actor(role), change, PATHS) is heard


def test_a_subtree_is_a_prefix_of_whole_steps() -> None:
    root = actor(Role.leader, department=1, path="/1/")
    assert may_hear(root, Change(topic="cases", department_id=3), PATHS)
    assert not may_hear(root, Change(topic="cases", department_id=12), {12: "/12/"})


def test_every_topic_needs_a_right() -> None:
    assert all(TOPICS.values())
    assert not any(may_hear(Actor(1, "无权"), Change(topic=topic, department_id=2), PATHS) for topic in TOPICS)


def test_many_rows_are_one_piece_of_news() -> None:
    rows = [Change(topic="cases", object_id=1 + n % 60) for n in range(300)] + [Change(topic="opinion")]
    cases, opinion = gather(rows)
    assert (cases.topic, cases.n, cases.ids) == ("cases", 60, [])
    assert (opinion.n, opinion.ids) == (1, [])
    assert json.loads(gather([Change(topic="cases", object_id=5)])[0].data()) == {"topic": "cases", "n": 1, "ids": [5]}


async def test_feed_tells_each_stream_its_own(ctx: Context, world: World) -> None:
    feed = Feed(ctx)
    own, other = world.departments["own"], world.departments["other"]
    async with unit_of_work(ctx) as unit:
        handler = await load_actor(unit, world.sessions["handler", "own"].user_id)
        dispatcher = await load_actor(unit, world.sessions["dispatcher", "own"].user_id)
    assert handler
    assert dispatcher
    streams = [Stream(who, frozenset({"cases"})) for who in (handler, dispatcher)]
    one_case = Stream(dispatcher, frozenset({"cases"}), case_id=71)
    for stream in (*streams, one_case):
        await feed.open(stream)
    async with unit_of_work(ctx) as unit:
        tell(unit, "cases", 70, own)
        tell(unit, "cases", 71, other)
        tell(unit, "opinion")
    await feed._look()
    await feed._look()
    assert [[change.object_id for change in stream.pending] for stream in streams] == [[70], [70, 71]]
    assert [change.object_id for change in one_case.pending] == [71]
    late = Stream(handler, frozenset({"cases"}))
    await feed.open(late, since=0)
    assert [change.object_id for change in late.pending] == [70], "a page that comes back is told what it missed"


async def test_rows_committed_out_of_order_are_not_lost(postgres_url: str, make_ctx: Callable[[str], Context]) -> None:
    """PostgreSQL gives ids before commits: a row with a smaller id may appear later."""
    any_ctx = make_ctx(postgres_url)
    try:
        await _out_of_order(any_ctx)
    finally:
        await any_ctx.close()


async def _out_of_order(any_ctx: Context) -> None:
    feed, dispatcher = Feed(any_ctx), actor(Role.dispatcher)
    stream = Stream(dispatcher, frozenset({"cases"}))
    await feed.open(stream)
    async with unit_of_work(any_ctx) as slow:
        tell(slow, "cases", 1)
        await slow.flush()
        async with unit_of_work(any_ctx) as quick:
            tell(quick, "cases", 2)
        await feed._look()
    await feed._look()
    assert [change.object_id for change in stream.pending] == [2, 1]
    await feed._look()
    assert len(stream.pending) == 2, "told once"
    assert feed.floor == 0, "young rows are looked at again"
    with clock.frozen(clock.now() + live.WINDOW + timedelta(seconds=1)):
        await feed._look()
    assert feed.floor == 2
    assert not feed._seen


async def test_streams_are_bounded(ctx: Context) -> None:
    feed, who = Feed(ctx), actor(Role.dispatcher)
    streams = [Stream(who, frozenset({"cases"})) for _ in range(live.STREAMS_EACH)]
    for stream in streams:
        await feed.open(stream)
    with pytest.raises(TooMany):
        await feed.open(Stream(who, frozenset({"cases"})))
    feed.leave(streams[0])
    await feed.open(Stream(who, frozenset({"cases"})))


async def test_poll_tells_the_same(visit: Visit, ctx: Context, world: World) -> None:
    async with visit("handler") as client:
        at = (await client.get("/poll")).json()["next"]
        async with unit_of_work(ctx) as unit:
            tell(unit, "cases", 70, world.departments["own"])
            tell(unit, "cases", 71, world.departments["other"])
        answer = (await client.get(f"/poll?since={at}&topics=cases")).json()
        assert answer["changes"] == [{"topic": "cases", "n": 1, "ids": [70]}]
        again = (await client.get(f"/poll?since={answer['next']}&topics=cases")).json()
        assert again["changes"] == []


async def test_another_departments_case_cannot_be_followed(visit: Visit, world: World) -> None:
    async with visit("handler") as client:
        for number in (world.places["other"]["case_id"], 999_999, "x", "9" * 30):
            assert (await client.get(f"/events?topics=cases&case={number}")).status_code == 404
    async with visit(None) as nobody:
        assert (await nobody.get("/events")).status_code == 401


# --- over a real server: streams have no end that an in-process client could wait for ---------------------------------


@pytest.fixture
async def served(app: Starlette) -> AsyncIterator[str]:
    """The address of a running server with the application."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    async with app.state.feed.running():
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        app.state.feed.close()
        server.should_exit = True
        await task


@asynccontextmanager
async def listening(address: str, world: World, role: str, more: str = "") -> AsyncIterator[AsyncIterator[str]]:
    cookies = {COOKIE: world.sessions[role, "own"].token}
    async with (
        httpx.AsyncClient(cookies=cookies, timeout=10) as client,
        client.stream("GET", f"{address}/events?topics=cases,opinion{more}") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield answer.aiter_lines()


async def _until(lines: AsyncIterator[str], beginning: str) -> str:
    async with asyncio.timeout(8):
        async for line in lines:
            if line.startswith(beginning):
                return line
    raise AssertionError(f"the stream ended before {beginning!r}")


async def test_a_change_arrives_within_two_seconds(served: str, ctx: Context, world: World) -> None:
    async with listening(served, world, "handler") as lines:
        await _until(lines, ": open")
        begun = asyncio.get_running_loop().time()
        async with unit_of_work(ctx) as unit:
            tell(unit, "cases", 71, world.departments["other"])
            tell(unit, "cases", 70, world.departments["own"])
        assert await _until(lines, "event: ") == "event: cases"
        assert json.loads((await _until(lines, "data: "))[6:]) == {"topic": "cases", "n": 1, "ids": [70]}
        assert asyncio.get_running_loop().time() - begun < 2


async def test_what_changes_between_a_page_and_its_stream_is_told(
    served: str, ctx: Context, world: World, visit: Visit
) -> None:
    async with visit("handler") as client:
        page = (await client.get("/cases")).text
    found = re.search(r'data-live-at="(\d+)"', page)
    assert found, "a page carries the change up to which it knows everything"
    async with unit_of_work(ctx) as unit:
        tell(unit, "cases", 70, world.departments["own"])
    async with listening(served, world, "handler", f"&since={found[1]}") as lines:
        told = json.loads((await _until(lines, "data: "))[6:])
        assert told == {"topic": "cases", "n": 1, "ids": [70]}


async def test_what_is_forgotten_or_too_much_is_told_as_anything(
    ctx: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BATCH", 3)
    who, feed = actor(Role.dispatcher), Feed(ctx)
    async with unit_of_work(ctx) as unit:
        for number in range(5):
            tell(unit, "cases", number + 1, world.departments["own"])
        await unit.flush()
        newest = await unit.one(select(func.max(col(Change.id))))
    for since, told in ((newest - 1, [5]), (newest - 4, [None]), (newest, [])):
        stream = Stream(who, frozenset({"cases", "status"}))
        await feed.open(stream, since=since)
        assert [change.object_id for change in stream.pending] == told
    with clock.frozen(clock.now() + KEPT + timedelta(seconds=1)):
        async with unit_of_work(ctx) as unit:
            await sweep(unit)
    late = Stream(who, frozenset({"cases", "status"}))
    await feed.open(late, since=newest - 3)
    assert [(change.topic, change.object_id) for change in late.pending] == [("cases", None)], "no status for them"


async def test_pages_go_on_hearing_after_quiet_hours(ctx: Context, world: World) -> None:
    """SQLite numbers the rows of an emptied table from one again: the sweep must not empty it."""
    feed, stream = Feed(ctx), Stream(actor(Role.dispatcher), frozenset({"cases"}))
    async with unit_of_work(ctx) as unit:
        for number in range(5):
            tell(unit, "cases", number, world.departments["own"])
    await feed.open(stream)
    with clock.frozen(clock.now() + KEPT + timedelta(seconds=1)):
        async with unit_of_work(ctx) as unit:
            await sweep(unit)
        async with unit_of_work(ctx) as unit:
            tell(unit, "cases", 99, world.departments["own"])
        await feed._look()
    assert [change.object_id for change in stream.pending] == [99]


async def test_a_stream_beats_and_ends_with_its_session(
    served: str, world: World, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "BEAT_SECONDS", 0.1)
    async with listening(served, world, "handler") as lines:
        await _until(lines, ": still here")
        async with visit("handler") as client:
            await client.post("/logout")
        async with asyncio.timeout(5):
            async for _line in lines:
                pass


async def test_a_stopping_process_ends_its_streams(served: str, app: Starlette, world: World) -> None:
    feed: Feed = app.state.feed
    async with listening(served, world, "handler") as lines:
        await _until(lines, ": open")
        assert len(feed.streams) == 1
        feed.close()
        async with asyncio.timeout(5):
            async for _line in lines:
                pass
    async with asyncio.timeout(5):
        while feed.streams:
            await asyncio.sleep(0.02)


def test_acting_rights_are_no_reading_rights() -> None:
    acting = Actor(1, "甲", 2, "/1/2/", frozenset(), frozenset({May.dispatch, May.sign}))
    assert not may_hear(acting, Change(topic="cases", department_id=2), PATHS)
