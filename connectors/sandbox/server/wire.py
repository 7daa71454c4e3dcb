"""The shapes on the wire: statuses, comments, messages and errors as Weibo writes them."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime
from typing import Any

from connectors.moments import BEIJING
from connectors.sandbox.server.store import Store

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MENTION = re.compile(r"@([\w\-]{1,30})")
REMOVED_TEXT = "抱歉，此微博已被删除。"


def weibo_time(seconds: float) -> str:
    """``Wed Oct 24 23:49:17 +0800 2012``, whatever the locale of the process."""
    at = datetime.fromtimestamp(seconds, UTC).astimezone(BEIJING)
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at:%d %H:%M:%S} +0800 {at.year}"


def names_in(text: str) -> set[str]:
    """The screen names a text mentions."""
    return set(_MENTION.findall(text))


class Wire:
    """Writes stored items as JSON-ready dicts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def user(self, uid: str, name: str) -> dict[str, Any]:
        """A user; official accounts are verified as government (verified_type 1)."""
        account = self._store.account(uid)
        return {
            "id": _rounded(int(uid)) if uid.isdigit() else 0,
            "idstr": uid,
            "screen_name": name,
            "verified": account is not None,
            "verified_type": account["verified_type"] if account else -1,
        }

    def item(self, row: sqlite3.Row, *, show_key: bool = False) -> Any:
        """Any item by its kind, damaged as asked for when it was injected as broken."""
        write = {"status": self._status, "comment": self._comment, "message": self._message}[row["kind"]]
        shape = write(row)
        if show_key:
            shape["annotations"] = [{"key": row["idem_key"]}]
        return broken(shape, row["broken"]) if row["broken"] else shape

    def _head(self, row: sqlite3.Row) -> dict[str, Any]:
        text_id = str(row["id"])
        return {
            "created_at": weibo_time(row["created_at"]),
            # A trap of the real platform: the number has lost its last digits, the text has not.
            "id": _rounded(row["id"]),
            "idstr": text_id,
            "mid": text_id,
            "text": row["text"],
        }

    def _status(self, row: sqlite3.Row) -> dict[str, Any]:
        if row["removed_at"]:
            return self._head(row) | {"text": REMOVED_TEXT, "deleted": "1"}
        count = "SELECT COUNT(*) FROM item WHERE root_id = ? AND removed_at IS NULL"
        return self._head(row) | {
            "source": '<a href="/" rel="nofollow">沙箱平台</a>',
            "truncated": False,
            "pic_urls": [{"thumbnail_pic": f"/picture/{one['id']}"} for one in self._store.pictures(row["id"])],
            "user": self.user(row["author_id"], row["author_name"]),
            "reposts_count": 0,
            "comments_count": self._store.value(count, row["id"]),
            "attitudes_count": 0,
        }

    def _comment(self, row: sqlite3.Row) -> dict[str, Any]:
        root = self._store.item(row["root_id"])
        parent = self._store.item(row["parent_id"])
        shape = self._head(row) | {
            "rootid": str(row["parent_id"] or row["id"]),
            "source": '<a href="/" rel="nofollow">沙箱平台</a>',
            "user": self.user(row["author_id"], row["author_name"]),
            "status": self._status(root) if root else None,
            "like_count": 0,
        }
        if parent is not None:
            author = self.user(parent["author_id"], parent["author_name"])
            shape["reply_comment"] = self._head(parent) | {"user": author}
        return shape

    def _message(self, row: sqlite3.Row) -> dict[str, Any]:
        receiver = self._store.account(row["receiver_id"])
        return self._head(row) | {
            "sender_id": row["author_id"],
            "sender_screen_name": row["author_name"],
            "sender": self.user(row["author_id"], row["author_name"]),
            "recipient_id": row["receiver_id"],
            "recipient_screen_name": receiver["screen_name"] if receiver else "",
        }

    def push(self, row: sqlite3.Row) -> Any:
        """A push of the fan-service kind. ``data.item`` spares the receiver a second call for mentions."""
        text = row["kind"] == "message"
        shape = {
            "type": "text" if text else "mention",
            "receiver_id": row["receiver_id"],
            "sender_id": row["author_id"],
            "message_id": str(row["id"]),
            "created_at": weibo_time(row["created_at"]),
            "text": row["text"],
            "data": {"subtype": row["kind"], "key": str(row["id"]), "item": self.item(row)},
        }
        return broken(shape, row["broken"]) if row["broken"] else shape


def _rounded(number: int) -> int:
    return int(float(number))


BROKEN = ("no_time", "bad_time", "no_id", "no_user", "no_text", "not_object", "nested")


def broken(shape: dict[str, Any], how: str) -> Any:
    """A shape as some platform might damage it; ``how`` is one of ``BROKEN``."""
    if how == "not_object":
        return f"<li>{shape['text']}</li>"
    if how == "nested":
        return {"wrapped": shape}
    damages: dict[str, dict[str, Any]] = {
        "no_time": {"created_at": None},
        "bad_time": {"created_at": "昨天 10:00"},
        "no_id": {"id": None, "idstr": None, "mid": None, "message_id": None},
        "no_user": {"user": None, "sender": None, "sender_id": None},
        "no_text": {"text": None},
    }
    change = damages[how]
    return {name: change.get(name, value) for name, value in shape.items() if change.get(name, value) is not None}


ERRORS = {
    10001: "system error",
    10002: "service unavailable",
    10003: "remote service error",
    10006: "source paramter(appkey) is missing",
    10008: "param error, see doc for more info",
    10014: "Insufficient app permissions!",
    10022: "IP requests out of rate limit",
    10023: "User requests out of rate limit",
    10024: "User requests for this API out of rate limit",
    20005: "unsupported image type!",
    20006: "image size too large!",
    20003: "User does not exist!",
    20008: "Content is null!",
    20012: "Text too long, please input text less than 140 characters!",
    20015: "Account or ip or app is illegal, can not continue",
    20016: "Out of limit, publishing too often",
    20017: "You have already sent this text: similar content",
    20019: "repeat content!",
    20021: "content is illegal!",
    20032: "Update success, while server slow now, please wait 1-2 minutes",
    20101: "Target weibo does not exist!",
    20102: "not your own weibo",
    20201: "Target weibo comment does not exist!",
    20203: "not your own comment",
    20305: "direct message does not exist",
    20508: "according to the privacy settings, you can not do this",
    21315: "Token expired",
    21327: "Expired token",
    21332: "Invalid access token",
    21602: "contains forbidden world",
    21901: "the reply window of this message is closed",
}


def error_body(path: str, code: int, text: str = "") -> dict[str, Any]:
    """``{"request", "error_code", "error"}``."""
    return {"request": path, "error_code": code, "error": text or ERRORS.get(code, "unknown error")}
