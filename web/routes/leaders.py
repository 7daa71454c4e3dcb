"""What the public says, on one page for a minute's reading; its charts as data, each within the person's rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub import clock
from hub.errors import NotFound
from hub.i18n import N_, _
from hub.rights import May
from web import digest
from web.request import looking, me
from web.routes.table import NavItem, PageRoute
from web.templating import part_of, render
from workflows.cases.words import state_label
from workflows.opinion import leaders
from workflows.opinion.leaders import DAYS, LeadersPage

CHARTS: Mapping[str, Callable[[LeadersPage], digest.Chart]] = {
    "messages": digest.messages,
    "sentiments": digest.sentiments,
    "topics": digest.topics,
    "late": digest.late_by_department,
}


async def index(request: Request) -> Response:
    """The page."""
    days = _days(request)
    page = await _read(request, days)
    facts = {
        "page": page,
        "digest": digest,
        "days": days,
        "tabs": [
            {"text": _("近 %(n)s 天", n=n), "href": f"/opinion?days={n}", "current": n == days, "count": None}
            for n in DAYS
        ],
        "state_label": state_label,
        "reads_messages": me(request).can(May.read_messages),
        "sees_all": me(request).can(May.read_all_cases),
        "src": f"/opinion?days={days}&part=digest",
    }
    return await render(request, "opinion/index.html", facts, part=part_of(request, "digest"))


async def chart(request: Request) -> Response:
    """One chart's data."""
    made = CHARTS.get(request.path_params["name"])
    if made is None:
        raise NotFound(_("没有这张图。"))
    return JSONResponse(made(await _read(request, _days(request))))


async def _read(request: Request, days: int) -> LeadersPage:
    async with looking(request) as unit:
        return await leaders.page(unit, me(request), clock.now(), days=days)


def _days(request: Request) -> int:
    return DAYS[1] if request.query_params.get("days") == str(DAYS[1]) else DAYS[0]


ROUTES = [
    PageRoute("/opinion", index, May.read_opinion),
    PageRoute("/opinion/charts/{name}", chart, May.read_opinion),
]
NAV = [NavItem("opinion", N_("舆情"), "chart-line", "/opinion", May.read_opinion, order=60, letter="o")]
