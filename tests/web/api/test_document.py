"""The OpenAPI document: valid, complete, and nothing else than what is served."""

from __future__ import annotations

import re
from typing import Any

import httpx
from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.i18n import speaking
from hub.people.tokens import CALENDAR, SCOPES
from tests.web.api.conftest import declared, described, hold_against_document
from web.api.collection import OPERATIONS
from web.api.openapi import document
from web.routes import all_routes
from web.routes.table import Door

# They work in transactions of their own, and the same call again does no harm.
REPEATED = {"put_video_piece", "finish_video"}


async def test_served_to_anybody_and_valid(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []
    assert found == described()


def test_tells_of_every_route_of_the_api_and_of_no_other() -> None:
    served = {
        f"{method} {re.sub(r':[a-z]+}', '}', route.path)}"
        for route in all_routes()
        if route.path.startswith("/api/v1")
        for method in route.methods
    }
    told = {f"{method.upper()} {path}" for path, methods in described()["paths"].items() for method in methods}
    assert served == told
    assert len(told) == len(OPERATIONS)


def test_every_operation_needs_a_scope_people_can_choose() -> None:
    scopes = {op.name: op.scope for op in OPERATIONS}
    assert {name for name, scope in scopes.items() if not scope} == {"get_me"}
    served = {scope for scope in scopes.values() if scope} | {CALENDAR}
    assert served == set(SCOPES), "a scope nobody needs, or one nobody offers"
    for route in all_routes():
        if route.path.startswith("/api/v1"):
            assert route.door is Door.api
    for op in OPERATIONS:
        assert op.is_write == (op.scope.endswith(":write")), op.name


def test_names_are_given_once_and_every_write_takes_a_key() -> None:
    names = [op.name for op in OPERATIONS]
    assert len(names) == len(set(names))
    for op in OPERATIONS:
        parameters = described()["paths"][op.plain_path][op.method.lower()]["parameters"]
        assert ("Idempotency-Key" in {one["name"] for one in parameters}) == op.takes_key
        assert op.takes_key == (op.is_write and op.name not in REPEATED)


def test_bodies_are_closed_and_names_are_short() -> None:
    schemas = described()["components"]["schemas"]
    for op in OPERATIONS:
        if op.body:
            assert schemas[op.body.__name__]["additionalProperties"] is False
    assert not [name for name in schemas if "__" in name]


def _texts(value: Any, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in _texts(one, key)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if name in {"summary", "description"} else []


def test_people_read_chinese_not_our_docstrings() -> None:
    phrases = {"OK", "Created", "Not Modified"}
    english = [
        text
        for text in _texts(described())
        if not re.search(r"[\u4e00-\u9fff]", text) and text not in phrases and not re.fullmatch(r"[A-Z][\w -]+", text)
    ]
    assert english == []


def test_the_language_is_the_readers() -> None:
    with speaking("zh_TW"):
        traditional = document(OPERATIONS)
    assert traditional["paths"]["/api/v1/cases/{number}/notes"]["post"]["summary"] == "寫內部備註"
    assert described()["paths"]["/api/v1/cases/{number}/notes"]["post"]["summary"] == "写内部备注"


def test_the_check_of_answers_can_fail() -> None:
    request = httpx.Request("GET", "http://hub.test/api/v1/me")
    assert declared("GET", "/api/v1/me")
    for status, body in ((200, {"id": "1"}), (418, {}), (401, {"title": "…"})):
        kind = "application/json" if status == 200 else "application/problem+json"
        response = httpx.Response(status, json=body, headers={"content-type": kind}, request=request)
        try:
            hold_against_document(response)
        except AssertionError:
            continue
        raise AssertionError(f"{status} passed")
