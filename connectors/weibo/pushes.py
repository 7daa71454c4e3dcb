"""Pushes of the fan-service platform (粉丝服务平台): JSON or WeChat-like XML, taken apart and understood."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors import xml
from connectors.base import Author, Inbound, Kind, Media, Notice, NoticeKind, RawItem, Unparsable
from connectors.text import as_payload, clean, id_of
from connectors.weibo.schemas import number_text, weibo_time

NO_SECRET = "账号没有设置应用密钥，无法核对推送签名"  # noqa: S105  a sentence
MESSAGES = ("text", "image", "voice", "position")
# What people are shown where a message has no words of its own.
_WORDS = {"image": "［图片］", "voice": "［语音］", "position": "［位置］"}
_XML_NAMES = {
    "MsgType": "type", "ToUserName": "receiver_id", "FromUserName": "sender_id", "CreateTime": "created_at",
    "Content": "text", "MsgId": "message_id",
}  # fmt: skip
# Fields of the XML that stand inside ``data`` in JSON.
_XML_DATA = {
    "Event": "subtype", "EventKey": "key", "MediaId": "tovfid", "PicUrl": "url", "Location_X": "latitude",
    "Location_Y": "longitude", "Label": "label", "Key": "key", "SubType": "subtype",
}  # fmt: skip


def read(body: bytes) -> Any:
    """The push as JSON says it; XML in the same shape, marked ``"xml": true``; what is neither as its text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    tree = xml.read(body)
    if tree is None:
        return body.decode("utf-8", "backslashreplace")
    fields = {name: value.strip() for name, value in tree.items() if isinstance(value, str)}
    shape: dict[str, Any] = {_XML_NAMES[name]: value for name, value in fields.items() if name in _XML_NAMES}
    data = {_XML_DATA[name]: value for name, value in fields.items() if name in _XML_DATA}
    return {**shape, "data": data, "xml": True}


def items_of(push: Any) -> RawItem | None:
    """The item in one push; None where it carries none: events, types nobody knows, a mention without its text.

    A mention without its text stands in the list of mentions too, and comes from there with the next reading: to ask
    for each one by its id would use up the day's calls, fifty of which a single reading brings.
    """
    if not isinstance(push, Mapping):
        return _kept(push)
    kind = push.get("type")
    if kind in MESSAGES:
        return _kept(push)
    if kind == "mention" and _words(push):
        subtype, key = _mention(push)
        if key:
            return RawItem(Kind.comment if subtype == "comment" else Kind.mention, key, as_payload(push))
    # Without any type it is no push the platform describes: it is kept, and people see it in quarantine.
    return None if isinstance(kind, str) and kind else _kept(push)


def notices_of(pushes: Sequence[Any]) -> tuple[Notice, ...]:
    """Who stopped following: the platform takes no private message to them any more."""
    gone = [push for push in pushes if isinstance(push, Mapping) and push.get("type") == "event" and _is_leaving(push)]
    senders = [number_text(push.get("sender_id")) for push in gone]
    return tuple(Notice(NoticeKind.left, f"private:{sender}") for sender in senders if sender)


def _is_leaving(push: Mapping[str, Any]) -> bool:
    data = push.get("data")
    return isinstance(data, Mapping) and str(data.get("subtype") or "").lower() == "unfollow"


def _kept(push: Any) -> RawItem:
    payload = as_payload(push)
    return RawItem(Kind.private, id_of(_message_id(push) or None, payload), payload)


def _message_id(push: Any) -> str:
    """The platform's own id of a message, else one of who wrote it when, and what: the same for a repeat."""
    if not isinstance(push, Mapping):
        return ""
    for name in ("message_id", "msg_id", "id"):
        if own := number_text(push.get(name)):
            return own
    sender = number_text(push.get("sender_id"))
    try:
        at = int(_moment(push.get("created_at")).timestamp())
    except Unparsable:
        return ""
    said = as_payload([push.get("type"), push.get("text"), push.get("data")])
    return f"{sender}-{at}-{hashlib.sha256(said.encode()).hexdigest()[:16]}" if sender else ""


def _mention(push: Mapping[str, Any]) -> tuple[str, str]:
    data = push.get("data")
    inside: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    return str(inside.get("subtype") or ""), number_text(inside.get("key"))


def _words(push: Mapping[str, Any]) -> str:
    text = push.get("text")
    return clean(text).strip() if isinstance(text, str) else ""


def is_push(item: Any) -> bool:
    """Whether a stored item came by push (entries of lists have no type)."""
    return isinstance(item, Mapping) and "sender_id" in item and "receiver_id" in item


def inbound(push: Mapping[str, Any], item: RawItem, own_id: str, upload: str, hours: int, left: int | None) -> Inbound:
    """A stored push understood; ``hours``, ``left``: how long and how often the platform lets us answer a message."""
    sender = number_text(push.get("sender_id"))
    if not sender:
        raise Unparsable("缺少发信人")
    at = _moment(push.get("created_at"))
    author = Author(sender, f"微博用户 {sender}")
    if push.get("type") == "mention":
        return _mentioned(push, item, author, at, own_id)
    if push.get("type") not in MESSAGES:
        raise Unparsable("不是约定的私信格式")
    return Inbound(
        kind=Kind.private,
        external_id=item.external_id,
        text=_said(push),
        author=author,
        created_at=at,
        thread_id=f"private:{sender}",
        media=_media(push, upload),
        is_own=sender == own_id,
        reply_until=at + timedelta(hours=hours),
        reply_left=left,
    )


def _mentioned(push: Mapping[str, Any], item: RawItem, author: Author, at: datetime, own_id: str) -> Inbound:
    """A mention, known by its id and text: the platform lets us answer it in public at any time, in private once."""
    return Inbound(
        kind=item.kind,
        external_id=item.external_id,
        text=_words(push),
        author=author,
        created_at=at,
        # Which post a comment stands under is not said; answering it asks.
        thread_id=item.external_id if item.kind is Kind.mention else "",
        is_own=author.id == own_id,
        extra={"private_until": (at + timedelta(hours=48)).isoformat(), "private_left": 1},
    )


def _moment(value: Any) -> datetime:
    """Weibo's way of writing a time, or unix seconds."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 10:
        return datetime.fromtimestamp(int(text), UTC)
    return weibo_time(text)


def _said(push: Mapping[str, Any]) -> str:
    kind = str(push.get("type"))
    words = _words(push)
    if kind == "text":
        if not words:
            raise Unparsable("缺少正文")
        return words
    data = push.get("data")
    inside: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    place = [str(inside[name])[:100] for name in ("label", "latitude", "longitude") if inside.get(name)]
    parts = [_WORDS[kind], words, *(place if kind == "position" else [])]
    return clean(" ".join(part for part in parts if part)).strip()


def _media(push: Mapping[str, Any], upload: str) -> tuple[Media, ...]:
    """Where picture or sound lie; the platform gives them out only with the account's token, which is not kept here:
    see ``media_query`` of the connector."""
    data = push.get("data")
    if push.get("type") not in ("image", "voice") or not isinstance(data, Mapping):
        return ()
    file = data.get("tovfid") or data.get("vfid")
    if not isinstance(file, (str, int)) or isinstance(file, bool) or not str(file).strip():
        return ()
    kind = "image" if push.get("type") == "image" else "audio"
    return (Media(kind, f"{file_address(upload)}{quote(clean(str(file)), safe='')}"),)


def file_address(upload: str) -> str:
    """How the addresses of files that came in private begin."""
    return f"{upload}/2/mss/msget?fid="


def receipt(push: Any, text: str, now: datetime) -> tuple[str, str]:
    """The answer that makes the platform tell the sender ``text`` at once: body and content type; empty for no
    message."""
    if not text or not isinstance(push, Mapping) or push.get("type") not in MESSAGES:
        return "", "text/plain"
    sender, receiver = number_text(push.get("sender_id")), number_text(push.get("receiver_id"))
    if not sender or not receiver:
        return "", "text/plain"
    if push.get("xml"):
        return _xml_receipt(sender, receiver, text, now), "application/xml"
    data = quote(json.dumps({"text": text}, ensure_ascii=False))
    answer = {"result": True, "sender_id": receiver, "receiver_id": sender, "type": "text", "data": data}
    return json.dumps(answer), "application/json"


def _xml_receipt(sender: str, receiver: str, text: str, now: datetime) -> str:
    at = int(now.timestamp())
    return xml.written(
        {"ToUserName": sender, "FromUserName": receiver, "CreateTime": at, "MsgType": "text", "Content": text}
    )
