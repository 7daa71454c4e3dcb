"""学习: what the analyser has learnt from people's corrections, which version is in force, and how well it does."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub import clock
from hub.errors import Invalid, NotFound, Refused
from hub.i18n import N_, _, written
from hub.models import Because
from hub.rights import May
from web.casework.narrowing import TODAY, WEEK, Field, Narrowing, since
from web.forms import read_form
from web.request import looking, me, writing
from web.routes.table import NavItem, PageRoute
from web.sheets import KINDS, sheet
from web.templating import part_of, redirect, render
from workflows.inbox import words as labels
from workflows.language.report import SetScore
from workflows.language.report import facts as shipped
from workflows.learning import lessons, lists, live, words
from workflows.learning.lists import Line, Wanted
from workflows.tagging.withdrawing import withdraw

SEES = (May.teach_analyser, May.read_audit)


def _tabs(current: str) -> list[dict[str, Any]]:
    known = (("", _("版本")), ("corrections", _("修正")), ("report", _("评测报告")))
    return [{"text": text, "href": f"/learning/{name}".rstrip("/"), "current": name == current} for name, text in known]


async def index(request: Request) -> Response:
    """What is in force, the lesson under way, versions, changes."""
    return await _index(request, {})


async def _index(
    request: Request, problems: dict[str, str], refused: list[str] | None = None, status: int = 200
) -> Response:
    async with looking(request) as unit:
        page = await lists.overview(unit)
    facts = {
        "page": page, "w": words, "tabs": _tabs(""), "problems": problems, "refused": refused or [],
        "usable": live.usable, "least": lists.LEAST, "pressed": written("一键退回"),
        "may_teach": me(request).can(May.teach_analyser),
    }  # fmt: skip
    return await render(request, "learning/index.html", facts, status, part=part_of(request, "now"))


async def show(request: Request) -> Response:
    """One version: before and after per class on both sets, what changed, why it was taken or not."""
    async with looking(request) as unit:
        made = await lists.version(unit, request.path_params["version_id"])
        now = {one.task: one for one in await live.in_force(unit)}[made.task]
    facts = {
        "made": made, "now": now, "w": words, "report": made.report, "usable": live.usable,
        "lines": words.summary(made.task, made.report),
        "may_teach": me(request).can(May.teach_analyser), "tabs": _tabs(""),
        "crumbs": [(_("学习"), "/learning"), (f"{words.task_label(made.task)} {words.number_label(made.number)}", "")],
    }  # fmt: skip
    return await render(request, "learning/version.html", facts)


async def learn(request: Request) -> Response:
    """Have a lesson begin now, in the background."""
    try:
        async with writing(request) as unit:
            await lessons.ask(unit, me(request))
    except Refused as error:
        return await _index(request, {}, error.reasons, 409)
    return redirect(request, "/learning", _("已安排学习，结束后这里会显示结果。"))


async def choose(request: Request) -> Response:
    """Put another version in force, with a reason."""
    form = await read_form(request)
    task, number = form.text("task", longest=16), form.number("number")
    reason = form.text("reason", required=False, longest=live.REASON_LENGTH)
    try:
        form.check()
        async with writing(request) as unit:
            await live.choose(unit, me(request), task, number, reason)
    except Invalid as error:
        return await _index(request, error.problems, status=422)
    said = _("已换用%(version)s，各后台一分钟内生效。", version=words.number_label(number))
    return redirect(request, "/learning", said)


async def let_go(request: Request) -> Response:
    """Nightly lessons may put versions in force again."""
    form = await read_form(request)
    task = form.text("task", longest=16)
    form.check()
    async with writing(request) as unit:
        await live.let_go(unit, me(request), task)
    return redirect(request, "/learning", _("已恢复自动更新。"))


async def corrections(request: Request) -> Response:
    """What people set right or found right, newest first, by filters."""
    return await _corrections(request, [])


async def _corrections(request: Request, refused: list[str], status: int = 200) -> Response:
    async with looking(request) as unit:
        narrowing = Narrowing(request, "/learning/corrections", _fields(await lists.teachers(unit)))
        after = request.query_params.get("after", "")
        before = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else None
        found = await lists.corrections(unit, me(request), _wanted(narrowing), before=before, limit=lists.PAGE + 1)
    facts = {
        "lines": found[: lists.PAGE], "narrowing": narrowing, "w": words, "tabs": _tabs("corrections"),
        "after": found[lists.PAGE - 1].correction.id if len(found) > lists.PAGE else None, "is_first": before is None,
        "refused": refused, "sees_messages": me(request).can(May.read_messages),
    }  # fmt: skip
    return await render(request, "learning/corrections.html", facts, status)


def _fields(teachers: list[tuple[int, str]]) -> list[Field]:
    kinds = [("set", _("改正")), ("right", _("确认无误")), ("withdrawn", _("已撤回"))]
    values = [*labels.topics(), *labels.sentiments(), *labels.requests()]
    return [
        Field("field", _("标签"), [(name, words.field_label(name)) for name in words.FIELD_WORDS]),
        Field("to", _("改为"), values),
        Field("kind", _("种类"), kinds),
        Field("because", _("原因"), words.becauses()),
        Field("by", _("经手人"), teachers),
        Field("since", _("时间"), [(TODAY, _("今天")), (WEEK, _("本周"))]),
    ]


def _wanted(narrowing: Narrowing) -> Wanted:
    return Wanted(
        field=narrowing.get("field"), after=narrowing.get("to"), because=narrowing.member("because", Because),
        by_id=narrowing.number("by"), kind=narrowing.get("kind"), since=since(narrowing.get("since"), clock.now()),
    )  # fmt: skip


async def export(request: Request) -> Response:
    """The same list as a file, personal data masked."""
    kind = request.path_params["kind"]
    if kind not in KINDS:
        raise NotFound(_("没有这种格式"))
    async with looking(request) as unit:
        narrowing = Narrowing(request, "/learning/corrections", _fields([]))
        found = await lists.corrections(unit, me(request), _wanted(narrowing), limit=lists.MOST_EXPORTED + 1)
    head = [_("时间"), _("经手人"), _("标签"), _("原来"), _("改为"), _("原因"), _("理由"), _("把握"), _("分析版本"),
            _("撤回时间"), _("撤回理由"), _("留言编号"), _("原文")]  # fmt: skip
    return await sheet(kind, _("标签修正"), head, map(_row, found), lists.MOST_EXPORTED)


def _row(line: Line) -> list[str | int | float]:
    one = line.correction
    return [
        clock.local(one.at).strftime("%Y-%m-%d %H:%M"), line.by_name, words.field_label(one.field),
        words.value_label(one.field, one.before), words.value_label(one.field, one.after),
        words.because_label(one.because), one.reason, round(one.p, 4), one.version,
        clock.local(one.withdrawn_at).strftime("%Y-%m-%d %H:%M") if one.withdrawn_at else "", one.withdrawn_why,
        one.message_id, line.text,
    ]  # fmt: skip


async def take_back(request: Request) -> Response:
    """Withdraw one correction."""
    form = await read_form(request)
    why = form.text("why", required=False, longest=500)
    form.check()
    try:
        async with writing(request) as unit:
            await withdraw(unit, me(request), [request.path_params["correction_id"]], why)
    except Refused as error:
        return await _corrections(request, error.reasons, 409)
    return redirect(request, "/learning/corrections", _("已撤回，标签恢复原样，下次学习不再用它。"))


async def report(request: Request) -> Response:
    """How the shipped models do, from the record in their files."""
    every = await asyncio.to_thread(shipped)
    sizes = {one.name: one.size for one in every}
    told = sorted((one for one in every if one.scores), key=lambda one: one.name == "classic")  # a comparison: last
    given = {"models": told, "network": sizes.get("network", 0)}
    return await render(request, "learning/report.html", {**given, "w": words, "tabs": _tabs("report")})


async def curve(request: Request) -> Response:
    """The calibration curve of one model on one set, as charts take it."""
    chosen = await asyncio.to_thread(_chosen, request.path_params["model"], request.path_params["place"])
    return JSONResponse({
        "kind": "bar", "unit": "%", "labels": [f"{said * 100:.0f}%" for said, _right, _size in chosen.curve],
        "series": [
            {"name": _("实际答对"), "data": [round(right * 100, 1) for _said, right, _size in chosen.curve]},
            {"name": _("所说把握"), "data": [round(said * 100, 1) for said, _right, _size in chosen.curve]},
        ],
    })  # fmt: skip


def _chosen(name: str, number: int) -> SetScore:
    for model in shipped():
        if model.name == name and number < len(model.scores):
            return model.scores[number]
    raise NotFound(_("没有这个模型"))


ROUTES = [
    PageRoute("/learning", index, SEES),
    PageRoute("/learning/learn", learn, May.teach_analyser, ("POST",)),
    PageRoute("/learning/choose", choose, May.teach_analyser, ("POST",)),
    PageRoute("/learning/let-go", let_go, May.teach_analyser, ("POST",)),
    PageRoute("/learning/versions/{version_id:int}", show, SEES),
    PageRoute("/learning/corrections", corrections, SEES),
    PageRoute("/learning/corrections.{kind}", export, SEES),
    PageRoute("/learning/corrections/{correction_id:int}/withdraw", take_back, May.teach_analyser, ("POST",)),
    PageRoute("/learning/report", report, SEES),
    PageRoute("/learning/report/{model}/{place:int}", curve, SEES),
]
NAV = [NavItem("learning", N_("学习"), "bulb", "/learning", SEES, order=78, letter="n")]
