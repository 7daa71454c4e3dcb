"""审核: answers that wait for somebody who did not write them, beside the citizen's words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from starlette.requests import Request
from starlette.responses import Response

from hub.db import Unit
from hub.errors import Invalid, Refused
from hub.i18n import N_, _
from hub.models import Case, Reply, ReplyState
from hub.rights import Actor, May
from web.casework import talk, words
from web.casework.checked import found_in
from web.casework.narrowing import Narrowing
from web.casework.page import number_of
from web.forms import Form, read_form
from web.request import house, looking, me, writing
from web.routes.table import NavItem, PageRoute, waiting
from web.templating import part_of, redirect, render
from workflows import replies
from workflows.cases.detail import Detail, detail
from workflows.cases.facts import numbered
from workflows.cases.lists import Which, waiting_for
from workflows.cases.moves import Move
from workflows.replies import lists
from workflows.replies.box import box
from workflows.replies.compare import pieces
from workflows.replies.lists import returned_text


async def index(request: Request) -> Response:
    """What waits for my review, the longest waiting first; or what I handed in myself."""
    async with looking(request) as unit:
        facts = await _queue(request, unit, "/reviews")
    return await render(request, "reviews/index.html", facts, part=part_of(request, "rows"))


async def _queue(request: Request, unit: Unit, path: str, chosen: str = "") -> dict[str, Any]:
    narrowing, after = Narrowing(request, "/reviews", [], keep=("own",)), request.query_params.get("after", "")
    own = narrowing.get("own") == "1"
    page = await lists.waiting(unit, me(request), own=own, after=after)
    tabs = [
        {"text": _("等我审核"), "href": "/reviews", "current": not own},
        {"text": _("我送审的"), "href": "/reviews?own=1", "current": own},
    ]
    return {
        "page": page, "n": narrowing, "own": own, "tabs": tabs, "is_first": not after, "chosen": chosen,
        "w": words.tools(), "live_src": narrowing.href(path, after=after, part="rows"),
    }  # fmt: skip


async def show(request: Request) -> Response:
    """One answer to review."""
    return await _page(request, [], {})


async def _page(
    request: Request, refused: list[str], problems: dict[str, str], form: Form | None = None, status: int = 200
) -> Response:
    number = number_of(request)
    part = part_of(request, "rows") if request.method == "GET" else ""
    async with looking(request) as unit:
        facts = await _queue(request, unit, f"/reviews/{number}", number)
        case = await numbered(unit, number, me(request))
        if not part:
            facts |= await _chosen(request, unit, case)
    facts |= {
        "refused": refused, "problems": problems, "values": form.values if form else {}, "item_open": True,
        "list_href": facts["n"].href(),
    }  # fmt: skip
    return await render(request, "reviews/page.html", facts, status, part=part)


async def _chosen(request: Request, unit: Unit, case: Case) -> dict[str, Any]:
    one = await detail(unit, case.id or 0, me(request))
    reply = one.draft if one.draft and one.draft.state is ReplyState.reviewing else None
    entries = [entry for entry in one.replies if reply is None or entry.id != reply.id]
    before = await returned_text(unit, reply) if reply else None
    shown = await box(house(request), unit, case, reply) if reply else None
    return {
        "one": one, "row": one.row, "reply": reply, "base": f"/reviews/{case.number}",
        "items": talk.thread(one.messages, entries, one.events, one.row.account),
        "box": shown, "found": found_in(reply.text, shown.findings) if reply and shown else None,
        "may_force": me(request).can(May.force_check),
        "changed": pieces(before, reply.text) if reply and before is not None else [],
        "approve_reasons": _reasons(one, Move.approve), "return_reasons": _reasons(one, Move.send_back),
        "history": talk.history(one.events),
    }  # fmt: skip


def _reasons(one: Detail, move: Move) -> list[str]:
    return one.reply_reasons.get(move, [])


async def approve(request: Request) -> Response:
    """Approve exactly what was read; the delivery engine sends it."""
    return await _decide(request, Move.approve)


async def send_back(request: Request) -> Response:
    """Return the draft with a comment."""
    return await _decide(request, Move.send_back)


async def _decide(request: Request, move: Move) -> Response:
    form, actor, number = await read_form(request), me(request), number_of(request)
    note = form.text("note", required=False, longest=2000)
    if move is Move.send_back and not note:
        form.problems["note"] = _("请写明退回的意见：哪里要改，怎么改。经办人会看到。")
    try:
        version, reply_id = form.number("version"), form.number("reply_id")
        form.check()
        async with writing(request) as unit:
            case = await numbered(unit, number, actor)
            await _refuse_other(unit, case, reply_id)
            if move is Move.approve:
                shown = form.raw("content_hash")
                await replies.approve(
                    house(request), unit, reply_id, actor, version=version, content_hash=shown, note=note
                )
            else:
                await replies.send_back(unit, reply_id, actor, version=version, note=note)
            following = await _next(unit, actor, number)
    except Refused as error:
        return await _page(request, error.reasons, {}, form, 409)
    except Invalid as error:
        return await _page(request, [], error.problems, form, 422)
    done = _("%(number)s 的答复已通过，正在发送。", number=number)
    return redirect(request, following, done if move is Move.approve else _("已退回修改，经办人会看到您的意见。"))


async def _refuse_other(unit: Unit, case: Case, reply_id: int) -> None:
    reply = await unit.get(Reply, reply_id)
    if reply is None or reply.case_id != case.id:
        raise Refused([_("这张工单现在没有待审核的答复")])


async def _next(unit: Unit, actor: Actor, number: str) -> str:
    page = await lists.waiting(unit, actor, limit=2)
    other = next((row.number for row in page.rows if row.number != number), "")
    return f"/reviews/{other}" if other else "/reviews"


def _badge(actor: Actor) -> ColumnElement[int] | None:
    """Answers that wait for this person's review."""
    return waiting(waiting_for(actor, Which.review))


ROUTES = [
    PageRoute("/reviews", index, May.review_reply),
    PageRoute("/reviews/{number}", show, May.review_reply),
    PageRoute("/reviews/{number}/approve", approve, May.review_reply, ("POST",)),
    PageRoute("/reviews/{number}/send-back", send_back, May.review_reply, ("POST",)),
]
NAV = [
    NavItem("reviews", N_("答复审核"), "eye-check", "/reviews", May.review_reply, order=35, letter="v", badge=_badge)
]
