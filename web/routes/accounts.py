"""Official accounts: what is connected and how it is doing, connecting, checking, switching off, disconnecting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlmodel import col, select
from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.errors import Invalid, Refused
from hub.i18n import N_, _, said
from hub.models import Account
from hub.people import departments
from hub.rights import Actor, May
from web import accountwords, statuswords
from web.forms import Form, read_form, whole
from web.request import house, looking, me, writing
from web.routes.people import options
from web.routes.table import NavItem, PageRoute, waiting
from web.templating import part_of, redirect, render
from workflows import accounts, circuits
from workflows.accounts import Filters, Health, Listing
from workflows.accounts.detail import (
    budgets,
    can_go_to_page,
    can_push,
    is_pushed_to,
    kept_secrets,
    letter_path,
    unopened,
)
from workflows.accounts.granting import back_address
from workflows.delivery import byhand

# The healths a person must see to, together: what the warning at the head of pages leads to.
NEEDS = "needs"
LONGEST_SEARCH = 100


async def index(request: Request) -> Response:
    """The accounts by name, page by page, with how each is doing."""
    query = request.query_params
    filters = Filters(
        text=query.get("q", "").strip()[:LONGEST_SEARCH],
        platform=query.get("platform", "")[:32],
        health=_health(query.get("health", "")),
        department_id=whole(query.get("department", "")),
        needs_person=query.get("health") == NEEDS,
    )
    async with looking(request) as unit:
        found = await accounts.page(house(request), unit, filters, query.get("after", "")[:LONGEST_SEARCH])
        tree = await departments.tree(unit)
    labels = {form.platform: said(form.label) for form in accounts.forms()}
    facts = {
        "listing": found, "filters": filters, "tabs": _tabs(found, filters), "words": accountwords,
        "stream_words": statuswords.stream_words, "departments": options(tree),
        "platforms": [(name, labels.get(name, name)) for name in found.platforms],
        "older": _address(filters, after=found.after) if found.after else "",
        "is_later": bool(query.get("after")),
    }  # fmt: skip
    return await render(request, "accounts/index.html", facts, part=part_of(request, "rows"))


def _health(value: str) -> Health | None:
    return Health(value) if value in Health.__members__ else None


def _address(filters: Filters, **more: str) -> str:
    kept = {
        "q": filters.text, "platform": filters.platform, "department": str(filters.department_id or ""),
        "health": NEEDS if filters.needs_person else filters.health.value if filters.health else "",
    } | more  # fmt: skip
    return "/accounts?" + urlencode({name: value for name, value in kept.items() if value})


def _tabs(found: Listing, filters: Filters) -> list[dict[str, Any]]:
    """All, those that need a person, and each health that occurs, with their numbers."""
    needing = found.needing
    tabs = [
        {"text": _("全部"), "href": _address(filters, health=""), "count": found.total,
         "current": filters.health is None and not filters.needs_person},
        {"text": _("要处理"), "href": _address(filters, health=NEEDS), "count": needing,
         "current": filters.needs_person},
    ]  # fmt: skip
    return tabs + [
        {"text": accountwords.health_words(health), "href": _address(filters, health=health.value),
         "count": found.counts[health], "current": filters.health is health}
        for health in Health if found.counts.get(health) or filters.health is health
        if health in found.counts
    ]  # fmt: skip


async def show(request: Request) -> Response:
    """One account: access, budgets, streams, abilities, push address, credentials."""
    return await account_page(request, {})


async def account_page(
    request: Request,
    problems: dict[str, str],
    *,
    form: Form | None = None,
    refused: list[str] | None = None,
    status: int = 200,
) -> Response:
    """The page of one account, with what was wrong in what was typed."""
    number, found = request.path_params["account_id"], house(request)
    async with looking(request) as unit:
        one = await accounts.overview(found, unit, number)
        unsettled = await accounts.has_unsettled(unit, number)
        losing = await accounts.losing(found, unit, one.account)
        lefts = await budgets(found, unit, one.account)
        people = await byhand.sign_ins(unit)
    platform = next((form for form in accounts.forms() if form.platform == one.account.platform), None)
    values = accounts.shown_fields(platform, one.account) if platform else {}
    by_page, now, address = can_go_to_page(platform), clock.now(), found.ctx.settings.address
    facts = {
        "one": one,
        "account": one.account,
        "platform": platform,
        "by_page": by_page,
        "back_url": back_address(found),
        "values": values | ({k: v for k, v in form.values.items() if k in values} if form else {}),
        "abilities": accounts.abilities(found, one.account),
        "access": accountwords.access(one.account, by_page, now),
        "circuit": accountwords.circuit(one.account, by_page),
        "budgets": accountwords.budgets(lefts),
        "words": accountwords,
        "kept": kept_secrets(found, one.account),
        "unopened": unopened(found, one.account),
        "people": people,
        "is_pushed_to": is_pushed_to(found, one.account),
        "push_url": address + accounts.push_path(found.ctx.settings, number) if can_push(found, one.account) else "",
        "letter_url": address + letters if (letters := letter_path(found, one.account)) else "",
        "losing": accountwords.losing(losing) if one.is_connected else "",
        "reasons_to_stay": accounts.reasons_to_stay(unsettled),
        "stream_words": statuswords.stream_words,
        "problems": problems,
        "refused": refused or [],
        "now": now,
    }
    return await render(request, "accounts/account.html", facts, status, part=part_of(request, "state"))


async def show_new(request: Request) -> Response:
    """Choose a platform, then fill in its form."""
    return await new_page(request, request.query_params.get("platform", ""), {}, {})


async def new_page(
    request: Request, platform: str, values: Mapping[str, str], problems: dict[str, str],
    refused: list[str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    """The form of a new account, with what was wrong in what was typed."""
    async with looking(request) as unit:
        tree = await departments.tree(unit)
        people = await byhand.sign_ins(unit)
    form = accounts.form_of(platform) if platform else None
    facts = {
        "platforms": accounts.forms(),
        "platform": form,
        "by_page": can_go_to_page(form),
        "back_url": back_address(house(request)),
        "departments": options(tree),
        "people": people,
        "values": values,
        "problems": problems,
        "refused": refused or [],
    }
    return await render(request, "accounts/new.html", facts, status)


async def connect(request: Request) -> Response:
    """Ask the platform, and keep the account when it says yes. Typed secrets are never sent back to the page."""
    form = await read_form(request)
    platform = form.raw("platform")
    shown = without_secrets(platform, form)
    try:
        number = form.number("department_id", required=False) or None
        account, health = await accounts.connect(
            house(request), me(request), platform, form.values, department_id=number
        )
    except Invalid as error:
        return await new_page(request, platform, shown, error.problems, status=422)
    except Refused as error:
        return await new_page(request, platform, shown, {}, error.reasons, 409)
    name = health.account_name or account.name
    return redirect(request, f"/accounts/{account.id}", _("已接入，平台上的名称是「%(name)s」。", name=name))


def without_secrets(platform: str, form: Form) -> dict[str, str]:
    """What was typed and may be shown again."""
    secret = {field.name for field in accounts.form_of(platform).fields if field.secret}
    return {name: value for name, value in form.values.items() if name not in secret}


async def renew(request: Request) -> Response:
    """New credentials or settings; empty secrets keep what is there."""
    form, number = await read_form(request), request.path_params["account_id"]
    try:
        await accounts.renew(house(request), me(request), number, form.values)
    except Invalid as error:
        return await account_page(request, error.problems, form=form, status=422)
    except Refused as error:
        return await account_page(request, {}, form=form, refused=error.reasons, status=409)
    return redirect(request, f"/accounts/{number}", _("已更新，平台认可这些凭据。"))


async def check(request: Request) -> Response:
    """Ask the platform now."""
    number = request.path_params["account_id"]
    try:
        health = await accounts.check(house(request), me(request), number)
    except Refused as error:
        refused = _("没有连上：%(why)s", why=" ".join(said(reason) for reason in error.reasons))
        return redirect(request, f"/accounts/{number}", refused, kind="error")
    told = _("连接正常，平台上的名称是「%(name)s」。", name=health.account_name)
    return redirect(request, f"/accounts/{number}", told + said(health.note))


async def set_active(request: Request) -> Response:
    """Begin or stop reading."""
    form, number = await read_form(request), request.path_params["account_id"]
    active = form.raw("active") == "1"
    async with writing(request) as unit:
        await accounts.set_active(unit, me(request), number, active)
    told = _("已启用，马上开始读取。") if active else _("已停用：不再读取和发布，已收到的照常答复。")
    return redirect(request, f"/accounts/{number}", told)


async def read_now(request: Request) -> Response:
    """Have every stream read at once."""
    number = request.path_params["account_id"]
    async with writing(request) as unit:
        await accounts.read_now(unit, me(request), number)
    return redirect(request, f"/accounts/{number}", _("已安排马上读取。"))


async def close_circuit(request: Request) -> Response:
    """A person says it is mended: go on at once."""
    number = request.path_params["account_id"]
    async with writing(request) as unit:
        await circuits.close(unit, me(request), number)
    return redirect(request, f"/accounts/{number}", _("已恢复，马上接着收取和发送；仍有问题会再次停下。"))


async def set_budgets(request: Request) -> Response:
    """The office's own numbers for each window."""
    form, number = await read_form(request), request.path_params["account_id"]
    names = form.many("window")
    given = {name: (_optional(form, f"most:{name}"), _optional(form, f"share:{name}")) for name in names[:20]}
    try:
        form.check()
        async with writing(request) as unit:
            await accounts.set_budgets(unit, me(request), number, given)
    except Invalid as error:
        return await account_page(request, {"budgets": next(iter(error.problems.values()))}, form=form, status=422)
    return redirect(request, f"/accounts/{number}#budgets", _("已保存，马上按新的次数计算。"))


def _optional(form: Form, name: str) -> int | None:
    return form.number(name, required=False) if form.text(name, required=False) else None


async def disconnect(request: Request) -> Response:
    """Destroy the secrets."""
    form, number = await read_form(request), request.path_params["account_id"]
    try:
        async with writing(request) as unit:
            await accounts.disconnect(unit, me(request), number, reason=form.text("reason", required=False))
    except Invalid as error:
        return await account_page(request, error.problems, form=form, status=422)
    return redirect(request, f"/accounts/{number}", _("已断开，凭据已销毁。"))


def _needing(actor: Actor) -> Any:
    """The accounts that need a person, as the rail's badge."""
    return waiting(select(col(Account.id)).where(accounts.needs_person(clock.now())))


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
    PageRoute(f"{ACCOUNT}/mended", close_circuit, May.manage_accounts, ("POST",)),
    PageRoute(f"{ACCOUNT}/budgets", set_budgets, May.manage_accounts, ("POST",)),
    PageRoute(f"{ACCOUNT}/disconnect", disconnect, May.manage_accounts, ("POST",)),
]
NAV = [NavItem("accounts", N_("账号"), "at", "/accounts", May.manage_accounts, order=80, letter="a", badge=_needing)]
