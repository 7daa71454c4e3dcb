"""Answering a case: the draft saved and submitted, checked while typing, given elsewhere, and what became of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid, Refused
from hub.i18n import _
from hub.rights import May
from web.auth import local_path
from web.casework import page as casepage
from web.casework.checked import found_in
from web.casework.page import Said, number_of
from web.forms import Form, read_form
from web.proof import read_fix, read_ignore
from web.request import house, looking, me, writing
from web.routes.table import PageRoute
from web.templating import redirect, render
from workflows import replies
from workflows.cases.facts import numbered
from workflows.checking import lists
from workflows.delivery import service as deliveries
from workflows.replies import box, forcing
from workflows.replies.drafts import LONGEST

DRAFTS = (May.draft_reply, May.dispatch)


async def save_draft(request: Request) -> Response:
    """Save the draft, and hand it to review when that was the button."""
    form, number, actor = await read_form(request), number_of(request), me(request)
    text, message_id = _text(form), form.number("message_id", required=False) or None
    said = Said(text=text, message_id=message_id)
    try:
        version = form.number("version")
        form.check()
        async with writing(request) as unit:
            case = await numbered(unit, number, actor)
            saved = await replies.save_draft(
                unit, case.id or 0, actor, text=text, version=version, message_id=message_id
            )
        asks = form.raw("do") == "ask"
        if form.raw("do") != "submit" and not asks:
            return redirect(request, f"/cases/{number}#answer", _("草稿已保存。"))
        async with writing(request) as unit:
            await replies.submit(
                house(request), unit, saved.id or 0, actor, version=saved.version, confirm=form.raw("confirmed"),
                asks=asks,
            )  # fmt: skip
    except replies.DraftConflict as error:
        said.conflict = error
    except replies.Unconfirmed as error:
        asked_for = Said(text=text, to_confirm=error.findings, confirm=error.confirm)
        return await casepage.page(request, said=asked_for, status=409)
    except Refused as error:
        said.refused = error.reasons
    except Invalid as error:
        said.problems = error.problems
    else:
        asked = _("追问已提交审核，发出后暂停计时，等来信人补充。")
        return redirect(request, f"/cases/{number}", asked if asks else _("已提交审核，审核通过后发出。"))
    return await casepage.page(request, said=said, status=422 if said.problems else 409)


def _text(form: Form) -> str:
    """What was typed: line ends as one sign, as the counter of the page counted them."""
    text = form.raw("text").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LONGEST:
        form.problems["text"] = _("最多 %(n)s 个字。", n=LONGEST)
    return text


async def findings(request: Request) -> Response:
    """What speaks against the text as it is being typed; nothing is saved."""
    form = await read_form(request)
    message_id = form.number("message_id", required=False) or None
    async with looking(request) as unit:
        case = await numbered(unit, number_of(request), me(request))
        found = await box.findings(
            house(request),
            unit,
            case.id or 0,
            me(request),
            text=_text(form)[:LONGEST],
            message_id=message_id,
            elsewhere=form.ticked("elsewhere"),
        )
    facts = {
        "found": found_in(_text(form)[:LONGEST], found), "base": f"/cases/{number_of(request)}",
        "may_ignore": me(request).can(May.manage_words) or me(request).can(May.manage_tree_words),
    }  # fmt: skip
    return await render(request, "cases/findings.html", facts, part="found")


async def fix(request: Request) -> Response:
    """Without scripts: put a suggestion where it belongs, or leave a finding alone in this office; nothing is saved."""
    form = await read_form(request)
    text, message_id = _text(form), form.number("message_id", required=False) or None
    form.check()
    if form.raw("ignore"):
        group, found = read_ignore(form.raw("ignore"))
        async with writing(request) as unit:
            await lists.ignore(unit, me(request), group, found)
    else:
        text = read_fix(form.raw("fix")).apply(text)
    return await casepage.page(request, said=Said(text=text, message_id=message_id))


async def force(request: Request) -> Response:
    """Let the red lines of exactly the stored answer pass, by name and with a reason."""
    form, actor = await read_form(request), me(request)
    try:
        given = {"content_hash": form.text("content_hash"), "reason": form.text("force_reason", longest=500)}
        form.check()
        async with writing(request) as unit:
            case = await numbered(unit, number_of(request), actor)
            await forcing.force(unit, actor, case.id or 0, **given)
    except Refused as error:
        return await casepage.page(request, said=Said(refused=error.reasons, values=form.values), status=409)
    except Invalid as error:
        return await casepage.page(request, said=Said(problems=error.problems, values=form.values), status=422)
    here = local_path(form.raw("next"), f"/cases/{number_of(request)}")
    return redirect(request, here, _("已放行，记入办理过程。答复仍须送审。"))


async def answer_elsewhere(request: Request) -> Response:
    """Record an answer given by another way."""
    form, number, actor = await read_form(request), number_of(request), me(request)
    version, channel = form.number("version"), form.text("channel", required=False)
    text, note = _text(form), form.text("note", required=False, longest=1000)
    said = Said(text=text, values=form.values)
    try:
        form.check()
        async with writing(request) as unit:
            case = await numbered(unit, number, actor)
            await replies.answer_elsewhere(
                house(request), unit, case.id or 0, actor, version=version, text=text, channel=channel, note=note,
                confirm=form.raw("confirmed"),
            )  # fmt: skip
    except replies.Unconfirmed as error:
        said.to_confirm, said.confirm = error.findings, error.confirm
    except Refused as error:
        said.refused = error.reasons
    except Invalid as error:
        said.problems = error.problems
    else:
        return redirect(request, f"/cases/{number}", _("已登记答复。"))
    return await casepage.page(request, said=said, status=422 if said.problems else 409)


async def settle(request: Request) -> Response:
    """A person decides about an answer that did not simply go out."""
    form, actor = await read_form(request), me(request)
    reason, number = form.text("reason", required=False, longest=500), request.path_params["delivery_id"]
    try:
        form.check()
        async with writing(request) as unit:
            await numbered(unit, number_of(request), actor)
            match form.raw("do"):
                case "sent" | "not_sent" as found:
                    remote_id = form.text("remote_id", required=False, longest=255)
                    await deliveries.settle_by_hand(unit, actor, number, found == "sent", remote_id, reason)
                case "retry":
                    await deliveries.retry(unit, actor, number)
                case "send_now":
                    await deliveries.send_now(unit, actor, number)
                case "cancel":
                    await deliveries.cancel(unit, actor, number, reason)
                case _unknown:
                    raise Invalid({"do": _("请选择要做什么。")})
    except Refused as error:
        return await casepage.page(request, said=Said(refused=error.reasons), status=409)
    except Invalid as error:
        return await casepage.page(request, said=Said(refused=list(error.problems.values())), status=422)
    return redirect(request, f"/cases/{number_of(request)}", _("已记下您的决定。"))


CASE = "/cases/{number}"
ROUTES = [
    PageRoute(f"{CASE}/draft", save_draft, DRAFTS, ("POST",)),
    PageRoute(f"{CASE}/findings", findings, DRAFTS, ("POST",)),
    PageRoute(f"{CASE}/fix", fix, DRAFTS, ("POST",)),
    PageRoute(f"{CASE}/force", force, May.force_check, ("POST",)),
    PageRoute(f"{CASE}/elsewhere", answer_elsewhere, DRAFTS, ("POST",)),
    PageRoute(f"{CASE}/deliveries/{{delivery_id:int}}", settle, May.settle_delivery, ("POST",)),
]
