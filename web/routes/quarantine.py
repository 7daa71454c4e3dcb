"""隔离区: what came in and could not be read, as it came; read again, or put aside with a reason."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid, Stale
from hub.i18n import N_, _, ngettext
from hub.rights import Actor, May
from web.casework import words
from web.forms import read_form, whole
from web.request import looking, me, writing
from web.routes.table import NavItem, PageRoute, waiting
from web.templating import part_of, redirect, render
from workflows.intake import quarantine

PAGE = 20


async def index(request: Request) -> Response:
    """What could not be read and why, newest first."""
    return await _page(request, {}, 0, "")


async def _page(
    request: Request, problems: dict[str, str], failed: int, typed: str, refused: list[str] | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    before = request.query_params.get("before", "")
    async with looking(request) as unit:
        held = await quarantine.held(unit, me(request), before=whole(before), limit=PAGE + 1)
    facts = {
        "held": held[:PAGE], "older": held[PAGE - 1].id if len(held) > PAGE else None, "is_first": not before,
        "problems": problems, "failed": failed, "typed": typed, "refused": refused or [], "w": words.tools(),
        "live_src": f"/quarantine?part=items{f'&before={before}' if whole(before) is not None else ''}",
    }  # fmt: skip
    return await render(request, "quarantine/index.html", facts, status, part=part_of(request, "items"))


async def replay(request: Request) -> Response:
    """Have one item read again."""
    try:
        async with writing(request) as unit:
            await quarantine.replay(unit, me(request), request.path_params["arrival_id"])
    except Stale as error:
        return await _page(request, {}, 0, "", error.reasons, 409)
    return redirect(request, "/quarantine", _("已安排重新读取，仍读不出的会带着原因回到这里。"))


async def replay_all(request: Request) -> Response:
    """Have everything read again."""
    async with writing(request) as unit:
        count = await quarantine.replay_all(unit, me(request))
    if not count:
        return redirect(request, "/quarantine", _("隔离区是空的。"))
    return redirect(request, "/quarantine", ngettext("已安排重新读取 %(n)s 条。", "已安排重新读取 %(n)s 条。", count))


async def ignore(request: Request) -> Response:
    """Put one item aside for good, with a reason."""
    form, number = await read_form(request), request.path_params["arrival_id"]
    reason = form.text("reason", required=False, longest=500)
    try:
        form.check()
        async with writing(request) as unit:
            await quarantine.ignore(unit, me(request), number, reason)
    except Invalid as error:
        return await _page(request, error.problems, number, reason, status=422)
    except Stale as error:
        return await _page(request, {}, 0, "", error.reasons, 409)
    return redirect(request, "/quarantine", _("已忽略，原文仍保存，理由记入审计日志。"))


def _badge(actor: Actor) -> ColumnElement[int] | None:
    """What waits in quarantine."""
    return waiting(quarantine.waiting())


ONE = "/quarantine/{arrival_id:int}"
ROUTES = [
    PageRoute("/quarantine", index, May.settle_quarantine),
    PageRoute("/quarantine/replay", replay_all, May.settle_quarantine, ("POST",)),
    PageRoute(f"{ONE}/replay", replay, May.settle_quarantine, ("POST",)),
    PageRoute(f"{ONE}/ignore", ignore, May.settle_quarantine, ("POST",)),
]
NAV = [
    NavItem(
        "quarantine", N_("隔离区"), "shield", "/quarantine", May.settle_quarantine, order=75, letter="q", badge=_badge
    )
]
