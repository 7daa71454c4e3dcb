"""The judge is not to be confused: calls that make no sense are answered 400 and leave nothing behind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.server.control import MOST, routes
from connectors.sandbox.server.faults import KINDS
from tests.sims.sandbox import SandboxProcess

PAGE = (Path(__file__).resolve().parents[2] / "docs/reference/sandbox.md").read_text("utf-8")
CALLS = ("accounts", "accounts/nobody/challenge", "posts", "mentions", "comments", "messages", "pushes", "faults",
         "items/1/takedown", "items/x/takedown", "settings")  # fmt: skip
BODIES = (b"{", b"[]", b"null", b'"x"', b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe")
WRITTEN: dict[str, Any] = {"author": "市民", "text": "路灯"}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    process = SandboxProcess(tmp_path_factory.mktemp("judge"))
    with httpx.Client(base_url=process.start(), trust_env=False, timeout=30) as client:
        client.post("/control/accounts", json={"screen_name": "栖澜发布", "uid": "9001"}).raise_for_status()
        yield client
    process.kill()


def still_sane(judge: httpx.Client) -> None:
    assert judge.get("/control/faults").json() == {"faults": []}
    assert judge.get("/").status_code == 200
    assert judge.get("/control/accepted").json() == {"accepted": []}


@pytest.mark.parametrize("call", CALLS)
def test_bodies_that_are_none(judge: httpx.Client, call: str) -> None:
    for body in BODIES:
        answer = judge.post(f"/control/{call}", content=body)
        assert answer.status_code == 400, (call, body[:20])
        assert answer.json()["error"]
    still_sane(judge)


SENSELESS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("mentions", {"account": "nobody", **WRITTEN}),
    ("mentions", {"account": "9001", **WRITTEN, "count": MOST + 1}),
    ("mentions", {"account": "9001", **WRITTEN, "count": "many"}),
    ("mentions", {"account": "9001", **WRITTEN, "created_at": 1e30}),
    ("mentions", {"account": "9001", **WRITTEN, "created_at": -1}),
    ("mentions", {"account": "9001", **WRITTEN, "broken": "unknown"}),
    ("mentions", {"account": "9001", "items": [1, 2]}),
    ("mentions", {"account": "9001", "items": "x"}),
    ("posts", {"account": "9001", "text": "x", "created_at": "soon"}),
    ("comments", {"post": "999", **WRITTEN}),
    ("comments", {"comment": "x", **WRITTEN}),
    ("accounts", {"uid": "1"}),
    ("accounts", {"screen_name": "a", "expires_at": 1e300}),
    ("faults", {"kind": "unknown"}),
    ("faults", {"kind": "refuse", "operation": "unknown"}),
    ("faults", {"kind": "refuse", "account": "nobody"}),
    ("faults", {"kind": "delay", "seconds": "x"}),
    ("faults", {"kind": "delay", "seconds": -5}),
    ("faults", {"kind": "rate_limit", "until": 1e300}),
    ("faults", {"kind": "list_size", "size": -1}),
    ("settings", {"now": 1e300}),
    ("settings", {"now": "noon"}),
    ("settings", {"push_interval": "x"}),
)


@pytest.mark.parametrize(("call", "wanted"), SENSELESS, ids=lambda value: str(value)[:60])
def test_calls_that_make_no_sense(judge: httpx.Client, call: str, wanted: dict[str, Any]) -> None:
    answer = judge.post(f"/control/{call}", content=json.dumps(wanted))
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    still_sane(judge)


@pytest.mark.parametrize("query", ["after=x", "limit=x", "after=" + "9" * 30, "limit=1e9"])
@pytest.mark.parametrize("table", ["accepted", "attempts"])
def test_questions_that_make_no_sense(judge: httpx.Client, table: str, query: str) -> None:
    assert judge.get(f"/control/{table}?{query}").status_code == 400


def test_the_reference_names_every_call_and_every_fault() -> None:
    told = set(re.findall(r"`(GET|POST|DELETE) (/control/[^` ?]*)", PAGE))
    served = {
        (method, re.sub(r":\w+}", "}", route.path)) for route in routes()
        for method in (route.methods or set()) - {"HEAD"}
    }  # fmt: skip
    assert told == served
    assert set(re.findall(r"^\| `(\w+)` \| (?:write|any|list) \|", PAGE, re.M)) == set(KINDS)
