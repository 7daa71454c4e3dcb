"""The control API: the sandbox's, and what only Weibo has: apps, grants, budgets, events, figures."""

from __future__ import annotations

from typing import Any, cast

from starlette.requests import Request
from starlette.routing import Route

from connectors.sandbox.server import citizens, clock
from connectors.sandbox.server.control import BadRequest, account_named, answering
from connectors.sandbox.server.control import routes as common
from connectors.weibo.simulator.budget import standing
from connectors.weibo.simulator.pushes import EVENTS, FanPushes, event, media
from connectors.weibo.simulator.state import ENDED, FORMATS, SETTINGS, WeiboStore

APP_FIELDS = ("key", "secret", "name", "callback", "domains", "level", "life")


def routes() -> list[Route]:
    """The routes; the sandbox's answer here too."""
    table = (
        ("GET", "/control/apps", list_apps),
        ("POST", "/control/apps", save_app),
        ("POST", "/control/tokens", new_token),
        ("POST", "/control/tokens/end", end_tokens),
        ("GET", "/control/budget/{account}", budget),
        ("DELETE", "/control/budget", forget_spending),
        ("POST", "/control/rules", rules),
        ("GET", "/control/asked", asked),
        ("POST", "/control/fan", fan),
        ("POST", "/control/events", events),
        ("POST", "/control/media", media_pushes),
        ("POST", "/control/late", show_late),
        ("GET", "/control/articles", articles),
        ("GET", "/control/receipts/{account}", receipts),
    )
    return [*(Route(path, answering(action), methods=[method]) for method, path, action in table), *common()]


def _store(request: Request) -> WeiboStore:
    return cast(WeiboStore, request.app.state.store)


async def list_apps(request: Request, wanted: dict[str, Any]) -> Any:
    """The apps with their secrets."""
    return {"apps": [dict(row) for row in _store(request).apps()]}


async def save_app(request: Request, wanted: dict[str, Any]) -> Any:
    """Create or change an app: ``domains``, ``callback``, ``level`` (ordinary, commercial), ``life`` of grants in s."""
    if unknown := set(wanted) - set(APP_FIELDS):
        raise BadRequest(f"unknown: {', '.join(sorted(unknown))}")
    if wanted.get("level", "ordinary") not in ("ordinary", "commercial"):
        raise BadRequest("level is ordinary or commercial")
    return dict(_store(request).save_app(wanted))


async def new_token(request: Request, wanted: dict[str, Any]) -> Any:
    """A grant without the page."""
    store = _store(request)
    return dict(store.new_token(store.apps()[0], account_named(request, wanted.get("account"))["uid"]))


async def end_tokens(request: Request, wanted: dict[str, Any]) -> Any:
    """End the grants of an account; ``why``: expired, revoked, withdrawn (by the owner), password."""
    store, account, why = (
        _store(request),
        account_named(request, wanted.get("account")),
        str(wanted.get("why", "revoked")),
    )
    if why == "expired":
        sql = "UPDATE token SET expires_at = ? WHERE uid = ?"
        return {"ended": store.change(sql, clock.now(), account["uid"])}
    if why not in ENDED:
        raise BadRequest(f"why is one of expired, {', '.join(ENDED)}")
    return {"ended": store.change("UPDATE token SET ended = ? WHERE uid = ? AND ended = ''", why, account["uid"])}


async def budget(request: Request, wanted: dict[str, Any]) -> Any:
    """What an account has left."""
    return standing(_store(request), account_named(request, request.path_params["account"])["uid"])


async def forget_spending(request: Request, wanted: dict[str, Any]) -> Any:
    """Every window begins anew."""
    return {"forgotten": _store(request).change("DELETE FROM spent")}


async def rules(request: Request, wanted: dict[str, Any]) -> Any:
    """Change the platform's numbers; answers all of them."""
    if unknown := set(wanted) - set(SETTINGS):
        raise BadRequest(f"unknown: {', '.join(sorted(unknown))}")
    for name, value in wanted.items():
        _store(request).set(name, float(value))
    return {name: _store(request).setting(name) for name in SETTINGS}


async def asked(request: Request, wanted: dict[str, Any]) -> Any:
    """Every call that was made, oldest first: when, by whom, to which address, with which code (0: answered)."""
    sql = "SELECT * FROM asked WHERE seq > ? ORDER BY seq LIMIT 10000"
    return {"asked": [dict(row) for row in _store(request).rows(sql, int(request.query_params.get("after", 0)))]}


async def fan(request: Request, wanted: dict[str, Any]) -> Any:
    """How an account is pushed to: ``format`` (json, xml), ``mentions`` ("", "text" or "bare")."""
    account = account_named(request, wanted.get("account"))
    given = {name: str(wanted[name]) for name in ("format", "mentions") if name in wanted}
    if given.get("format", "json") not in FORMATS or given.get("mentions", "") not in ("", "text", "bare"):
        raise BadRequest("format is json or xml; mentions is empty, text or bare")
    _store(request).set_fan(account["uid"], **given)
    return given


async def events(request: Request, wanted: dict[str, Any]) -> Any:
    """Something a citizen did; after ``unfollow`` nothing can be written to them."""
    account, subtype = account_named(request, wanted.get("account")), str(wanted.get("subtype", "follow"))
    uid, _ = citizens.citizen(str(wanted.get("author", "")))
    if subtype in ("follow", "scan_follow"):
        _store(request).change("DELETE FROM gone WHERE uid = ? AND citizen = ?", account["uid"], uid)
    if subtype == "unfollow":
        _store(request).change("INSERT OR IGNORE INTO gone(uid, citizen) VALUES(?, ?)", account["uid"], uid)
    pushes: FanPushes = request.app.state.pushes
    return {"pushed": pushes.queue_shape(account, event(account, uid, subtype)), "known": subtype in EVENTS}


async def media_pushes(request: Request, wanted: dict[str, Any]) -> Any:
    """A picture, voice or place in private; or a type nobody knows."""
    account = account_named(request, wanted.get("account"))
    uid, _ = citizens.citizen(str(wanted.get("author", "")))
    pushes: FanPushes = request.app.state.pushes
    return {"pushed": pushes.queue_shape(account, media(account, uid, str(wanted.get("type", "image"))))}


async def show_late(request: Request, wanted: dict[str, Any]) -> Any:
    """A mention that was held back under review stands in the list now, at its old place; no counter moves."""
    account, row = account_named(request, wanted.get("account")), _store(request).item(wanted.get("item"))
    if row is None:
        raise BadRequest("no such item")
    sql = "INSERT OR IGNORE INTO inbox(account, stream, id) VALUES(?, 'mentions', ?)"
    return {"shown": _store(request).change(sql, account["uid"], row["id"])}


async def articles(request: Request, wanted: dict[str, Any]) -> Any:
    """The long articles that were accepted."""
    rows = _store(request).rows("SELECT * FROM article ORDER BY item_id")
    return {"articles": [dict(row) | {"item_id": str(row["item_id"])} for row in rows]}


async def receipts(request: Request, wanted: dict[str, Any]) -> Any:
    """What an account told citizens by answering pushes."""
    account = account_named(request, request.path_params["account"])
    sql = "SELECT * FROM item WHERE via = 'receipt' AND author_id = ? ORDER BY id"
    rows = _store(request).rows(sql, account["uid"])
    return {"receipts": [{"receiver_id": row["receiver_id"], "text": row["text"]} for row in rows]}
