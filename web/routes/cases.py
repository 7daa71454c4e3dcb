"""Cases: the list by deadline, one case with everything around it, internal notes."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid
from hub.i18n import N_, _
from hub.rights import Actor, May
from web.casework import listing as beside
from web.casework import page as casepage
from web.casework import words
from web.casework.page import Said, number_of
from web.forms import read_form
from web.request import looking, me, writing
from web.routes.table import NavItem, PageRoute, waiting
from web.templating import part_of, redirect, render
from workflows.cases import lists, service
from workflows.cases.facts import numbered
from workflows.cases.lists import Which

READS = (May.read_all_cases, May.read_tree_cases, May.read_department_cases)


async def index(request: Request) -> Response:
    """My department's cases by deadline, or all I may see."""
    part = part_of(request, "rows", "tabs")
    async with looking(request) as unit:
        listing = await beside.listing(request, unit, heading=part != "rows")
    facts = {
        "listing": listing, "chosen": "", "w": words.tools(),
        "live_src": listing.narrowing.href(after=request.query_params.get("after", ""), part="rows"),
        "tabs_src": listing.narrowing.href(part="tabs"),
    }  # fmt: skip
    return await render(request, "cases/index.html", facts, part=part)


async def show(request: Request) -> Response:
    """One case, or the part of its page a live region asks for."""
    return await casepage.page(request)


async def add_note(request: Request) -> Response:
    """An internal note."""
    form = await read_form(request)
    text = form.text("note", required=False)
    try:
        form.check()
        async with writing(request) as unit:
            case = await numbered(unit, number_of(request), me(request))
            await service.add_note(unit, case.id or 0, me(request), text)
    except Invalid as error:
        return await casepage.page(request, said=Said(problems=error.problems, note=text), status=422)
    return redirect(request, f"/cases/{number_of(request)}", _("已记下备注。"))


def _badge(actor: Actor) -> ColumnElement[int] | None:
    """What waits for the person's own hand; people who handle no cases have no badge."""
    return waiting(lists.waiting_for(actor, Which.mine)) if beside.has_own(actor) else None


ROUTES = [
    PageRoute("/cases", index, READS),
    PageRoute("/cases/{number}", show, READS),
    PageRoute("/cases/{number}/notes", add_note, May.add_note, ("POST",)),
]
NAV = [NavItem("cases", N_("工单"), "ticket", "/cases", READS, order=30, letter="c", badge=_badge)]
