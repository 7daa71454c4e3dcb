"""The shared calendar: posts by day and hour, moved by hand, with the days of rest and of work beside them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub import clock
from hub.errors import Invalid
from hub.i18n import N_, _, moment
from hub.policy import festivals
from hub.policy.calendar import Calendar
from hub.rights import May
from web.forms import read_json
from web.press import words
from web.request import house, looking, me, writing
from web.routes.table import NavItem, PageRoute
from web.templating import part_of, render
from workflows.delivery import handwork
from workflows.delivery import lists as deliveries
from workflows.publishing import calendar, choices, lists, service
from workflows.publishing.calendar import Item

# Six weeks stand on a month's page; nobody looks at more than a quarter at once.
LONGEST = timedelta(days=100)
# The views the script offers; it stops at any other name.
VIEWS = ("dayGridMonth", "timeGridWeek", "timeGridDay", "listWeek")


async def index(request: Request) -> Response:
    """The page; what stands on it is asked for by its script."""
    actor = me(request)
    async with looking(request) as unit:
        drafts = await calendar.unscheduled(unit, actor, 6)
        by_hand, late = await handwork.standing(unit, actor)
        posts, sending = await lists.counts(unit, actor), await deliveries.counts(unit, actor)
        part = part_of(request, "strip")
        offered = [] if part else await choices.accounts(house(request), unit)
    view = request.query_params.get("view", "")
    facts = {
        "accounts": offered,
        "unscheduled": drafts,
        "posts": posts,
        "sending": sending,
        "by_hand": by_hand,
        "late": late,
        "legend": words.legend(),
        "View": lists.View,
        "Group": deliveries.Group,
        "may_write": actor.can(May.write_post),
        "may_move": actor.can(May.write_post) or actor.can(May.review_post),
        "view": view if view in VIEWS else "",
    }
    return await render(request, "calendar/index.html", facts, part=part)


async def events(request: Request) -> Response:
    """Posts between two moments, as the calendar script takes them."""
    start, end = _span(request)
    async with looking(request) as unit:
        found = await calendar.items(unit, me(request), start, end)
    close = calendar.too_close(found)
    return JSONResponse([_event(item, item.id in close) for item in found])


def _event(item: Item, conflict: bool) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "title": item.title,
        "start": clock.local(item.start).isoformat() if item.start else "",
        "url": f"/posts/{item.id}",
        "version": item.version,
        "state": item.state.value,
        "tone": words.sign(item),
        "state_label": item.words,
        "accounts": [mark.account_id for mark in item.marks],
        "account_names": [mark.name for mark in item.marks],
        "movable": not item.why_fixed,
        "why": _("；").join(item.why_fixed),
        "conflict": conflict,
        "picture": _picture(item),
        "video": item.video is not None,
    }


def _picture(item: Item) -> str:
    """The address of what stands beside its title: its first picture, else one of its video."""
    if item.picture:
        return f"/pictures/{item.picture}/thumb"
    return f"/videos/{item.video}/poster" if item.video else ""


async def days(request: Request) -> Response:
    """Rest and work, holidays and solar terms between two moments."""
    start, end = _span(request)
    first, last = clock.local(start).date(), clock.local(end).date()
    office = _office()
    found = []
    for number in range((last - first).days):
        on = first + timedelta(days=number)
        said = {"mark": office.day_mark(on) or "", "name": festivals.holiday(on), "term": festivals.term(on)}
        if any(said.values()):
            found.append({"date": on.isoformat(), **said})
    return JSONResponse(found)


@lru_cache(maxsize=1)
def _office() -> Calendar:
    return Calendar()


def _span(request: Request) -> tuple[datetime, datetime]:
    """``start`` and ``end`` of the query; a time without an offset is the office's. Raises Invalid."""
    start, end = (_moment(request.query_params.get(name, ""), name) for name in ("start", "end"))
    if not timedelta() < end - start <= LONGEST:
        raise Invalid({"end": _("请给出一段不超过 100 天的时间。")})
    return start, end


def _moment(text: str, name: str) -> datetime:
    try:
        read = datetime.fromisoformat(text.replace(" ", "+"))
        return (read if read.tzinfo else read.replace(tzinfo=clock.OFFICE_ZONE)).astimezone(clock.OFFICE_ZONE)
    except (ValueError, OverflowError):
        raise Invalid({name: _("看不懂这个时间。")}) from None


async def move(request: Request) -> Response:
    """A post was dragged: to its new time, or every reason why not (409, told by the error handler)."""
    body = await read_json(request)
    version = body.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise Invalid({"version": _("缺少版本号，请刷新日历。")})
    when = _moment(str(body.get("start", "")), "start")
    number = request.path_params["post_id"]
    async with writing(request) as unit:
        moved = await service.reschedule(unit, me(request), number, version=version, scheduled_at=when)
    said: dict[str, Any] = {"version": moved.post.version, "text": _("已改到 %(at)s。", at=moment(when))}
    if not moved.kept_approval:
        said["text"] = _("已改到 %(at)s。离批准的时间超过 7 天，需要重新审核。", at=moment(when))
    elif moved.before is not None and moved.before > clock.now():
        # Back to a time that is still to come, and no signature was lost: only then is undoing honest.
        back = urlencode({"to": moved.before.isoformat(), "version": moved.post.version})
        said["undo_url"] = f"/calendar/{number}/back?{back}"
    return JSONResponse(said)


async def back(request: Request) -> Response:
    """Undo a move, unless somebody has touched the post since."""
    when = _moment(request.query_params.get("to", ""), "to")
    version = request.query_params.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Invalid({"version": _("缺少版本号，请刷新日历。")})
    number = request.path_params["post_id"]
    async with writing(request) as unit:
        await service.reschedule(unit, me(request), number, version=int(version), scheduled_at=when)
    return JSONResponse({"text": _("已改回 %(at)s。", at=moment(when))})


READING = (May.read_posts, May.write_post)
MOVING = (May.write_post, May.review_post)
ROUTES = [
    PageRoute("/calendar", index, READING),
    PageRoute("/calendar/events", events, READING),
    PageRoute("/calendar/days", days, READING),
    PageRoute("/calendar/{post_id:int}/move", move, MOVING, ("POST",)),
    PageRoute("/calendar/{post_id:int}/back", back, MOVING, ("POST",)),
]
NAV = [NavItem("calendar", N_("日历"), "calendar", "/calendar", READING, order=40, letter="l")]
