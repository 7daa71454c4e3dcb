"""A short word that survives one redirect, in a cookie of the person's own browser; shown once, always escaped."""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from web.request import house

COOKIE = "hub_said"
LONGEST = 300


def put(request: Request, response: Response, text: str, kind: str = "", undo: str = "") -> None:
    """Have ``text`` shown on the next page."""
    said = {"text": text[:LONGEST], "kind": kind, "undo_url": undo}
    value = base64.urlsafe_b64encode(json.dumps([said]).encode()).decode()
    secure = house(request).ctx.settings.cookie_secure
    response.set_cookie(COOKIE, value, max_age=60, httponly=True, samesite="lax", secure=secure)


def shown(request: Request) -> list[dict[str, str]]:
    """What is to be shown now; a cookie that cannot be read shows nothing."""
    try:
        read: Any = json.loads(base64.urlsafe_b64decode(request.cookies.get(COOKIE, "")))
        return [{name: str(item.get(name, ""))[:LONGEST] for name in ("text", "kind", "undo_url")} for item in read[:3]]
    except (ValueError, TypeError, AttributeError, KeyError):
        return []


def clear(request: Request, response: Response) -> None:
    """Shown once."""
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE)
