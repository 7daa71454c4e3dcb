"""导入: a file of messages handed in, its columns named, tried out, brought in by the worker, its errors as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.errors import Invalid, Refused
from hub.i18n import N_, _
from hub.models import ImportState
from hub.rights import May
from web.casework import words
from web.forms import Form, read_form, whole
from web.request import house, looking, me, writing
from web.routes.table import NavItem, PageRoute
from web.templating import part_of, redirect, render
from workflows.intake import history, imports, mappings, uploads
from workflows.intake.imports import Preview
from workflows.intake.uploads import Upload

SAMPLES = 3
PAGE = 30
# A run nobody took after this long: the worker is probably not running.
PATIENCE_SECONDS = 60
STATE_TONES = {ImportState.done: "done", ImportState.failed: "danger", ImportState.running: "action"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file on the mapping screen."""

    place: int
    name: str
    samples: list[str]
    chosen: str


async def index(request: Request) -> Response:
    """Hand in a file, and what was brought in before."""
    return await _index(request, {}, {})


async def _index(request: Request, values: dict[str, str], problems: dict[str, str], status: int = 200) -> Response:
    before = request.query_params.get("before", "")
    async with looking(request) as unit:
        found = await history.runs(unit, me(request), before=whole(before), limit=PAGE + 1)
        accounts = await imports.account_names(unit)
    facts = {
        "runs": found[:PAGE], "older": found[PAGE - 1].run.id if len(found) > PAGE else None, "values": values,
        "problems": problems, "accounts": accounts, "most_mb": house(request).ctx.settings.max_body_mb,
        "state_words": state_words(), "tones": STATE_TONES, "is_first": not before,
    }  # fmt: skip
    return await render(request, "imports/index.html", facts, status, part=part_of(request, "runs"))


def state_words() -> dict[ImportState, str]:
    """Where a run stands, in words."""
    return {
        ImportState.uploaded: _("排队中"), ImportState.running: _("导入中"), ImportState.done: _("完成"),
        ImportState.failed: _("失败"),
    }  # fmt: skip


async def upload(request: Request) -> Response:
    """Take a file in, and go on to its columns. A file that cannot be read at all is refused at once, in words."""
    form = await read_form(request)
    account, file = form.text("account", longest=100), form.file("file")
    if file is None:
        form.problems["file"] = _("请选择要导入的文件。")
    try:
        form.check()
        assert file is not None
        async with looking(request) as unit:
            await imports.find_account(unit, account)
        kept = await uploads.keep(house(request), me(request), file.filename or "", account, file.file)
        shown = await _opened(request, kept)
    except Invalid as error:
        return await _index(request, form.values, error.problems, 422)
    uploads.note_expected(house(request), kept, shown.expected)
    return redirect(request, f"/imports/files/{kept.token}")


async def _opened(request: Request, kept: Upload) -> Preview:
    """The file as the mapping screen shows it; one that cannot be read at all is not kept."""
    try:
        return await imports.preview(house(request), uploads.path_of(house(request), kept))
    except Invalid:
        uploads.drop(house(request), kept)
        raise


async def show_columns(request: Request) -> Response:
    """Which column is what: remembered, recognised, or chosen here."""
    return await _columns(request, None, {})


async def _columns(request: Request, form: Form | None, problems: dict[str, str], status: int = 200) -> Response:
    kept = uploads.find(house(request), me(request), request.path_params["token"])
    name = request.query_params.get("mapping", "")[:100] or None
    try:
        shown = await imports.preview(house(request), uploads.path_of(house(request), kept), name)
    except Invalid as error:
        return await _index(request, {"account": kept.account_name}, error.problems, 422)
    async with looking(request) as unit:
        saved = await mappings.saved_names(unit)
    facts = {
        "kept": kept, "shown": shown, "columns": _each(shown, form), "fields": [("", _("不导入")), *_fields()],
        "saved": saved, "mapping": name or "", "values": form.values if form else {}, "problems": problems,
        "crumbs": [(_("导入"), "/imports"), (kept.file_name, "")],
    }  # fmt: skip
    return await render(request, "imports/columns.html", facts, status)


def _fields() -> list[tuple[str, str]]:
    return [(field, _(label)) for field, label in mappings.fields().items()]


def _each(shown: Preview, form: Form | None) -> list[Column]:
    return [
        Column(
            place, name, [row[name] for row in shown.rows if row.get(name)][:SAMPLES],
            form.raw(f"column_{place}") if form else shown.columns.get(name, ""),
        )
        for place, name in enumerate(shown.headers)
    ]  # fmt: skip


async def start(request: Request) -> Response:
    """Try the file out, or bring it in; the worker does either."""
    form, actor = await read_form(request), me(request)
    kept = uploads.find(house(request), actor, request.path_params["token"])
    shown = await imports.preview(house(request), uploads.path_of(house(request), kept))
    chosen = {name: form.raw(f"column_{place}") for place, name in enumerate(shown.headers)}
    try:
        account, save_as = form.text("account", longest=100), form.text("save_as", required=False, longest=100)
        form.check()
        async with writing(request) as unit:
            if save_as:
                await mappings.save(unit, actor, save_as, shown.headers, chosen)
            run = await imports.start(
                unit, actor, account_name=account, file_name=kept.file_name, stored_as=kept.stored_as, columns=chosen,
                headers=shown.headers, is_dry=form.raw("do") != "run",
            )  # fmt: skip
    except Invalid as error:
        return await _columns(request, form, error.problems, 422)
    return redirect(request, f"/imports/{run.id}")


async def show(request: Request) -> Response:
    """One import: how far it is, what it brought, which rows could not be taken and why."""
    return await _run(request, [])


async def _run(request: Request, refused: list[str], status: int = 200) -> Response:
    async with looking(request) as unit:
        one = await history.run(unit, me(request), request.path_params["run_id"])
    left: Upload | None = uploads.of_run(house(request), one.run)
    waited = (clock.now() - one.run.created_at).total_seconds()
    facts: dict[str, Any] = {
        "one": one, "run": one.run, "refused": refused, "upload": left, "expected": left.expected if left else None,
        "may_change": left is not None and left.by_id == me(request).user_id,
        "is_stuck": one.run.state is ImportState.uploaded and waited > PATIENCE_SECONDS, "w": words.tools(),
        "state": state_words()[one.run.state], "tone": STATE_TONES.get(one.run.state, ""),
        "crumbs": [(_("导入"), "/imports"), (one.run.file_name, "")],
    }  # fmt: skip
    return await render(request, "imports/run.html", facts, status, part=part_of(request, "result"))


async def run_for_real(request: Request) -> Response:
    """After a trial: bring the same file in."""
    try:
        async with writing(request) as unit:
            run = await history.run_for_real(house(request), unit, me(request), request.path_params["run_id"])
    except Refused as error:
        return await _run(request, error.reasons, 409)
    return redirect(request, f"/imports/{run.id}")


async def errors(request: Request) -> Response:
    """The rows that could not be taken, as a file a spreadsheet opens safely."""
    async with looking(request) as unit:
        one = await history.run(unit, me(request), request.path_params["run_id"])
    name = quote(_("导入错误-%(file)s.csv", file=one.run.file_name.rsplit(".", 1)[0]))
    headers = {"Content-Disposition": f"attachment; filename=\"errors.csv\"; filename*=UTF-8''{name}"}
    # The mark at the beginning lets spreadsheets read Chinese as it is.
    return Response("\ufeff" + history.errors_as_csv(one.run.errors), media_type="text/csv", headers=headers)


ONE = "/imports/{run_id:int}"
ROUTES = [
    PageRoute("/imports", index, May.import_files),
    PageRoute("/imports", upload, May.import_files, ("POST",), upload=True),
    PageRoute("/imports/files/{token}", show_columns, May.import_files),
    PageRoute("/imports/files/{token}", start, May.import_files, ("POST",)),
    PageRoute(ONE, show, May.import_files),
    PageRoute(f"{ONE}/run", run_for_real, May.import_files, ("POST",)),
    PageRoute(f"{ONE}/errors.csv", errors, May.import_files),
]
NAV = [NavItem("imports", N_("导入"), "file-import", "/imports", May.import_files, order=70, letter="f")]
