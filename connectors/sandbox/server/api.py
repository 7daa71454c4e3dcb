"""The Weibo-shaped API: reading with since_id, max_id and count, newest first; writing, one commit per acceptance."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.server import reading, videos, writing
from connectors.sandbox.server.call import Call
from connectors.sandbox.server.faults import Plan, Refusal, plan
from connectors.sandbox.server.store import Store
from connectors.sandbox.server.wire import Wire, error_body

LARGEST_FILE = 20 * 1024 * 1024
Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of the API: what it does and which faults concern it."""

    path: str
    operation: str
    handler: Handler
    write: bool = False


ENDPOINTS = (
    Endpoint("/2/account/get_uid.json", "check", reading.get_uid),
    Endpoint("/2/users/show.json", "check", reading.show_user),
    Endpoint("/2/remind/unread_count.json", "check", reading.unread_count),
    Endpoint("/2/statuses/mentions.json", "read", reading.mentions),
    Endpoint("/2/comments/to_me.json", "read", reading.comments_to_me),
    Endpoint("/2/direct_messages.json", "read", reading.messages),
    Endpoint("/2/statuses/show.json", "read", reading.show_status),
    Endpoint("/2/statuses/count.json", "figures", reading.count_statuses),
    Endpoint("/2/comments/show.json", "read", reading.comments_of_status),
    Endpoint("/2/comments/show_batch.json", "read", reading.show_comments),
    Endpoint("/2/direct_messages/show.json", "read", reading.show_message),
    Endpoint("/2/statuses/user_timeline.json", "list", reading.own_statuses),
    Endpoint("/2/comments/by_me.json", "list", reading.own_comments),
    Endpoint("/2/direct_messages/sent.json", "list", reading.own_messages),
    Endpoint("/2/statuses/share.json", "publish", writing.share, write=True),
    Endpoint("/2/statuses/upload_pic.json", "upload", writing.upload_picture, write=True),
    Endpoint("/2/videos/begin.json", "video", videos.begin, write=True),
    Endpoint("/2/videos/piece.json", "video", videos.take, write=True),
    Endpoint("/2/videos/finish.json", "video", videos.finish, write=True),
    Endpoint("/2/comments/create.json", "comment", writing.create_comment, write=True),
    Endpoint("/2/comments/reply.json", "comment", writing.reply_comment, write=True),
    Endpoint("/2/messages/reply.json", "message", writing.reply_message, write=True),
    Endpoint("/2/statuses/destroy.json", "destroy", writing.destroy_status, write=True),
    Endpoint("/2/comments/destroy.json", "destroy", writing.destroy_comment, write=True),
)


def routes() -> list[Route]:
    """The routes of the API."""
    return [Route(e.path, _answering(e), methods=["POST" if e.write else "GET"]) for e in ENDPOINTS]


def _answering(endpoint: Endpoint) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        store: Store = request.app.state.store
        values = dict(request.query_params.items())
        file = None
        if endpoint.write:
            form = await request.form()
            values |= {k: v for k, v in form.items() if isinstance(v, str)}
            sent = form.get("pic")
            file = await sent.read(LARGEST_FILE) if isinstance(sent, UploadFile) else None
        key = request.headers.get("x-idempotency-key", "")[:200]
        account = _account(store, request, values)
        made = plan(store, account["uid"] if account else "", endpoint.operation)
        call = Call(store, Wire(store), account, endpoint.operation, values, key, made.flags, file)
        try:
            return await _with_faults(endpoint, call, made)
        except Refusal as refusal:
            if endpoint.write:
                store.note_attempt(account["uid"] if account else "", endpoint.operation, key, str(refusal.code))
            return _refused(endpoint.path, refusal)

    return answer


async def _with_faults(endpoint: Endpoint, call: Call, made: Plan) -> Response:
    await asyncio.sleep(made.delay_before)
    if isinstance(made.before, Refusal):
        raise made.before
    if made.before is not None:
        if endpoint.write:
            call.note("lost before acceptance")
        return made.before
    if call.account is None:
        raise Refusal(21332, 401)
    if call.account["expires_at"] and call.account["expires_at"] <= time.time():
        raise Refusal(21327, 401)
    shape = endpoint.handler(call)
    await asyncio.sleep(made.delay_after)
    if isinstance(made.after, Refusal):
        return _refused(endpoint.path, made.after)
    return made.after or Response(json.dumps(shape, ensure_ascii=False), media_type="application/json")


def _account(store: Store, request: Request, values: dict[str, str]) -> sqlite3.Row | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("oauth2", "bearer"):
        token = values.get("access_token", "")
    return store.account_by_token(token.strip())


def _refused(path: str, refusal: Refusal) -> Response:
    return JSONResponse(error_body(path, refusal.code), refusal.status, refusal.headers)
