"""The page at ``/open``: the console of the open platform, where an office's app is registered and grants end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.moments import BEIJING
from connectors.sandbox.server import clock
from connectors.sandbox.server.store import Row
from connectors.weibo.simulator.budget import standing
from connectors.weibo.simulator.state import WeiboStore

_pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
KINDS = {1: "政务", 2: "企业", 3: "媒体", 7: "机构", -1: "未认证"}
ENDS = {"expired": "到期", "revoked": "应用撤销", "withdrawn": "用户取消", "password": "改过密码"}


def routes() -> list[Route]:
    """The routes of the console."""
    return [
        Route("/open", home),
        Route("/open/app", _form(change_app), methods=["POST"]),
        Route("/open/account", _form(new_account), methods=["POST"]),
        Route("/open/push", _form(change_push), methods=["POST"]),
        Route("/open/end", _form(end_grants), methods=["POST"]),
        Route("/open/rules", _form(change_rules), methods=["POST"]),
    ]


def _store(request: Request) -> WeiboStore:
    store: WeiboStore = request.app.state.store
    return store


async def home(request: Request) -> Response:
    """The app, the accounts with their grants, and the budget."""
    return _render(request)


def _render(request: Request, note: str = "", status: int = 200) -> Response:
    store = _store(request)
    html = _pages.get_template("open.html").render(
        app=store.apps()[0], accounts=[_account(store, row) for row in store.accounts()], kinds=KINDS, note=note,
        calls_per_day=int(store.setting("calls_per_day")), ends=ENDS,
    )  # fmt: skip
    return HTMLResponse(html, status)


def _account(store: WeiboStore, row: Row) -> dict[str, Any]:
    grants = store.rows("SELECT * FROM token WHERE uid = ? ORDER BY made_at DESC LIMIT 5", row["uid"])
    left = standing(store, row["uid"])
    form, mentions = store.fan(row["uid"])
    return dict(row) | {
        "kind": KINDS.get(row["verified_type"], "其他"),
        "left": left["remaining_user_hits"],
        "most": left["user_limit"],
        "format": form,
        "mentions": mentions,
        "grants": [
            {"made": _when(one["made_at"]), "state": _state(one), "until": _when(one["expires_at"])} for one in grants
        ],
    }


def _state(grant: Row) -> str:
    if grant["ended"]:
        return ENDS.get(grant["ended"], str(grant["ended"]))
    return ENDS["expired"] if grant["expires_at"] <= clock.now() else ""


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(BEIJING):%Y-%m-%d %H:%M}"


Form = dict[str, str]


def _form(act: Callable[[WeiboStore, Form], None]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        form = {name: value.strip() for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            act(_store(request), form)
        except ValueError as error:
            return _render(request, str(error), 400)
        return RedirectResponse("/open", 303)

    return answer


def change_app(store: WeiboStore, form: Form) -> None:
    """Register where people return to and which domains links may have; a contract or not."""
    level = "commercial" if form.get("commercial") else "ordinary"
    store.save_app({"callback": form.get("callback", ""), "domains": form.get("domains", ""), "level": level})


def new_account(store: WeiboStore, form: Form) -> None:
    """An official account."""
    name = form.get("screen_name", "")
    if not name or len(name) > 30 or store.account(name):
        raise ValueError("请填写一个还没有的昵称，最多 30 个字")
    store.save_account({"screen_name": name, "verified_type": int(form.get("kind", "1"))})


def change_push(store: WeiboStore, form: Form) -> None:
    """Where an account's private messages are pushed to."""
    account = _named(store, form)
    store.save_account({"uid": account["uid"], "push_url": form.get("push_url", "")})
    xml = "xml" if form.get("format") == "xml" else "json"
    store.set_fan(account["uid"], format=xml, mentions="text" if form.get("mentions") else "")


def end_grants(store: WeiboStore, form: Form) -> None:
    """End an account's grants."""
    account, why = _named(store, form), form.get("why", "")
    if why not in ENDS:
        raise ValueError("请选择授权因何失效")
    if why == "expired":
        store.change("UPDATE token SET expires_at = ? WHERE uid = ?", clock.now(), account["uid"])
    else:
        store.change("UPDATE token SET ended = ? WHERE uid = ? AND ended = ''", why, account["uid"])


def change_rules(store: WeiboStore, form: Form) -> None:
    """How many calls a day; and begin counting anew."""
    number = form.get("calls_per_day", "")
    if not (number.isascii() and number.isdigit() and 0 < int(number) < 10**7):
        raise ValueError("每天的调用次数须是正整数")
    store.set("calls_per_day", int(number))
    store.change("DELETE FROM spent")


def _named(store: WeiboStore, form: Form) -> Row:
    account = store.account(form.get("account", ""))
    if account is None:
        raise ValueError("没有这个账号")
    return account
