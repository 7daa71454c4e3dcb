"""Every route × every role × (own department, another): what happens must be what ``matrix/*.toml`` says.

The table is written by hand, never from the code; a route without a row fails, and so does a row without a route.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hub.models import Role
from tests.web.conftest import Visit
from tests.web.world import PLACES, SIDES, World
from web.routes import all_routes
from web.routes.table import Door, PageRoute

FOLDER = Path(__file__).parent / "matrix"
ROLES = [role.value for role in Role]
KNOWN = {"all", "own", "anybody", "signed_in", "hidden", "form", "json", "query"}
_PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")


def _table() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for key, row in tomllib.loads(path.read_text(encoding="utf-8")).items():
            assert key not in rows, f"{path.name}: {key} stands in two files"
            assert set(row) <= KNOWN, f"{path.name}: {key} has {set(row) - KNOWN}"
            assert set(row.get("all", [])) | set(row.get("own", [])) <= set(ROLES), f"{path.name}: {key}: no such role"
            rows[key] = row
    return rows


TABLE = _table()
BY_KEY = {key: route for route in all_routes() for key in route.keys}


def test_every_route_has_a_row() -> None:
    missing = sorted(set(BY_KEY) - set(TABLE))
    assert not missing, f"add a row to tests/web/matrix/<room>.toml (docs/how-to/add-a-page.md): {missing}"


def test_every_row_has_a_route() -> None:
    assert not sorted(set(TABLE) - set(BY_KEY)), "rows without a route"


def expected(row: dict[str, Any], role: str, side: str) -> str:
    """allowed, denied (403) or hidden (404) for a person of ``side`` = own/other asking for an object of own."""
    if row.get("anybody") or row.get("signed_in") or role in row.get("all", []):
        return "hidden" if role in row.get("hidden", []) else "allowed"
    if role in row.get("own", []):
        return "allowed" if side == "own" else "hidden"
    return "hidden" if role in row.get("hidden", []) else "denied"


def seen(path: str, status: int, location: str) -> str:
    """What an answer means."""
    if status >= 500 and not (status == 503 and path == "/healthz"):  # no worker runs here: an honest answer
        return f"fault {status}"
    if status in {303, 302} and location.startswith("/login"):
        return "sign in"
    return {401: "sign in", 403: "denied", 404: "hidden"}.get(status, "allowed")


def address(route: PageRoute, world: World, row: dict[str, Any]) -> str:
    """The route's path with the object of the department ``own``."""
    places = {**PLACES, **world.places["own"]}
    path = _PLACE.sub(lambda found: str(places[found[1]]), route.path)
    return path + (f"?{row['query']}" if "query" in row else "")


@pytest.mark.parametrize("key", sorted(set(BY_KEY) & set(TABLE)))
async def test_rights(key: str, visit: Visit, world: World, own_copy: Any) -> None:
    route, row = BY_KEY[key], TABLE[key]
    if route.door is Door.hook or route.path == "/events":
        pytest.skip("no person asks, or the answer has no end: has tests of its own")
    wrong = []
    for role in ROLES:
        for side in SIDES if "{" in route.path or "own" in row else SIDES[:1]:  # no object, no side
            found = await _ask(key, visit, world, own_copy, role, side)
            if found != expected(row, role, side):
                wrong.append(f"{role} of {side} department: {found}, expected {expected(row, role, side)}")
    found = await _ask(key, visit, world, own_copy, None, "own")
    if found != ("allowed" if row.get("anybody") else "sign in"):
        wrong.append(f"nobody: {found}")
    assert not wrong, "\n".join([key, *wrong])


async def _ask(key: str, visit: Visit, world: World, own_copy: Any, role: str | None, side: str) -> str:
    """One question. A write that was let through is undone, so that the next one meets the same database."""
    method, route, row = key.split(" ")[0], BY_KEY[key], TABLE[key]
    sent: dict[str, Any] = {"json": row["json"]} if "json" in row else {}
    if method != "GET" and not sent:
        sent = {"data": row.get("form", {})}
    async with visit(role, side=side) as client:
        if role is None and method != "GET":
            client.cookies.set("hub_before", "visitor")
            client.headers["X-CSRF-Token"] = "visitor"
        answer = await client.request(method, address(route, world, row), **sent)
    found = seen(route.path, answer.status_code, answer.headers.get("location", ""))
    if method != "GET" and found not in {"denied", "hidden"}:
        await own_copy()
    return "allowed" if row.get("anybody") and found == "sign in" else found
