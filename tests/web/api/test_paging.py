"""Lists page by page: everything once, in order, and cursors that cannot be bent."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hub import clock
from hub.db import Context, unit_of_work
from hub.models import (
    Arrival,
    ArrivalState,
    Case,
    CaseState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Message,
    MessageKind,
    Post,
)
from tests.web.api.conftest import Program
from tests.web.world import World

MANY = 23
LISTS = ("/messages", "/cases", "/posts", "/deliveries")


@pytest.fixture
async def full(ctx: Context, world: World) -> None:
    """23 more of everything; always two share their moment."""
    department, account, author = (
        world.departments["own"],
        world.account_id,
        world.sessions["press_officer", "own"].user_id,
    )
    async with unit_of_work(ctx) as unit:
        for n in range(MANY):
            at = clock.now() - timedelta(hours=1 + n // 2)
            arrival = Arrival(
                account_id=account, kind=MessageKind.mention, external_id=f"p{n}", via="pull", payload="{}",
                state=ArrivalState.parsed,
            )  # fmt: skip
            unit.add(arrival)
            await unit.flush()
            case = Case(
                number=f"20250101-{n:06}", state=CaseState.handling, title="路灯", account_id=account, heat=n,
                kind=MessageKind.mention, thread_key=f"p{n}", department_id=department, last_message_at=at,
                due_at=at if n % 3 else None,
            )  # fmt: skip
            post = Post(title=f"稿{n}", body="停水", department_id=department, author_id=author, scheduled_at=at)
            unit.add(case, post)
            await unit.flush()
            message = Message(
                account_id=account, arrival_id=arrival.id or 0, kind=MessageKind.mention, external_id=f"p{n}",
                text="路灯不亮", created_at=at, case_id=case.id,
            )  # fmt: skip
            delivery = Delivery(
                kind=DeliveryKind.post, account_id=account, post_id=post.id, text="停水", content_hash="h",
                approved_hash="h", state=DeliveryState.sent, scheduled_at=at,
            )  # fmt: skip
            unit.add(message, delivery)


async def _walk(client: httpx.AsyncClient, path: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        query: dict[str, Any] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=query)).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next"] is None:
            return found
        assert len(page["items"]) == limit
        cursor = page["next"]


@pytest.mark.parametrize("path", [*LISTS, "/cases?which=mine"])
async def test_page_by_page_is_the_same_as_at_once(path: str, full: None, program: Program) -> None:
    async with program("head" if "mine" in path else "press_officer") as client:
        at_once = await _walk(client, path, 200)
        assert len(at_once) >= MANY
        assert len({one["id"] for one in at_once}) == len(at_once)
        for limit in (1, 7):
            assert await _walk(client, path, limit) == at_once


@pytest.mark.parametrize("path", LISTS)
async def test_cursors_that_are_not_ours(path: str, full: None, program: Program) -> None:
    async with program("press_officer") as client:
        cursor = (await client.get(path, params={"limit": 5})).json()["next"]
        other = "/posts" if path != "/posts" else "/deliveries"
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        bent = base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode().rstrip("=")
        unsigned = base64.urlsafe_b64encode(b"0" * 16 + raw[16:]).decode().rstrip("=")
        for wrong in (bent, unsigned, "x", "!!!", "é", cursor[:-2], "A" * 1000, raw[16:].decode()):
            answer = await client.get(path, params={"cursor": wrong})
            assert answer.status_code == 400, wrong
            assert "cursor" in answer.json()["detail"]
        assert (await client.get(other, params={"cursor": cursor})).status_code == 400
        narrowed = await client.get(path, params={"cursor": cursor, "account_id": 1})
        assert narrowed.status_code == 400, "other filters make another list"
        wider = await client.get(path, params={"cursor": cursor, "limit": 100})
        assert wider.status_code == 200, "the size of a page may change on the way"


async def test_new_rows_do_not_shift_pages(full: None, program: Program, ctx: Context, world: World) -> None:
    async with program("press_officer") as client:
        first = (await client.get("/posts", params={"limit": 5})).json()
        async with unit_of_work(ctx) as unit:
            author = world.sessions["press_officer", "own"].user_id
            unit.add(Post(title="新", body="x", department_id=world.departments["own"], author_id=author))
        second = (await client.get("/posts", params={"limit": 5, "cursor": first["next"]})).json()
        ids = [one["id"] for one in first["items"] + second["items"]]
        assert len(set(ids)) == 10
        assert ids == sorted(ids, reverse=True)


async def test_filters(full: None, program: Program, world: World) -> None:
    async with program("press_officer") as client:
        for query, expected in (
            ({"state": "handling", "department_id": world.departments["other"]}, {"20260105-000002"}),
            ({"q": "20250101-000003"}, {"20250101-000003"}),
            ({"state": "closed"}, set()),
        ):
            found = (await client.get("/cases", params=query)).json()["items"]
            assert {one["number"] for one in found} == expected, query
        posts = (await client.get("/posts", params={"q": "稿7"})).json()["items"]
        assert [one["title"] for one in posts] == ["稿7"]
        unknown = (await client.get("/deliveries", params={"group": "moving"})).json()["items"]
        assert {one["state"] for one in unknown} == {"unknown"}
        letters = (await client.get("/messages", params={"kind": "letter"})).json()
        assert letters == {"items": [], "next": None}


async def test_what_did_not_change_is_not_sent_again(program: Program, ctx: Context, world: World) -> None:
    path = f"/cases/{world.places['own']['number']}"
    async with program("head") as client:
        first = await client.get(path)
        same = await client.get(path, headers={"If-None-Match": f'W/"x", {first.headers["etag"]}'})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == first.headers["etag"]
        assert (await client.post(f"{path}/notes", json={"note": "已联系"})).status_code == 201
        changed = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert changed.status_code == 200
        assert changed.headers["etag"] != first.headers["etag"]
