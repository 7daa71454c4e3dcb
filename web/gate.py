"""The one way to an endpoint: who is it, may they, is the write genuine, can it be read."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.errors import Invalid, NotAllowed, NotFound
from hub.i18n import _
from hub.people import Identity
from web import csrf, flashes
from web.faults import PasswordChangeNeeded, SignInNeeded, TokenNeeded
from web.request import FORMS, fields, identity, is_fragment
from web.routes.table import Door, Endpoint, Gate, PageRoute

# Where a person with an initial password may still go.
BEFORE_OWN_PASSWORD = ("/me/password", "/logout", "/me/preferences", "/language")

# Ids are 64 bits wide; a larger number names nothing, and databases refuse to compare with it.
LARGEST_ID = 2**63 - 1


def as_route(route: PageRoute) -> Route:
    """The route as Starlette serves it, behind the gate."""
    return Route(route.path, _guarded(route), methods=list(route.methods))


def _guarded(route: PageRoute) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            await admit(request, route)
            if _is_page(request, route):
                request.state.live_at = await request.app.state.feed.mark(exact=flashes.COOKIE in request.cookies)
            return await route.endpoint(request)
        finally:
            await request.close()  # files that came with a form

    return endpoint


def _is_page(request: Request, route: PageRoute) -> bool:
    """Whether a whole page may come of it, which then listens for what changes after it was read."""
    return route.door is Door.page and route.needs is not Gate.public and not is_fragment(request)


async def admit(request: Request, route: PageRoute) -> None:
    """Raise the error that says why not, or return."""
    if any(isinstance(value, int) and value > LARGEST_ID for value in request.path_params.values()):
        raise NotFound(_("没有这个页面，或者您无权查看。"))
    if route.door is Door.hook:
        return
    who = identity(request)
    if route.needs is not Gate.public:
        _require(who, route)
    if route.door is not Door.citizen and (who is None or who.scopes is None):
        await csrf.check(request)
    if request.method not in csrf.SAFE:
        await _refuse_unstorable(request)


def _require(who: Identity | None, route: PageRoute) -> None:
    if who is None or (who.scopes is not None and route.door is not Door.api):
        raise TokenNeeded if route.door is Door.api else SignInNeeded
    if who.must_change_password and route.path not in BEFORE_OWN_PASSWORD:
        raise PasswordChangeNeeded
    if not route.admits(who.actor):
        raise NotAllowed(_("你没有这项权限。需要时请联系管理员。"))
    if who.scopes is not None and route.scope and route.scope not in who.scopes:
        raise NotAllowed(_("这个令牌的范围不包含此操作，需要：%(scope)s", scope=route.scope))


async def _refuse_unstorable(request: Request) -> None:
    """No database keeps a NUL or half a character in text: say so before anything is tried."""
    if not request.headers.get("content-type", "").lower().startswith(FORMS):
        return
    form = await fields(request)
    bad = {
        name: _("内容里有不能保存的控制字符，请删除后再提交。")
        for name, value in form.multi_items()
        if not _storable(value if isinstance(value, str) else value.filename or "")
    }
    if bad:
        raise Invalid(bad)


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
