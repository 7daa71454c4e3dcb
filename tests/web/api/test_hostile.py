"""Broken, hostile and merely mistaken requests: 4xx with words, never a 500."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.web.api.conftest import Program
from tests.web.world import PLACES, World
from web.api.collection import OPERATIONS
from web.api.operation import BASE, Operation

JSON = {"Content-Type": "application/json"}
ROLES = ("press_officer", "dispatcher", "head", "reviewer3")
WRITES = [op for op in OPERATIONS if op.is_write]
READS = [op for op in OPERATIONS if not op.is_write]
NASTY_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "broken": b'{"version": 1',
    "no object": b"[1, 2]",
    "a word": b'"x"',
    "null": b"null",
    "deep": b'{"note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "endless number": b'{"version": ' + b"9" * 5_000 + b"}",
    "huge number": b'{"version": 99999999999999999999999999, "department_id": 1e400}',
    "negative": b'{"version": -1}',
    "not a number": b'{"version": NaN, "x": Infinity}',
    "wrong encoding": '{"note": "路灯"}'.encode("gb18030"),
    "wide encoding": json.dumps({"note": "x"}).encode("utf-16"),
    "a mark before": b"\xef\xbb\xbf{}",
    "half a pair": b'{"note": "\\ud83d", "reason": "\\udc00", "title": "\\ud83d", "text": "\\ud83d"}',
    "a nul": b'{"note": "a\\u0000b", "reason": "\\u0000", "title": "\\u0000", "text": "\\u0000", "version": 1}',
    "a raw nul": b'{"note": "a\x00b"}',
    "unknown": b'{"nobody": "knows", "__proto__": {}, "$where": 1}',
    "wrong kinds": b'{"version": "1", "note": 5, "reason": [], "targets": "x", "was_sent": "yes", "text": {}}',
    "an empty name": b'{"": ""}',
    "a long name": b'{"' + b"x" * 100_000 + b'": 1}',
    "early": b'{"scheduled_at": "0001-01-01T00:00:00+14:00", "until": "0001-01-01T00:00:00+14:00", "version": 1}',
    "late": b'{"scheduled_at": "9999-12-31T23:59:59-14:00", "until": "9999-12-31T23:59:59-14:00", "version": 1}',
    "no zone": b'{"scheduled_at": "2026-11-23T09:00:00", "version": 1}',
    "a number for a time": b'{"scheduled_at": 1795000000, "version": 1}',
    "large ids": b'{"targets": [{"account_id": 9223372036854775808}], "department_id": 9223372036854775808}',
    "ids of nobody": b'{"targets": [{"account_id": 9223372036854775807}], "title": "x"}',
    "the same twice": b'{"targets": [{"account_id": 1}, {"account_id": 1}], "title": "x"}',
}


def _path(op: Operation, world: World) -> str:
    return op.plain_path.removeprefix(BASE).format_map({**PLACES, **world.places["own"]})


def _in_words(answer: httpx.Response, what: str) -> None:
    assert 400 <= answer.status_code < 500, (what, answer.status_code, answer.text[:200])
    assert answer.headers["content-type"] == "application/problem+json", what
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["reasons"], what
    assert all(found["reasons"]), what
    assert found["title"], what
    assert "Traceback" not in answer.text


def _is_fine(op: Operation, what: str) -> bool:
    """What these operations may rightly do: nothing has to be said, or everything may be left out."""
    return what == "nothing" and op.body is None


@pytest.mark.parametrize("op", WRITES, ids=lambda op: op.name)
async def test_bodies(op: Operation, program: Program, world: World) -> None:
    for role in ROLES:
        async with program(role) as client:
            for what, body in NASTY_BODIES.items():
                answer = await client.request(op.method, _path(op, world), content=body, headers=JSON)
                if answer.status_code == 403:
                    break
                if not _is_fine(op, what) or answer.status_code >= 300:
                    _in_words(answer, what)
            else:
                return
    raise AssertionError(f"nobody may {op.name}")


async def test_words_name_the_field(program: Program, world: World) -> None:
    path = f"/cases/{world.places['own']['number']}/moves"
    body = {"move": "fly", "version": "1", "until": "soon", "department_id": 0, "note": "x" * 10_001, "who": 1}
    async with program("head") as client:
        answer = await client.post(path, json=body)
        assert answer.status_code == 422
        found = answer.json()
        assert found["type"] == "urn:zhengsheng:problem:invalid"
        assert found["problems"]["version"] == "须是整数。"
        assert found["problems"]["who"] == "没有这一项。"
        assert found["problems"]["department_id"] == "不能小于 1。"
        assert found["problems"]["note"] == "最多 10000 个字。"
        assert "2026-11-23T09:00:00+08:00" in found["problems"]["until"]
        assert found["problems"]["move"].startswith("只能是：")
        answer = await client.post(path, json={"move": "approve", "version": 1})
        assert "replies" in answer.json()["problems"]["move"]
        assert (await client.post(path, json={})).json()["problems"]["move"] == "缺少这一项。"


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "x",
        "application/json; charset=gb18030",
    ],
)
async def test_other_kinds_of_bodies(program: Program, world: World, kind: str) -> None:
    path = f"/cases/{world.places['own']['number']}/notes"
    async with program("head") as client:
        answer = await client.post(path, content=b'{"note": "x"}', headers={"Content-Type": kind} if kind else {})
        assert answer.status_code == 415
        assert "application/json" in answer.json()["detail"]


async def test_oversized(program: Program, world: World) -> None:
    path = f"/cases/{world.places['own']['number']}/notes"
    async with program("head") as client:
        answer = await client.post(path, content=b" " * (1024**2 + 1), headers=JSON)
        assert answer.status_code == 413
        assert "1 MB" in answer.json()["detail"]


QUERIES = (
    "nobody=1", "limit=0", "limit=201", "limit=x", "limit=1e400", "limit=" + "9" * 5000, "limit=1&limit=2",
    "account_id=-1", "account_id=9223372036854775808", "state=nowhere", "which=none", "cursor=" + "x" * 1001,
    "late=perhaps", "q=" + "x" * 201, "at=2026-01-01", "at=9999-12-31T23:59:59-14:00", "days=15", "limit=%00",
)  # fmt: skip


@pytest.mark.parametrize("op", READS, ids=lambda op: op.name)
async def test_addresses(op: Operation, program: Program, world: World) -> None:
    async with program("press_officer" if op.name != "list_replies" else "reviewer3") as client:
        for query in QUERIES:
            _in_words(await client.get(f"{_path(op, world)}?{query}"), query)


async def test_bytes_that_are_no_text(program: Program) -> None:
    async with program("press_officer") as client:
        answer = await client.get("/messages?q=%ff%fe%f0%9f")
        assert answer.json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    "path",
    ["/cases/nothing", "/cases/%F0%9F%98%80", "/cases/..%2F..%2Fetc", "/posts/9223372036854775808",
     "/posts/" + "9" * 4000, "/posts/abc", "/deliveries/0", "/messages/999999", "/nowhere", "/",
     "/cases/" + "x" * 5000],
    ids=lambda path: path[:24],
)  # fmt: skip
async def test_what_is_not_there(path: str, program: Program) -> None:
    async with program("press_officer") as client:
        answer = await client.get(path)
        assert answer.status_code == 404
        _in_words(answer, path)


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/cases"), ("PUT", "/posts/1"), ("POST", "/me")])
async def test_other_methods(method: str, path: str, program: Program) -> None:
    async with program("press_officer") as client:
        answer = await client.request(method, path)
        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]
        _in_words(answer, path)


async def test_what_citizens_write_is_only_text(program: Program, world: World) -> None:
    nasty = "<script>alert(1)</script>\u202e😀=cmd|' /C calc'!A0\r\n"
    path = f"/cases/{world.places['own']['number']}"
    async with program("head") as client:
        made = await client.post(f"{path}/notes", json={"note": nasty})
        assert made.json()["note"] == nasty.strip()
        answer = await client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert any(one["note"] == nasty.strip() for one in answer.json()["timeline"])


def test_every_nasty_body_is_one() -> None:
    """A body that is plain JSON of the right kind would prove nothing."""
    harmless: Any = [name for name, body in NASTY_BODIES.items() if body == b"{}"]
    assert not harmless
