"""Programs with a token: every answer they get is held against the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from starlette.applications import Starlette

from hub.db import Context, unit_of_work
from hub.people import load_actor, tokens
from hub.rights import May
from tests.web.world import World
from web.api.collection import OPERATIONS
from web.api.openapi import document

BASE = "http://hub.test/api/v1"
Issue = Callable[..., Awaitable[str]]
Program = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@cache
def described() -> dict[str, Any]:
    return document(OPERATIONS)


def declared(method: str, path: str) -> dict[str, Any] | None:
    """What the document says about an address; plain paths before those with places."""
    for template, methods in sorted(described()["paths"].items(), key=lambda item: item[0].count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    return None


def hold_against_document(response: httpx.Response) -> None:
    """Fails for a status, a media type or a body the document does not tell of."""
    operation = declared(response.request.method, response.request.url.path)
    if operation is None or response.status_code == 304:
        return
    said = operation["responses"]
    assert str(response.status_code) in said, f"{operation['operationId']} does not tell of {response.status_code}"
    media_type = response.headers["content-type"].split(";")[0]
    schema = _resolved(said[str(response.status_code)])["content"][media_type]["schema"]
    wrong = list(OAS31Validator({**schema, "components": described()["components"]}).iter_errors(response.json()))
    assert not wrong, (operation["operationId"], [(list(one.path), one.message) for one in wrong])


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    """What a shared answer stands for."""
    name = answer.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = described()["components"]["responses"][name] if name else answer
    return found


async def _read_and_hold(response: httpx.Response) -> None:
    await response.aread()
    hold_against_document(response)


@pytest.fixture
def issue(ctx: Context, world: World) -> Issue:
    """``await issue('handler', 'cases:read', side='own')``: a token of theirs; no scopes: all but the calendar."""

    async def issuing(role: str, *scopes: str, side: str = "own", days: int = 30) -> str:
        async with unit_of_work(ctx) as unit:
            actor = await load_actor(unit, world.sessions[role, side].user_id)
            assert actor is not None
            assert actor.can(May.use_api), f"{role} may have no tokens"
            everything = [scope for scope in tokens.scopes_for(actor) if scope != tokens.CALENDAR]
            return (await tokens.issue(unit, actor, "测试", scopes or everything, days))[1]

    return issuing


@pytest.fixture
def program(app: Starlette, issue: Issue) -> Program:
    """``async with program('handler', 'cases:read') as client``: paths below ``/api/v1``, answers checked."""

    @asynccontextmanager
    async def running(
        role: str | None = None, *scopes: str, side: str = "own", token: str = ""
    ) -> AsyncIterator[httpx.AsyncClient]:
        text = token or (await issue(role, *scopes, side=side) if role else "")
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        hooks: dict[str, Any] = {"response": [_read_and_hold]}
        async with httpx.AsyncClient(transport=transport, base_url=BASE, event_hooks=hooks) as client:
            if text:
                client.headers["Authorization"] = f"Bearer {text}"
            yield client

    return running
