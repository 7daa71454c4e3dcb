"""Official accounts: what is connected and how it is doing, connecting, checking, switching off, disconnecting."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.errors import Invalid, Refused
from hub.i18n import N_, _, said
from hub.people import departments
from hub.rights import May
from web import statuswords
from web.forms import Form, read_form
from web.request import house, looking, me, writing
from web.routes.people import options
from web.routes.table import NavItem, PageRoute
from web.templating import redirect, render
from workflows import accounts


async def index(request: Request) -> Response:
    """All accounts, with the last read of each."""
    async with looking(request) as unit:
        found = await accounts.overviews(house(request), unit)
    facts = {"overviews": found, "stream_words": statuswords.stream_words, "platforms": accounts.forms()}
    return await render(request, "accounts/index.html", facts)


async def show(request: Request) -> Response:
    """One account: streams, abilities, push address, credentials."""
    return await _page(request, {})


async def _page(
    request: Request,
    problems: dict[str, str],
    *,
    form: Form | None = None,
    refused: list[str] | None = None,
    status: int = 200,
) -> Response:
    number, found = request.path_params["account_id"], house(request)
    async with looking(request) as unit:
        one = await accounts.overview(found, unit, number)
        unsettled = await accounts.has_unsettled(unit, number)
    platform = next((form for form in accounts.forms() if form.platform == one.account.platform), None)
    values = accounts.shown_fields(platform, one.account) if platform else {}
    facts = {
        "one": one,
        "account": one.account,
        "platform": platform,
        "values": values | ({k: v for k, v in form.values.items() if k in values} if form else {}),
        "abilities": accounts.abilities(found, one.account),
        "push_url": found.ctx.settings.address + accounts.push_path(found.ctx.settings, number),
        "reasons_to_stay": accounts.reasons_to_stay(unsettled),
        "stream_words": statuswords.stream_words,
        "problems": problems,
        "refused": refused or [],
        "now": clock.now(),
    }
    return await render(request, "accounts/account.html", facts, status)


async def show_new(request: Request) -> Response:
    """Choose a platform, then fill in its form."""
    return await _new(request, request.query_params.get("platform", ""), {}, {})


async def _new(
    request: Request, platform: str, values: dict[str, str], problems: dict[str, str],
    refused: list[str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    async with looking(request) as unit:
        tree = await departments.tree(unit)
    facts = {
        "platforms": accounts.forms(),
        "platform": accounts.form_of(platform) if platform else None,
        "departments": options(tree),
        "values": values,
        "problems": problems,
        "refused": refused or [],
    }
    return await render(request, "accounts/new.html", facts, status)


async def connect(request: Request) -> Response:
    """Ask the platform, and keep the account when it says yes. Typed secrets are never sent back to the page."""
    form = await read_form(request)
    platform = form.raw("platform")
    shown = _without_secrets(platform, form)
    try:
        number = form.number("department_id", required=False) or None
        account, health = await accounts.connect(
            house(request), me(request), platform, form.values, department_id=number
        )
    except Invalid as error:
        return await _new(request, platform, shown, error.problems, status=422)
    except Refused as error:
        return await _new(request, platform, shown, {}, error.reasons, 409)
    name = health.account_name or account.name
    return redirect(request, f"/accounts/{account.id}", _("已接入，平台上的名称是「%(name)s」。", name=name))


def _without_secrets(platform: str, form: Form) -> dict[str, str]:
    secret = {field.name for field in accounts.form_of(platform).fields if field.secret}
    return {name: value for name, value in form.values.items() if name not in secret}


async def renew(request: Request) -> Response:
    """New credentials or settings; empty secrets keep what is there."""
    form, number = await read_form(request), request.path_params["account_id"]
    try:
        await accounts.renew(house(request), me(request), number, form.values)
    except Invalid as error:
        return await _page(request, error.problems, form=form, status=422)
    except Refused as error:
        return await _page(request, {}, form=form, refused=error.reasons, status=409)
    return redirect(request, f"/accounts/{number}", _("已更新，平台认可这些凭据。"))


async def check(request: Request) -> Response:
    """Ask the platform now."""
    number = request.path_params["account_id"]
    try:
        health = await accounts.check(house(request), me(request), number)
    except Refused as error:
        refused = _("没有连上：%(why)s", why=" ".join(said(reason) for reason in error.reasons))
        return redirect(request, f"/accounts/{number}", refused, kind="error")
    return redirect(
        request, f"/accounts/{number}", _("连接正常，平台上的名称是「%(name)s」。", name=health.account_name)
    )


async def set_active(request: Request) -> Response:
    """Begin or stop reading."""
    form, number = await read_form(request), request.path_params["account_id"]
    active = form.raw("active") == "1"
    async with writing(request) as unit:
        await accounts.set_active(unit, me(request), number, active)
    return redirect(request, f"/accounts/{number}", _("已启用，马上开始读取。") if active else _("已停用，不再读取。"))


async def read_now(request: Request) -> Response:
    """Have every stream read at once."""
    number = request.path_params["account_id"]
    async with writing(request) as unit:
        await accounts.read_now(unit, me(request), number)
    return redirect(request, f"/accounts/{number}", _("已安排马上读取。"))


async def disconnect(request: Request) -> Response:
    """Destroy the secrets."""
    form, number = await read_form(request), request.path_params["account_id"]
    try:
        async with writing(request) as unit:
            await accounts.disconnect(unit, me(request), number, reason=form.text("reason", required=False))
    except Invalid as error:
        return await _page(request, error.problems, form=form, status=422)
    return redirect(request, f"/accounts/{number}", _("已断开，凭据已销毁。"))


ACCOUNT = "/accounts/{account_id:int}"
ROUTES = [
    PageRoute("/accounts", index, May.manage_accounts),
    PageRoute("/accounts", connect, May.manage_accounts, ("POST",)),
    PageRoute("/accounts/new", show_new, May.manage_accounts),
    PageRoute(ACCOUNT, show, May.manage_accounts),
    PageRoute(ACCOUNT, renew, May.manage_accounts, ("POST",)),
    PageRoute(f"{ACCOUNT}/check", check, May.manage_accounts, ("POST",)),
    PageRoute(f"{ACCOUNT}/active", set_active, May.manage_accounts, ("POST",)),
    PageRoute(f"{ACCOUNT}/read", read_now, May.manage_accounts, ("POST",)),
    PageRoute(f"{ACCOUNT}/disconnect", disconnect, May.manage_accounts, ("POST",)),
]
NAV = [NavItem("accounts", N_("账号"), "at", "/accounts", May.manage_accounts, order=80, letter="a")]
