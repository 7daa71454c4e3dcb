"""All routes and places of the left rail, collected from the rooms of this folder.

A room is a module here that exports ``ROUTES: list[PageRoute]`` and, when it has a place in the rail,
``NAV: list[NavItem]``.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from web.routes.table import NavItem, PageRoute

NOT_ROOMS = {"table"}


@cache
def rooms() -> tuple[str, ...]:
    """Module names of all rooms, in a stable order; web.api is one too when it is there."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in NOT_ROOMS))


@cache
def all_routes() -> tuple[PageRoute, ...]:
    """Every route of every room. Plain paths stand before those with places in them, so that none is hidden."""
    found = [route for room in rooms() for route in _exported(room, "ROUTES")]
    return tuple(sorted(found, key=lambda route: route.path.count("{")))


@cache
def all_places() -> tuple[NavItem, ...]:
    """Every place of the rail, in order."""
    return tuple(sorted((item for room in rooms() for item in _exported(room, "NAV")), key=lambda item: item.order))


def _exported(room: str, name: str) -> list:  # type: ignore[type-arg]
    return list(getattr(importlib.import_module(f"web.routes.{room}"), name, []))
