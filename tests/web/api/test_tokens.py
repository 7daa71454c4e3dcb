"""Who may ask: tokens, scopes, rights, sessions, and how fast."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from hub import clock
from hub.db import Context, unit_of_work
from hub.errors import Invalid
from hub.models import Role
from hub.people import load_actor, tokens
from hub.rights import Actor, May, rights_of
from tests.web.api.conftest import Issue, Program
from tests.web.conftest import Visit
from tests.web.world import PLACES, World
from web.api.collection import OPERATIONS
from web.api.doorway import as_page_route
from web.api.operation import BASE, Operation
from web.api.pace import BURST, PER_SECOND, Pace
from web.faults import TooMany

URN = "urn:zhengsheng:problem:"


async def test_me(program: Program, world: World) -> None:
    async with program("handler", "cases:read") as client:
        found = (await client.get("/me")).json()
    assert found["id"] == world.sessions["handler", "own"].user_id
    assert found["username"] == "handler.own"
    assert found["roles"] == ["handler"]
    assert found["scopes"] == ["cases:read"]
    assert "sign" in found["rights"]


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Bearer 错", "Basic aGE6aGE=", "Bearer hub_"])
async def test_without_a_token_that_holds(client: httpx.AsyncClient, header: str) -> None:
    headers = {"Authorization": header.encode()} if header else {}
    answer = await client.get("/api/v1/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == URN + "token-needed"
    assert "令牌" in answer.json()["detail"]


async def test_revoked_expired_and_gone(program: Program, issue: Issue, ctx: Context, world: World) -> None:
    token = await issue("handler", days=2)
    async with program(token=token) as client:
        assert (await client.get("/me")).status_code == 200
        with clock.frozen(clock.now() + timedelta(days=2, seconds=1)):
            assert (await client.get("/me")).status_code == 401
        async with unit_of_work(ctx) as unit:
            actor = await load_actor(unit, world.sessions["handler", "own"].user_id)
            assert actor is not None
            (mine,) = await tokens.of_person(unit, actor.user_id or 0)
            await tokens.revoke(unit, actor, mine.id or 0)
        assert (await client.get("/me")).status_code == 401


@pytest.mark.parametrize("op", [op for op in OPERATIONS if op.scope], ids=lambda op: op.name)
async def test_every_operation_asks_for_its_scope(program: Program, op: Operation, world: World) -> None:
    """A person with the right but without the scope is told which one."""
    role = next(role for role in ("press_officer", "head", "dispatcher", "reviewer3") if _may(op, role))
    others = [scope for scope in tokens.scopes_for(_somebody(role)) if scope not in (op.scope, tokens.CALENDAR)]
    path = op.plain_path.removeprefix(BASE).format_map({**PLACES, **world.places["own"]})
    async with program(role, *others) as client:
        answer = await client.request(op.method, path)
    assert answer.status_code == 403
    assert op.scope in answer.json()["detail"]
    async with program(role, op.scope) as client:
        assert (await client.request(op.method, path)).status_code not in {401, 403}


def _may(op: Operation, role: str) -> bool:
    return as_page_route(op).admits(_somebody(role))


def _somebody(role: str) -> Actor:
    return Actor(1, "", may=rights_of([Role(role)]))


@pytest.mark.parametrize("role", Role)
def test_a_scope_is_offered_where_it_opens_something(role: Role) -> None:
    """For each role exactly the scopes of operations that admit it, and the calendar's for who sees posts; who only
    reads gets scopes that only read."""
    opens = {op.scope for op in OPERATIONS if op.scope and _may(op, role.value)}
    opens |= {tokens.CALENDAR} if _somebody(role.value).can(May.read_posts) else set()
    assert set(tokens.scopes_for(_somebody(role.value))) == opens
    if role in (Role.leader, Role.auditor):
        assert "reports:read" in opens
        assert all(scope.endswith(":read") for scope in opens)


async def test_leaders_read_reports_by_token_and_nothing_is_written(program: Program, issue: Issue) -> None:
    async with program("leader", "reports:read") as client:
        assert (await client.get("/reports/leaders")).status_code == 200
        assert (await client.get("/cases")).status_code == 403
    with pytest.raises(Invalid) as refused:
        await issue("leader", "reports:read", "cases:write")
    assert "cases:write" in refused.value.problems["scopes"]


async def test_rights_are_the_persons(program: Program, world: World) -> None:
    number = world.places["own"]["number"]
    async with program("handler", side="other") as client:
        answer = await client.get(f"/cases/{number}")
        assert answer.status_code == 404
        assert answer.json()["type"] == URN + "not-found"
        assert [one["number"] for one in (await client.get("/cases")).json()["items"]] == ["20260105-000002"]
    async with program("administrator") as client:
        answer = await client.get("/cases")
        assert answer.status_code == 403
        assert answer.json()["type"] == URN + "not-allowed"


async def test_a_token_opens_no_page(program: Program) -> None:
    async with program("administrator") as client:
        answer = await client.get("http://hub.test/admin/people")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")


async def test_a_browser_needs_its_csrf_token(visit: Visit, world: World) -> None:
    path = f"/api/v1/cases/{world.places['own']['number']}/notes"
    async with visit("dispatcher", csrf=False) as client:
        assert (await client.get("/api/v1/me")).json()["scopes"] is None
        answer = await client.post(path, json={"note": "已联系"})
        assert answer.status_code == 403
        assert answer.json()["type"] == URN + "forged"
    async with visit("dispatcher") as client:
        assert (await client.post(path, json={"note": "已联系"})).status_code == 201


async def test_pace(program: Program) -> None:
    with clock.frozen(clock.now()) as move:
        async with program("handler", "cases:read") as client, program("head", "cases:read") as other:
            for _ in range(BURST):
                assert (await client.get("/me")).status_code == 200
            answer = await client.get("/me")
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["type"] == URN + "too-many"
            assert (await other.get("/me")).status_code == 200, "another token has a pace of its own"
            move(clock.now() + timedelta(seconds=1))
            for _ in range(int(PER_SECOND)):
                assert (await client.get("/me")).status_code == 200
            assert (await client.get("/me")).status_code == 429


def test_pace_remembers_a_bounded_number_of_tokens() -> None:
    pace = Pace(burst=1, per_second=1, tokens=3)
    for n in range(50):
        pace.take(str(n))
    assert len(pace._buckets) == 3
    with pytest.raises(TooMany):
        pace.take("49")


async def test_errors_speak_the_readers_language(client: httpx.AsyncClient, app: Starlette) -> None:
    answer = await client.get("/api/v1/me", headers={"Accept-Language": "zh-TW"})
    assert answer.json()["title"] == "請先登錄"
    assert answer.headers["content-language"] == "zh-TW"
    assert "Accept-Language" in answer.headers["vary"]
    assert (await client.get("/api/v1/me", headers={"Accept-Language": "en"})).headers["content-language"] == "en"
