"""Signing in and out, and the language before that."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub import people
from hub.errors import Invalid
from hub.i18n import LANGUAGES, _
from hub.settings import Settings
from web.auth import COOKIE, LANGUAGE_COOKIE, Brake, drop_session, local_path, set_session
from web.forms import read_form
from web.request import address, house, identity, neighbourhood, writing
from web.routes.table import Gate, PageRoute
from web.templating import redirect, render

ONE_YEAR = 31_536_000


async def show(request: Request) -> Response:
    """The sign-in page; whoever is in already goes on."""
    if identity(request) is not None:
        return RedirectResponse(local_path(request.query_params.get("next", "/")), 303)
    return await _page(request, request.query_params.get("next", ""))


async def _page(request: Request, onward: str, username: str = "", problem: str = "", status: int = 200) -> Response:
    settings = house(request).ctx.settings
    facts = {"onward": onward, "username": username, "problem": problem, "demo_logins": demo_logins(settings)}
    return await render(request, "people/signin.html", facts, status)


def demo_logins(settings: Settings) -> dict[str, Any] | None:
    """Logins and password of the demonstration, written by its seeding; None outside demo mode."""
    note = settings.data / "demo-logins.json"
    if not settings.demo or not note.is_file():
        return None
    found: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
    return found


async def sign_in(request: Request) -> Response:
    """Check the password. A new token each time: one known before sign-in is worth nothing afterwards."""
    form = await read_form(request)
    username, password, onward = form.text("username", required=False), form.raw("password"), form.raw("next")
    brake: Brake = request.app.state.brake
    await brake.press(neighbourhood(request))
    ctx = house(request).ctx
    agent = request.headers.get("user-agent", "")
    done = await people.sign_in(ctx, username, password, address=address(request), agent=agent)
    if not done.token:
        return await _page(request, onward, username, done.problem, 422)
    await brake.forgive(neighbourhood(request))
    response = redirect(request, "/me/password" if done.must_change_password else local_path(onward))
    set_session(response, ctx.settings, done.token)
    return response


async def sign_out(request: Request) -> Response:
    """End this session. Safe to repeat."""
    who = identity(request)
    if who is not None and who.sign_in_id is not None:
        async with writing(request) as unit:
            await people.sign_out(unit, who.actor, who.sign_in_id)
    response = redirect(request, "/login", _("已退出登录。"))
    if COOKIE in request.cookies:
        drop_session(response, house(request).ctx.settings)
    return response


async def choose_language(request: Request) -> Response:
    """The language of a visitor, kept in a cookie."""
    form = await read_form(request)
    if (code := form.raw("language")) not in LANGUAGES:
        raise Invalid({"language": _("没有这种语言。")})
    response = redirect(request, local_path(form.raw("next"), "/login"))
    secure = house(request).ctx.settings.cookie_secure
    response.set_cookie(LANGUAGE_COOKIE, code, max_age=ONE_YEAR, httponly=True, samesite="lax", secure=secure)
    return response


ROUTES = [
    PageRoute("/login", show, Gate.public),
    PageRoute("/login", sign_in, Gate.public, ("POST",)),
    PageRoute("/logout", sign_out, Gate.public, ("POST",)),
    PageRoute("/language", choose_language, Gate.public, ("POST",)),
]
