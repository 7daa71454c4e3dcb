"""人工发布: what people do where no program can: their list, and per task everything needed on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.errors import Invalid, NotFound, Refused
from hub.i18n import N_, _
from hub.rights import May
from web.forms import Form, read_form, whole
from web.press import words
from web.request import house, looking, me, writing
from web.routes.pictures import HEADERS
from web.routes.table import Gate, NavItem, PageRoute, waiting
from web.templating import part_of, redirect, render
from workflows.delivery import byhand, handwork
from workflows.intake import pasting
from workflows.pictures.placed import FOCUS

Facts = dict[str, Any]
# Bytes of a video that a page may hand to an app: Chromium takes no more, and it is held in the phone's memory.
MOST_SHARED = 50 * 1024 * 1024


async def index(request: Request) -> Response:
    """What waits for this person, or for anybody; and what was done lately."""
    mine = request.query_params.get("whose") != "all"
    async with looking(request) as unit:
        open_ones = await handwork.tasks(house(request), unit, me(request), mine=mine)
        ended = await handwork.done(house(request), unit, me(request), mine=mine)
    facts: Facts = {
        "tasks": open_ones,
        "ended": ended,
        "mine": mine,
        "words": words,
        "tabs": [
            {"text": _("我负责的"), "href": "/byhand", "current": mine},
            {"text": _("全部"), "href": "/byhand?whose=all", "current": not mine},
        ],
        "src": f"/byhand?{'' if mine else 'whose=all&'}part=rows",
    }
    return await render(request, "byhand/index.html", facts, part=part_of(request, "rows"))


async def show(request: Request) -> Response:
    """The pack of one task: text to copy, pictures to keep, covers, steps, and where the link goes."""
    return await page(request)


async def page(
    request: Request, error: Invalid | Refused | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    """The pack, after a refused act with every reason and what was typed."""
    number, focus = request.path_params["task_id"], _focus(request)
    async with looking(request) as unit:
        whole_pack = await handwork.pack(house(request), unit, me(request), number)
        people = await byhand.hands(unit) if whole_pack.may and whole_pack.ends else []
    facts: Facts = {
        "pack": whole_pack,
        "task": whole_pack.task,
        "delivery": whole_pack.task.delivery,
        "people": people,
        "words": words,
        "focus_words": words.focus_words(),
        "focus": focus,
        "most_shared": MOST_SHARED,
        "typed": typed or {},
        "problems": error.problems if isinstance(error, Invalid) else {},
        "refused": error.reasons if isinstance(error, Refused) else [],
        "now": clock.now(),
        # What comes in by itself is cut as the person chose.
        "src": f"/byhand/{number}?part=pack" + (f"&focus={focus}" if focus else ""),
    }
    status = error.status if error else 200
    return await render(request, "byhand/show.html", facts, status, part=part_of(request, "pack"))


def _focus(request: Request) -> str:
    """Where the person wants the covers cut; empty: as the picture says."""
    focus = request.query_params.get("focus", "")
    return focus if focus in FOCUS else ""


async def decide(request: Request) -> Response:
    """Done, not done, or somebody else's: what stands on the button."""
    form, number = await read_form(request), request.path_params["task_id"]
    try:
        said = await _decide(request, form, number)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    return redirect(request, f"/byhand/{number}", said)


async def _decide(request: Request, form: Form, number: int) -> str:
    actor, act = me(request), form.raw("do")
    async with writing(request) as unit:
        if act == "done":
            link, without = form.raw("link"), form.raw("without")
            await byhand.finish(house(request), unit, actor, number, link=link, without=without)
            return _("已登记为已发布。")
        if act == "not_done":
            await byhand.give_up(unit, actor, number, form.raw("reason"))
            return _("已登记为没有发布，撰稿人会看到原因。")
        if act == "hand_to":
            await byhand.hand_to(unit, actor, number, whole(form.raw("assignee")) or 0)
            return _("已转交。")
    raise Invalid({"do": _("请选择要做什么。")})


async def cover(request: Request) -> Response:
    """The first picture cut to one of the platform's sizes; ``size`` (1080x1440) and ``focus`` of the query."""
    query = request.query_params
    async with looking(request) as unit:
        found = await handwork.pack(house(request), unit, me(request), request.path_params["task_id"])
        sizes = {f"{width}x{height}": (width, height) for _name, width, height in found.form.covers}
        size = sizes.get(query.get("size", ""))
        if size is None or not found.pictures:
            raise NotFound(_("没有这个尺寸的封面"))
        data = await handwork.cover(unit, found.pictures[0], size, _focus(request))
    named = {"Content-Disposition": f'inline; filename="cover-{query["size"]}.jpg"'}
    return Response(data, media_type="image/jpeg", headers=HEADERS | named)


async def archive(request: Request) -> Response:
    """Everything of the pack as one zip."""
    number = request.path_params["task_id"]
    async with looking(request) as unit:
        found = await handwork.pack(house(request), unit, me(request), number)
        data = await handwork.zipped(unit, found, _focus(request))
    name = quote(_("素材包-%(title)s.zip", title=found.task.title))
    headers = {"Content-Disposition": f"attachment; filename=\"pack-{number}.zip\"; filename*=UTF-8''{name}"}
    return Response(data, media_type="application/zip", headers=headers)


async def show_pasting(request: Request) -> Response:
    """Where comments are pasted; ``account`` of the query is chosen already."""
    return await _pasting(request, {"account": request.query_params.get("account", "")})


async def _pasting(
    request: Request,
    typed: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    found: Sequence[Any] = (),
    status: int = 200,
) -> Response:
    chosen = whole(typed.get("account", ""))
    async with looking(request) as unit:
        offered = await pasting.accounts(unit)
        items = await pasting.items_of(unit, me(request), chosen) if chosen else []
    facts: Facts = {
        "accounts": [(one.id, one.name) for one in offered],
        "items": [(one.id, one.title) for one in items],
        "typed": typed,
        "problems": problems or {},
        "found": found,
    }
    return await render(request, "byhand/paste.html", facts, status)


async def paste(request: Request) -> Response:
    """Look at what would be taken in, then take it in."""
    form = await read_form(request)
    pasted = form.raw("pasted")
    try:
        found = pasting.understood(pasted)
        if form.raw("do") != "take":
            return await _pasting(request, form.values, found=found)
        async with writing(request) as unit:
            account, under = whole(form.raw("account")) or 0, whole(form.raw("under"))
            stored = await pasting.take(unit, me(request), account, pasted, under)
    except Invalid as error:
        return await _pasting(request, form.values, problems=error.problems, status=422)
    said = _("已收入 %(new)s 条评论，%(known)s 条以前就有。", new=len(stored.new), known=stored.known)
    return redirect(request, f"/byhand/comments?account={account}", said)


ONE = "/byhand/{task_id:int}"
PASTING = (May.import_files, May.write_post)
# Whoever a task is given to sees it, whatever their role.
ROUTES = [
    PageRoute("/byhand", index, Gate.signed_in),
    PageRoute("/byhand/comments", show_pasting, PASTING),
    PageRoute("/byhand/comments", paste, PASTING, ("POST",)),
    PageRoute(ONE, show, Gate.signed_in),
    PageRoute(ONE, decide, Gate.signed_in, ("POST",)),
    PageRoute(f"{ONE}/cover", cover, Gate.signed_in),
    PageRoute(f"{ONE}/pack.zip", archive, Gate.signed_in),
]
NAV = [
    NavItem(
        "byhand", N_("人工发布"), "hand-stop", "/byhand", (May.write_post, May.settle_delivery, May.draft_reply),
        order=44, badge=lambda actor: waiting(handwork.waiting(actor)),
    )
]  # fmt: skip
