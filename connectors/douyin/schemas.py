"""Comments and messages of Douyin understood; a comment from the list and one from a push are the same item.

Fields after developer.open-douyin.com › 互动评论 › 视频评论管理 (list, and the event ``item_comment_reply``) and
› 私信群聊 › 接收私信消息事件 (``im_receive_msg``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Author, Inbound, Kind, RawItem, Unparsable
from connectors.text import as_payload, clean, id_of, one_line

# What pull adds to a comment: parsing later reads no network. Not names the platform uses.
ITEM, URL = "zhengsheng_item", "zhengsheng_url"
# An answer in private is taken for a day after the citizen's last message, six times.
WINDOW, TIMES = timedelta(hours=24), 6
_EARLIEST, _LATEST = 1_450_000_000, 4_102_444_800
_WORDS = {
    "image": "［图片，请到抖音 App 查看］", "emoji": "［表情］", "video": "［视频，请到抖音 App 查看］",
    "other": "［这类消息请到抖音 App 查看］",
}  # fmt: skip
_LONGEST_URL = 500


def instant(value: Any) -> datetime | None:
    """Unix seconds or milliseconds, as number or text, as aware UTC between 2015 and 2100."""
    given = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not (given.isascii() and given.isdigit() and len(given) <= 16):
        return None
    seconds = int(given) // 1000 if len(given) > 11 else int(given)
    return datetime.fromtimestamp(seconds, UTC) if _EARLIEST < seconds < _LATEST else None


def text_of(value: Any) -> str:
    """A text or number of the platform as text on one line; anything else is ""."""
    return one_line(str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def count_of(value: Any) -> int | None:
    """A count not below 0, given as number or text."""
    given = text_of(value)
    return int(given) if given.isascii() and given.isdigit() and len(given) < 15 else None


def comment_item(comment: Any, item: str, url: str = "") -> RawItem:
    """A comment as it is stored, with the work it stands under."""
    kept = {**comment, ITEM: item} if isinstance(comment, Mapping) else comment
    if isinstance(kept, dict) and url:
        kept[URL] = url[:_LONGEST_URL]
    payload = as_payload(kept)
    own = comment.get("comment_id") if isinstance(comment, Mapping) else None
    return RawItem(Kind.comment, id_of(own or None, payload), payload)


def message_item(push: Mapping[str, Any], content: Mapping[str, Any]) -> RawItem:
    """A pushed private message as it is stored."""
    kept = {"from_user_id": push.get("from_user_id"), "to_user_id": push.get("to_user_id"), "content": dict(content)}
    payload = as_payload(kept)
    return RawItem(Kind.private, id_of(content.get("server_message_id") or None, payload), payload)


def inbound(item: RawItem, own_id: str) -> Inbound:
    """A stored item understood; :class:`Unparsable` says what is missing."""
    try:
        found = json.loads(item.payload)
    except (ValueError, RecursionError):
        raise Unparsable("内容不是约定的数据格式") from None
    if not isinstance(found, Mapping):
        raise Unparsable("内容不是约定的数据格式")
    if item.kind is Kind.private:
        return _message(found, item, own_id)
    if item.kind is Kind.comment:
        return _comment(found, item, own_id)
    raise Unparsable("抖音没有这一类内容")


def _comment(found: Mapping[str, Any], item: RawItem, own_id: str) -> Inbound:
    if not isinstance(found.get("content"), str):
        raise Unparsable("缺少评论内容")
    at = instant(found.get("create_time"))
    if at is None:
        raise Unparsable("评论时间无法识别")
    work = text_of(found.get(ITEM))
    if not work:
        raise Unparsable("评论没有指明所属的作品")
    author = text_of(found.get("comment_user_id"))
    url = found.get(URL)
    return Inbound(
        kind=Kind.comment,
        external_id=item.external_id,
        text=clean(found["content"]),
        author=_author(author, found.get("nick_name") or found.get("nickname")),
        created_at=at,
        thread_id=work,
        parent_id=text_of(found.get("reply_to_comment_id")) or work,
        url=clean(url) if isinstance(url, str) else "",
        likes=count_of(found.get("digg_count")) or 0,
        is_own=bool(own_id) and author == own_id,
    )


def _message(found: Mapping[str, Any], item: RawItem, own_id: str) -> Inbound:
    content, sender = found.get("content"), text_of(found.get("from_user_id"))
    if not isinstance(content, Mapping) or not sender:
        raise Unparsable("缺少来信人或内容")
    at = instant(content.get("create_time"))
    if at is None:
        raise Unparsable("来信时间无法识别")
    kind = text_of(content.get("message_type")).lower()
    words = content.get("text")
    text = words if kind in ("", "text") and isinstance(words, str) else _WORDS.get(kind, "")
    if not text:
        raise Unparsable(f"不认识的消息类型：{kind[:40] or '（空）'}")
    conversation = text_of(content.get("conversation_short_id"))
    return Inbound(
        kind=Kind.private,
        external_id=item.external_id,
        text=clean(text),
        author=_author(sender, _nick(content.get("user_infos"), sender)),
        created_at=at,
        thread_id=conversation or f"private:{sender}",
        is_own=bool(own_id) and sender == own_id,
        reply_until=at + WINDOW,
        reply_left=TIMES,
    )


def _author(own: str, name: Any) -> Author:
    return Author(own, text_of(name) or (f"抖音用户 {own[-6:]}" if own else "抖音用户"))


def _nick(infos: Any, sender: str) -> str:
    listed = infos if isinstance(infos, list) else []
    own = (info for info in listed if isinstance(info, Mapping) and info.get("open_id") == sender)
    return next((text_of(info.get("nick_name")) for info in own), "")
