"""The page at ``/``: a person plays a citizen, watches the timeline and sets faults. Works without scripts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.moments import BEIJING
from connectors.sandbox.server import citizens
from connectors.sandbox.server.citizens import Impossible, Say
from connectors.sandbox.server.faults import BadFault, in_words, set_fault
from connectors.sandbox.server.store import Row, Store

HERE = Path(__file__).parent
PAGE_SIZE = 20
LONGEST = 20_000
_pages = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)

# What the panel offers: value → (what the person reads, the fault it sets).
OFFERS: dict[str, tuple[str, dict[str, Any]]] = {
    "drop": ("下一次回复或发布：受理后断开连接", {"kind": "drop", "count": 1}),
    "error": ("下一次回复或发布：受理后返回服务器错误", {"kind": "error_after", "count": 1}),
    "refuse": ("下一次回复或发布：拒绝（内容违规）", {"kind": "refuse", "code": 20021, "count": 1}),
    "garbage": ("下一次回复或发布：返回网页而不是数据", {"kind": "garbage", "count": 1}),
    "limit": ("限流 60 秒", {"kind": "rate_limit", "seconds": 60}),
    "video": ("下一段视频：收下后断开连接", {"kind": "drop", "operation": "video", "count": 1}),
    "slow": ("每次写入延迟 8 秒", {"kind": "delay", "seconds": 8}),
    "lag": ("自己的列表晚 10 秒可见", {"kind": "list_lag", "seconds": 10}),
    "off": ("自己的列表不可用", {"kind": "list_off"}),
}


def routes() -> list[Route]:
    """The routes of the page."""
    return [
        Route("/", home),
        Route("/item/{item}", thread_page),
        Route("/page.css", style),
        Route("/picture/{picture}", picture),
        Route("/say/mention", _form(say_mention), methods=["POST"]),
        Route("/say/comment", _form(say_comment), methods=["POST"]),
        Route("/say/message", _form(say_message), methods=["POST"]),
        Route("/say/removal", _form(say_removal), methods=["POST"]),
        Route("/say/fault", _form(say_fault), methods=["POST"]),
        Route("/say/repair", _form(say_repair), methods=["POST"]),
    ]


async def style(request: Request) -> Response:
    """The page's own style sheet."""
    return FileResponse(HERE / "page.css", media_type="text/css")


async def picture(request: Request) -> Response:
    """One picture of a post."""
    found = _store(request).picture(request.path_params["picture"])
    return Response(found["data"], media_type=found["mime"]) if found else PlainTextResponse("没有这张图片", 404)


async def home(request: Request) -> Response:
    """The newest threads, the forms and the fault panel."""
    store = _store(request)
    before = request.query_params.get("before", "")
    upper = int(before) if before.isdigit() and len(before) <= 19 else 2**63 - 1
    roots = "kind = 'status' OR (kind = 'message' AND official = 0)"
    rows = store.rows(
        f"SELECT * FROM item WHERE id < ? AND ({roots}) ORDER BY id DESC LIMIT ?",  # noqa: S608
        min(upper, 2**63 - 1),
        PAGE_SIZE + 1,
    )
    older = str(rows[PAGE_SIZE - 1]["id"]) if len(rows) > PAGE_SIZE else ""
    return _render(request, [_thread(store, row) for row in rows[:PAGE_SIZE]], older=older)


async def thread_page(request: Request) -> Response:
    """One thread by the id of anything in it."""
    store = _store(request)
    row = store.item(request.path_params["item"])
    if row is None:
        return _render(request, [], note="没有这条内容，可能已被清空。", status=404)
    root = store.item(row["root_id"] or (row["parent_id"] if row["official"] else None)) or row
    return _render(request, [_thread(store, root)], alone=True)


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _render(
    request: Request,
    threads: list[dict[str, Any]],
    *,
    older: str = "",
    note: str = "",
    status: int = 200,
    alone: bool = False,
) -> Response:
    store = _store(request)
    faults = [(row["id"], in_words(row)) for row in store.rows("SELECT * FROM fault ORDER BY id")]
    html = _pages.get_template("page.html").render(
        threads=threads,
        older=older,
        alone=alone,
        note=note or request.query_params.get("note", "")[:200],
        author=request.query_params.get("author", "")[:30],
        accounts=store.accounts(),
        faults=faults,
        offers=[(value, words) for value, (words, _) in OFFERS.items()],
        now=_when(time.time()),
        title=getattr(request.app.state, "title", "沙箱平台"),
        links=getattr(request.app.state, "links", ()),
    )
    return HTMLResponse(html, status)


def _thread(store: Store, root: Row) -> dict[str, Any]:
    if root["kind"] == "message":
        below = store.rows(
            "SELECT * FROM item WHERE kind = 'message' AND parent_id = ? ORDER BY id LIMIT 200", root["id"]
        )
    else:
        below = store.rows("SELECT * FROM item WHERE root_id = ? ORDER BY id LIMIT 200", root["id"])
    to = store.account(root["receiver_id"]) if root["receiver_id"] else None
    shown = [{"id": one["id"], "alt": one["description"]} for one in store.pictures(root["id"])]
    film = store.film_of(root["id"])
    told = {"name": film["name"], "alt": film["description"], "size": f"{film['size'] / 1024**2:.1f}"} if film else None
    more = {"title": store.title(root["id"]), "pictures": shown, "video": told}
    return _entry(root) | more | {"below": [_entry(row, store) for row in below], "to": to["screen_name"] if to else ""}


def _entry(row: Row, store: Store | None = None) -> dict[str, Any]:
    parent = store.item(row["parent_id"]) if store and row["kind"] == "comment" else None
    return {
        "id": str(row["id"]),
        "kind": row["kind"],
        "name": row["author_name"],
        "official": bool(row["official"]),
        "text": row["text"].replace("\x00", "�"),
        "when": _when(row["created_at"]),
        "removed": row["removed_by"],
        "answers": parent["author_name"] if parent else "",
    }


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


Form = dict[str, str]


def _form(act: Callable[[Request, Form], str]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            if len(form.get("text", "")) > LONGEST:
                raise Impossible("内容过长，请分几次发")
            place = act(request, form)
        except (Impossible, BadFault) as error:
            return _render(request, [], note=str(error), status=400)
        author = quote(form.get("author", ""))
        anchor = f"#i{place}" if place else ""
        return RedirectResponse(f"/?author={author}{anchor}", 303)

    return answer


def _official(request: Request, form: Form) -> Row:
    account = _store(request).account(form.get("account", ""))
    if account is None:
        raise Impossible("请先选择一个政务账号")
    return account


def say_mention(request: Request, form: Form) -> str:
    """A citizen mentions an official account."""
    account, store = _official(request, form), _store(request)
    with store.transaction():
        new_id = citizens.mention(store, account, form.get("author", ""), form.get("text", ""), Say())
        request.app.state.pushes.queue(account, new_id)
    return str(new_id)


def say_comment(request: Request, form: Form) -> str:
    """A citizen comments on a post or answers a comment."""
    store = _store(request)
    target = store.item(form.get("target", ""))
    with store.transaction():
        new_id = citizens.comment(store, target, form.get("author", ""), form.get("text", ""), Say())
    return str(new_id)


def say_message(request: Request, form: Form) -> str:
    """A citizen writes in private."""
    account, store = _official(request, form), _store(request)
    with store.transaction():
        new_id = citizens.message(store, account, form.get("author", ""), form.get("text", ""), Say())
        request.app.state.pushes.queue(account, new_id)
    return str(new_id)


def say_removal(request: Request, form: Form) -> str:
    """The platform takes an item down."""
    row = _store(request).item(form.get("target", ""))
    if row is None or not _store(request).remove(row["id"], "platform"):
        raise Impossible("这条内容已经不在了")
    return str(row["root_id"] or row["id"])


def say_fault(request: Request, form: Form) -> str:
    """Set one of the faults on offer."""
    if form.get("fault", "") not in OFFERS:
        raise Impossible("请选择一种故障")
    set_fault(_store(request), OFFERS[form["fault"]][1] | {"account": form.get("account", "")})
    return ""


def say_repair(request: Request, form: Form) -> str:
    """Lift all faults."""
    _store(request).change("DELETE FROM fault")
    return ""
