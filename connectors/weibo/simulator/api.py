"""The calls of the open platform: who calls, may they, how often; then what they get, or one of the codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.server import clock
from connectors.sandbox.server.call import Call
from connectors.sandbox.server.faults import Plan, Refusal, plan
from connectors.sandbox.server.store import Row
from connectors.sandbox.server.wire import error_body
from connectors.weibo.simulator import reading, writing
from connectors.weibo.simulator.budget import charge
from connectors.weibo.simulator.state import ENDED, WeiboStore
from connectors.weibo.simulator.wire import ERRORS, WeiboWire

LARGEST_FILE = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address: what it does, which faults concern it, and whether it writes."""

    path: str
    operation: str
    handler: Callable[[Call], Any]
    write: bool = False


ENDPOINTS = (
    Endpoint("/2/account/get_uid.json", "check", reading.account_uid),
    Endpoint("/2/account/rate_limit_status.json", "check", reading.rate_limit_status),
    Endpoint("/2/users/show.json", "check", reading.show_user),
    Endpoint("/2/remind/unread_count.json", "check", reading.unread_count),
    Endpoint("/2/statuses/mentions.json", "read", reading.mentions),
    Endpoint("/2/statuses/mentions/ids.json", "read", reading.mention_ids),
    Endpoint("/2/statuses/mentions/other.json", "read", reading.mentions),
    Endpoint("/2/comments/to_me.json", "read", reading.to_me),
    Endpoint("/2/comments/to_me/biz.json", "read", reading.to_me),
    Endpoint("/2/comments/mentions.json", "read", reading.comment_mentions),
    Endpoint("/2/comments/mentions/biz.json", "read", reading.comment_mentions),
    Endpoint("/2/comments/timeline.json", "read", reading.to_me),
    Endpoint("/2/comments/show.json", "read", reading.comments_of),
    Endpoint("/2/comments/show_batch.json", "read", reading.show_comments),
    Endpoint("/2/statuses/show.json", "read", reading.show_status),
    Endpoint("/2/statuses/count.json", "read", reading.count_batch),
    Endpoint("/2/statuses/queryid.json", "read", reading.query_id),
    Endpoint("/2/statuses/querymid.json", "read", reading.query_mid),
    Endpoint("/2/comments/by_me.json", "list", reading.by_me),
    Endpoint("/2/statuses/user_timeline.json", "list", reading.timeline),
    Endpoint("/2/statuses/user_timeline/biz.json", "list", reading.timeline_biz),
    Endpoint("/2/statuses/share.json", "publish", writing.share, write=True),
    Endpoint("/2/statuses/repost.json", "publish", writing.repost, write=True),
    Endpoint("/2/statuses/update/biz.json", "publish", writing.update_biz, write=True),
    Endpoint("/2/statuses/upload_url_text/biz.json", "publish", writing.upload_url_text, write=True),
    Endpoint("/2/statuses/upload_pic/biz.json", "publish", writing.upload_pic, write=True),
    Endpoint("/2/statuses/destroy.json", "destroy", writing.destroy_status, write=True),
    Endpoint("/2/comments/create.json", "comment", writing.create_comment, write=True),
    Endpoint("/2/comments/reply.json", "comment", writing.reply_comment, write=True),
    Endpoint("/2/comments/reply/biz.json", "comment", writing.reply_comment, write=True),
    Endpoint("/2/comments/destroy.json", "destroy", writing.destroy_comment, write=True),
    Endpoint("/2/comments/destroy_batch.json", "destroy", writing.destroy_batch, write=True),
    Endpoint("/2/messages/reply.json", "message", writing.reply_message, write=True),
    Endpoint("/2/messages/reply/biz.json", "message", writing.reply_message, write=True),
    Endpoint("/2/eps/push/set_format.json", "check", writing.set_format, write=True),
    Endpoint("/proxy/article/publish.json", "publish", writing.publish_article, write=True),
)


def routes() -> list[Route]:
    """The routes of the API; whatever else is asked for under ``/2`` is no such call."""
    known = [Route(e.path, _answering(e), methods=["GET", "POST"]) for e in ENDPOINTS]
    return [*known, Route("/2/{rest:path}", unknown, methods=["GET", "POST"])]


async def unknown(request: Request) -> Response:
    """No call of that name."""
    return refused(request.url.path, Refusal(10020, 404))


def refused(path: str, refusal: Refusal) -> Response:
    """A code of the platform, as the platform writes it."""
    body = error_body(path, refusal.code, ERRORS.get(refusal.code, ""))
    return JSONResponse(body, refusal.status, refusal.headers)


def _answering(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        store: WeiboStore = request.app.state.store
        values, file = await read(request)
        try:
            account = _account(store, request, values, endpoint)
        except Refusal as refusal:
            return _noted(store, "", endpoint, refusal)
        made = plan(store, account["uid"], endpoint.operation)
        key = request.headers.get("x-idempotency-key", "")[:200]
        wire = WeiboWire(store, whole=values.get("isGetLongText") == "1")
        call = Call(store, wire, account, endpoint.operation, values, key, made.flags, file)
        try:
            return await _with_faults(endpoint, call, made)
        except Refusal as refusal:
            if endpoint.write:
                call.note(str(refusal.code))
            return _noted(store, account["uid"], endpoint, refusal)

    return answer


async def read(request: Request) -> tuple[dict[str, str], bytes | None]:
    """The values of a request, wherever they stand, and the picture that came with it."""
    values, file = dict(request.query_params.items()), None
    if request.method == "POST":
        form = await request.form()
        values |= {name: value for name, value in form.items() if isinstance(value, str)}
        sent = form.get("pic")
        file = await sent.read(LARGEST_FILE) if isinstance(sent, UploadFile) else None
    return values, file


def _noted(store: WeiboStore, uid: str, endpoint: Endpoint, refusal: Refusal) -> Response:
    store.insert("asked", at=clock.now(), uid=uid, path=endpoint.path, code=refusal.code)
    return refused(endpoint.path, refusal)


async def _with_faults(endpoint: Endpoint, call: Call, made: Plan) -> Response:
    await asyncio.sleep(made.delay_before)
    if isinstance(made.before, Refusal):
        raise made.before
    if made.before is not None:
        if endpoint.write:
            call.note("lost before acceptance")
        return made.before
    assert isinstance(call.store, WeiboStore)
    charge(call.store, call.uid, endpoint.path, endpoint.operation)
    shape = endpoint.handler(call)
    call.store.insert("asked", at=clock.now(), uid=call.uid, path=endpoint.path, code=0)
    await asyncio.sleep(made.delay_after)
    if isinstance(made.after, Refusal):
        return refused(endpoint.path, made.after)
    return made.after or Response(json.dumps(shape, ensure_ascii=False), media_type="application/json")


def _account(store: WeiboStore, request: Request, values: dict[str, str], endpoint: Endpoint) -> Row:
    """The account whose token came along; a token that does not live is refused with its reason."""
    if (request.method == "POST") is not endpoint.write:
        raise Refusal(10021)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("oauth2", "bearer"):
        token = values.get("access_token", "")
    if not token.strip():
        raise Refusal(10006)
    account = holder(store, token.strip())
    if account["expires_at"] and account["expires_at"] <= clock.now():
        raise Refusal(21327)
    return account


def holder(store: WeiboStore, token: str) -> Row:
    """Whose token it is; a :class:`Refusal` says why it is worth nothing."""
    if (permanent := store.account_by_token(token)) is not None:
        return permanent
    grant = store.grant(token)
    account = store.account(grant["uid"]) if grant else None
    if grant is None or account is None:
        raise Refusal(21332)
    if grant["ended"]:
        raise Refusal(ENDED.get(grant["ended"], 21332))
    if grant["expires_at"] <= clock.now():
        raise Refusal(21327)
    return account
