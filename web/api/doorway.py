"""From a declared operation to a route: pace, checks, one unit of work, the answer kept under its key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub import crypto, idempotency
from hub.db import Unit
from hub.i18n import _
from hub.people import Identity
from web.api.operation import BASE, Call, Operation
from web.api.pace import pace_of
from web.api.reading import JSON, read_body, read_query
from web.api.schema import Answer, Body, Query
from web.faults import BadRequest, SignInNeeded
from web.request import house, identity, looking, raw_body, writing
from web.routes.table import Door, Endpoint, PageRoute

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"


def as_page_route(op: Operation) -> PageRoute:
    """The operation as the route table takes it."""
    return PageRoute(BASE + op.path, _endpoint(op), op.needs, (op.method,), Door.api, op.scope, upload=op.raw)


def _endpoint(op: Operation) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        pace_of(request.app).take(_spender(request))
        if op.alone:
            return await _by_itself(op, request)
        return await (_write(op, request) if op.is_write else _read(op, request))

    return endpoint


def _spender(request: Request) -> str:
    """Whose pace it is: the token's; that of the session where a signed-in browser asks."""
    who = _who(request)
    if who.sign_in_id is not None:
        return f"session {who.sign_in_id}"
    return crypto.digest(request.headers.get("authorization", ""))


def _who(request: Request) -> Identity:
    found = identity(request)
    if found is None:
        raise SignInNeeded
    return found


async def _read(op: Operation, request: Request) -> Response:
    query = read_query(request, op.query)
    async with looking(request) as unit:
        answer = await op.work(_call(request, unit, query, None))
        content = _shaped(op, answer).model_dump_json().encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    wanted = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in wanted or "*" in wanted:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, media_type=JSON, headers={"ETag": tag})


async def _write(op: Operation, request: Request) -> Response:
    """Work and kept answer are one transaction: either both are there or neither."""
    query, body = read_query(request, op.query), await read_body(request, op.body or Body)
    key, who = _key(request), _who(request)
    async with writing(request) as unit:
        kept = await idempotency.claim(unit, who.actor.user_id or 0, key, _hash(request, body)) if key else None
        if kept is not None:
            return _made(op, kept.status, kept.body, replayed=True)
        answer: dict[str, Any] = _shaped(op, await op.work(_call(request, unit, query, body))).model_dump(mode="json")
        if key:
            await idempotency.keep(unit, who.actor.user_id or 0, key, op.status, answer)
    return _made(op, op.status, answer)


async def _by_itself(op: Operation, request: Request) -> Response:
    """Work that takes its time: no transaction is open meanwhile, and what it changes is its own affair."""
    query = read_query(request, op.query)
    body = None if op.raw else await read_body(request, op.body or Body)
    stream = raw_body(request) if op.raw else None
    async with looking(request) as unit:  # nothing is read in it: no transaction begins
        call = replace(_call(request, unit, query, body), stream=stream)
        answer: dict[str, Any] = _shaped(op, await op.work(call)).model_dump(mode="json")
    return _made(op, op.status, answer)


def _call(request: Request, unit: Unit, query: Query, body: Body | None) -> Call[Any, Any]:
    return Call(unit, house(request), _who(request), request.path_params, query, body)


def _shaped(op: Operation, answer: Answer) -> Answer:
    """The document says what is answered: another kind is a fault of ours."""
    assert type(answer) is op.answer, f"{op.name} answered {type(answer).__name__}"
    return answer


def _key(request: Request) -> str:
    """The key as it was sent; empty when there is none."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return ""
    if not 1 <= len(key) <= idempotency.LONGEST or not all(33 <= ord(sign) <= 126 for sign in key):
        words = _("Idempotency-Key 须为 1 至 %(n)s 个可见的 ASCII 字符。", n=idempotency.LONGEST)
        raise BadRequest(words)
    return key


def _hash(request: Request, body: Body) -> str:
    """What makes two requests the same: method, address, and the meaning (not the spelling) of the body."""
    said = body.model_dump(mode="json", exclude_unset=True)
    content = [request.method, request.url.path, request.url.query, said]
    return crypto.digest(json.dumps(content, sort_keys=True))


def _made(op: Operation, status: int, answer: dict[str, Any], *, replayed: bool = False) -> Response:
    headers = {REPLAYED_HEADER: "true"} if replayed else {}
    if op.location:
        headers["Location"] = BASE + op.location.format(**answer)
    content = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, headers=headers, media_type=JSON)
