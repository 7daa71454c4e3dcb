"""Odd values at every door of the pages: words or an empty list, never a fault of the hub."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.test_files_read import bomb, laughs
from tests.web.conftest import Visit
from tests.web.test_matrix import ROLES, TABLE, address
from tests.web.world import World
from web.auth import local_path
from web.cli.frame import main
from web.forms import whole
from web.routes import all_routes
from web.routes.table import Door, PageRoute

PAGES = [route for route in all_routes() if route.door is Door.page and route.methods == ("GET",)]
NEVER_ENDING = ("/events",)
# Whatever pages read from addresses; a name a page does not know changes nothing.
NAMES = (
    "account", "after", "at", "before", "case", "copy", "cursor", "date", "day", "days", "department", "end", "from",
    "kind", "late", "mapping", "month", "next", "number", "own", "page", "platform", "q", "role", "since", "start",
    "state", "to", "topic", "topics", "version", "view", "what", "when", "which", "who",
)  # fmt: skip
VALUES = (
    "²", "--1", "9223372036854775808", "9" * 40, "NaN", "0001-01-01T00:00", "9999-12-31T23:59:59-14:00", "//[",
    "\"AND' OR 1=1 --<script>alert(1)</script>{{7*7}}%s%n../../etc/passwd\u202e\U00020bb7😀\r\nX-Evil: 1", "x" * 1_000,
)  # fmt: skip
# The same as bytes that are no UTF-8: the address holds whatever somebody typed.
BROKEN = "%ff%fe%ed%a0%80%f0%9f%"


def _asking(route: PageRoute) -> str:
    """A role that may open the page."""
    row = TABLE[route.keys[0]]
    named = [*row.get("own", []), *row.get("all", [])]
    return str(named[0]) if named else ROLES[0]


@pytest.mark.parametrize("route", [r for r in PAGES if r.path not in NEVER_ENDING], ids=lambda route: route.path)
async def test_addresses(route: PageRoute, visit: Visit, world: World) -> None:
    path = address(route, world, {})
    async with visit(_asking(route)) as client:
        for value in VALUES:
            answer = await client.get(path, params=dict.fromkeys(NAMES, value))
            assert answer.status_code < 500 or route.path == "/healthz", (value, answer.text[:300])
            assert "<script>alert" not in answer.text, value
            assert "x-evil" not in answer.headers, value
        answer = await client.get(path + "?" + "&".join(f"{name}={BROKEN}" for name in NAMES))
        assert answer.status_code < 500 or route.path == "/healthz", answer.text[:300]


@pytest.mark.parametrize("way", ["//[", "/\\[", "/x/http://[", "http://[::1", "/" + "a" * 20_000])
async def test_where_to_go_on_is_never_a_fault(way: str, client: httpx.AsyncClient, visit: Visit) -> None:
    assert local_path(way) in {"/", way}
    for headers in ({}, {"Referer": way}, {"Referer": f"http://[{way}"}):
        assert (await client.get("/login", params={"next": way}, headers=headers)).status_code == 200
        assert (await client.post("/me/preferences", headers=headers)).status_code < 500
    async with visit("dispatcher") as person:
        answer = await person.get("/login", params={"next": way})
        assert answer.status_code == 303
        assert answer.headers["location"] in {"/", way}
        assert (await person.post("/language", data={"language": "en", "next": way})).status_code == 303


@pytest.mark.parametrize("text", ["", " 1", "+1", "-1", "--1", "²", "٣", "१", "1_0", "0x1", "1.0", "9" * 18])
def test_what_no_id_looks_like(text: str) -> None:
    assert whole(text) is None


def test_what_an_id_looks_like() -> None:
    assert whole("0") == 0
    assert whole("42") == 42


@pytest.mark.parametrize("charset", ["utf-8", "unicode_escape", "utf-7", "raw_unicode_escape", "idna", "punycode"])
@pytest.mark.parametrize("value", [rb"\ud800", b"+2AA-", b"\xed\xa0\x80", rb"\x00", b"a..b", b"\xff\xfe" * 40])
async def test_characters_that_are_none(charset: str, value: bytes, visit: Visit) -> None:
    """A form may name its own encoding; halves of characters would break whatever stores them."""
    parts = {"code": value, "name": value, "short_name": value}
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), text)
        for name, text in parts.items()
    )
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    async with visit("administrator") as client:
        done = await client.post("/admin/departments", content=body + b"--x--\r\n", headers={"Content-Type": kind})
        assert done.status_code < 500
        assert (await client.get("/admin/departments")).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["a\0.csv", "\ud800.csv", "../../../etc/passwd.csv", "..\\..\\hub.db.csv", "a\r\nX-Evil: 1.csv",
     "名" * 10_000 + ".csv", "<script>alert(1)</script>.csv", ".csv", "\u202evsc.exe.csv", '"; filename="b.csv'],
    ids=range(10),
)  # fmt: skip
async def test_names_of_files(name: str, visit: Visit) -> None:
    head = b'Content-Disposition: form-data; name="file"; filename="%s"' % name.encode("utf-8", "surrogatepass")
    body = b'--x\r\nContent-Disposition: form-data; name="account"\r\n\r\nx\r\n--x\r\n' + head
    content = "内容,时间\n路灯不亮,2026-01-05 10:00\n".encode()
    body += b"\r\nContent-Type: text/csv\r\n\r\n" + content + b"\r\n--x--\r\n"
    async with visit("press_officer") as client:
        done: Any = await client.post(
            "/imports", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert done.status_code in {303, 400, 422}, done.text[:300]
        assert "x-evil" not in done.headers
        if done.status_code == 303:
            page = await client.get(done.headers["location"])
            assert page.status_code == 200
            assert "<script>alert" not in page.text


WRITES = [route for route in all_routes() if route.door is Door.page and route.methods == ("POST",)]
FIELDS = (
    "account", "account_id", "at", "body", "case", "code", "comment", "days", "department", "department-1",
    "department_id", "do", "from", "language", "latest_at", "message", "name", "next", "note", "on", "parent_id",
    "password", "place", "post", "q", "reason", "remote_id", "request", "roles", "save_as", "scope", "scopes",
    "sentiment", "short_name", "text", "text_1", "theme", "title", "to", "topic", "until", "username", "version",
    "when",
)  # fmt: skip
BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b'{"version": 99999999999999999999, "start": "9999-12-31T23:59:59-14:00"}'),
    ("application/json", b'{"version": 1, "start": "0001-01-01T00:00:00+14:00", "end": {}}'),
    ("application/json", b'{"version": true, "start": [1]}'),
    ("application/json", b"[" * 50_000),
    ("application/xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a'),
    ("text/csv", "=cmd|' /C calc'!A0".encode("utf-16")),
)


@pytest.mark.parametrize("route", WRITES, ids=lambda route: route.path)
async def test_forms(route: PageRoute, visit: Visit, world: World, own_copy: Any) -> None:
    """Each field odd in the same way, and bodies of other kinds."""
    path = address(route, world, {})
    async with visit(_asking(route)) as client:
        for value in VALUES:
            answer = await client.post(path, data=dict.fromkeys(FIELDS, value))
            assert answer.status_code < 500, (value, answer.text[:300])
            assert "x-evil" not in answer.headers, value
            if answer.status_code < 400 and "password" in route.path:  # signed out
                await own_copy()
        for kind, body in BODIES:
            answer = await client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code < 500, (kind, body[:40], answer.text[:300])


@pytest.mark.parametrize(("make", "words"), [(bomb, "异常庞大"), (laughs, "已损坏")])
async def test_workbooks_that_are_weapons(make: Any, words: str, visit: Visit, tmp_path: Path) -> None:
    """By page as by command: refused in words, nothing unpacked, nothing kept."""
    content = make(tmp_path / "weapon.xlsx", tmp_path).read_bytes()
    async with visit("press_officer") as client:
        done = await client.post("/imports", data={"account": "信箱"}, files={"file": ("周报.xlsx", content)})
        assert done.status_code == 422
        assert words in done.text
    assert not list(tmp_path.glob("uploads/*.xlsx"))
    command = ["import", str(tmp_path / "weapon.xlsx"), "--account", "信箱", "--data", str(tmp_path)]
    with pytest.raises(SystemExit) as end:
        await asyncio.to_thread(main, command)
    assert end.value.code == 1
