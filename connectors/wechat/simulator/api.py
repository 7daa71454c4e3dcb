"""The platform's calls: HTTP 200 with ``errcode`` whatever happens, and no ``errcode`` on some successes."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.moments import BEIJING
from connectors.sandbox.server.faults import GARBAGE, Dropped
from connectors.wechat.simulator import articles, material, talk, tokens
from connectors.wechat.simulator.world import Official, Refusal, World

Handler = Callable[[World, Official, dict[str, Any]], dict[str, Any] | bytes]
CLEARED_A_MONTH = 10
ROOMS = ("cgi-bin", "datacube")
OK = {"errcode": 0, "errmsg": "ok"}


def _delete_draft(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    articles.draft(world, official, values)
    del world.drafts[values["media_id"]]
    return OK


def _drafts(world: World, official: Official) -> list[tuple[str, dict[str, Any]]]:
    return [(key, row) for key, row in world.drafts.items() if row["app"] == official.app]


def _standing(world: World, official: Official) -> list[tuple[str, dict[str, Any]]]:
    rows = world.articles.items()
    return [(key, row) for key, row in rows if row["app"] == official.app and not row["mass"] and not row["gone"]]


def _take_down(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    articles.published(world, official, values)
    articles.take_down(world, values["article_id"], "owner")
    return OK


def _article(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """That an owner deleted it stands here; of what the platform blocked only the submission is known to tell."""
    found = articles.published(world, official, values)
    return {"news_item": [{**item, "is_deleted": found["gone"] == "owner"} for item in found["news_item"]]}


def _mass_status(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    return {"msg_id": int(values["msg_id"]), "msg_status": articles.sent(world, official, values)["status"]}


def _mass_delete(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    found = articles.sent(world, official, values)
    found["status"] = "DELETE"
    if found["article"]:
        articles.take_down(world, found["article"], "owner")
    return OK


def _totals(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    found = [a for a in world.articles.values() if a["app"] == official.app and a["mass"]]
    rows = [
        {
            "ref_date": values.get("begin_date"), "msgid": f"{a['msg_data_id']}_1", "title": a["news_item"][0]["title"],
            "details": [{"stat_date": values.get("begin_date"), "int_page_read_count": a.get("reads", 0),
                         "share_count": a.get("shares", 0)}],
        }
        for a in found
    ]  # fmt: skip
    return {"list": rows}


def _clear_quota(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Ten times a month."""
    month = f"clear_quota:{datetime.fromtimestamp(world.now(), BEIJING):%Y-%m}"
    times = official.used.get(month, 0) + 1
    if times > CLEARED_A_MONTH:
        raise Refusal(48006, "api forbid clear quota because of reaching the limit")
    official.used = {month: times}
    return OK


# Path → (method, what answers it).
CALLS: dict[str, tuple[str, Handler]] = {
    "/cgi-bin/get_api_domain_ip": ("GET", lambda world, official, values: {"ip_list": ["127.0.0.1"]}),
    "/cgi-bin/getcallbackip": ("GET", lambda world, official, values: {"ip_list": ["127.0.0.1"]}),
    "/cgi-bin/draft/add": ("POST", articles.add_draft),
    "/cgi-bin/draft/get": ("POST", lambda w, o, v: {"news_item": articles.draft(w, o, v)["news_item"]}),
    "/cgi-bin/draft/update": ("POST", articles.change_draft),
    "/cgi-bin/draft/delete": ("POST", _delete_draft),
    "/cgi-bin/draft/count": ("GET", lambda w, o, v: articles.counted(o, len(_drafts(w, o)))),
    "/cgi-bin/draft/batchget": ("POST", lambda w, o, v: articles.listed(_drafts(w, o), "media_id", v)),
    "/cgi-bin/freepublish/submit": ("POST", articles.submit),
    "/cgi-bin/freepublish/get": ("POST", articles.job),
    "/cgi-bin/freepublish/delete": ("POST", _take_down),
    "/cgi-bin/freepublish/getarticle": ("POST", _article),
    "/cgi-bin/freepublish/batchget": ("POST", lambda w, o, v: articles.listed(_standing(w, o), "article_id", v)),
    "/cgi-bin/message/mass/sendall": ("POST", articles.mass),
    "/cgi-bin/message/mass/preview": ("POST", articles.preview),
    "/cgi-bin/message/mass/get": ("POST", _mass_status),
    "/cgi-bin/message/mass/delete": ("POST", _mass_delete),
    "/cgi-bin/message/custom/send": ("POST", talk.send),
    "/cgi-bin/message/custom/typing": ("POST", lambda world, official, values: OK),
    "/cgi-bin/comment/list": ("POST", talk.list_comments),
    "/cgi-bin/comment/reply/add": ("POST", talk.answer),
    "/cgi-bin/comment/reply/delete": ("POST", talk.unanswer),
    "/cgi-bin/comment/markelect": ("POST", lambda w, o, v: talk.elect(w, o, v, elected=True)),
    "/cgi-bin/comment/unmarkelect": ("POST", lambda w, o, v: talk.elect(w, o, v, elected=False)),
    "/cgi-bin/comment/delete": ("POST", talk.remove),
    "/cgi-bin/comment/open": ("POST", lambda w, o, v: talk.switch(w, o, v, opened=True)),
    "/cgi-bin/comment/close": ("POST", lambda w, o, v: talk.switch(w, o, v, opened=False)),
    "/cgi-bin/media/get": ("GET", lambda w, o, v: material.given(w, o, v, lasting=False)),
    "/cgi-bin/material/get_material": ("POST", lambda w, o, v: material.given(w, o, v, lasting=True)),
    "/cgi-bin/material/get_materialcount": ("GET", material.counted),
    "/cgi-bin/material/batchget_material": ("POST", material.listed),
    "/cgi-bin/material/del_material": ("POST", material.deleted),
    "/cgi-bin/clear_quota": ("POST", _clear_quota),
    "/datacube/getarticletotal": ("POST", _totals),
}
UPLOADS = ("/cgi-bin/media/uploadimg", "/cgi-bin/media/upload", "/cgi-bin/material/add_material")


def routes() -> list[Route]:
    """Every call."""
    made = [
        Route("/cgi-bin/token", _answered(_token), methods=["GET"]),
        Route("/cgi-bin/stable_token", _answered(_stable), methods=["POST"]),
        *(Route(path, _answered(_upload), methods=["POST"]) for path in UPLOADS),
    ]
    made += [Route(path, _answered(_call), methods=[method]) for path, (method, _) in CALLS.items()]
    # Whatever else is asked for is answered as the platform answers, too.
    other = [Route(f"/{room}/{{rest:path}}", _answered(_unknown), methods=["GET", "POST"]) for room in ROOMS]
    return [*made, *other]


async def _unknown(request: Request, world: World) -> dict[str, Any]:
    if request.method == "POST" and CALLS.get(request.url.path, ("POST",))[0] == "GET":
        raise Refusal(43001, "require GET method")
    if request.method == "GET" and (request.url.path in CALLS or request.url.path in UPLOADS):
        raise Refusal(43002, "require POST method")
    raise Refusal(40066, "invalid url")


async def _token(request: Request, world: World) -> dict[str, Any]:
    return tokens.plain(world, dict(request.query_params))


async def _stable(request: Request, world: World) -> dict[str, Any]:
    return tokens.stable(world, _json(await request.body()))


async def _upload(request: Request, world: World) -> dict[str, Any]:
    official = tokens.holder(world, request.query_params.get("access_token", ""))
    async with request.form() as form:
        given = form.get("media")
        data = b"" if given is None or isinstance(given, str) else await given.read()
    path, what = request.url.path, request.query_params.get("type", "")
    if path.endswith("/uploadimg"):
        return {"url": material.upload(world, official, data, "inside", lasting=False)["url"]}
    answer = material.upload(world, official, data, what, lasting=path.endswith("/add_material"))
    if path.endswith("/media/upload"):
        name = "thumb_media_id" if what == "thumb" else "media_id"
        return {"type": what, name: answer["media_id"], "created_at": int(world.now())}
    return answer | {"item": []}


async def _call(request: Request, world: World) -> dict[str, Any] | bytes:
    values = _json(await request.body()) if request.method == "POST" else dict(request.query_params)
    official = tokens.holder(world, request.query_params.get("access_token", ""))
    return CALLS[request.url.path][1](world, official, values)


def _json(body: bytes) -> dict[str, Any]:
    """The platform takes raw UTF-8 only: escapes are refused as a wrong character set."""
    if b"\\u" in body:
        raise Refusal(40033, "invalid charset. please check your request, if include \\uxxxx will create fail!")
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise Refusal(47001, "data format error")
    return values


def _answered(act: Callable[[Request, World], Any]) -> Callable[[Request], Any]:
    """One call under the faults in force."""

    async def endpoint(request: Request) -> Response:
        world: World = request.app.state.world
        before, after = _fault(world, request.url.path, "before"), None
        if before is not None:
            await asyncio.sleep(before.get("seconds", 0))
            if ending := _ending(before):
                return ending
        try:
            body = await act(request, world)
            world.calls.append({"path": request.url.path, "errcode": 0, "at": world.now()})
        except Refusal as refusal:
            rid = f"{secrets.token_hex(4)}-{secrets.token_hex(4)}"
            body = {"errcode": refusal.code, "errmsg": f"{refusal.text} rid: {rid}", **refusal.more}
            world.calls.append({"path": request.url.path, "errcode": refusal.code, "at": world.now()})
        except (TypeError, ValueError, KeyError, AttributeError):
            body = {"errcode": 40035, "errmsg": "invalid parameter"}
        world.keep()
        after = _fault(world, request.url.path, "after")
        if after is not None:
            await asyncio.sleep(after.get("seconds", 0))
        return (_ending(after) if after else None) or _sent(body)

    return endpoint


def _fault(world: World, path: str, when: str) -> dict[str, Any] | None:
    for fault in world.faults:
        if path.startswith(fault["path"]) and fault.get("when", "before") == when:
            fault["count"] = fault.get("count", 1) - 1
            if fault["count"] <= 0:
                world.faults.remove(fault)
            return fault
    return None


def _ending(fault: dict[str, Any]) -> Response | None:
    match fault["kind"]:
        case "drop":
            return Dropped()
        case "html":
            return Response(GARBAGE, int(fault.get("status", 200)), media_type="text/html")
        case "code":
            return _sent({"errcode": int(fault["code"]), "errmsg": str(fault.get("errmsg", "fault"))})
        case "status":
            return Response("", int(fault.get("status", 502)))
        case _:
            return None


def _sent(body: dict[str, Any] | bytes) -> Response:
    if isinstance(body, bytes):
        return Response(body, media_type="application/octet-stream")
    return Response(json.dumps(body, ensure_ascii=False).encode(), media_type="application/json; encoding=utf-8")
