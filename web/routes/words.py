"""词表: what the office itself lays down for the check of texts, and a box to try it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub import clock
from hub.errors import Invalid
from hub.i18n import N_, _
from hub.models import Department, OfficeWord, WordKind
from hub.rights import May
from web.forms import Form, read_form, read_json, whole
from web.proof import marked, proof, read_fix
from web.request import looking, me, writing
from web.routes.table import NavItem, PageRoute
from web.templating import redirect, render
from workflows.checking import lists, scopes, sheets
from workflows.checking.gate import judge
from workflows.checking.lists import Entry
from workflows.checking.words import GROUPS, PASSING, SEVERITIES, group_label, kind_label, severity_label

LONGEST_TRIED = 20_000


async def index(request: Request) -> Response:
    """One of the lists, of the whole office or of one department."""
    query = request.query_params
    return await _index(request, _kind(query.get("kind", "")), _where(query.get("where", "")), {}, {})


async def _index(
    request: Request, kind: WordKind, where: int | None, values: dict[str, str], problems: dict[str, str],
    status: int = 200,
) -> Response:  # fmt: skip
    wanted, actor = request.query_params.get("q", "").strip()[:100], me(request)
    async with looking(request) as unit:
        department = await scopes.find(unit, actor, where)
        rows = await lists.entries(unit, kind, wanted, where)
        counts = await lists.counts(unit, where)
        kept = await scopes.kept_by(unit, actor)
    facts = {
        "tabs": [_tab(one, where, counts.get(one, 0), current=one is kind) for one in WordKind],
        "kind": kind, "rows": rows, "wanted": wanted, "values": values, "problems": problems, **_words(kind),
        "where": where, "department": department, "scopes": _scopes(kept, department),
        "may_keep": scopes.may_keep(actor, department),
    }  # fmt: skip
    return await render(request, "words/index.html", facts, status)


def _scopes(kept: Sequence[Department], shown: Department | None) -> list[tuple[str, str]]:
    """(value, name) of the lists that can be looked at; names set in by how deep the department lies."""
    found = {one.id: one for one in kept} | ({shown.id: shown} if shown else {})
    ordered = sorted(found.values(), key=lambda one: one.path)
    top = min((one.path.count("/") for one in ordered), default=0)
    named = [(str(one.id), "\u3000" * (one.path.count("/") - top) + one.name) for one in ordered]
    return [("", _("全单位")), *named]


def _where(value: str) -> int | None:
    return whole(value) if value else None


def _tab(kind: WordKind, where: int | None, count: int, *, current: bool) -> dict[str, Any]:
    return {"text": kind_label(kind), "href": _address(kind, where), "current": current, "count": count}


def _address(kind: WordKind, where: int | None) -> str:
    return f"/words?kind={kind.value}" + (f"&where={where}" if where else "")


def _words(kind: WordKind) -> dict[str, Any]:
    """What the fields of a list are called, and what may be chosen in them."""
    word, other, hint = _FIELDS[kind]
    return {
        "kind_name": kind_label(kind), "word_name": _(word), "other_name": _(other), "other_hint": _(hint),
        "about": _(_ABOUT[kind]), "group_label": group_label,
        "severities": _severities(kind),
        "groups": [(group, group_label(group)) for group in GROUPS] if kind is WordKind.ignored else [],
        "severity_of": lambda row: _(SEVERITIES[row.severity]) if row.severity else "",
    }  # fmt: skip


def _severities(kind: WordKind) -> list[tuple[str, str]]:
    if kind is WordKind.ignored:
        return [(PASSING.value, _("红线也不提示（须有放行权限）"))]
    return [(one.value, severity_label(one)) for one in SEVERITIES] if kind in _GRADED else []


_GRADED = (WordKind.phrase, WordKind.prohibited, WordKind.advertising)
_FIELDS = {
    WordKind.person: (N_("姓名"), N_("职务"), N_("写全称，担任多个职务用顿号隔开，例如：市委副书记、市长。")),
    WordKind.order: (N_("名称"), N_("姓名顺序"), N_("按规定顺序写姓名，用顿号隔开。")),
    WordKind.phrase: (
        N_("正确表述"), N_("常见错误写法"),
        N_("选填，用顿号隔开；差一两个字、顺序不对或缺项，不写也能查出。"),
    ),
    WordKind.prohibited: (N_("词"), N_("改为"), N_("选填；一键改成这个词。")),
    WordKind.advertising: (N_("词"), N_("改为"), N_("选填；一键改成这个词。")),
    WordKind.ignored: (N_("文字"), N_("哪类规则"), N_("只在这类规则查出这几个字时不提示。")),
}  # fmt: skip
_ABOUT = {
    WordKind.person: N_("姓名和职务对不上、姓名错一个字，按红线拦下。职务变动后请当天更新。"),
    WordKind.order: N_("几个人连着出现时，顺序与这里不一致就提示。"),
    WordKind.phrase: N_("本单位必须写准的固定表述。写错、漏字、调换顺序都会提示。"),
    WordKind.prohibited: N_("本单位规定不能出现的词，默认按红线拦下。"),
    WordKind.advertising: N_("除广告法列明的以外，本单位另外要查的广告用语。"),
    WordKind.ignored: N_("写稿时点过「本单位忽略」的都在这里，删除后恢复提示。"),
}


def _kind(value: str) -> WordKind:
    return WordKind(value) if value in WordKind.__members__ else WordKind.person


def _entry(form: Form, kind: WordKind) -> Entry:
    return Entry(
        kind, form.text("word", longest=200), form.text("other", required=False, longest=2000),
        form.text("severity", required=False), form.text("note", required=False, longest=300),
    )  # fmt: skip


async def add(request: Request) -> Response:
    """A new entry."""
    form = await read_form(request)
    kind, where = _kind(form.raw("kind")), _where(form.raw("where"))
    try:
        entry = _entry(form, kind)
        form.check()
        async with writing(request) as unit:
            row = await lists.add(unit, me(request), entry, where)
    except Invalid as error:
        return await _index(request, kind, where, form.values, error.problems, 422)
    return redirect(request, _address(kind, where), _("已加入「%(word)s」，马上生效。", word=row.word))


async def show(request: Request) -> Response:
    """One entry, to be changed or deleted."""
    async with looking(request) as unit:
        row = await lists.get(unit, me(request), request.path_params["word_id"])
    values = {"word": row.word, "other": row.other, "severity": row.severity, "note": row.note}
    return await _show(request, row, values, {})


async def _show(
    request: Request, row: OfficeWord, values: dict[str, str], problems: dict[str, str], status: int = 200
) -> Response:
    async with looking(request) as unit:
        department = await scopes.find(unit, me(request), row.department_id)
    facts = {
        "row": row, "kind": row.kind, "values": values, "problems": problems, **_words(row.kind),
        "department": department, "may_keep": scopes.may_keep(me(request), department),
        "back": _address(row.kind, row.department_id),
    }  # fmt: skip
    return await render(request, "words/word.html", facts, status)


async def change(request: Request) -> Response:
    """Change one entry."""
    form, number = await read_form(request), request.path_params["word_id"]
    async with looking(request) as unit:
        row = await lists.get(unit, me(request), number)
    try:
        entry, version = _entry(form, row.kind), form.number("version")
        form.check()
        async with writing(request) as unit:
            await lists.change(unit, me(request), number, entry, version=version)
    except Invalid as error:
        return await _show(request, row, form.values, error.problems, 422)
    return redirect(
        request, _address(row.kind, row.department_id), _("已保存「%(word)s」，马上生效。", word=entry.word)
    )


async def remove(request: Request) -> Response:
    """Delete one entry."""
    form, number = await read_form(request), request.path_params["word_id"]
    version = form.number("version")
    form.check()
    async with writing(request) as unit:
        row = await lists.remove(unit, me(request), number, version=version)
    return redirect(request, _address(row.kind, row.department_id), _("已删除「%(word)s」。", word=row.word))


async def ignore(request: Request) -> Response:
    """From the composer and the draft box: leave this text alone from now on."""
    body = await read_json(request)
    group, found = body.get("group"), body.get("found")
    if not isinstance(group, str) or not isinstance(found, str):
        raise Invalid({"found": _("看不懂要忽略哪里，请到词表里添加。")})
    async with writing(request) as unit:
        await lists.ignore(unit, me(request), group, found)
    said = _("本单位以后不再提示「%(word)s」，可在词表里恢复。", word=found[:40])
    if scopes.own(me(request)) is not None:
        said = _("本部门及下属部门以后不再提示「%(word)s」，可在词表里恢复。", word=found[:40])
    return JSONResponse({"text": said})


async def export(request: Request) -> Response:
    """All lists, or one, as CSV."""
    kind, where = request.query_params.get("kind", ""), _where(request.query_params.get("where", ""))
    async with looking(request) as unit:
        department = await scopes.find(unit, me(request), where)
        text = await sheets.export(unit, WordKind(kind) if kind in WordKind.__members__ else None, where)
    name = quote(
        f"{_('词表')}-{department.short_name + '-' if department else ''}{clock.local(clock.now()):%Y%m%d}.csv"
    )
    headers = {"content-disposition": f"attachment; filename=\"words.csv\"; filename*=UTF-8''{name}"}
    return Response(text, media_type="text/csv", headers=headers)


async def bring(request: Request) -> Response:
    """Entries from a CSV file: all of it, or nothing and why."""
    form = await read_form(request)
    kind, where, file = _kind(form.raw("kind")), _where(form.raw("where")), form.file("file")
    try:
        if file is None:
            raise Invalid({"file": _("请选择文件。")})
        content = await file.read(sheets.LONGEST_FILE + 1)
        async with writing(request) as unit:
            brought = await sheets.bring(unit, me(request), content, where)
    except Invalid as error:
        return await _index(request, kind, where, {}, error.problems, 422)
    told = {"new": brought.new, "changed": brought.changed, "same": brought.same}
    done = _("导入完成：新增 %(new)s 条，修改 %(changed)s 条，%(same)s 条没有变化。", **told)
    return redirect(request, _address(kind, where), done)


async def show_try(request: Request) -> Response:
    """A box to try texts out."""
    return await render(request, "words/try.html", {"text": "", "proof": None, "shown": ""})


async def try_out(request: Request) -> Response:
    """What the check says about a text; nothing is kept."""
    form = await read_form(request)
    text = form.raw("text").replace("\r\n", "\n")[:LONGEST_TRIED]
    if form.raw("fix"):  # without scripts
        text = read_fix(form.raw("fix")).apply(text)
    async with looking(request) as unit:
        (found,) = await judge(unit, [text], me(request).department_id)
    facts = {"text": text, "proof": proof("text", "", text, found), "shown": marked(text, found)}
    return await render(request, "words/try.html", facts)


WORD = "/words/{word_id:int}"
KEEPS = (May.manage_words, May.manage_tree_words)
CHECKS = (*KEEPS, May.write_post, May.review_post, May.draft_reply, May.review_reply)
ROUTES = [
    PageRoute("/words", index, KEEPS),
    PageRoute("/words", add, KEEPS, ("POST",)),
    PageRoute("/words/export", export, KEEPS),
    PageRoute("/words/import", bring, KEEPS, ("POST",), upload=True),
    PageRoute("/words/ignore", ignore, KEEPS, ("POST",)),
    PageRoute("/words/try", show_try, CHECKS),
    PageRoute("/words/try", try_out, CHECKS, ("POST",)),
    PageRoute(WORD, show, KEEPS),
    PageRoute(WORD, change, KEEPS, ("POST",)),
    PageRoute(f"{WORD}/delete", remove, KEEPS, ("POST",)),
]
NAV = [NavItem("words", N_("词表"), "list-check", "/words", KEEPS, order=76, letter="b")]
