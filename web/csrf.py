"""Writes carry a token that another site cannot know: the session's, or before sign-in the one of a cookie."""

from __future__ import annotations

import hmac

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from hub import crypto
from web.faults import Forged
from web.request import FORMS, fields, house, identity

FIELD, HEADER, COOKIE = "csrf", "x-csrf-token", "hub_before"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def token(request: HTTPConnection) -> str:
    """The token that forms of this person carry. Before sign-in: the visitor's, made when there is none."""
    found = identity(request)
    if found is not None:
        return found.csrf
    if not hasattr(request.state, "visitor_token"):
        request.state.visitor_token = request.cookies.get(COOKIE, "")[:64] or crypto.new_token()
    kept: str = request.state.visitor_token
    return kept


def keep(request: HTTPConnection, response: Response) -> None:
    """Give the visitor's token back as a cookie, where one was shown."""
    shown = getattr(request.state, "visitor_token", "")
    if shown and request.cookies.get(COOKIE) != shown:
        secure = house(request).ctx.settings.cookie_secure
        response.set_cookie(COOKIE, shown, max_age=86400, httponly=True, samesite="lax", secure=secure)


async def check(request: Request) -> None:
    """Raise :class:`Forged` unless a write carries the token in its header or form."""
    if request.method in SAFE:
        return
    found = identity(request)
    expected = found.csrf if found else request.cookies.get(COOKIE, "")
    if request.headers.get("sec-fetch-site") == "cross-site" or not expected:
        raise Forged
    if not hmac.compare_digest((await _sent(request)).encode(), expected.encode()):
        raise Forged


async def _sent(request: Request) -> str:
    if header := request.headers.get(HEADER):
        return header
    if not request.headers.get("content-type", "").lower().startswith(FORMS):
        return ""
    value = (await fields(request)).get(FIELD, "")
    return value if isinstance(value, str) else ""
