"""The state of the hub for administrators: the same figures as ``/metrics``, in words, with what to do."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.i18n import _
from hub.rights import May
from web import admin, statuswords
from web.observe.figures import read_figures
from web.observe.health import Vitals
from web.request import house, looking, me, writing
from web.routes.table import PageRoute
from web.templating import part_of, redirect, render
from workflows.learning import live
from workflows.tagging import renewal


async def status(request: Request) -> Response:
    """Everything on one page, refreshed by itself."""
    vitals: Vitals = request.app.state.vitals
    figures, settings = await read_figures(house(request)), house(request).ctx.settings
    groups = (
        statuswords.parts(await vitals.signs()),
        statuswords.work(figures),
        statuswords.sending(figures),
        statuswords.pulls(figures),
        statuswords.needing(figures),
    )
    async with looking(request) as unit:
        pass_over, version = await renewal.standing(unit), await live.version_in_force(unit)
    facts = {
        "renewal": pass_over,
        "version": version,
        "may_renew": me(request).can(May.manage_accounts),
        "tabs": admin.tabs(me(request), "/admin/status"),
        "parts": groups[0],
        "work": groups[1],
        "sending": groups[2],
        "pulls": groups[3],
        "needing": groups[4],
        "troubles": [line for group in groups for line in group if line.tone in {"soon", "danger"}],
        "at": clock.now(),
        "is_sqlite": house(request).ctx.is_sqlite,
        "live": settings.live,
    }
    return await render(request, "admin/status.html", facts, part=part_of(request, "figures"))


async def retag(request: Request) -> Response:
    """Have every message looked at again, in the background. Safe to press twice."""
    async with writing(request) as unit:
        await renewal.start(unit, me(request))
    return redirect(request, "/admin/status#renewal", _("已开始，后台会分批重新打标；可以离开本页。"))


ROUTES = [
    PageRoute("/admin/status", status, May.read_status),
    PageRoute("/admin/status/retag", retag, May.manage_accounts, ("POST",)),
]
