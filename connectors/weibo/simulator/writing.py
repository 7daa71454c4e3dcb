"""What can be written, with the platform's own rules: every acceptance is committed before it is answered."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from typing import Any
from urllib.parse import urlsplit

from connectors.lengths import weibo_units
from connectors.sandbox.server import clock
from connectors.sandbox.server.call import Call
from connectors.sandbox.server.faults import Refusal
from connectors.sandbox.server.writing import destroy_comment, destroy_status
from connectors.weibo.simulator.reading import mine

__all__ = [
    "create_comment", "destroy_batch", "destroy_comment", "destroy_status", "publish_article", "reply_comment",
    "reply_message", "repost", "set_format", "share", "update_biz", "upload_pic", "upload_url_text",
]  # fmt: skip
SHORT_UNITS, LONG_UNITS, MESSAGE_UNITS = 140, 2000, 300
TITLE_UNITS, ARTICLE_UNITS, ARTICLE_TEXT = 32, 90_000, 1900
PICTURE_BYTES = 5 * 1024 * 1024
MOST_PICTURES = 18
# Who may publish long articles: government, media, organisations.
OFFICIAL = (1, 3, 7)
_LINK = re.compile(r"https?://[!-~]+")
_TOPIC = re.compile(r"#([^#\n]+)#")
_MIMES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n": "image/png", b"GIF8": "image/gif"}


def share(call: Call) -> Any:
    """Publish as an ordinary app may: short, with a link of the app's own domain, without topics."""
    text = _words(call, "status", SHORT_UNITS)
    text = _TOPIC.sub(r"\1", text)
    domains = [one for app in mine(call).apps() for one in app["domains"].replace(",", " ").split()]
    hosts = [urlsplit(link).hostname or "" for link in _LINK.findall(text)]
    if not any(host == one or host.endswith("." + one) for host in hosts for one in domains):
        raise Refusal(10017)
    return accept(call, "status", text, pictures=[_kept(call, call.file)] if call.file is not None else [])


def update_biz(call: Call) -> Any:
    """Publish under a contract: long, with topics, without a link."""
    _contract(call)
    return accept(call, "status", _words(call, "status", _long(call)))


def upload_pic(call: Call) -> Any:
    """Take a picture for a later post."""
    _contract(call)
    if call.file is None:
        raise Refusal(20007)
    name = _kept(call, call.file)
    where = f"/picture/{name}"
    return {"pic_id": name, "thumbnail_pic": where, "bmiddle_pic": where, "original_pic": where}


def upload_url_text(call: Call) -> Any:
    """Publish with pictures that were taken before."""
    _contract(call)
    wanted = [one for one in call.values.get("pic_id", "").split(",") if one]
    if not wanted or len(wanted) > MOST_PICTURES or any(call.store.picture(one, call.uid) is None for one in wanted):
        raise Refusal(10008)
    return accept(call, "status", _words(call, "status", _long(call)), pictures=wanted)


def _contract(call: Call) -> None:
    if all(app["level"] != "commercial" for app in mine(call).apps()):
        raise Refusal(10014, 403)


def _long(call: Call) -> int:
    return LONG_UNITS if call.values.get("is_longtext") == "1" else SHORT_UNITS


def _kept(call: Call, data: bytes) -> str:
    mime = next((mime for head, mime in _MIMES.items() if data.startswith(head)), "")
    if not mime:
        raise Refusal(20005)
    if len(data) >= PICTURE_BYTES:
        raise Refusal(20006)
    return call.store.add_picture(call.uid, mime, data, "")


def repost(call: Call) -> Any:
    """Pass on somebody's post."""
    original = target(call, "id", "status", 20101)
    text = call.values.get("status", "").strip() or "转发微博"
    if weibo_units(text) > SHORT_UNITS:
        raise Refusal(20012)
    return accept(call, "status", text, parent_id=original["id"], code=20111)


def create_comment(call: Call) -> Any:
    """Comment on a post (``id``)."""
    text = _words(call, "comment", SHORT_UNITS)
    return accept(call, "comment", text, root_id=target(call, "id", "status", 20101)["id"])


def reply_comment(call: Call) -> Any:
    """Answer a comment (``cid``) under a post (``id``)."""
    text = _words(call, "comment", SHORT_UNITS)
    root, parent = target(call, "id", "status", 20101), target(call, "cid", "comment", 20201)
    if parent["root_id"] != root["id"]:
        raise Refusal(20201)
    return accept(call, "comment", text, root_id=root["id"], parent_id=parent["id"])


def destroy_batch(call: Call) -> Any:
    """Delete up to twenty own comments; those that are none are left out."""
    found = []
    for one in call.values.get("cids", "").split(",")[:20]:
        row = call.store.item(one)
        if row and row["kind"] == "comment" and row["author_id"] == call.uid and not row["removed_at"]:
            found.append(call.wire.item(row))
            call.store.remove(row["id"], "account")
    return found


def reply_message(call: Call) -> Any:
    """Answer in private: within the window after the citizen's message, or once after a mention."""
    try:
        text = json.loads(call.values.get("data", ""))["text"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(10008) from None
    text = _fitting(text, MESSAGE_UNITS)
    receiver = call.values.get("receiver_id", "")
    if call.store.row("SELECT 1 FROM gone WHERE uid = ? AND citizen = ?", call.uid, receiver):
        raise Refusal(20301)
    reason = _reason_to_write(call, receiver)
    new = accept(call, "message", text, parent_id=reason["id"], receiver_id=receiver, code=20306)
    return {
        "result": True, "sender_id": int(call.uid), "receiver_id": int(receiver), "type": "text",
        "data": json.dumps({"text": text}, ensure_ascii=False), "created_at": new["created_at"],
    }  # fmt: skip


def _reason_to_write(call: Call, receiver: str) -> sqlite3.Row:
    """The citizen's item that lets the account write; refused when there is none, or none fresh enough."""
    since = clock.now() - mine(call).setting("message_hours") * 3600
    mine_to = "author_id = ? AND receiver_id = ? AND created_at >= ? ORDER BY created_at DESC"
    message = call.store.row(f"SELECT * FROM item WHERE kind = 'message' AND {mine_to}", receiver, call.uid, since)  # noqa: S608
    if message is not None:
        return message
    mention = call.store.row(f"SELECT * FROM item WHERE kind = 'status' AND {mine_to}", receiver, call.uid, since)  # noqa: S608
    told = call.store.value(
        "SELECT COUNT(*) FROM item WHERE kind = 'message' AND author_id = ? AND receiver_id = ? AND parent_id = ?",
        call.uid, receiver, mention["id"] if mention else 0,
    )  # fmt: skip
    if mention is None or told >= mine(call).setting("mention_messages"):
        raise Refusal(20301)
    return mention


def set_format(call: Call) -> Any:
    """Choose between JSON and XML for pushes."""
    wanted = call.values.get("format", "").lower()
    if wanted not in ("json", "xml"):
        raise Refusal(10008)
    mine(call).set_fan(call.uid, format=wanted)
    return {"result": True}


def publish_article(call: Call) -> Any:
    """Publish a long article, for offices, media and organisations; answers in codes of its own."""
    assert call.account is not None
    values = {name: call.values.get(name, "").strip() for name in ("title", "content", "cover", "text")}
    if call.account["verified_type"] not in OFFICIAL:
        return {"code": "11003", "msg": "bind failed"}
    lengths = (("title", TITLE_UNITS), ("content", ARTICLE_UNITS), ("text", ARTICLE_TEXT))
    if any(weibo_units(values[name]) > most for name, most in lengths) or not all(values.values()):
        return {"code": "10008", "msg": "param error"}
    if not values["cover"].startswith(("http://", "https://")):
        return {"code": "10008", "msg": "param error: cover"}
    new = accept(call, "status", values["text"], title=values["title"])
    object_id = f"1022:2309404{secrets.randbelow(10**15):015d}"
    call.store.insert(
        "article", id=object_id, item_id=new["id"], title=values["title"], content=values["content"],
        cover=values["cover"],
    )  # fmt: skip
    url = f"https://weibo.com/ttarticle/p/show?id={object_id.partition(':')[2]}"
    return {"code": "100000", "msg": "success", "data": {"object_id": object_id, "url": url, "mid": new["mid"]}}


def accept(
    call: Call,
    kind: str,
    text: str,
    *,
    root_id: int | None = None,
    parent_id: int | None = None,
    receiver_id: str = "",
    title: str = "",
    pictures: list[str] | None = None,
    code: int = 20019,
) -> Any:
    """Store what an account writes; the same again within a while is refused with ``code``, the like with 20017."""
    _refuse_repeat(call, kind, text, root_id, receiver_id, code)
    with call.store.transaction():
        new_id = call.store.add_item(
            kind, call.author, text, via="api", official=True, root_id=root_id, parent_id=parent_id,
            receiver_id=receiver_id, key=call.key,
        )  # fmt: skip
        call.store.show(new_id, title, pictures or [])
        call.note("accepted", new_id)
    row = call.store.item(new_id)
    assert row is not None
    return call.wire.item(row)


def _refuse_repeat(call: Call, kind: str, text: str, root_id: int | None, receiver_id: str, code: int) -> None:
    sql = (
        "SELECT text FROM item WHERE author_id = ? AND kind = ? AND COALESCE(root_id, 0) = ? AND receiver_id = ? "
        "AND removed_at IS NULL AND accepted_at > ?"
    )
    since = clock.now() - mine(call).setting("duplicate_seconds")
    said = [row["text"] for row in call.store.rows(sql, call.uid, kind, root_id or 0, receiver_id, since)]
    if text in said:
        raise Refusal(code)
    if _bare(text) in map(_bare, said):
        raise Refusal(20017)


def _bare(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _words(call: Call, name: str, most: int) -> str:
    return _fitting(call.values.get(name, ""), most)


def _fitting(text: Any, most: int) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Refusal(20008)
    if weibo_units(text) > most:
        raise Refusal(20013 if most == MESSAGE_UNITS else 20012)
    return text


def target(call: Call, name: str, kind: str, missing: int) -> sqlite3.Row:
    """What is answered."""
    row = call.store.item(call.number(name))
    if row is None or row["kind"] != kind or row["removed_at"]:
        raise Refusal(missing)
    return row
