"""The first page: where each kind of person begins their day."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.models import Role
from hub.rights import Actor
from web.nav import allowed
from web.request import me
from web.routes.table import Gate, NavItem, PageRoute

# Role → keys of the places they want first; the first one they may use wins.
FIRST = {
    Role.leader: ("opinion",),
    Role.dispatcher: ("desk", "messages"),
    Role.handler: ("cases",),
    Role.head: ("cases",),
    Role.press_officer: ("calendar", "messages"),
    Role.reviewer1: ("posts",),
    Role.reviewer2: ("posts", "reviews"),
    Role.reviewer3: ("posts", "reviews"),
    Role.auditor: ("admin",),
    Role.administrator: ("admin",),
}


async def home(request: Request) -> Response:
    """Send the person to their first place."""
    actor = me(request)
    return RedirectResponse(first_place(actor, allowed(request, actor)), 303)


def first_place(actor: Actor, items: list[NavItem]) -> str:
    """The address of the place this person begins at; their own settings when there is none."""
    hrefs = {item.key: item.href for item in items}
    wanted = [key for role in Role if role in actor.roles for key in FIRST[role]]
    return next((hrefs[key] for key in [*wanted, *hrefs] if key in hrefs), "/me")


ROUTES = [PageRoute("/", home, Gate.signed_in)]
