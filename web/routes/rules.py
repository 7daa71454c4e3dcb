"""派单规则: the office's own rules in their order, what is learnt from its dispatches, how both have done."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid, NotFound, Refused
from hub.i18n import N_, _, listed, percent, sentences
from hub.models import RoutingRule
from hub.rights import May
from web.forms import Form, read_form
from web.request import looking, me, writing
from web.routes.table import NavItem, PageRoute
from web.sheets import KINDS, sheet
from web.templating import part_of, redirect, render
from workflows.inbox import words as labels
from workflows.routing import learning, record, rules
from workflows.routing.preview import Preview
from workflows.routing.preview import preview as look
from workflows.routing.record import Week
from workflows.routing.rules import Draft

WEEKS = 8


def _tabs(current: str) -> list[dict[str, Any]]:
    return [
        {"text": _("派单规则"), "href": "/rules", "current": current == "rules"},
        {"text": _("每周成效"), "href": "/rules/weekly", "current": current == "weekly"},
    ]


async def index(request: Request) -> Response:
    """The rules in the order they are asked, and the learnt router."""
    return await _index(request, [])


async def _index(request: Request, refused: list[str], status: int = 200) -> Response:
    actor = me(request)
    async with looking(request) as unit:
        facts = {
            "rules": await rules.rules(unit, actor), "current": await learning.current(unit),
            "last": await learning.newest(unit), "lines": await _lines(request), "tabs": _tabs("rules"),
            "refused": refused, "never": learning.NEVER,
        }  # fmt: skip
    return await render(request, "rules/index.html", facts, status, part=part_of(request, "rows", "learnt"))


async def _lines(request: Request) -> dict[int | None, record.Line]:
    """How each rule has done this week and the last."""
    async with looking(request) as unit:
        tables = [
            await record.week(unit, me(request), record.this_week() - timedelta(days=back)) for back in (7, 0)
        ]  # fmt: skip
    found: dict[int | None, record.Line] = {}
    for line in (line for table in tables for line in table.lines if line.rule_id is not None):
        kept = found.setdefault(line.rule_id, record.Line(line.basis, line.rule_id, line.name))
        kept.cases, kept.right = kept.cases + line.cases, kept.right + line.right
        kept.waiting += line.waiting
    return found


async def show_new(request: Request) -> Response:
    """An empty form."""
    return await _form(request, None, Draft(), {})


async def show(request: Request) -> Response:
    """One rule, with where last month's messages would go."""
    async with looking(request) as unit:
        rule = await rules.find(unit, me(request), request.path_params["rule_id"])
    return await _form(request, rule, Draft.of(rule), {}, with_preview=True)


async def _form(
    request: Request, rule: RoutingRule | None, draft: Draft, problems: dict[str, str], status: int = 200,
    *, with_preview: bool = False,
) -> Response:  # fmt: skip
    async with looking(request) as unit:
        departments, accounts = await rules.choices(unit)
    facts: dict[str, Any] = {
        "rule": rule, "draft": draft, "problems": problems, "departments": departments, "accounts": accounts,
        "topics": labels.topics(), "crumbs": [(_("派单规则"), "/rules"), (rule.name if rule else _("新建规则"), "")],
    }  # fmt: skip
    facts |= await _looked(request, rule, draft) if with_preview or problems else _nothing_looked()
    return await render(request, "rules/edit.html", facts, status)


def _nothing_looked() -> dict[str, Any]:
    return {"asked": False, "found": None, "said": "", "wrong": {}, "pointers": {}, "ways": [], "hints": []}


async def _looked(request: Request, rule: RoutingRule | None, draft: Draft) -> dict[str, Any]:
    """What a draft would do with last month's messages, or what is wrong with it."""
    wrong, pointers = rules.problems_of(draft)
    found: Preview | None = None
    if not wrong:
        async with looking(request) as unit:
            rows = await rules.rules(unit, me(request))
            others = [row.rule for row in rows if row.rule.is_active and (rule is None or row.rule.id != rule.id)]
            tried = draft.as_rule(rule.id or 0 if rule else 0)
            tried.position = rule.position if rule else max((one.position for one in others), default=0) + 1
            found = await look(unit, me(request), tried, others)
    async with looking(request) as unit:
        accounts = dict((await rules.choices(unit))[1])
    said = rules.conditions(draft, accounts.get(draft.account_id or 0, "")) if not wrong else ""
    ways = [(_way(one.basis, alone=one.alone), one.before, one.after) for one in found.ways] if found else []
    return {
        "asked": True, "found": found, "said": said, "wrong": wrong, "pointers": pointers, "ways": ways,
        "hints": rules.hints_of(draft) if not wrong else [],
    }  # fmt: skip


def _way(basis: str, *, alone: bool) -> str:
    """派单规则，系统直接派出; 以往派单，由值班员决定."""
    if not basis:
        return _("没有建议，由值班员决定")
    name = _(record.BASES[basis])
    return _("%(basis)s，系统直接派出", basis=name) if alone else _("%(basis)s，由值班员决定", basis=name)


def _draft(form: Form) -> Draft:
    account = form.number("account_id", required=False)
    return Draft(
        name=form.text("name", required=False, longest=200), department_id=form.number("department_id", required=False),
        topic=form.text("topic", required=False), place=form.text("place", required=False, longest=200),
        keywords=form.raw("keywords").replace("\r\n", "\n")[:5000], account_id=account or None,
        may_dispatch=form.ticked("may_dispatch"),
    )  # fmt: skip


async def preview(request: Request) -> Response:
    """While somebody types: where last month's messages would go."""
    form = await read_form(request)
    number, rule = form.number("rule_id", required=False), None
    if number:
        async with looking(request) as unit:
            rule = await rules.find(unit, me(request), number)
    return await render(request, "rules/look.html", await _looked(request, rule, _draft(form)), part="found")


async def create(request: Request) -> Response:
    """A new rule, asked last; or only a look at it."""
    return await _saved(request, None)


async def change(request: Request) -> Response:
    """A rule changed."""
    async with looking(request) as unit:
        rule = await rules.find(unit, me(request), request.path_params["rule_id"])
    return await _saved(request, rule)


async def _saved(request: Request, rule: RoutingRule | None) -> Response:
    form, actor = await read_form(request), me(request)
    draft = _draft(form)
    if form.raw("do") == "preview":
        return await _form(request, rule, draft, {}, with_preview=True)
    try:
        form.check()
        async with writing(request) as unit:
            if rule is None:
                await rules.create(unit, actor, draft)
            else:
                await rules.change(unit, actor, rule.id or 0, draft, version=form.number("version"))
    except Invalid as error:
        return await _form(request, rule, draft, error.problems, 422)
    except Refused as error:
        return await _form(request, rule, draft, {"name": sentences(error.texts)}, 409)
    return redirect(request, "/rules", _("已保存「%(name)s」，从现在起新来的留言按它派单。", name=draft.name))


async def set_active(request: Request) -> Response:
    """Switch a rule on or off."""
    form, active = await read_form(request), False
    active = form.raw("active") == "1"
    async with writing(request) as unit:
        rule = await rules.set_active(unit, me(request), request.path_params["rule_id"], active)
    said = _("已启用「%(name)s」。", name=rule.name) if active else _("已停用「%(name)s」。", name=rule.name)
    return redirect(request, "/rules", said)


async def move(request: Request) -> Response:
    """One place up or down, or to the top."""
    form = await read_form(request)
    async with writing(request) as unit:
        to = form.raw("to")
        await rules.move(unit, me(request), request.path_params["rule_id"], up=to != "down", far=to == "first")
    return redirect(request, "/rules")


async def learn(request: Request) -> Response:
    """Learn anew, or go without what was learnt."""
    form = await read_form(request)
    try:
        async with writing(request) as unit:
            if form.raw("do") == "off":
                await learning.put_back(unit, me(request))
                said = _("已停用学到的派单，下次学习之后会再启用。")
            else:
                await learning.ask(unit, me(request))
                said = _("开始学习，一般不到一分钟。")
    except Refused as error:
        return await _index(request, error.reasons, 409)
    return redirect(request, "/rules#learnt", said)


async def weekly(request: Request) -> Response:
    """The table of one week: what was suggested, on which grounds, and where cases ended."""
    monday = _monday(request)
    async with looking(request) as unit:
        table = await record.week(unit, me(request), monday)
        weeks = await record.weeks(unit, me(request), WEEKS)
    facts = {
        "table": table, "weeks": weeks, "tabs": _tabs("weekly"), "total": record.totals(table.lines),
        "before": monday - timedelta(days=7), "sunday": monday + timedelta(days=6),
        "after": monday + timedelta(days=7) if monday < record.this_week() else None,
    }  # fmt: skip
    return await render(request, "rules/weekly.html", facts)


def _monday(request: Request) -> date:
    """The Monday asked for; of the running week without one, or for nonsense and the future."""
    try:
        asked = record.monday_of(date.fromisoformat(request.query_params.get("week", "")))
    except ValueError:
        return record.this_week()
    return asked if date(2000, 1, 1) < asked <= record.this_week() else record.this_week()


async def export(request: Request) -> Response:
    """The table of one week as a file."""
    kind, monday = request.path_params["kind"], _monday(request)
    if kind not in KINDS:
        raise NotFound(_("没有这种文件"))
    async with looking(request) as unit:
        table = await record.week(unit, me(request), monday)
    head = [
        _("依据"), _("派单"), _("系统自动派出"), _("采纳建议"), _("当场改派"), _("事后改派"), _("待签收"),
        _("建议正确"), _("正确率"), _("建议单位"), _("最后承办"), _("件数"), _("例子"),
    ]  # fmt: skip
    name = _("派单成效-%(day)s", day=monday.isoformat())
    return await sheet(kind, name, head, _rows(table))


def _rows(table: Week) -> list[list[str | int]]:
    """Both tables of the page one under the other; what went wrong counts in a column of its own, so that sums hold."""
    lines: list[list[str | int]] = [
        [
            line.name, line.cases, line.alone, line.taken, line.changed, line.moved, line.waiting,
            line.right, percent(line.share) if line.judged and line.basis else "", "", "", "", "",
        ]
        for line in table.lines
    ]  # fmt: skip
    wrong: list[list[str | int]] = [
        [one.basis, *[""] * 8, one.suggested, one.final, one.cases, listed(n for _id, n in one.examples)]
        for one in table.confusions
    ]
    return lines + wrong


ONE = "/rules/{rule_id:int}"
ROUTES = [
    PageRoute("/rules", index, May.set_rules),
    PageRoute("/rules", create, May.set_rules, ("POST",)),
    PageRoute("/rules/new", show_new, May.set_rules),
    PageRoute("/rules/preview", preview, May.set_rules, ("POST",)),
    PageRoute("/rules/learn", learn, May.set_rules, ("POST",)),
    PageRoute("/rules/weekly", weekly, May.set_rules),
    PageRoute("/rules/weekly.{kind}", export, May.set_rules),
    PageRoute(ONE, show, May.set_rules),
    PageRoute(ONE, change, May.set_rules, ("POST",)),
    PageRoute(f"{ONE}/active", set_active, May.set_rules, ("POST",)),
    PageRoute(f"{ONE}/move", move, May.set_rules, ("POST",)),
]
NAV = [NavItem("rules", N_("派单规则"), "arrows-split", "/rules", May.set_rules, order=72, letter="r")]
