"""The writing half of the API: every acceptance and its attempt are committed together, before the answer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from connectors.lengths import weibo_units
from connectors.sandbox.server import clock
from connectors.sandbox.server.call import Call
from connectors.sandbox.server.faults import Refusal

POST_UNITS = 2000
ARTICLE_UNITS = 10_000
TITLE_UNITS = 32
MOST_PICTURES = 9
PICTURE_BYTES = 5 * 1024 * 1024
COMMENT_UNITS = 140
MESSAGE_UNITS = 300
WINDOW_SECONDS = 48 * 3600.0


def share(call: Call) -> Any:
    """Publish a post; ``pic_id``: uploaded pictures in order, with commas; ``title``: it is a long article;
    ``video_id``: an uploaded video."""
    title = call.values.get("title", "").strip()
    if weibo_units(title) > TITLE_UNITS:
        raise Refusal(20012)
    wanted = [each for each in call.values.get("pic_id", "").split(",") if each]
    if len(wanted) > MOST_PICTURES or any(call.store.picture(each, call.uid) is None for each in wanted):
        raise Refusal(10008)
    film_id = call.values.get("video_id", "")
    film = call.store.film(film_id, call.uid) if film_id else None
    if film_id and (film is None or not film["ready"]):
        raise Refusal(10008)
    text = _text(call, "status", ARTICLE_UNITS if title else POST_UNITS)
    return _accept(call, "status", text, title=title, pictures=wanted, film=film_id)


def upload_picture(call: Call) -> Any:
    """Take a picture that a later post shows."""
    if call.file is None:
        raise Refusal(20008)
    data, mime = call.file, _mime(call.file)
    if not mime or len(data) > PICTURE_BYTES:
        raise Refusal(20005 if not mime else 20006)
    new_id = call.store.add_picture(call.uid, mime, data, call.values.get("description", "")[:1500])
    return {"pic_id": new_id, "thumbnail_pic": f"/picture/{new_id}"}


def _mime(data: bytes) -> str:
    """What it is by its first bytes, whatever it calls itself."""
    heads = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n": "image/png", b"GIF8": "image/gif"}
    return next((mime for head, mime in heads.items() if data.startswith(head)), "")


def create_comment(call: Call) -> Any:
    """Comment on a post (``id``)."""
    text = _text(call, "comment", COMMENT_UNITS)
    root = _target(call, "id", "status", 20101)
    return _accept(call, "comment", text, root_id=root["id"])


def reply_comment(call: Call) -> Any:
    """Answer a comment (``cid``) under a post (``id``)."""
    text = _text(call, "comment", COMMENT_UNITS)
    root = _target(call, "id", "status", 20101)
    parent = _target(call, "cid", "comment", 20201)
    if parent["root_id"] != root["id"]:
        raise Refusal(20201)
    return _accept(call, "comment", text, root_id=root["id"], parent_id=parent["id"])


def reply_message(call: Call) -> Any:
    """Answer a citizen's private message within 48 hours of their last one."""
    try:
        data = json.loads(call.values.get("data", ""))
        text = data["text"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(10008) from None
    receiver = call.values.get("receiver_id", "")
    sql = (
        "SELECT * FROM item WHERE author_id = ? AND receiver_id = ? AND kind = 'message' AND removed_at IS NULL "
        "ORDER BY created_at DESC"
    )
    last = call.store.row(sql, receiver, call.uid)
    if last is None:
        raise Refusal(20508)
    if clock.now() - last["created_at"] > WINDOW_SECONDS:
        raise Refusal(21901)
    return _accept(call, "message", _fitting(text, MESSAGE_UNITS), parent_id=last["id"], receiver_id=receiver)


def destroy_status(call: Call) -> Any:
    """Delete an own post."""
    return _destroy(call, call.number("id"), "status", 20101, 20102)


def destroy_comment(call: Call) -> Any:
    """Delete an own comment."""
    return _destroy(call, call.number("cid"), "comment", 20201, 20203)


def _destroy(call: Call, item_id: int, kind: str, missing: int, foreign: int) -> Any:
    row = call.store.item(item_id)
    if row is None or row["kind"] != kind or row["removed_at"]:
        raise Refusal(missing, 404)
    if row["author_id"] != call.uid:
        raise Refusal(foreign, 403)
    shape = call.wire.item(row)
    with call.store.transaction():
        call.store.remove(row["id"], "account")
        call.note("removed", row["id"])
    return shape


def _text(call: Call, name: str, most: int) -> str:
    return _fitting(call.values.get(name, ""), most)


def _fitting(text: Any, most: int) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Refusal(20008)
    if weibo_units(text) > most:
        raise Refusal(20012)
    return text


def _target(call: Call, name: str, kind: str, missing: int) -> sqlite3.Row:
    row = call.store.item(call.number(name))
    if row is None or row["kind"] != kind or row["removed_at"]:
        raise Refusal(missing, 404)
    return row


def _accept(
    call: Call,
    kind: str,
    text: str,
    *,
    root_id: int | None = None,
    parent_id: int | None = None,
    receiver_id: str = "",
    title: str = "",
    pictures: Sequence[str] = (),
    film: str = "",
) -> Any:
    if "honour_key" in call.flags and call.key and (first := call.store.by_key(call.uid, call.key)):
        call.note("repeated", first["id"])
        return call.wire.item(first)
    if "reject_duplicates" in call.flags and _said_before(call, text, root_id, receiver_id):
        raise Refusal(20019)
    with call.store.transaction():
        new_id = call.store.add_item(
            kind,
            call.author,
            text,
            via="api",
            official=True,
            root_id=root_id,
            parent_id=parent_id,
            receiver_id=receiver_id,
            key=call.key,
        )
        call.store.show(new_id, title, pictures, film)
        call.note("accepted", new_id)
    row = call.store.item(new_id)
    assert row is not None
    return call.wire.item(row)


def _said_before(call: Call, text: str, root_id: int | None, receiver_id: str) -> bool:
    sql = (
        "SELECT 1 FROM item WHERE author_id = ? AND text = ? AND COALESCE(root_id, 0) = ? AND receiver_id = ? "
        "AND removed_at IS NULL"
    )
    return call.store.row(sql, call.uid, text, root_id or 0, receiver_id) is not None
