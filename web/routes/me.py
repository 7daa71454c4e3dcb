"""The person's own things: language and theme, password, sessions, tokens for the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid
from hub.i18n import LANGUAGES, _, aside
from hub.models import User
from hub.people import sessions, staff, tokens, words
from hub.rights import May
from web.auth import LANGUAGE_COOKIE, Brake, local_path
from web.forms import Form, read_form
from web.request import house, identity, looking, me, writing
from web.routes.signin import ONE_YEAR
from web.routes.table import Gate, PageRoute
from web.templating import redirect, render

DAYS = (30, 90, 180, 365)
# Mark in a User-Agent → name; the first that fits, because later ones also stand in others' texts.
BROWSERS = (
    ("Edg", "Edge"), ("QQBrowser", "QQ"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


async def show(request: Request) -> Response:
    """Who I am here, and where I am signed in."""
    actor, who = me(request), identity(request)
    async with looking(request) as unit:
        mine = await sessions.of_person(unit, actor.user_id or 0)
    facts = {
        "sessions": mine,
        "current": who.sign_in_id if who else None,
        "device": device,
        "roles": words.role_names(actor.roles),
        "chosen_language": actor.language,
        "language_options": list(LANGUAGES.items()),
    }
    return await render(request, "me/index.html", facts)


def device(agent: str) -> str:
    """Browser and system of a ``User-Agent``, as people know them."""
    known = (BROWSERS, SYSTEMS)
    found = [next((name for mark, name in kind if mark in agent), "") for kind in known]
    return " · ".join(part for part in found if part) or _("未知设备")


async def set_preferences(request: Request) -> Response:
    """Language or theme, from the menu of every page; for visitors the language alone, in a cookie."""
    form = await read_form(request)
    language = form.raw("language") if "language" in form.values else None
    theme = form.raw("theme") if "theme" in form.values else None
    async with writing(request) as unit:
        await staff.set_tastes(unit, me(request), language=language, theme=theme)
    response = redirect(request, local_path(form.raw("next"), "/me"))
    if language in LANGUAGES:
        secure = house(request).ctx.settings.cookie_secure
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=ONE_YEAR, httponly=True, samesite="lax", secure=secure)
    return response


async def show_password(request: Request) -> Response:
    """The form for a new password."""
    return await _password_page(request, {})


async def _password_page(request: Request, problems: dict[str, str], status: int = 200) -> Response:
    who = identity(request)
    facts = {"problems": problems, "forced": bool(who and who.must_change_password)}
    return await render(request, "me/password.html", facts, status)


async def set_password(request: Request) -> Response:
    """A new password; every other session of the person ends."""
    form, who, actor = await read_form(request), identity(request), me(request)
    if form.raw("password") != form.raw("again"):
        return await _password_page(request, {"again": _("两次输入的新密码不一样。")}, 422)
    async with looking(request) as unit:
        user = await unit.get(User, actor.user_id or 0)
    right = await _knows_old(request, user, form.raw("old"))
    try:
        async with writing(request) as unit:
            await staff.change_own_password(
                unit, actor, form.raw("password"), right=right, keep_session=(who.sign_in_id if who else 0) or 0
            )
    except Invalid as error:
        return await _password_page(request, error.problems, 422)
    return redirect(
        request, "/me" if not (who and who.must_change_password) else "/", _("密码已修改，其他设备上的登录已结束。")
    )


async def _knows_old(request: Request, user: User | None, old: str) -> bool:
    """Whether the present password is right. A session left open must not become a place to guess it."""
    brake: Brake = request.app.state.brake
    guesser = f"user/{me(request).user_id}"
    await brake.press(guesser)
    right = await sessions.matches(user, old)
    if right:
        await brake.forgive(guesser)
    return right


async def end_session(request: Request) -> Response:
    """End one of my sessions elsewhere."""
    async with writing(request) as unit:
        await sessions.end_one(unit, me(request), request.path_params["session_id"])
    return redirect(request, "/me", _("已结束该登录。"))


async def end_others(request: Request) -> Response:
    """End all my sessions but this one. Safe to repeat."""
    who = identity(request)
    async with writing(request) as unit:
        await sessions.revoke(unit, me(request).user_id or 0, but=who.sign_in_id if who else None)
    return redirect(request, "/me", _("其他设备上的登录都已结束。"))


async def show_tokens(request: Request) -> Response:
    """My tokens, and the form for a new one."""
    return await _tokens_page(request)


async def _tokens_page(
    request: Request,
    *,
    problems: dict[str, str] | None = None,
    form: Form | None = None,
    fresh: str = "",
    for_calendar: bool = False,
    status: int = 200,
) -> Response:
    async with looking(request) as unit:
        mine = await tokens.of_person(unit, me(request).user_id or 0)
    facts = {
        "tokens": mine,
        "scopes": [(one, _(tokens.SCOPES[one]) + aside(one)) for one in tokens.scopes_for(me(request))],
        "chosen": form.many("scopes") if form else request.query_params.getlist("scope"),
        "calendar_url": f"{house(request).ctx.settings.address}/feeds/calendar.ics?t={fresh}" if for_calendar else "",
        "days": [(str(n), _("%(n)s 天", n=n)) for n in DAYS],
        "values": form.values if form else {},
        "problems": problems or {},
        "fresh": fresh,
    }
    return await render(request, "me/tokens.html", facts, status)


async def issue_token(request: Request) -> Response:
    """A new token, shown on this page and never again."""
    form = await read_form(request)
    days = form.number("days")
    try:
        form.check()
        async with writing(request) as unit:
            _row, text = await tokens.issue(unit, me(request), form.raw("name"), form.many("scopes"), days)
    except Invalid as error:
        return await _tokens_page(request, problems=error.problems, form=form, status=422)
    return await _tokens_page(request, fresh=text, for_calendar=form.many("scopes") == [tokens.CALENDAR])


async def revoke_token(request: Request) -> Response:
    """End one of my tokens."""
    async with writing(request) as unit:
        await tokens.revoke(unit, me(request), request.path_params["token_id"])
    return redirect(request, "/me/tokens", _("令牌已作废。"))


ROUTES = [
    PageRoute("/me", show, Gate.signed_in),
    PageRoute("/me/preferences", set_preferences, Gate.signed_in, ("POST",)),
    PageRoute("/me/password", show_password, Gate.signed_in),
    PageRoute("/me/password", set_password, Gate.signed_in, ("POST",)),
    PageRoute("/me/sessions/{session_id:int}/end", end_session, Gate.signed_in, ("POST",)),
    PageRoute("/me/sessions/end-others", end_others, Gate.signed_in, ("POST",)),
    PageRoute("/me/tokens", show_tokens, May.use_api),
    PageRoute("/me/tokens", issue_token, May.use_api, ("POST",)),
    PageRoute("/me/tokens/{token_id:int}/revoke", revoke_token, May.use_api, ("POST",)),
]
