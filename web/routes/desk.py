"""值班台: what came in and is nobody's yet; dispatched one by one, or many after a look at what will happen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.db import Unit
from hub.errors import HubError, Invalid, Refused
from hub.i18n import N_, _, ngettext, sentences
from hub.models import Case, CaseState
from hub.rights import Actor, May
from web.casework import talk, words
from web.casework.narrowing import Field, Narrowing
from web.casework.page import number_of
from web.casework.words import capped
from web.forms import Form, read_form, whole
from web.request import looking, me, writing
from web.routes.table import NavItem, PageRoute, waiting
from web.templating import part_of, redirect, render
from workflows.cases import choices, lists, similar
from workflows.cases.detail import detail
from workflows.cases.facts import numbered
from workflows.cases.lists import Filters, Page, Which
from workflows.cases.moves import Move
from workflows.cases.service import dispatch_now
from workflows.cases.suggested import explain
from workflows.inbox import words as labels

VIEWS = (Which.desk, Which.rulings, Which.extensions, Which.follow_up)
AT_DESK = (CaseState.new, CaseState.triaged)
MOST_AT_ONCE = 100


async def index(request: Request) -> Response:
    """The queue: urgent ones on top, then by the clock of accepting."""
    async with looking(request) as unit:
        facts = await _queue(request, unit, "/desk")
    return await render(request, "desk/index.html", facts, part=part_of(request, "rows", "tabs"))


async def _queue(request: Request, unit: Unit, path: str, chosen: str = "") -> dict[str, Any]:
    narrowing = Narrowing(request, "/desk", _fields(), keep=("view",))
    view, after = _view(narrowing), request.query_params.get("after", "")
    page = await lists.page(unit, me(request), view, _filters(narrowing), after=after)
    counts = await lists.counts(unit, me(request))
    tabs = [
        {"text": _("待派单"), "href": "/desk", "count": capped(counts.desk), "current": view is Which.desk},
        {
            "text": _("待裁定"), "href": "/desk?view=rulings", "count": capped(counts.rulings or None),
            "current": view is Which.rulings,
        },
        {
            "text": _("延期申请"), "href": "/desk?view=extensions", "count": capped(counts.extensions or None),
            "current": view is Which.extensions,
        },
        {
            "text": _("待回访"), "href": "/desk?view=follow_up", "count": capped(counts.follow_up),
            "current": view is Which.follow_up,
        },
    ]  # fmt: skip
    return {
        "page": page, "view": view, "n": narrowing, "tabs": tabs, "is_first": not after, "chosen": chosen,
        "late": counts.desk_late, "urgent": counts.desk_urgent, "w": words.tools(),
        "live_src": narrowing.href(path, after=after, part="rows"),
    }  # fmt: skip


def _fields() -> list[Field]:
    return [
        Field("topic", _("主题"), labels.topics()),
        Field("sentiment", _("情感"), labels.sentiments()),
        Field("urgency", _("紧急程度"), words.classes()),
        Field("late", _("已超时")),
        Field("sensitive", _("敏感")),
    ]


def _view(narrowing: Narrowing) -> Which:
    wanted = narrowing.member("view", Which)
    return wanted if wanted in VIEWS else Which.desk


def _filters(narrowing: Narrowing) -> Filters:
    urgency = narrowing.get("urgency")
    return Filters(
        topic=narrowing.get("topic"), sentiment=narrowing.get("sentiment"), late=bool(narrowing.get("late")),
        urgency=words.class_of(urgency), sensitive=bool(narrowing.get("sensitive")), text=narrowing.get("q"),
    )  # fmt: skip


async def show(request: Request) -> Response:
    """One case on the desk: what was written, where it may belong and why, and what may be the same matter."""
    return await _page(request, [])


async def _page(request: Request, refused: list[str], form: Form | None = None, status: int = 200) -> Response:
    number, actor = number_of(request), me(request)
    part = part_of(request, "rows") if request.method == "GET" else ""
    async with looking(request) as unit:
        case = await numbered(unit, number, actor)
        facts = await _queue(request, unit, f"/desk/{number}", number)
        if not part:
            facts |= await _chosen(unit, actor, case)
    if not part and not refused and case.state not in AT_DESK and facts["view"] is Which.desk:
        return RedirectResponse(f"/cases/{number}", 303)
    facts |= {"refused": refused, "values": form.values if form else {}, "item_open": True}
    facts |= {"list_href": facts["n"].href(), "asked": request.url.query}
    return await render(request, "desk/page.html", facts, status, part=part)


async def _chosen(unit: Unit, actor: Actor, case: Case) -> dict[str, Any]:
    one = await detail(unit, case.id or 0, actor)
    sign, finish = choices.clocks_from_now(unit, case)
    return {
        "one": one, "row": one.row, "base": f"/cases/{case.number}", "sign_at": sign, "finish_at": finish,
        "items": talk.thread(one.messages, one.replies, one.events, one.row.account),
        "history": talk.history(one.events),
        "departments": await choices.departments(unit, actor, Move.dispatch, case),
        "alike": await similar.still_open(unit, case.id or 0, actor),
        "offers": {offer.move.value: offer for offer in one.moves},
    }  # fmt: skip


async def dispatch(request: Request) -> Response:
    """Accept where that is still to do, dispatch, and go on to the next case."""
    form, actor, number = await read_form(request), me(request), number_of(request)
    try:
        version, department_id = form.number("version"), form.number("department_id", required=False)
        form.check()
        async with writing(request) as unit:
            case = await numbered(unit, number, actor)
            note = form.text("note", required=False, longest=2000)
            await dispatch_now(
                unit, case.id or 0, actor, version=version, department_id=department_id or None, note=note
            )
            following = await _next(request, unit, number)
    except Refused as error:
        return await _page(request, error.reasons, form, 409)
    except Invalid as error:
        return await _page(request, list(error.problems.values()), form, 422)
    return redirect(request, following, _("%(number)s 已派出，时限开始计算。", number=number))


async def _next(request: Request, unit: Unit, number: str) -> str:
    """The first of the queue that is not this one; the empty queue when it was the last."""
    narrowing = Narrowing(request, "/desk", _fields(), keep=("view",))
    page: Page = await lists.page(unit, me(request), _view(narrowing), _filters(narrowing), limit=2)
    other = next((row.number for row in page.rows if row.number != number), "")
    return narrowing.href(f"/desk/{other}") if other else narrowing.href()


async def preview(request: Request) -> Response:
    """What will happen to the chosen cases: each with its suggested department and why."""
    wanted = [number for value in request.query_params.getlist("case") if (number := whole(value)) is not None]
    async with looking(request) as unit:
        rows = await lists.some(unit, me(request), wanted[:MOST_AT_ONCE])
        departments = await choices.departments(unit, me(request), Move.dispatch)
    ready = [row for row in rows if row.state in AT_DESK]
    facts = {
        "rows": ready, "gone": len(set(wanted)) - len(ready), "departments": departments, "w": words.tools(),
        "explain": explain, "crumbs": [(_("值班台"), "/desk"), (_("批量派单"), "")],
    }  # fmt: skip
    return await render(request, "desk/preview.html", facts)


async def dispatch_many(request: Request) -> Response:
    """Dispatch each chosen case by itself, so that one somebody else took does not hold up the others."""
    form, actor = await read_form(request), me(request)
    sent, left = 0, []
    for value in form.many("case")[:MOST_AT_ONCE]:
        number, _colon, read = value.partition(":")
        case_id, version, department_id = map(whole, (number, read, form.raw(f"department-{number}")))
        if case_id is None or version is None or department_id is None:
            continue
        try:
            async with writing(request) as unit:
                await dispatch_now(unit, case_id, actor, version=version, department_id=department_id)
            sent += 1
        except HubError as error:
            left.append(sentences(error.texts))
    if not sent and not left:
        return redirect(request, "/desk", _("没有选中要派的工单，什么都没有改。"), kind="error")
    done = ngettext("已派出 %(n)s 件。", "已派出 %(n)s 件。", sent)
    if left:
        why = sentences(dict.fromkeys(left))
        more = ngettext("%(n)s 件没有派：%(why)s", "%(n)s 件没有派：%(why)s", len(left), why=why)
        return redirect(request, "/desk", f"{done} {more}", kind="error")
    return redirect(request, "/desk", done)


def _badge(actor: Actor) -> ColumnElement[int] | None:
    """What waits for a decision of the desk."""
    return waiting(lists.waiting_for(actor, Which.desk))


ROUTES = [
    PageRoute("/desk", index, May.accept),
    PageRoute("/desk/dispatch", preview, May.dispatch),
    PageRoute("/desk/dispatch", dispatch_many, May.dispatch, ("POST",)),
    PageRoute("/desk/{number}", show, May.accept),
    PageRoute("/desk/{number}/dispatch", dispatch, May.dispatch, ("POST",)),
]
NAV = [NavItem("desk", N_("值班台"), "phone", "/desk", May.accept, order=10, letter="d", badge=_badge)]
