"""Pushed messages and comments of articles understood."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Author, Inbound, Kind, Media, RawItem, Unparsable
from connectors.text import as_payload, clean, id_of, one_line
from connectors.wechat.wire import text_of

WINDOW = timedelta(hours=48)
TIMES = 5
# What pull adds to a comment: parsing later reads no network. Not names the platform uses.
DATA_ID, INDEX, ARTICLE = "zhengsheng_msg_data_id", "zhengsheng_index", "zhengsheng_article"
ANONYMOUS = "匿名微信用户"
_EARLIEST, _LATEST = 1_230_000_000, 4_102_444_800


def instant(value: Any) -> datetime | None:
    """Unix seconds as aware UTC, between 2009 and 2100."""
    text = text_of(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return datetime.fromtimestamp(int(text), UTC) if _EARLIEST < int(text) < _LATEST else None


# messages -------------------------------------------------------------------------------------------------------------


def pushed_item(push: Mapping[str, Any]) -> RawItem:
    """A pushed message as it is stored: under its ``MsgId``, else its sender and second."""
    payload = as_payload(push)
    own = text_of(push.get("MsgId"))
    sender, second = text_of(push.get("FromUserName")), text_of(push.get("CreateTime"))
    return RawItem(Kind.private, id_of(own or (f"{sender}:{second}" if sender and second else None), payload), payload)


def message(push: Mapping[str, Any], item: RawItem, own_id: str, times: int) -> Inbound:
    """A stored message understood; ``times``: how often one may answer after it. :class:`Unparsable` says why not."""
    sender = one_line(text_of(push.get("FromUserName")))
    if not sender:
        raise Unparsable("缺少来信人")
    at = instant(push.get("CreateTime"))
    if at is None:
        raise Unparsable("来信时间无法识别")
    kind = text_of(push.get("MsgType")).strip().lower()
    if kind not in _READERS:
        raise Unparsable(f"不认识的消息类型：{one_line(kind)[:40] or '（空）'}")
    text, media = _READERS[kind](push)
    named = {name: one_line(text_of(push.get(tag))) for tag, name in _NAMED.items() if text_of(push.get(tag))}
    return Inbound(
        kind=Kind.private,
        external_id=item.external_id,
        text=clean(text),
        author=Author(sender, f"微信用户 {sender[-6:]}"),
        created_at=at,
        thread_id=f"private:{sender}",
        media=media,
        is_own=bool(own_id) and sender == own_id,
        reply_until=at + WINDOW,
        reply_left=times,
        extra={"type": kind, **named},
    )


_NAMED = {"MediaId": "media_id", "MsgDataId": "msg_data_id", "Idx": "index"}
Read = tuple[str, tuple[Media, ...]]


def _text(push: Mapping[str, Any]) -> Read:
    return text_of(push.get("Content")), ()


def _image(push: Mapping[str, Any]) -> Read:
    address = one_line(text_of(push.get("PicUrl")))
    return "［图片］", (Media("image", address),) if address.startswith(("http://", "https://")) else ()


def _voice(push: Mapping[str, Any]) -> Read:
    heard = text_of(push.get("Recognition")).strip()
    return f"［语音］{heard}" if heard else "［语音，微信没有给出文字，请到公众平台收听］", ()


def _video(push: Mapping[str, Any]) -> Read:
    return "［视频，请到公众平台观看］", ()


def _location(push: Mapping[str, Any]) -> Read:
    x, y = (one_line(text_of(push.get(name))) for name in ("Location_X", "Location_Y"))
    return f"［位置］{text_of(push.get('Label'))}（纬度 {x}，经度 {y}）", ()


def _link(push: Mapping[str, Any]) -> Read:
    parts = (text_of(push.get(name)).strip() for name in ("Title", "Description", "Url"))
    return "［链接］" + "\n".join(part for part in parts if part), ()


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Read]] = {
    "text": _text, "image": _image, "voice": _voice, "video": _video, "shortvideo": _video, "location": _location,
    "link": _link,
}  # fmt: skip


# comments -------------------------------------------------------------------------------------------------------------


def comment_place(external_id: str) -> tuple[str, str, str] | None:
    """``msg_data_id``, index and comment id in the id under which a comment is stored; None for other ids."""
    found = re.fullmatch(r"(\d{1,19}):(\d{1,3}):(\d{1,19})", external_id, re.ASCII)
    return (found[1], found[2], found[3]) if found else None


def comment_item(comment: Any, data_id: str, index: str, article: str) -> RawItem:
    """A comment as it is stored: under its article's ``msg_data_id``, the article's index and its own id."""
    kept = {**comment, DATA_ID: data_id, INDEX: index, ARTICLE: article} if isinstance(comment, Mapping) else comment
    payload = as_payload(kept)
    own = text_of(comment.get("user_comment_id")) if isinstance(comment, Mapping) else ""
    return RawItem(Kind.comment, id_of(f"{data_id}:{index}:{own}" if own else None, payload), payload)


def comment(found: Mapping[str, Any], item: RawItem) -> Inbound:
    """A stored comment understood, with the answer it had on the platform already."""
    if not isinstance(found.get("content"), str):
        raise Unparsable("缺少留言内容")
    at = instant(found.get("create_time"))
    if at is None:
        raise Unparsable("留言时间无法识别")
    openid = one_line(text_of(found.get("openid")))
    author = Author(openid, f"微信用户 {openid[-6:]}") if openid else Author("", ANONYMOUS)
    answer, answered_at = answer_of(found)
    article = one_line(text_of(found.get(ARTICLE)))
    return Inbound(
        kind=Kind.comment,
        external_id=item.external_id,
        text=clean(found["content"]),
        author=author,
        created_at=at,
        thread_id=article or item.external_id.rpartition(":")[0],
        parent_id=article,
        answer=answer,
        answered_at=answered_at,
    )


def answer_of(found: Any) -> tuple[str, datetime | None]:
    """Our answer under a comment and its time; "" where there is none."""
    reply = found.get("reply") if isinstance(found, Mapping) else None
    if not isinstance(reply, Mapping) or not isinstance(reply.get("content"), str):
        return "", None
    return clean(reply["content"]), instant(reply.get("create_time"))


def inbound(item: RawItem, own_id: str, times: int) -> Inbound:
    """A stored item understood."""
    try:
        found = json.loads(item.payload)
    except (ValueError, RecursionError):
        raise Unparsable("内容不是约定的数据格式") from None
    if not isinstance(found, Mapping):
        raise Unparsable("推送不是约定的 XML，无法读取")
    return comment(found, item) if item.kind is Kind.comment else message(found, item, own_id, times)
