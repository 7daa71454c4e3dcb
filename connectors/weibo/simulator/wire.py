"""Shapes as Weibo writes them: exact numbers beside their texts, whole users, pictures, pushes as JSON or XML."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, cast
from urllib.parse import unquote
from xml.sax.saxutils import escape

from connectors.lengths import weibo_units
from connectors.sandbox.server.wire import REMOVED_TEXT, Wire, broken, weibo_time
from connectors.weibo.simulator.state import WeiboStore

# Longer posts are cut in lists.
SHOWN_UNITS = 140
SOURCE = '<a href="http://app.weibo.com/t/feed/1" rel="nofollow">微博 weibo.com</a>'
# The platform's own words for the codes that the simulator answers beyond the sandbox's.
ERRORS = {
    10004: "IP limit",
    10005: "permission denied, need a high level appkey",
    10009: "too many pending tasks, system is busy",
    10010: "job expired",
    10011: "RPC error",
    10012: "Illegal request!",
    10013: "Invalid weibo user!",
    10016: "miss required parameter, see doc for more info.",
    10017: "text not find domain!",
    10020: "Request Api not found!",
    10021: "HTTP METHOD is not supported for this request!",
    20005: "unsupported image type, only support JPG, GIF, PNG!",
    20006: "image size too large.",
    20018: "contain illegal website!",
    20020: "contain advertising!",
    20022: "Your ip's behave in a comic boisterous or unruly manner!",
    20031: "Test and verify",
    20111: "repeated weibo text!",
    20301: "Can't send direct message to user who is not your follower!",
    20306: "Repeated direct message text!",
    21301: "auth faild!",
    21314: "Token used!",
    21319: "Accessor was revoked!",
    21321: "Applications over the unaudited use restrictions!",
    21322: "redirect_uri_mismatch",
    21324: "invalid_client",
    21325: "invalid_grant",
    21330: "access_denied",
}


class WeiboWire(Wire):
    """Writes stored items as the platform does; ``whole``: long posts with all of their text."""

    def __init__(self, store: WeiboStore, *, whole: bool = False) -> None:
        super().__init__(store)
        self._whole = whole

    def _mine(self) -> WeiboStore:
        return cast(WeiboStore, self._store)

    def user(self, uid: str, name: str) -> dict[str, Any]:
        """A user."""
        account = self._store.account(uid)
        return super().user(uid, name) | {
            "id": int(uid) if uid.isdigit() else 0,
            "name": name,
            "province": "35",
            "city": "1",
            "gender": "n",
            "followers_count": 100 if account else 1,
            "verified_reason": "政府机构官方微博" if account and account["verified_type"] == 1 else "",
        }

    def _head(self, row: sqlite3.Row) -> dict[str, Any]:
        return super()._head(row) | {"id": row["id"], "source": SOURCE, "source_allowclick": 0}

    def _status(self, row: sqlite3.Row) -> dict[str, Any]:
        if row["removed_at"]:
            return self._head(row) | {"text": REMOVED_TEXT, "deleted": "1"}
        likes, reposts = self._mine().figures(row["id"])
        shape = super()._status(row) | {
            "source": SOURCE,
            "textLength": len(row["text"].encode("gb18030", "replace")),
            "favorited": False,
            "in_reply_to_status_id": "",
            "reposts_count": reposts,
            "attitudes_count": likes,
            "visible": {"type": 0, "list_id": 0},
            "isLongText": False,
        }
        if pictures := self._store.pictures(row["id"]):
            shape["pic_ids"] = [one["id"] for one in pictures]
            shape["original_pic"] = f"/picture/{pictures[0]['id']}"
        if weibo_units(row["text"]) > SHOWN_UNITS:
            shape |= {"isLongText": True, "text": f"{row['text'][:SHOWN_UNITS]}...全文： http://m.weibo.cn/{row['id']}"}
            if self._whole:
                shape["longText"] = {"content": row["text"], "longTextContent": row["text"]}
        if row["parent_id"] and (original := self._store.item(row["parent_id"])):
            shape["retweeted_status"] = self._status(original)
        return shape

    def _comment(self, row: sqlite3.Row) -> dict[str, Any]:
        root = row["parent_id"] or row["id"]
        return super()._comment(row) | {
            "source": SOURCE, "rootid": root, "rootidstr": str(root), "floor_number": 0, "reply_count": 0,
        }  # fmt: skip

    def push(self, row: sqlite3.Row) -> Any:
        """A push of the fan-service platform, with as much as it tells."""
        text = row["kind"] == "message"
        words = row["text"] if text or self._mine().mention_words(row["receiver_id"]) else ""
        shape: dict[str, Any] = {
            "type": "text" if text else "mention",
            "receiver_id": _number(row["receiver_id"]),
            "sender_id": _number(row["author_id"]),
            "created_at": weibo_time(row["created_at"]),
            "text": words,
            "data": {} if text else {"subtype": row["kind"], "key": str(row["id"])},
        }
        return broken(shape, row["broken"]) if row["broken"] else shape


def _number(uid: str) -> int | str:
    return int(uid) if uid.isdigit() else uid


def as_xml(push: Any, seconds: float) -> str:
    """A push in the shape of WeChat's."""
    if not isinstance(push, dict):
        return f"<xml>{escape(str(push))}</xml>"
    data = push.get("data") or {}
    fields = {
        "ToUserName": push.get("receiver_id"), "FromUserName": push.get("sender_id"), "CreateTime": int(seconds),
        "MsgType": push.get("type"), "Content": push.get("text") or None, "Event": data.get("subtype"),
        "EventKey": data.get("key"), "MediaId": data.get("tovfid"),
        "Location_X": data.get("latitude"), "Location_Y": data.get("longitude"),
    }  # fmt: skip
    inside = "".join(f"<{n}>{escape(str(v))}</{n}>" for n, v in fields.items() if v is not None)
    return f"<xml>{inside}</xml>"


def passive(body: bytes) -> tuple[str, str, str] | None:
    """The answer to a push that is itself a message: sender, receiver, words; None for any other answer."""
    try:
        answer = json.loads(body)
        data = json.loads(unquote(answer["data"]))
        words = str(data["text"])
        return str(answer["sender_id"]), str(answer["receiver_id"]), words
    except (ValueError, KeyError, TypeError):
        return None
