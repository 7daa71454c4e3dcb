"""What a route declares: where, what, and who may. Every room of ``web.routes`` exports ``ROUTES`` made of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from starlette.requests import Request
from starlette.responses import Response

from hub.rights import Actor, May

Endpoint = Callable[[Request], Awaitable[Response]]
BADGE_LIMIT = 100


class Gate(StrEnum):
    """Routes that need no particular right."""

    public = "public"
    signed_in = "signed_in"


class Door(StrEnum):
    """How a request says who it is. page: session cookie, CSRF token on writes, HTML answers; api: personal token
    (or a session with CSRF token), JSON answers; hook: a platform's signature, checked by the endpoint; citizen: nobody
    signs in, writes carry a signed ticket that the endpoint checks (cookies do not reach a page framed elsewhere)."""

    page = "page"
    api = "api"
    hook = "hook"
    citizen = "citizen"


@dataclass(frozen=True, slots=True)
class PageRoute:
    """One route. ``needs``: a gate, one right, or several of which one is enough.

    ``scope``: what a personal token must be allowed (api only). ``upload``: bodies up to ``max_body_mb``,
    or ``most_mb`` where that is more.
    """

    path: str
    endpoint: Endpoint
    needs: Gate | May | tuple[May, ...]
    methods: tuple[str, ...] = ("GET",)
    door: Door = Door.page
    scope: str = ""
    upload: bool = False
    most_mb: int = 0

    @property
    def keys(self) -> list[str]:
        """The names of this route in the rights matrix: ``GET /cases/{case_id}``."""
        return [f"{method} {self.path}" for method in self.methods]

    def admits(self, actor: Actor) -> bool:
        """Whether the person has one of the rights asked for."""
        return admits(self.needs, actor)


@dataclass(frozen=True, slots=True)
class NavItem:
    """One place of the left rail. ``label`` is marked with ``N_``; ``letter`` follows ``g`` on the keyboard.

    ``badge``: what waits for this person, as a scalar subquery (see :func:`waiting`), or None for those without.
    """

    key: str
    label: str
    icon: str
    href: str
    needs: Gate | May | tuple[May, ...]
    order: int
    letter: str = ""
    badge: Callable[[Actor], ColumnElement[int] | None] | None = None

    def shown_to(self, actor: Actor) -> bool:
        """Whether the person may go there."""
        return admits(self.needs, actor)


def admits(needs: Gate | May | tuple[May, ...], actor: Actor) -> bool:
    """Whether the person has one of the rights asked for; a gate asks for none."""
    if isinstance(needs, Gate):
        return True
    wanted = needs if isinstance(needs, tuple) else (needs,)
    return any(actor.can(right) for right in wanted)


def waiting(rows: Select[Any]) -> ColumnElement[int]:
    """How many rows, counted to :data:`BADGE_LIMIT` at most: a badge must cost the same on a bad day."""
    return select(func.count()).select_from(rows.limit(BADGE_LIMIT).subquery()).scalar_subquery()
