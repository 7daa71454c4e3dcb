"""``Idempotency-Key``: the same request is done once, whatever happens between; on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, func, select

from connectors.registry import connectors
from hub import clock, idempotency
from hub.db import Context, reading, unit_of_work
from hub.models import AuditEntry, Department, IdempotencyKey, Post, Role, User, UserRole
from hub.people import load_actor, tokens
from web.api import doorway
from web.app import create_app
from workflows.house import House
from workflows.jobs import sweep_answers

DRAFT = {"title": "停水通知", "body": "周末停水。"}


@dataclass
class Office:
    """One press officer with a token, on either database."""

    client: httpx.AsyncClient
    house: House

    @property
    def ctx(self) -> Context:
        return self.house.ctx

    async def post(self, key: str | None, body: dict[str, Any] = DRAFT, path: str = "/posts") -> httpx.Response:
        headers = {"Idempotency-Key": key} if key is not None else {}
        return await self.client.post(path, json=body, headers=headers)

    async def count(self, model: Any) -> int:
        async with reading(self.ctx) as unit:
            return await unit.one(select(func.count()).select_from(model))


async def _person(ctx: Context, username: str) -> str:
    async with unit_of_work(ctx) as unit:
        department = await unit.first(select(Department))
        if department is None:
            department = Department(code="press", name="宣传科", short_name="宣传科", path="/1/")
            unit.add(department)
            await unit.flush()
        user = User(username=username, name=username, password_hash="-", department_id=department.id or 0)
        unit.add(user)
        await unit.flush()
        unit.add(UserRole(user_id=user.id or 0, role=Role.press_officer))
        await unit.flush()
        actor = await load_actor(unit, user.id or 0)
        assert actor is not None
        return (await tokens.issue(unit, actor, "测试", ["posts:read", "posts:write"], 30))[1]


@pytest.fixture(params=["sqlite", "postgres"])
async def office(
    request: pytest.FixtureRequest, make_ctx: Callable[[str], Context]
) -> AsyncIterator[Office]:  # fmt: skip
    ctx = make_ctx(request.getfixturevalue("db_url" if request.param == "sqlite" else "postgres_url"))
    house = House(ctx, connectors(live=False))
    app, token = create_app(house), await _person(ctx, "press")
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test/api/v1") as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield Office(client, house)
    await ctx.close()


async def test_the_same_request_is_done_once(office: Office) -> None:
    before = await office.count(Post)
    first = await office.post("k1")
    assert first.status_code == 201
    assert first.headers["location"] == f"/api/v1/posts/{first.json()['id']}"
    assert "idempotency-replayed" not in first.headers
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json; charset=utf-8"}
    spelled = json.dumps(dict(reversed(DRAFT.items())), indent=2)
    again = await office.client.post("/posts", content=spelled, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json()), "spelled otherwise, it means the same"
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert await office.count(Post) == before + 1


async def test_without_a_key_each_is_done(office: Office) -> None:
    before = await office.count(Post)
    assert {(await office.post(None)).status_code, (await office.post(None)).status_code} == {201}
    assert await office.count(Post) == before + 2
    assert await office.count(IdempotencyKey) == 0


@pytest.mark.parametrize(("path", "body"), [("/posts", {"title": "别的"}), ("/posts/{id}/submit", {"version": 1})])
async def test_another_request_under_the_same_key_is_refused(office: Office, path: str, body: dict[str, Any]) -> None:
    made = (await office.post("k1")).json()
    answer = await office.post("k1", body, path.format(**made))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:zhengsheng:problem:key-reused"
    assert "Idempotency-Key" in answer.json()["problems"]


async def test_another_person_may_use_the_same_key(office: Office) -> None:
    mine = await office.post("k1")
    office.client.headers["Authorization"] = f"Bearer {await _person(office.ctx, 'other')}"
    theirs = await office.post("k1", {"title": "别人的"})
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]


async def test_twenty_at_once_are_one(office: Office) -> None:
    before = await office.count(Post)
    answers = await asyncio.gather(*(office.post("k1") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 19
    assert await office.count(Post) == before + 1


async def test_two_different_ones_at_once(office: Office) -> None:
    answers = await asyncio.gather(office.post("k1"), office.post("k1", {"title": "别的"}))
    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_a_crash_before_the_commit_leaves_neither_work_nor_key(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, audited = await office.count(Post), await office.count(AuditEntry)

    async def dies(*_given: Any) -> None:
        raise RuntimeError("killed between work and answer")

    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "keep", dies)
        answer = await office.post("k1")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await office.count(Post), await office.count(AuditEntry)) == (before, audited)
    assert await office.count(IdempotencyKey) == 0
    assert (await office.post("k1")).status_code == 201
    assert await office.count(Post) == before + 1


async def test_a_crash_after_the_commit_never_repeats_the_work(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await office.count(Post)

    def dies(*_given: Any, **_more: Any) -> None:
        raise RuntimeError("killed before the answer left")

    with monkeypatch.context() as broken:
        broken.setattr(doorway, "_made", dies)
        assert (await office.post("k1")).status_code == 500
    again = await office.post("k1")
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["title"] == "停水通知"
    assert await office.count(Post) == before + 1


async def test_what_was_refused_is_not_kept(office: Office) -> None:
    made = (await office.post(None)).json()
    submit = f"/posts/{made['id']}/submit"
    refused = await office.post("k1", {"version": 1}, submit)
    assert refused.status_code == 409
    assert await office.count(IdempotencyKey) == 0
    assert (await office.post("k1", {"version": 1}, submit)).json() == refused.json()


async def test_after_a_day_a_key_is_free_again(office: Office) -> None:
    first = (await office.post("k1")).json()
    with clock.frozen(clock.now() + timedelta(hours=23, minutes=59)):
        assert (await office.post("k1")).json() == first
    with clock.frozen(clock.now() + timedelta(hours=24, seconds=1)):
        assert (await office.post("k1")).json()["id"] != first["id"]


async def test_old_answers_are_swept(office: Office) -> None:
    await office.post("old")
    with clock.frozen(clock.now() + timedelta(hours=23)) as move:
        await office.post("young")
        assert await sweep_answers(office.house) == 0
        move(clock.now() + timedelta(hours=2))
        assert await sweep_answers(office.house) == 1
        assert await sweep_answers(office.house) == 0
    async with reading(office.ctx) as unit:
        assert await unit.all(select(col(IdempotencyKey.key))) == ["young"]


@pytest.mark.parametrize("key", ["", "x" * 129, "a b", "钥匙", "a\tb"])
async def test_nonsense_keys(office: Office, key: str) -> None:
    answer = await office.client.post("/posts", json=DRAFT, headers={"Idempotency-Key": key.encode()})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]
