"""The control API under ``/control``: sets the scene, sets faults, and is the judge in tests."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.server import citizens, clock
from connectors.sandbox.server.citizens import Say
from connectors.sandbox.server.faults import set_fault
from connectors.sandbox.server.pushes import Pushes
from connectors.sandbox.server.store import Row, Store
from connectors.sandbox.server.wire import BROKEN

Action = Callable[[Request, dict[str, Any]], Awaitable[Any]]
MOST = 100_000
LAST_MOMENT = 4_102_444_800.0
ACCOUNT_FIELDS = ("uid", "screen_name", "token", "app_secret", "push_url", "verified_type", "expires_at")


# What a call that makes no sense runs into, however deep: the judge answers, it does not fall over.
SENSELESS = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, sqlite3.Error
)  # fmt: skip


class BadRequest(ValueError):
    """A control call that makes no sense; answered with 400 and this text."""


def routes() -> list[Route]:
    """The routes of the control API."""
    table: tuple[tuple[str, str, Action], ...] = (
        ("POST", "/control/reset", reset),
        ("GET", "/control/accounts", list_accounts),
        ("POST", "/control/accounts", save_account),
        ("POST", "/control/accounts/{account}/challenge", challenge),
        ("POST", "/control/posts", add_posts),
        ("POST", "/control/mentions", add_mentions),
        ("POST", "/control/comments", add_comments),
        ("POST", "/control/messages", add_messages),
        ("POST", "/control/pushes", add_pushes),
        ("GET", "/control/pushes", count_pushes),
        ("GET", "/control/faults", list_faults),
        ("POST", "/control/faults", add_fault),
        ("DELETE", "/control/faults", clear_faults),
        ("DELETE", "/control/faults/{fault:int}", clear_fault),
        ("POST", "/control/items/{item}/takedown", take_down),
        ("POST", "/control/videos/forget", forget_videos),
        ("POST", "/control/figures", figures),
        ("GET", "/control/items/{item}", show_item),
        ("GET", "/control/accepted", accepted),
        ("GET", "/control/attempts", attempts),
        ("POST", "/control/settings", settings),
    )
    return [Route(path, answering(action), methods=[method]) for method, path, action in table]


def answering(action: Action) -> Callable[[Request], Awaitable[Response]]:
    """An action as a route's handler: JSON in, JSON out, 400 for what makes no sense."""

    async def answer(request: Request) -> Response:
        try:
            wanted = json.loads(await request.body() or b"{}")
            if not isinstance(wanted, dict):
                raise BadRequest("the body must be a JSON object")
            return JSONResponse(await action(request, wanted))
        except SENSELESS as error:
            return JSONResponse({"error": str(error).encode(errors="replace").decode() or type(error).__name__}, 400)

    return answer


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def account_named(request: Request, name: Any) -> Row:
    """An account by uid or screen name; :class:`BadRequest` when there is none."""
    found = _store(request).account(str(name or ""))
    if found is None:
        raise BadRequest(f"no account {name}")
    return found


async def reset(request: Request, wanted: dict[str, Any]) -> Any:
    """Forget everything."""
    _store(request).reset()
    return {"ok": True}


async def list_accounts(request: Request, wanted: dict[str, Any]) -> Any:
    """All official accounts with their tokens."""
    return {"accounts": [dict(row) for row in _store(request).accounts()]}


async def save_account(request: Request, wanted: dict[str, Any]) -> Any:
    """Create an account or change one; answers it with its token and app secret."""
    if not wanted.get("screen_name") and not _store(request).account(str(wanted.get("uid", ""))):
        raise BadRequest("a new account needs a screen_name")
    if unknown := set(wanted) - set(ACCOUNT_FIELDS):
        raise BadRequest(f"unknown: {', '.join(sorted(unknown))}")
    _moment(wanted.get("expires_at"))
    return dict(_store(request).save_account(wanted))


async def challenge(request: Request, wanted: dict[str, Any]) -> Any:
    """Whether the account's push address answers the challenge."""
    pushes: Pushes = request.app.state.pushes
    return {"ok": await pushes.challenge(account_named(request, request.path_params["account"]))}


def _each(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """The single items of a call: ``items``, or ``count`` copies of ``text`` with ``{n}`` replaced, or one."""
    base = {name: value for name, value in wanted.items() if name not in ("items", "count")}
    if "items" in wanted:
        each = [base | item for item in wanted["items"]]
    else:
        count = int(wanted.get("count", 1))
        text = str(wanted.get("text", ""))
        if count > MOST:
            raise BadRequest(f"at most {MOST} at once")
        each = [base | {"text": text.replace("{n}", str(n))} for n in range(1, count + 1)]
    if len(each) > MOST:
        raise BadRequest(f"at most {MOST} at once")
    if bad := {str(item["broken"]) for item in each if item.get("broken")} - set(BROKEN):
        raise BadRequest(f"broken must be one of {', '.join(BROKEN)}, not {', '.join(sorted(bad))}")
    return each


def _say(item: dict[str, Any]) -> Say:
    at = item.get("created_at")
    return Say("control", str(item.get("broken", "")), _moment(at), item.get("listed", True))


def _moment(given: Any) -> float | None:
    """Unix seconds the calendar knows; None stays None. One that it does not know would stand in every list."""
    if given is None:
        return None
    if not 0 <= float(given) < LAST_MOMENT:
        raise BadRequest("a time is given in unix seconds, before the year 2100")
    return float(given)


async def add_posts(request: Request, wanted: dict[str, Any]) -> Any:
    """Posts an official account published in the past (not counted as accepted from the API)."""
    store = _store(request)
    ids = []
    with store.transaction():
        for item in _each(wanted):
            account = account_named(request, item.get("account"))
            author = (account["uid"], account["screen_name"])
            at = _say(item).created_at
            ids.append(store.add_item("status", author, str(item["text"]), via="control", official=True, created_at=at))
    return {"ids": [str(i) for i in ids]}


async def add_mentions(request: Request, wanted: dict[str, Any]) -> Any:
    """Citizens' posts that mention an account."""

    def say(item: dict[str, Any]) -> tuple[Row, int]:
        account = account_named(request, item.get("account"))
        author = str(item.get("author", ""))
        return account, citizens.mention(_store(request), account, author, str(item.get("text", "")), _say(item))

    return _all_or_none(request, wanted, say, pushed=True)


async def add_comments(request: Request, wanted: dict[str, Any]) -> Any:
    """Citizens' comments under ``post`` or in answer to ``comment``."""

    def say(item: dict[str, Any]) -> tuple[Row | None, int]:
        store = _store(request)
        target = store.item(item.get("comment") or item.get("post"))
        new_id = citizens.comment(store, target, str(item.get("author", "")), str(item.get("text", "")), _say(item))
        return None, new_id

    return _all_or_none(request, wanted, say, pushed=False)


async def add_messages(request: Request, wanted: dict[str, Any]) -> Any:
    """Citizens' private messages to an account."""

    def say(item: dict[str, Any]) -> tuple[Row, int]:
        account = account_named(request, item.get("account"))
        author = str(item.get("author", ""))
        return account, citizens.message(_store(request), account, author, str(item.get("text", "")), _say(item))

    return _all_or_none(request, wanted, say, pushed=True)


async def add_pushes(request: Request, wanted: dict[str, Any]) -> Any:
    """Private messages that are pushed only and stand in no list; the account needs a push address."""
    for item in _each(wanted):
        if not account_named(request, item.get("account"))["push_url"]:
            raise BadRequest("the account has no push_url")
    return await add_messages(request, wanted | {"listed": False})


def _all_or_none(
    request: Request, wanted: dict[str, Any], say: Callable[[dict[str, Any]], tuple[Row | None, int]], *, pushed: bool
) -> Any:
    pushes: Pushes = request.app.state.pushes
    ids, queued = [], 0
    with _store(request).transaction():
        for item in _each(wanted):
            account, new_id = say(item)
            ids.append(str(new_id))
            if pushed and account is not None and item.get("push", True):
                queued += pushes.queue(account, new_id)
    return {"ids": ids, "pushed": queued}


async def count_pushes(request: Request, wanted: dict[str, Any]) -> Any:
    """How many pushes are waiting, done and failed, and the latest failures."""
    rows = _store(request).rows("SELECT state, COUNT(*) AS n FROM push GROUP BY state")
    failed = (
        "SELECT id, account, item_id, tries, status, note FROM push WHERE state = 'failed' ORDER BY id DESC LIMIT 50"
    )
    counts = {"waiting": 0, "done": 0, "failed": 0} | {row["state"]: row["n"] for row in rows}
    return counts | {"failures": [dict(row) for row in _store(request).rows(failed)]}


async def list_faults(request: Request, wanted: dict[str, Any]) -> Any:
    """The faults in force."""
    rows = _store(request).rows("SELECT * FROM fault ORDER BY id")
    return {"faults": [dict(row) | {"params": json.loads(row["params"])} for row in rows]}


async def add_fault(request: Request, wanted: dict[str, Any]) -> Any:
    """Put a fault in force."""
    return {"id": set_fault(_store(request), wanted)}


async def clear_faults(request: Request, wanted: dict[str, Any]) -> Any:
    """Lift all faults."""
    return {"lifted": _store(request).change("DELETE FROM fault")}


async def clear_fault(request: Request, wanted: dict[str, Any]) -> Any:
    """Lift one fault."""
    return {"lifted": _store(request).change("DELETE FROM fault WHERE id = ?", request.path_params["fault"])}


async def take_down(request: Request, wanted: dict[str, Any]) -> Any:
    """The platform removes an item."""
    row = _store(request).item(request.path_params["item"])
    return {"removed": row is not None and _store(request).remove(row["id"], "platform")}


async def forget_videos(request: Request, wanted: dict[str, Any]) -> Any:
    """Videos no post shows yet are forgotten, whole or on their way."""
    return {"forgotten": _store(request).forget_films()}


async def figures(request: Request, wanted: dict[str, Any]) -> Any:
    """Likes and reposts of a post."""
    row = _store(request).item(wanted.get("item"))
    if row is None:
        raise BadRequest("no such item")
    values = {name: int(wanted.get(name, 0)) for name in ("likes", "reposts")}
    _store(request).set_figures(row["id"], **values)
    return values


async def show_item(request: Request, wanted: dict[str, Any]) -> Any:
    """One item as stored."""
    row = _store(request).item(request.path_params["item"])
    if row is None:
        raise BadRequest("no such item")
    film = _store(request).film_of(row["id"])
    shown = {name: film[name] for name in ("name", "size", "sha256", "description")} if film else None
    return _judged(row) | {"via": row["via"], "author_name": row["author_name"], "video": shown}


async def accepted(request: Request, wanted: dict[str, Any]) -> Any:
    """Everything the API accepted from official accounts, oldest first; ``after`` (id) and ``limit`` page it."""
    query = request.query_params
    sql = "SELECT * FROM item WHERE via = 'api' AND id > ? AND (? = '' OR author_id = ? OR author_name = ?)"
    rows = _store(request).rows(
        f"{sql} ORDER BY id LIMIT ?",
        int(query.get("after", 0)),
        *[query.get("account", "")] * 3,
        min(int(query.get("limit", 10_000)), MOST),
    )
    return {"accepted": [_judged(row) for row in rows]}


def _judged(row: Row) -> dict[str, Any]:
    kind = {"status": "post", "comment": "reply", "message": "message"}[row["kind"]]
    return {
        "id": str(row["id"]),
        "kind": kind,
        "account": row["author_id"],
        "text": row["text"],
        "key": row["idem_key"],
        "thread_id": str(row["root_id"] or ""),
        "target_id": str(row["parent_id"] or row["root_id"] or ""),
        "receiver_id": row["receiver_id"],
        "created_at": row["created_at"],
        "accepted_at": row["accepted_at"],
        "removed_at": row["removed_at"],
        "removed_by": row["removed_by"],
    }


async def attempts(request: Request, wanted: dict[str, Any]) -> Any:
    """Every write that reached the platform, accepted or not, oldest first; ``after`` (seq) and ``limit`` page it."""
    query = request.query_params
    sql = "SELECT * FROM attempt WHERE seq > ? ORDER BY seq LIMIT ?"
    rows = _store(request).rows(sql, int(query.get("after", 0)), min(int(query.get("limit", 10_000)), MOST))
    return {"attempts": [_attempt(row) for row in rows]}


def _attempt(row: Row) -> dict[str, Any]:
    made = dict(row)
    made["key"] = made.pop("idem_key")
    made["item_id"] = str(made["item_id"] or "")
    return made


async def settings(request: Request, wanted: dict[str, Any]) -> Any:
    """``push_interval``: seconds between two tries of a push; ``push_tries``: how many before giving up.

    ``now``: stop the platform's clock (null: go on)."""
    pushes: Pushes = request.app.state.pushes
    if "push_interval" in wanted:
        pushes.interval = max(0.01, float(wanted["push_interval"]))
    if "push_tries" in wanted:
        pushes.tries = max(1, int(wanted["push_tries"]))
    if "now" in wanted:
        clock.stop_at(_moment(wanted["now"]))
    return {"push_interval": pushes.interval, "push_tries": pushes.tries, "now": clock.now()}
