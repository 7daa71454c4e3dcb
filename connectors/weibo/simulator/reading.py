"""What can be read. Lists are newest first; ``max_id`` is inclusive; ``next_cursor`` is the next ``max_id``, or 0."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.server import clock
from connectors.sandbox.server.call import Call
from connectors.sandbox.server.faults import Refusal
from connectors.sandbox.server.reading import counted, show_comments, show_status
from connectors.weibo.links import mid_of, short_of
from connectors.weibo.simulator.budget import standing
from connectors.weibo.simulator.state import WeiboStore

__all__ = [
    "account_uid", "by_me", "comment_mentions", "comments_of", "count_batch", "mention_ids", "mentions", "query_id",
    "query_mid", "rate_limit_status", "show_comments", "show_status", "show_user", "timeline", "timeline_biz", "to_me",
    "unread_count",
]  # fmt: skip
DEFAULT_COUNT, MOST = 50, 200
COUNTERS = {"mention_status": "mentions", "cmt": "comments", "mention_cmt": "comment_mentions"}
KINDS = {"1": "status", "2": "comment", "3": "message"}


def mine(call: Call) -> WeiboStore:
    """The simulator's own store."""
    assert isinstance(call.store, WeiboStore)
    return call.store


def account_uid(call: Call) -> Any:
    """Whose token this is."""
    return {"uid": int(call.uid) if call.uid.isdigit() else call.uid}


def show_user(call: Call) -> Any:
    """Anybody who ever wrote something, by ``uid`` or ``screen_name``."""
    uid, name = call.values.get("uid", ""), call.values.get("screen_name", "")
    account = call.store.account(uid or name or call.uid)
    if account is not None:
        return call.wire.user(account["uid"], account["screen_name"])
    sql = "SELECT author_id, author_name FROM item WHERE (? != '' AND author_id = ?) OR (? != '' AND author_name = ?)"
    row = call.store.row(sql, uid, uid, name, name)
    if row is None:
        raise Refusal(20003)
    return call.wire.user(row["author_id"], row["author_name"])


def rate_limit_status(call: Call) -> Any:
    """What is left."""
    return standing(mine(call), call.uid)


def unread_count(call: Call) -> Any:
    """How many came since each list was last read from its top."""
    if mine(call).setting("remind_off"):
        raise Refusal(10014)
    sql = (
        "SELECT COUNT(*) FROM inbox WHERE account = ? AND stream = ? AND id > "
        "COALESCE((SELECT id FROM seen WHERE account = ? AND stream = ?), 0)"
    )
    counted = {name: call.store.value(sql, call.uid, s, call.uid, s) for name, s in COUNTERS.items()}
    return {"status": 0, "follower": 0, "dm": 0, "group": 0, "notice": 0, "invite": 0, "badge": 0, "photo": 0} | counted


def mentions(call: Call) -> Any:
    """Statuses that mention the caller."""
    return _inbox(call, "mentions", "statuses")


def mention_ids(call: Call) -> Any:
    """A call that has long been dead: the number is right, the list is empty."""
    return mentions(call) | {"statuses": []}


def to_me(call: Call) -> Any:
    """Comments under the caller's posts and answers to the caller's comments."""
    return _inbox(call, "comments", "comments")


def comment_mentions(call: Call) -> Any:
    """Comments that mention the caller."""
    return _inbox(call, "comment_mentions", "comments")


def by_me(call: Call) -> Any:
    """The caller's own comments."""
    return _own(call, "comment", "comments", MOST)


def timeline(call: Call) -> Any:
    """The caller's own posts: the newest five, whatever an ordinary app asks for, but with their whole number."""
    return _own(call, "status", "statuses", int(mine(call).setting("timeline")), cut=True)


def timeline_biz(call: Call) -> Any:
    """The caller's own posts, for those with a contract."""
    return _own(call, "status", "statuses", 100)


def _inbox(call: Call, stream: str, name: str) -> Any:
    source = "inbox JOIN item USING(id) WHERE inbox.account = ? AND inbox.stream = ?"
    if not call.values.get("max_id") and not mine(call).setting("sticky_counters"):
        top = call.store.value("SELECT MAX(id) FROM inbox WHERE account = ? AND stream = ?", call.uid, stream) or 0
        call.store.change("INSERT OR REPLACE INTO seen(account, stream, id) VALUES(?, ?, ?)", call.uid, stream, top)
    return page(call, source, (call.uid, stream), name)


def _own(call: Call, kind: str, name: str, most: int, *, cut: bool = False) -> Any:
    if "list_off" in call.flags:
        raise Refusal(10002)
    lag = call.flags.get("list_lag", {}).get("seconds", 0.0)
    source = "item WHERE author_id = ? AND kind = ? AND official = 1 AND accepted_at <= ?"
    return page(call, source, (call.uid, kind, clock.now() - lag), name, most, cut=cut)


def page(
    call: Call, source: str, bound: tuple[Any, ...], name: str, most: int = MOST, *, cut: bool = False
) -> dict[str, Any]:
    """One page of a list. ``cut``: nothing beyond it can be reached."""
    if not mine(call).setting("deleted_stubs"):
        source += " AND removed_at IS NULL"
    count = max(1, min(call.number("count", DEFAULT_COUNT), most))
    since, upper = call.number("since_id"), call.number("max_id") or 2**63 - 1
    skip = max(0, call.number("page", 1) - 1) * count
    sql = f"SELECT item.* FROM {source} AND item.id > ? AND item.id <= ? ORDER BY item.id DESC LIMIT ? OFFSET ?"  # noqa: S608
    found = call.store.rows(sql, *bound, since, upper, count + 1, 0 if cut else skip)
    total = call.store.value(f"SELECT COUNT(*) FROM {source}", *bound)  # noqa: S608
    return {
        name: [call.wire.item(row) for row in found[:count]],
        "hasvisible": False,
        "previous_cursor": 0,
        "next_cursor": found[count]["id"] if len(found) > count and not cut else 0,
        "total_number": total,
    }


def comments_of(call: Call) -> Any:
    """The comments under one post."""
    root = call.store.item(call.number("id"))
    if root is None or root["kind"] != "status" or root["removed_at"]:
        raise Refusal(20101)
    return page(call, "item WHERE root_id = ? AND kind = 'comment'", (root["id"],), "comments")


def count_batch(call: Call) -> Any:
    """Figures of up to a hundred posts; unknown ones are left out."""
    ids = [one for one in call.values.get("ids", "").split(",") if one]
    if not ids or len(ids) > 100:
        raise Refusal(20009 if ids else 20001)
    found = [row for one in ids if (row := call.store.item(one)) and row["kind"] == "status" and not row["removed_at"]]
    return [_without_text_id(counted(call, row)) for row in found]


def _without_text_id(shape: dict[str, Any]) -> dict[str, Any]:
    """Here the platform writes the id as a number only."""
    return {name: value for name, value in shape.items() if name != "idstr"}


def query_mid(call: Call) -> Any:
    """Ids as the addresses of pages write them."""
    wanted = call.values.get("id", "").split(",")[:20]
    found = [{one: short_of(one)} for one in wanted if one.isdigit()]
    return found if call.values.get("is_batch") == "1" else {"mid": next(iter(found[0].values()), "")} if found else {}


def query_id(call: Call) -> Any:
    """Addresses' ids as numbers."""
    wanted = [one for one in call.values.get("mid", "").split(",")[:20] if one.isalnum() and one.isascii()]
    if call.values.get("isBase62") != "1":
        found = [{one: one} for one in wanted]
    else:
        found = [{one: mid_of(one)} for one in wanted]
    kind = KINDS.get(call.values.get("type", "1"), "status")
    known = [pair for pair in found for number in pair.values() if (r := call.store.item(number)) and r["kind"] == kind]
    return (
        known if call.values.get("is_batch") == "1" else {"id": next(iter(known[0].values()), "-1") if known else "-1"}
    )
