"""Granting access on a platform's own page: the page before going, the way back, setting out once more."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid, Refused
from hub.i18n import _
from hub.rights import May
from web.faults import SignInNeeded
from web.forms import read_form
from web.request import house, identity, me
from web.routes.accounts import account_page, new_page, without_secrets
from web.routes.table import PageRoute
from web.templating import redirect, render
from workflows.accounts import granting
from workflows.accounts.granting import Going, NotGranted


def _sign_in(request: Request) -> int:
    """The session the way there and back is bound to."""
    who = identity(request)
    if who is None or who.sign_in_id is None:
        raise SignInNeeded
    return who.sign_in_id


async def set_out(request: Request) -> Response:
    """A new account: what must be known before going is checked, the rest comes from the platform."""
    form = await read_form(request)
    platform = form.raw("platform")
    shown = without_secrets(platform, form)
    try:
        number = form.number("department_id", required=False) or None
        going = await granting.set_out(
            house(request), me(request), _sign_in(request), platform, form.values, department_id=number
        )
    except Invalid as error:
        return await new_page(request, platform, shown, error.problems, status=422)
    except Refused as error:
        return await new_page(request, platform, shown, {}, error.reasons, 409)
    return await _going(request, going)


async def set_out_again(request: Request) -> Response:
    """New access for an account there is."""
    number = request.path_params["account_id"]
    try:
        going = await granting.set_out_again(house(request), me(request), _sign_in(request), number)
    except Refused as error:
        return await account_page(request, {}, refused=error.reasons, status=409)
    return await _going(request, going)


async def retry(request: Request) -> Response:
    """Once more, with what was typed the first time."""
    number = request.path_params["grant_id"]
    return await _going(request, await granting.retry(house(request), me(request), _sign_in(request), number))


async def _going(request: Request, going: Going) -> Response:
    # A link, not a redirect: the policy of these pages lets no form end on another site.
    return await render(request, "accounts/going.html", {"going": going})


async def come_back(request: Request) -> Response:
    """The platform sends the person back: from another site, by GET, so only the state in the address is believed."""
    query = dict(request.query_params)
    try:
        account = await granting.come_back(house(request), me(request), _sign_in(request), query)
    except NotGranted as error:
        facts = {"reasons": error.reasons, "grant_id": error.grant_id, "account_id": error.account_id}
        return await render(request, "accounts/refused.html", facts, 409)
    # On to an address without the code.
    return redirect(request, f"/accounts/{account.id}", _("授权成功，「%(name)s」已连接。", name=account.name))


ROUTES = [
    PageRoute("/accounts/authorise", set_out, May.manage_accounts, ("POST",)),
    PageRoute("/accounts/authorise/{grant_id:int}", retry, May.manage_accounts, ("POST",)),
    PageRoute("/accounts/{account_id:int}/authorise", set_out_again, May.manage_accounts, ("POST",)),
    PageRoute(granting.BACK, come_back, May.manage_accounts),
]
