"""热点: what many citizens write about, as a list and one by one; people name, merge, part and dismiss."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub import clock
from hub.errors import Invalid, NotFound, Refused
from hub.i18n import N_, _, day, exact, listed
from hub.models import MatterState
from hub.rights import May
from web.casework import words as casework
from web.forms import Form, read_form
from web.request import house, looking, me, writing
from web.routes.table import PageRoute
from web.sheets import KINDS, sheet
from web.templating import part_of, redirect, render
from workflows.drafting.asking import is_on, may_ask_summaries, may_read_summaries, newest
from workflows.drafting.citing import cited
from workflows.inbox import words as labels
from workflows.matters import detail, lists, shaping, undoing, words
from workflows.matters.detail import Which
from workflows.matters.lists import Filters, MatterRow, Order

ORDERS = ((Order.heat, N_("最热")), (Order.growth, N_("涨得最快")), (Order.new, N_("最新发现")))
WHICH = ((Which.newest, N_("最新")), (Which.liked, N_("点赞最多")), (Which.first, N_("最早")))
DAYS = (0, 1, 7, 30)
SHOWN = (MatterState.open, MatterState.dismissed)
MOST_EXPORTED, MOST_MEMBERS = 1_000, 10_000  # rows of a file: matters, messages of one
# Messages chosen on the page; a form may send more only by hand.
_MOST_CHOSEN = 500


async def index(request: Request) -> Response:
    """The list, ranked."""
    chosen, after = _filters(request), request.query_params.get("after", "")
    async with looking(request) as unit:
        page = await lists.matters(unit, me(request), chosen, after=after)
    facts = {
        "page": page, "chosen": chosen, "after": after, "may_shape": shaping.may_shape(me(request)),
        "orders": [(one, _(text), _href(chosen, order=one)) for one, text in ORDERS],
        "states": [(one, _(words.STATES[one]), _href(chosen, state=one)) for one in SHOWN],
        "spans": [(n, _("近 %(n)s 天", n=n) if n else _("全部时间"), _href(chosen, days=n)) for n in DAYS],
        "sizes_href": _href(chosen, all_sizes=not chosen.all_sizes), "least": lists.LEAST,
        "older": f"{_href(chosen)}&{urlencode({'after': page.after})}" if page.after else "",
        "src": f"{_href(chosen)}&{urlencode({'after': after, 'part': 'rows'})}", "here": _href(chosen),
        "sees_all": me(request).can(May.read_all_cases),
    }  # fmt: skip
    return await render(request, "matters/index.html", facts, part=part_of(request, "rows"))


def _filters(request: Request) -> Filters:
    """What the address says; nonsense is the default."""
    asked = request.query_params
    order, state, days = asked.get("order", ""), asked.get("state", ""), asked.get("days", "")
    return Filters(
        order=Order(order) if order in set(Order) else Order.heat,
        state=MatterState.dismissed if state == MatterState.dismissed else MatterState.open,
        days=int(days) if days in {str(n) for n in DAYS} else 0, all_sizes=asked.get("all") == "1",
    )  # fmt: skip


def _href(chosen: Filters, **changed: Any) -> str:
    given: dict[str, Any] = {
        "order": chosen.order,
        "state": chosen.state,
        "days": chosen.days,
        "all_sizes": chosen.all_sizes,
    }
    given |= changed
    asked = {"order": given["order"].value, "state": given["state"].value, "days": given["days"]}
    return "/opinion/matters?" + urlencode(asked | ({"all": 1} if given["all_sizes"] else {}))


async def export(request: Request) -> Response:
    """The list as a file, as it is narrowed on the page."""
    kind, actor = request.path_params["kind"], me(request)
    if kind not in KINDS:
        raise NotFound(_("没有这种文件"))
    async with looking(request) as unit:
        page = await lists.matters(unit, actor, _filters(request), limit=MOST_EXPORTED + 1)
        points = await detail.told(unit, actor, {row.id: row.summary for row in page.rows[:200]})
    head = [
        _("名次"), _("名称"), _("留言"), _("原样转发"), _("人数"), _("点赞"), _("转发"), _("近 24 小时"),
        _("前 24 小时"), _("首次出现"), _("最近一条"), _("负面"), _("中性"), _("正面"), _("地点"), _("承办单位"),
        _("来源"), _("要点"), _("不同的声音"),
    ]  # fmt: skip
    rows = [_line(n, row, points.get(row.id, ([], 0))[0]) for n, row in enumerate(page.rows, 1)]
    return await sheet(kind, _("热点-%(day)s", day=clock.today().isoformat()), head, rows, MOST_EXPORTED)


def _line(place: int, row: MatterRow, points: list[detail.Point]) -> list[str | int]:
    moods = {share.key: share.n for share in row.moods}
    return [
        place, row.name, row.messages, row.copies, row.people, row.likes, row.reposts, row.today, row.yesterday,
        exact(row.first_at), exact(row.last_at), *(moods.get(key, 0) for key in ("negative", "neutral", "positive")),
        *(listed(share.name for share in some if share.name) for some in (row.places, row.departments, row.sources)),
        "\n".join(point.text for point in points if point.kind == "main"),
        "\n".join(point.text for point in points if point.kind == "other"),
    ]  # fmt: skip


async def show(request: Request) -> Response:
    """One matter; the old address of a merged one leads to where it went."""
    return await _matter(request)


async def _matter(
    request: Request, refused: list[str] | None = None, problems: dict[str, str] | None = None,
    values: dict[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    actor, matter_id, part = me(request), request.path_params["matter_id"], ""
    if request.method == "GET":
        part = part_of(request, "facts")
    which, after = _which(request), request.query_params.get("after", "")
    async with looking(request) as unit:
        one = await detail.detail(unit, matter_id, actor)
        members = await detail.members(unit, matter_id, actor, which=which, after=after) if part != "facts" else None
        model = await newest(unit, matter_id=matter_id) if may_read_summaries(actor) else None
        sources = await cited(unit, model) if model else None
        others = await detail.others(unit, actor, matter_id) if one.may_shape and not part else []
    base = f"/opinion/matters/{matter_id}"
    facts = {
        "one": one, "row": one.row, "members": members, "which": which, "after": after, "others": others, "base": base,
        "tabs": [(choice, _(text), f"{base}?which={choice.value}#members") for choice, text in WHICH],
        "older": f"{base}?{urlencode({'which': which.value, 'after': members.after})}#members"
        if members and members.after else "",
        "model": model, "cited": sources, "model_on": is_on(house(request).ctx.settings) and may_ask_summaries(actor),
        "refused": refused or [], "problems": problems or {}, "values": values or {},
        "state_label": casework.tools()["state_label"], "matter_state": _(words.STATES[one.row.state]),
        "crumbs": [(_("舆情"), "/opinion"), (_("热点"), LIST), (one.row.name, "")],
        "longest": shaping.LONGEST_NAME, "sees_all": actor.can(May.read_all_cases),
    }  # fmt: skip
    return await render(request, "matters/show.html", facts, status, part=part)


def _which(request: Request) -> Which:
    asked = request.query_params.get("which", "")
    return Which(asked) if asked in set(Which) else Which.newest


async def chart(request: Request) -> Response:
    """Messages by day, for the drawing."""
    async with looking(request) as unit:
        one = await detail.detail(unit, request.path_params["matter_id"], me(request))
    days = one.days
    return JSONResponse({
        "kind": "bar", "unit": _("条"), "labels": [day(on) for on, _n in days],
        "series": [{"name": _("留言和转发"), "data": [n for _day, n in days]}] if days else [],
        "empty": _("这段时间没有留言"),
    })  # fmt: skip


async def members_file(request: Request) -> Response:
    """The messages of one matter as a file, masked as on the page."""
    kind, actor, matter_id = request.path_params["kind"], me(request), request.path_params["matter_id"]
    if kind not in KINDS:
        raise NotFound(_("没有这种文件"))
    async with looking(request) as unit:
        matter = await shaping.find(unit, matter_id, actor)
        found = await detail.members(unit, matter_id, actor, which=Which.first, limit=MOST_MEMBERS + 1)
    head = [
        _("时间"), _("来源"), _("作者"), _("标题"), _("内容"), _("情感"), _("地点"), _("点赞"), _("转发"),
        _("原样转发"), _("相近程度"), _("依据的词"), _("工单"), _("承办单位"),
    ]  # fmt: skip
    name = _("热点留言-%(name)s", name=matter.name)
    return await sheet(kind, name, head, map(_message_line, found.rows), MOST_MEMBERS)


def _message_line(one: detail.Member) -> list[str | int | float]:
    return [
        exact(one.at), one.account, one.author, one.title, one.text,
        labels.sentiment_label(one.sentiment) if one.sentiment else "", one.place, one.likes, one.reposts,
        _("是") if one.is_copy else "", round(one.near, 2), listed(one.words), one.number, one.department,
    ]  # fmt: skip


async def rename(request: Request) -> Response:
    """Give it a name."""

    async def act(unit: Any, form: Form, matter_id: int, version: int) -> tuple[int, str]:
        matter = await shaping.rename(unit, me(request), matter_id, version=version, name=form.raw("name"))
        return matter_id, _("已改名为「%(name)s」。", name=matter.name)

    return await _shaped(request, act)


async def merge(request: Request) -> Response:
    """Make it part of another."""

    async def act(unit: Any, form: Form, matter_id: int, version: int) -> tuple[int, str]:
        into, reason = form.number("into"), form.raw("reason")
        form.check()
        matter = await shaping.merge(unit, me(request), matter_id, into, version=version, reason=reason)
        return matter.id or 0, _("已并入「%(name)s」。", name=matter.name)

    return await _shaped(request, act)


async def split(request: Request) -> Response:
    """Part chosen messages from it."""

    async def act(unit: Any, form: Form, matter_id: int, version: int) -> tuple[int, str]:
        chosen = [int(n) for n in form.many("message")[:_MOST_CHOSEN] if n.isascii() and n.isdigit() and len(n) < 18]
        alone = form.raw("do") == "alone"
        if not alone and not form.raw("name").strip():
            raise Invalid({"name": _("请给拆出来的事起个名字")})
        matter = await shaping.split(
            unit, me(request), matter_id, chosen, version=version, name="" if alone else form.raw("name"),
            reason=form.raw("reason"),
        )  # fmt: skip
        if matter is None:
            return matter_id, _("已移出，这些留言不再归任何热点。")
        return matter.id or 0, _("已拆成「%(name)s」。", name=matter.name)

    return await _shaped(request, act)


async def dismiss(request: Request) -> Response:
    """Take it off the list, or put it back."""

    async def act(unit: Any, form: Form, matter_id: int, version: int) -> tuple[int, str]:
        back = form.raw("do") == "reopen"
        change = shaping.reopen if back else shaping.dismiss
        await change(unit, me(request), matter_id, version=version, reason=form.raw("reason"))
        return matter_id, _("已恢复关注。") if back else _("已忽略；它仍会收进相近的留言，不会换个名字再冒出来。")

    return await _shaped(request, act)


async def undo(request: Request) -> Response:
    """Take back a step of its history: a merge, a parting, a letting go."""

    async def act(unit: Any, form: Form, matter_id: int, version: int) -> tuple[int, str]:
        event = form.number("event")
        form.check()
        matter = await undoing.undo(unit, me(request), matter_id, event, version=version)
        return matter.id or 0, _("已撤销。系统不会再自动合并或拆分这里的事。")

    return await _shaped(request, act)


async def _shaped(request: Request, act: Any) -> Response:
    form, matter_id = await read_form(request), request.path_params["matter_id"]
    try:
        version = form.number("version")
        form.check()
        async with writing(request) as unit:
            leads_to, said = await act(unit, form, matter_id, version)
    except Refused as error:
        return await _matter(request, refused=error.reasons, values=form.values, status=409)
    except Invalid as error:
        return await _matter(request, problems=error.problems, values=form.values, status=422)
    return redirect(request, f"/opinion/matters/{leads_to}", said)


LIST, ONE = "/opinion/matters", "/opinion/matters/{matter_id:int}"
ROUTES = [
    PageRoute(LIST, index, May.read_opinion),
    PageRoute(f"{LIST}.{{kind}}", export, May.read_opinion),
    PageRoute(ONE, show, May.read_opinion),
    PageRoute(f"{ONE}/chart", chart, May.read_opinion),
    PageRoute(f"{ONE}/messages.{{kind}}", members_file, May.read_opinion),
    PageRoute(f"{ONE}/rename", rename, May.correct_tags, ("POST",)),
    PageRoute(f"{ONE}/merge", merge, May.correct_tags, ("POST",)),
    PageRoute(f"{ONE}/split", split, May.correct_tags, ("POST",)),
    PageRoute(f"{ONE}/dismiss", dismiss, May.correct_tags, ("POST",)),
    PageRoute(f"{ONE}/undo", undo, May.correct_tags, ("POST",)),
]
