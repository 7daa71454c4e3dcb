"""Texts that a model drafts: asked for here, written by a job, taken over by a person. No page waits for a model."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid, Refused
from hub.i18n import _
from hub.rights import May
from web.casework import page as casepage
from web.casework.page import Said, number_of
from web.forms import read_form
from web.request import me, writing
from web.routes.answers import DRAFTS
from web.routes.table import PageRoute
from web.templating import redirect
from workflows import replies
from workflows.cases.facts import numbered
from workflows.drafting import asking


async def ask_reply(request: Request) -> Response:
    """Ask for an answer to a case."""
    try:
        async with writing(request) as unit:
            case = await numbered(unit, number_of(request), me(request))
            await asking.ask_reply(unit, me(request), case.id or 0)
    except Refused as error:
        return await casepage.page(request, said=Said(refused=error.reasons), status=409)
    return redirect(request, f"/cases/{number_of(request)}#case-model", _("已请模型起草，写好会出现在这里。"))


async def take(request: Request) -> Response:
    """Make the model's text the draft of the answer."""
    form, number = await read_form(request), number_of(request)
    said = Said()
    try:
        version = form.number("version")
        form.check()
        async with writing(request) as unit:
            case = await numbered(unit, number, me(request))
            draft_id = int(request.path_params["draft_id"])
            await asking.take(unit, me(request), case.id or 0, draft_id, version=version)
    except replies.DraftConflict as error:
        said.text, said.conflict = error.mine, error
    except Refused as error:
        said.refused = error.reasons
    except Invalid as error:
        said.refused = list(error.problems.values())
    else:
        return redirect(request, f"/cases/{number}#answer", _("已放进草稿，请逐句核对后再送审。"))
    return await casepage.page(request, said=said, status=409)


async def ask_summary(request: Request) -> Response:
    """Ask for a summary of a matter."""
    matter_id = request.path_params["matter_id"]
    async with writing(request) as unit:
        await asking.ask_summary(unit, me(request), matter_id)
    return redirect(request, f"/opinion/matters/{matter_id}", _("已请模型概括，写好会出现在这里。"))


ROUTES = [
    PageRoute("/cases/{number}/model", ask_reply, DRAFTS, ("POST",)),
    PageRoute("/cases/{number}/model/{draft_id:int}", take, DRAFTS, ("POST",)),
    PageRoute("/opinion/matters/{matter_id:int}/model", ask_summary, May.read_opinion, ("POST",)),
]
