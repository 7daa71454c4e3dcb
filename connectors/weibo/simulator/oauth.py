"""Grants by page: where a person lets an app act for an account, the code, the token, its life and its end."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.sandbox.server import clock
from connectors.sandbox.server.faults import Refusal
from connectors.sandbox.server.store import Row
from connectors.weibo.simulator.api import holder, read
from connectors.weibo.simulator.state import WeiboStore
from connectors.weibo.simulator.wire import ERRORS

CODE_SECONDS = 600
_pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)


def routes() -> list[Route]:
    """The addresses of the authorisation, which lie outside ``/2``."""
    return [
        Route("/oauth2/authorize", authorise, methods=["GET", "POST"]),
        Route("/oauth2/access_token", access_token, methods=["POST"]),
        Route("/oauth2/get_token_info", token_info, methods=["POST"]),
        Route("/oauth2/revokeoauth2", revoke, methods=["GET", "POST"]),
    ]


def _store(request: Request) -> WeiboStore:
    store: WeiboStore = request.app.state.store
    return store


def _refused(code: int, path: str, status: int = 400) -> Response:
    """Errors of the authorisation name themselves in words first."""
    words = ERRORS.get(code, "invalid_request")
    body = {"error": words, "error_code": code, "request": path, "error_uri": path, "error_description": words}
    return JSONResponse(body, status)


async def authorise(request: Request) -> Response:
    """The page with its question, and the way back with the answer."""
    values, _ = await read(request)
    store = _store(request)
    app = store.app(values.get("client_id", ""))
    if app is None:
        return _page(request, values, None, "应用不存在：client_id（App Key）不对", 400)
    back = values.get("redirect_uri", "")
    if not _may_return(app, back):
        return _page(request, values, None, "回调地址与应用登记的不一致（21322 redirect_uri_mismatch）", 400)
    if request.method == "GET":
        return _page(request, values, app, "", 200)
    if values.get("answer") != "yes":
        told = {"error": "access_denied", "error_code": "21330", "error_uri": "/oauth2/authorize"}
        return RedirectResponse(_with(back, told | _state(values)), 302)
    account = store.account(values.get("account", ""))
    if account is None:
        return _page(request, values, app, "请选择用哪个账号登录", 400)
    code = secrets.token_hex(16)
    store.insert(
        "code", code=code, app=app["key"], uid=account["uid"], callback=back, made_at=clock.now(), used_at=None
    )
    return RedirectResponse(_with(back, {"code": code} | _state(values)), 302)


def _may_return(app: Row, back: str) -> bool:
    """To the registered address, or to any where none is registered."""
    try:
        place = urlsplit(back)
    except ValueError:
        return False
    return place.scheme in ("http", "https") and bool(place.netloc) and back.startswith(app["callback"])


def _state(values: dict[str, str]) -> dict[str, str]:
    return {"state": values["state"]} if values.get("state") else {}


def _with(back: str, values: dict[str, str]) -> str:
    return back + ("&" if "?" in back else "?") + urlencode(values)


def _page(request: Request, values: dict[str, str], app: Row | None, note: str, status: int) -> Response:
    wanted = ("client_id", "redirect_uri", "response_type", "scope", "state", "display", "forcelogin", "language")
    html = _pages.get_template("authorise.html").render(
        app=app, note=note, accounts=_store(request).accounts(), values={n: values.get(n, "") for n in wanted}
    )
    # The way back leads to another place: the strict rule for forms would stop it there.
    if app is None:
        return HTMLResponse(html, status)
    place = urlsplit(values["redirect_uri"])
    if set(place.netloc) & set(" ;,'\""):
        return HTMLResponse(html, status)
    policy = f"default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {place.scheme}://{place.netloc}"
    return HTMLResponse(html, status, {"content-security-policy": policy})


async def access_token(request: Request) -> Response:
    """A token for a code, once."""
    values, _ = await read(request)
    store, path = _store(request), "/oauth2/access_token"
    app = store.app(values.get("client_id", ""))
    if app is None or not secrets.compare_digest(app["secret"].encode(), values.get("client_secret", "").encode()):
        return _refused(21324, path, 401)
    if values.get("grant_type") != "authorization_code":
        return _refused(21305, path)
    code = store.row("SELECT * FROM code WHERE code = ? AND app = ?", values.get("code", ""), app["key"])
    if code is None or code["used_at"] is not None or clock.now() - code["made_at"] > CODE_SECONDS:
        return _refused(21325, path)
    if code["callback"] != values.get("redirect_uri"):
        return _refused(21322, path)
    with store.transaction():
        store.change("UPDATE code SET used_at = ? WHERE code = ?", clock.now(), code["code"])
        grant = store.new_token(app, code["uid"])
    life = int(app["life"])
    return JSONResponse(
        {
            "access_token": grant["token"],
            "remind_in": str(life),
            "expires_in": life,
            "uid": grant["uid"],
            "isRealName": "true",
        }
    )


async def token_info(request: Request) -> Response:
    """Whose token it is and how long it lives."""
    values, _ = await read(request)
    store, token = _store(request), values.get("access_token", "")
    try:
        account = holder(store, token)
    except Refusal as refusal:
        return _refused(refusal.code, "/oauth2/get_token_info")
    return JSONResponse(_info(store, account, token))


def _info(store: WeiboStore, account: Row, token: str) -> dict[str, Any]:
    grant = store.grant(token)
    made = grant["made_at"] if grant else account["created_at"]
    until = grant["expires_at"] if grant else account["expires_at"] or clock.now() + 365 * 86_400
    return {
        "uid": int(account["uid"]) if account["uid"].isdigit() else account["uid"],
        "appkey": grant["app"] if grant else store.apps()[0]["key"],
        "scope": "all",
        "create_at": int(made),
        "expire_in": max(0, int(until - clock.now())),
    }


async def revoke(request: Request) -> Response:
    """End a grant."""
    values, _ = await read(request)
    store, token = _store(request), values.get("access_token", "")
    try:
        holder(store, token)
    except Refusal as refusal:
        return _refused(refusal.code, "/oauth2/revokeoauth2")
    store.change("UPDATE token SET ended = 'revoked' WHERE token = ?", token)
    return JSONResponse({"result": "true"})
