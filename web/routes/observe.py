"""For machines that watch: health, readiness, figures; and the live feed of open pages."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import AsyncIterator

from prometheus_client import CONTENT_TYPE_LATEST
from sqlmodel import col, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from hub.errors import NotAllowed, NotFound
from hub.i18n import _
from hub.models import Case
from hub.people import sessions
from hub.queries import visible
from web.live import TOPICS, Feed, Stream, gather
from web.observe.figures import read_figures
from web.observe.health import Vitals
from web.observe.metrics import Scrape, exposition
from web.request import address, house, identity, looking, me
from web.routes.table import Gate, PageRoute

BEAT_SECONDS = 15.0


async def health(request: Request) -> Response:
    """200 only while every part is alive; the body names each."""
    vitals: Vitals = request.app.state.vitals
    signs = await vitals.signs()
    ok = all(sign.ok for sign in signs.values())
    return JSONResponse({"ok": ok, **{name: sign.facts() for name, sign in signs.items()}}, 200 if ok else 503)


async def ready(request: Request) -> Response:
    """200 when requests can be served: the database answers and has the newest shape."""
    vitals: Vitals = request.app.state.vitals
    problem = await vitals.reason_not_ready()
    return JSONResponse({"ok": not problem, **({"why": problem} if problem else {})}, 503 if problem else 200)


async def metrics(request: Request) -> Response:
    """Figures for Prometheus, for this machine or the holder of the token."""
    _may_scrape(request)
    state = request.app.state
    scrape = Scrape(await read_figures(house(request)), await state.vitals.signs(), len(state.feed.streams))
    return Response(exposition(state.registry, scrape), media_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: Request) -> None:
    token = house(request).ctx.settings.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return
    if not _is_here(address(request)):
        raise NotAllowed(_("只有本机或持有令牌的程序可以读取。"))


def _is_here(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


async def events(request: Request) -> Response:
    """Server-sent events: ``event: topic``, ``data: {"topic", "n", "ids"}``; ids are of things the person may see."""
    feed: Feed = request.app.state.feed
    stream = Stream(me(request), _topics(request), await _case(request))
    # A stream that comes back says itself what it heard last; a new one, at which state its page was made.
    last = request.headers.get("last-event-id", "") or request.query_params.get("since", "")
    await feed.open(stream, int(last) if last.isascii() and last.isdigit() and len(last) < 18 else None)
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(_told(request, feed, stream), media_type="text/event-stream", headers=headers)


def _topics(request: Request) -> frozenset[str]:
    wanted = {topic.strip() for topic in request.query_params.get("topics", "").split(",")}
    return frozenset(wanted & set(TOPICS)) or frozenset(TOPICS)


async def _case(request: Request) -> int | None:
    text = request.query_params.get("case", "")
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
    async with looking(request) as unit:
        seen = select(col(Case.id)).where(col(Case.id) == number, visible.cases(me(request)))
        if await unit.first(seen) is None:
            raise NotFound(_("没有这个工单，或者您无权查看。"))
    return number


async def _told(request: Request, feed: Feed, stream: Stream) -> AsyncIterator[str]:
    """What the stream carries; ends with the session, with the process, or when the page is gone."""
    who = identity(request)
    sign_in_id, checked_at = (who.sign_in_id if who else None) or 0, asyncio.get_running_loop().time()
    try:
        yield f"retry: 2000\nid: {stream.position}\n: open\n\n"
        while not stream.closed:
            beat = await _wait(stream)
            now = asyncio.get_running_loop().time()
            if beat or now - checked_at > BEAT_SECONDS:
                if not await _goes_on(request, sign_in_id):
                    return
                checked_at = now
            yield f"id: {stream.position}\n: still here\n\n" if beat else _written(stream)
    finally:
        feed.leave(stream)


async def _wait(stream: Stream) -> bool:
    """True when nothing happened for a whole beat."""
    try:
        await asyncio.wait_for(stream.bell.wait(), BEAT_SECONDS)
    except TimeoutError:
        return True
    stream.bell.clear()
    return False


def _written(stream: Stream) -> str:
    changes, stream.pending = stream.pending, []
    return "".join(f"id: {stream.position}\nevent: {news.topic}\ndata: {news.data()}\n\n" for news in gather(changes))


async def _goes_on(request: Request, sign_in_id: int) -> bool:
    async with looking(request) as unit:
        return await sessions.is_alive(unit, sign_in_id)


async def poll(request: Request) -> Response:
    """The same for pages without streams: changes after ``since``, and the number to ask with next time."""
    feed: Feed = request.app.state.feed
    text = request.query_params.get("since", "")
    newest = await feed.newest()
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        return JSONResponse({"next": newest, "changes": []})
    rows, topics = await feed.after(int(text)), _topics(request)
    seen = [row for row in await feed.visible(me(request), rows) if row.topic in topics]
    changes = [{"topic": news.topic, "n": news.n, "ids": news.ids} for news in gather(seen)]
    return JSONResponse({"next": feed.position_after(rows, int(text)), "changes": changes})


ROUTES = [
    PageRoute("/healthz", health, Gate.public),
    PageRoute("/readyz", ready, Gate.public),
    PageRoute("/metrics", metrics, Gate.public),
    PageRoute("/events", events, Gate.signed_in),
    PageRoute("/poll", poll, Gate.signed_in),
]
