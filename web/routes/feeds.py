"""Feeds for other programs: the calendar for a person's token, what went out for all where the office wants it."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import NotFound
from hub.i18n import _, speaking
from hub.people import tokens
from web.faults import TokenNeeded
from web.request import address, house, looking, writing
from web.routes.table import Door, Gate, PageRoute
from workflows.publishing import feeds


def _place(request: Request) -> feeds.Place:
    settings = house(request).ctx.settings
    return feeds.Place(settings.address, settings.office_name or _("政声"))


async def ics(request: Request) -> Response:
    """The calendar as calendar programs subscribe to it: who asks is known by the token in the address alone."""
    text = request.query_params.get("t", "")[:200]
    async with looking(request) as unit:
        found = await tokens.resolve(unit, text, address(request))
        if found is None or found[0].scopes != frozenset((tokens.CALENDAR,)):
            raise TokenNeeded
        actor = found[0].actor
        with speaking(actor.language):
            body = await feeds.ics(unit, actor, _place(request))
    if found[1]:
        async with writing(request) as unit:
            await tokens.touch(unit, text)
    return _cached(request, body, "text/calendar; charset=utf-8")


async def atom(request: Request) -> Response:
    """What went out, for other sites; not there unless the office has opened it (HUB_PUBLIC_FEED)."""
    if not house(request).ctx.settings.public_feed:
        raise NotFound(_("没有这个地址。"))
    async with looking(request) as unit:
        body = await feeds.atom(unit, _place(request))
    return _cached(request, body, "application/atom+xml")


def _cached(request: Request, body: bytes, kind: str) -> Response:
    """Whoever has it already is told so. Times of making are left out of the comparison."""
    lines = [line for line in body.splitlines() if not line.startswith(b"DTSTAMP")]
    tag = f'"{hashlib.sha256(b"".join(lines)).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=60"}
    # Proxies that pack the answer call the tag weak.
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


ROUTES = [
    PageRoute("/feeds/calendar.ics", ics, Gate.public, door=Door.hook),
    PageRoute("/feeds/posts.atom", atom, Gate.public, door=Door.hook),
]
