"""The left rail: the places a person may use, each with what waits for them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from starlette.requests import Request

from hub.i18n import _
from hub.rights import Actor
from web.request import identity, looking
from web.routes.table import BADGE_LIMIT, NavItem

# A badge may be this old: pages that refresh parts of themselves do not count again each time.
FRESH_SECONDS = 2.0
REMEMBERED = 1000


def allowed(request: Request, actor: Actor) -> list[NavItem]:
    """The places this person may use, in order."""
    known: Sequence[NavItem] = request.app.state.places
    return [item for item in known if item.shown_to(actor)]


async def places(request: Request) -> list[dict[str, Any]]:
    """The rail for the person who asks; empty before sign-in."""
    who = identity(request)
    if who is None or who.must_change_password:
        return []
    items = allowed(request, who.actor)
    badges = await _badges(request, who.actor, items)
    here = request.url.path
    active = max((item.href for item in items if _within(here, item.href)), key=len, default="")
    return [
        {
            "key": item.key, "label": _(item.label), "icon": item.icon, "href": item.href, "letter": item.letter,
            "active": item.href == active, "badge": badges.get(item.key, ""),
        }
        for item in items
    ]  # fmt: skip


def _within(path: str, href: str) -> bool:
    return path == href or path.startswith(href.rstrip("/") + "/")


async def _badges(request: Request, actor: Actor, items: Sequence[NavItem]) -> dict[str, str]:
    kept: dict[int | None, tuple[float, dict[str, str]]] = request.app.state.badges
    counted_at, badges = kept.get(actor.user_id, (0.0, {}))
    if time.monotonic() - counted_at < FRESH_SECONDS:
        return badges
    wanted = {item.key: item.badge(actor) for item in items if item.badge}
    badges = await _count(request, {key: query for key, query in wanted.items() if query is not None})
    if len(kept) >= REMEMBERED:
        kept.clear()
    kept[actor.user_id] = (time.monotonic(), badges)
    return badges


async def _count(request: Request, wanted: dict[str, ColumnElement[int]]) -> dict[str, str]:
    """One statement for all badges; zero shows nothing."""
    if not wanted:
        return {}
    async with looking(request) as unit:
        counts = (await unit.run(select(*wanted.values()))).one()
    return {
        key: f"{BADGE_LIMIT - 1}+" if n >= BADGE_LIMIT else str(n) for key, n in zip(wanted, counts, strict=True) if n
    }
