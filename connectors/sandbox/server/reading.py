"""The reading half of the API. Lists are newest first; ``next_cursor`` is the ``max_id`` of the next page, or 0."""

from __future__ import annotations

import sqlite3
from typing import Any

from connectors.sandbox.server import clock
from connectors.sandbox.server.call import Call
from connectors.sandbox.server.faults import Refusal

DEFAULT_COUNT = 50
MOST = 200


def get_uid(call: Call) -> Any:
    """Whose token this is."""
    return {"uid": call.uid}


def show_user(call: Call) -> Any:
    """The caller's own profile, or another official account's by ``uid``."""
    account = call.store.account(call.values.get("uid", "") or call.uid)
    if account is None:
        raise Refusal(20003, 404)
    return call.wire.user(account["uid"], account["screen_name"])


def unread_count(call: Call) -> Any:
    """How many items came since each list was last read from its top."""
    names = {"mention_status": "mentions", "cmt": "comments", "dm": "messages"}
    sql = (
        "SELECT COUNT(*) FROM inbox WHERE account = ? AND stream = ? AND id > "
        "COALESCE((SELECT id FROM seen WHERE account = ? AND stream = ?), 0)"
    )
    return {name: call.store.value(sql, call.uid, s, call.uid, s) for name, s in names.items()}


def mentions(call: Call) -> Any:
    """Statuses that mention the caller."""
    return _inbox(call, "mentions", "statuses")


def comments_to_me(call: Call) -> Any:
    """Comments under the caller's posts and answers to the caller's comments."""
    return _inbox(call, "comments", "comments")


def messages(call: Call) -> Any:
    """Private messages to the caller."""
    return _inbox(call, "messages", "direct_messages")


def _inbox(call: Call, stream: str, name: str) -> Any:
    source = "inbox JOIN item USING(id) WHERE inbox.account = ? AND inbox.stream = ? AND removed_at IS NULL"
    if not call.values.get("max_id"):
        newest = "SELECT MAX(id) FROM inbox WHERE account = ? AND stream = ?"
        top = call.store.value(newest, call.uid, stream) or 0
        call.store.change("INSERT OR REPLACE INTO seen(account, stream, id) VALUES(?, ?, ?)", call.uid, stream, top)
    return _page(call, source, (call.uid, stream), name)


def own_statuses(call: Call) -> Any:
    """The caller's own posts."""
    return _own(call, "status", "statuses")


def own_comments(call: Call) -> Any:
    """The caller's own comments, wherever they stand."""
    return _own(call, "comment", "comments")


def own_messages(call: Call) -> Any:
    """The caller's own private messages."""
    return _own(call, "message", "direct_messages")


def _own(call: Call, kind: str, name: str) -> Any:
    if "list_off" in call.flags:
        raise Refusal(10002, 503)
    lag = call.flags.get("list_lag", {}).get("seconds", 0.0)
    # Judged by the moment of acceptance: a lag hides what has just been written, not what was dated so.
    source = "item WHERE author_id = ? AND kind = ? AND official = 1 AND removed_at IS NULL AND accepted_at <= ?"
    return _page(call, source, (call.uid, kind, clock.now() - lag), name)


def _page(call: Call, source: str, bound: tuple[Any, ...], name: str) -> Any:
    size = int(call.flags.get("list_size", {}).get("size", 0))
    count = max(1, min(call.number("count", DEFAULT_COUNT), MOST, size or MOST))
    since, upper = call.number("since_id"), call.number("max_id") or 2**63 - 1
    sql = f"SELECT item.* FROM {source} AND item.id > ? AND item.id <= ? ORDER BY item.id DESC LIMIT ?"  # noqa: S608
    found = call.store.rows(sql, *bound, since, upper, count + 1)
    total = call.store.value(f"SELECT COUNT(*) FROM {source}", *bound)  # noqa: S608
    return {
        name: [_shape(call, row) for row in found[:count]],
        "previous_cursor": 0,
        "next_cursor": found[count]["id"] if len(found) > count and not size else 0,
        "total_number": total,
        "hasvisible": False,
    }


def _shape(call: Call, row: sqlite3.Row) -> Any:
    return call.wire.item(row, show_key="show_key" in call.flags)


def comments_of_status(call: Call) -> Any:
    """The comments under one post."""
    root = _there(call, call.number("id"), "status", 20101)
    return _page(call, "item WHERE root_id = ? AND kind = 'comment' AND removed_at IS NULL", (root["id"],), "comments")


def show_status(call: Call) -> Any:
    """One post; a removed one is refused with 20101."""
    return _shape(call, _there(call, call.number("id"), "status", 20101))


def count_statuses(call: Call) -> Any:
    """Figures of posts by id (``ids``, at most a hundred); unknown ones are left out."""
    ids = [one for one in call.values.get("ids", "").split(",") if one]
    if not 0 < len(ids) <= 100:
        raise Refusal(10008, 400)
    found = [call.store.item(text) for text in ids]
    return [counted(call, row) for row in found if row and row["kind"] == "status" and not row["removed_at"]]


def counted(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    """Likes, reposts and comments of a post."""
    likes, reposts = call.store.figures(row["id"])
    sql = "SELECT COUNT(*) FROM item WHERE root_id = ? AND kind = 'comment' AND removed_at IS NULL"
    comments = call.store.value(sql, row["id"])
    return {
        "id": row["id"], "idstr": str(row["id"]), "comments": comments, "reposts": reposts, "attitudes": likes,
    }  # fmt: skip


def show_comments(call: Call) -> Any:
    """Comments by id (``cids``, at most 20); missing ones are left out."""
    wanted = call.values.get("cids", "").split(",")[:20]
    found = [call.store.item(text) for text in wanted]
    return [_shape(call, row) for row in found if row and row["kind"] == "comment" and not row["removed_at"]]


def show_message(call: Call) -> Any:
    """One private message from or to the caller."""
    row = _there(call, call.number("id"), "message", 20305)
    if call.uid not in (row["author_id"], row["receiver_id"]):
        raise Refusal(20305, 404)
    return _shape(call, row)


def _there(call: Call, item_id: int, kind: str, code: int) -> sqlite3.Row:
    row = call.store.item(item_id)
    if row is None or row["kind"] != kind or row["removed_at"]:
        raise Refusal(code, 404)
    return row
