"""监测方案: what the office watches for, what it hits, how it is set."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub import clock
from hub.clock import at_local
from hub.errors import Invalid, NotFound, Refused
from hub.i18n import N_, _, day, exact, listed, sentences
from hub.models import PlanAlert, PlanMode, WatchPlan
from hub.rights import Actor, May
from web.casework import words as casework
from web.forms import Form, read_form
from web.request import looking, me, writing
from web.routes.table import NavItem, PageRoute, waiting
from web.sheets import KINDS, sheet
from web.templating import part_of, redirect, render
from workflows.inbox import words as labels
from workflows.watching import drafts, hits, runs, service, words
from workflows.watching.drafts import Draft, Reading
from workflows.watching.hits import HitRow
from workflows.watching.pieces import Piece
from workflows.watching.preview import Preview
from workflows.watching.preview import preview as look

CHART_DAYS = 30
LOOK_BACK = (7, 30, 90, 366)
LONGEST = 5000


async def index(request: Request) -> Response:
    """Every plan with what it has hit lately, alarms first."""
    actor, now = me(request), clock.now()
    async with looking(request) as unit:
        found = await service.plans(unit, actor)
        facts = {
            "plans": found, "explained": {plan.id: service.explained(plan) for plan in found},
            "day": await hits.counts(unit, actor, now - timedelta(days=1)),
            "week": await hits.counts(unit, actor, now - timedelta(days=7)),
            "last": await hits.newest_by_plan(unit, actor), "alerts": await hits.alerts(unit, actor),
            "names": {plan.id: plan.name for plan in found},
        }  # fmt: skip
    return await render(request, "plans/index.html", facts, part=part_of(request, "rows"))


async def show(request: Request) -> Response:
    """One plan: what it means, its hits over time, alarms, a look back."""
    return await _plan(request, [])


async def _plan(request: Request, refused: list[str], status: int = 200) -> Response:
    actor, plan_id = me(request), request.path_params["plan_id"]
    wanted, after = _day(request), request.query_params.get("after", "")
    part = part_of(request, "rows", "run") if request.method == "GET" else ""
    async with looking(request) as unit:
        plan = await service.find(unit, actor, plan_id)
        facts: dict[str, Any] = {"plan": plan, "refused": refused, "w": casework.tools(), "chosen_day": wanted}
        if part != "rows":
            facts["run"] = await runs.newest(unit, plan_id)
        if part != "run":
            facts["page"] = await hits.newest(unit, actor, plan_id, after=after, day=wanted)
            facts["alerts"] = await hits.alerts(unit, actor, plan_id)
            facts["days"] = await hits.by_day(unit, actor, plan_id, CHART_DAYS)
    facts |= {
        "explained": service.explained(plan), "look_back": LOOK_BACK, "after": after, "chart_days": CHART_DAYS,
        "class_labels": [*words.class_labels(), ("stop", words.class_label("stop"))],
        "crumbs": [(_("监测方案"), "/plans"), (plan.name, "")],
    }  # fmt: skip
    return await render(request, "plans/show.html", facts, status, part=part)


def _day(request: Request) -> date | None:
    """The day asked for; None for nonsense and for the ends of the calendar, which have no UTC."""
    try:
        found = date.fromisoformat(request.query_params.get("day", ""))
        at_local(found)
        at_local(found + timedelta(days=1))
    except (ValueError, OverflowError):
        return None
    return found


async def chart(request: Request) -> Response:
    """Hits by day; every bar leads to its day's hits."""
    plan_id = request.path_params["plan_id"]
    async with looking(request) as unit:
        await service.find(unit, me(request), plan_id)
        days = await hits.by_day(unit, me(request), plan_id, CHART_DAYS)
    return JSONResponse({
        "kind": "bar", "unit": _("条"), "labels": [day(one) for one, _n in days],
        "series": [{"name": _("命中"), "data": [n for _day, n in days]}] if any(n for _day, n in days) else [],
        "links": [f"/plans/{plan_id}?day={one.isoformat()}#hits" for one, _n in days],
    })  # fmt: skip


async def show_new(request: Request) -> Response:
    """An empty form, simple or expert."""
    expert = request.query_params.get("mode") == PlanMode.expert
    return await _form(request, None, Draft(mode=PlanMode.expert if expert else PlanMode.simple))


async def show_edit(request: Request) -> Response:
    """A plan's form, with what it hits beside it."""
    async with looking(request) as unit:
        plan = await service.find(unit, me(request), request.path_params["plan_id"])
    return await _form(request, plan, Draft.of(plan), with_preview=True)


async def _form(
    request: Request, plan: WatchPlan | None, draft: Draft, problems: dict[str, str] | None = None, status: int = 200,
    *, with_preview: bool = False, values: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    facts: dict[str, Any] = {
        "plan": plan, "draft": draft, "problems": problems or {}, "classes": words.class_labels(),
        "texts": {name: "\n".join(given) for name, given in draft.classes.items()} | (values or {}),
        "crumbs": [(_("监测方案"), "/plans"), (plan.name if plan else _("新建方案"), "")],
    }  # fmt: skip
    facts |= await _looked(request, draft) if with_preview or problems else {"reading": None, "found": None, "said": ""}
    return await render(request, "plans/edit.html", facts, status)


async def _looked(request: Request, draft: Draft) -> dict[str, Any]:
    """What the draft means and would have hit, or what is wrong with it."""
    reading: Reading = drafts.read(draft)
    found: Preview | None = None
    if reading.rule is not None:
        async with looking(request) as unit:
            found = await look(unit, me(request), reading.rule)
    said = words.explain(reading.rule) if reading.rule is not None else ""
    return {"reading": reading, "found": found, "said": said}


def _draft(form: Form) -> Draft:
    """A form as it was typed. Lengths are bounded here, meaning is read by the service."""
    expert = form.raw("mode") == PlanMode.expert
    classes = {
        name: drafts.split(form.text(name, required=False, longest=LONGEST)) for name in (*words.CLASSES, "stop")
    }
    return Draft(
        name=form.text("name", required=False, longest=200),
        mode=PlanMode.expert if expert else PlanMode.simple, classes={} if expert else classes,
        expression=form.raw("expression").replace("\r\n", "\n")[:LONGEST],
        stop=form.raw("stop").replace("\r\n", "\n")[:LONGEST] if expert else "",
        alert_count=form.number("alert_count", required=False),
        alert_minutes=form.number("alert_minutes", required=False) or 60,
    )  # fmt: skip


def _as_expert(draft: Draft) -> Draft:
    """The same plan, written with signs; as it stands when it cannot be read yet."""
    asked, stop = drafts.as_expressions(draft)
    return Draft(draft.name, PlanMode.expert, {}, asked, stop, draft.alert_count, draft.alert_minutes)


async def preview(request: Request) -> Response:
    """While somebody types: what the draft means and would have hit."""
    form = await read_form(request)
    return await render(request, "plans/look.html", await _looked(request, _draft(form)), part="found")


async def create(request: Request) -> Response:
    """A new plan; or only a look at it, or the change to expert mode."""
    return await _saved(request, None)


async def change(request: Request) -> Response:
    """A plan changed."""
    async with looking(request) as unit:
        plan = await service.find(unit, me(request), request.path_params["plan_id"])
    return await _saved(request, plan)


async def _saved(request: Request, plan: WatchPlan | None) -> Response:
    form, actor = await read_form(request), me(request)
    draft, wanted = _draft(form), form.raw("do")
    if wanted == "expert":
        return await _form(request, plan, _as_expert(draft))
    if wanted == "preview":
        return await _form(request, plan, draft, with_preview=True)
    try:
        form.check()
        async with writing(request) as unit:
            if plan is None:
                kept = await service.create(unit, actor, draft)
            else:
                kept = await service.change(unit, actor, plan.id or 0, draft, version=form.number("version"))
    except Invalid as error:
        return await _form(request, plan, draft, error.problems, 422)
    except Refused as error:
        return await _form(request, plan, draft, {"name": sentences(error.texts)}, 409)
    return redirect(request, f"/plans/{kept.id}", _("已保存「%(name)s」，从现在起新来的留言都会比对。", name=kept.name))


async def set_active(request: Request) -> Response:
    """Switch a plan on or off."""
    form, plan_id = await read_form(request), request.path_params["plan_id"]
    active = form.raw("active") == "1"
    async with writing(request) as unit:
        plan = await service.set_active(unit, me(request), plan_id, active)
    said = _("已启用「%(name)s」。", name=plan.name) if active else _("已停用「%(name)s」。", name=plan.name)
    return redirect(request, f"/plans/{plan_id}", said)


async def run(request: Request) -> Response:
    """Look for hits in what came before."""
    form, plan_id = await read_form(request), request.path_params["plan_id"]
    try:
        days = form.number("days")
        form.check()
        async with writing(request) as unit:
            plan = await service.find(unit, me(request), plan_id)
            await runs.start(unit, me(request), plan, days)
    except Refused as error:
        return await _plan(request, error.reasons, 409)
    except Invalid as error:
        return await _plan(request, list(error.problems.values()), 422)
    return redirect(request, f"/plans/{plan_id}#run", _("开始回溯，可以离开本页。"))


async def seen(request: Request) -> Response:
    """The alarms of a plan were noticed."""
    plan_id = request.path_params["plan_id"]
    async with writing(request) as unit:
        plan = await service.find(unit, me(request), plan_id)
        await hits.answer_alerts(unit, me(request), plan)
    return redirect(request, f"/plans/{plan_id}", _("已记下您看过这些预警。"))


async def export(request: Request) -> Response:
    """The hits as a file; what is hidden on the page is hidden there."""
    kind, plan_id = request.path_params["kind"], request.path_params["plan_id"]
    if kind not in KINDS:
        raise NotFound(_("没有这种文件"))
    async with writing(request) as unit:
        plan = await service.find(unit, me(request), plan_id)
        rows = await hits.exported(unit, me(request), plan)
    head = [
        _("时间"), _("来源"), _("类型"), _("作者"), _("标题"), _("内容"), _("命中的词"), _("情感"), _("情绪"),
        _("主题"), _("二级主题"), _("敏感"), _("工单"), _("状态"), _("承办单位"), _("网址"),
    ]  # fmt: skip
    name = _("监测命中-%(name)s-%(day)s", name=plan.name, day=clock.today().isoformat())
    return await sheet(kind, name, head, map(_line, rows), hits.MOST_EXPORTED)


def _line(row: HitRow) -> list[str]:
    return [
        exact(row.at), row.account, labels.kind_label(row.kind), row.author_name, _plain(row.title), _plain(row.text),
        listed(row.words), labels.sentiment_label(row.sentiment) if row.sentiment else "",
        labels.emotion_label(row.emotion) if row.emotion else "", labels.topic_label(row.topic),
        labels.subtopic_label(row.subtopic) if row.subtopic else "", _("是") if row.is_sensitive else "", row.number,
        casework.tools()["state_label"](row.state) if row.state else "", row.department, row.url,
    ]  # fmt: skip


def _plain(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _badge(actor: Actor) -> ColumnElement[int] | None:
    """Alarms nobody has answered, for those who answer them."""
    if not actor.can(May.watch_plans):
        return None
    return waiting(select(col(PlanAlert.id)).where(col(PlanAlert.seen_at).is_(None)))


ONE = "/plans/{plan_id:int}"
ROUTES = [
    PageRoute("/plans", index, May.read_opinion),
    PageRoute("/plans", create, May.watch_plans, ("POST",)),
    PageRoute("/plans/new", show_new, May.watch_plans),
    PageRoute("/plans/preview", preview, May.watch_plans, ("POST",)),
    PageRoute(ONE, show, May.read_opinion),
    PageRoute(ONE, change, May.watch_plans, ("POST",)),
    PageRoute(f"{ONE}/edit", show_edit, May.watch_plans),
    PageRoute(f"{ONE}/active", set_active, May.watch_plans, ("POST",)),
    PageRoute(f"{ONE}/run", run, May.watch_plans, ("POST",)),
    PageRoute(f"{ONE}/seen", seen, May.watch_plans, ("POST",)),
    PageRoute(f"{ONE}/chart", chart, May.read_opinion),
    PageRoute(f"{ONE}/hits.{{kind}}", export, May.read_opinion),
]
NAV = [NavItem("plans", N_("监测"), "eye", "/plans", May.read_opinion, order=58, letter="w", badge=_badge)]
