"""The pause switch: everything or one account, with a reason; what it stops is said before it is pressed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid, Refused
from hub.i18n import _, ngettext
from hub.rights import May
from web.forms import Form, read_form
from web.request import house, looking, me, writing
from web.routes.table import Gate, PageRoute
from web.signals import PAUSE_PAGE
from web.templating import redirect, render
from workflows.delivery import pausing, service

EVERYTHING = "everything"


async def show(request: Request) -> Response:
    """The pauses in force, and the switch for those who may press it."""
    return await _page(request)


async def _page(request: Request, error: Invalid | Refused | None = None, form: Form | None = None) -> Response:
    async with looking(request) as unit:
        reach, pauses = await pausing.reach(house(request), unit), await pausing.in_force(unit)
    everything = [one for one in pauses if one.pause.account_id is None]
    facts = {
        "reach": reach,
        "pauses": pauses,
        "waiting": sum(one.waiting for one in reach),
        "sending": sum(one.sending for one in reach),
        "all_paused": bool(everything),
        "typed": form.values if form else {},
        "problems": error.problems if isinstance(error, Invalid) else {},
        "refused": error.reasons if isinstance(error, Refused) else [],
        "may": me(request).can(May.pause_sending),
        "may_decide": me(request).can(May.settle_delivery),
    }
    return await render(request, "pause/index.html", facts, error.status if error else 200)


async def press(request: Request) -> Response:
    """Stop at once."""
    form = await read_form(request)
    try:
        scope = form.text("scope")
        account = None if scope in ("", EVERYTHING) else form.number("scope")
        form.check()
        async with writing(request) as unit:
            await service.pause(unit, me(request), form.text("reason", required=False), account)
    except (Invalid, Refused) as error:
        return await _page(request, error, form)
    return redirect(request, PAUSE_PAGE, _("已暂停。从现在起不会再开始任何新的发送。"))


async def lift(request: Request) -> Response:
    """Go on: what is still to come by itself, what fell due meanwhile one by one."""
    form = await read_form(request)
    try:
        async with writing(request) as unit:
            reason = form.text("reason", required=False)
            freed = await service.lift(unit, me(request), request.path_params["pause_id"], reason)
    except (Invalid, Refused) as error:
        return await _page(request, error, form)
    said = ngettext("已解除，%(n)s 条回到待发。", "已解除，%(n)s 条回到待发。", freed)
    return redirect(request, "/deliveries?group=held" if me(request).can(May.settle_delivery) else PAUSE_PAGE, said)


ROUTES = [
    PageRoute(PAUSE_PAGE, show, Gate.signed_in),
    PageRoute(PAUSE_PAGE, press, May.pause_sending, ("POST",)),
    PageRoute(f"{PAUSE_PAGE}/{{pause_id:int}}/lift", lift, May.pause_sending, ("POST",)),
]
