"""Weibo's shapes understood: a status, a comment, a private message of the pretend platform's list."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from connectors.base import Author, Inbound, Kind, Media, OwnItem, RawItem, Unparsable
from connectors.text import as_payload, clean, count, id_of, one_line

MESSAGE_WINDOW = timedelta(hours=48)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2}) (\d{4})")
_ID = re.compile(r"\d{1,19}")
# Author's id, id of the post it belongs to, own id → address.
UrlOf = Callable[[str, str, str], str]


def weibo_time(text: Any) -> datetime:
    """``Wed Oct 24 23:49:17 +0800 2012`` as an aware UTC time, whatever the locale; :class:`Unparsable` otherwise."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None or found[1] not in _MONTHS:
        raise Unparsable(f"发布时间无法识别：{_shown(text)}")
    month, day, hour, minute, second, sign, off_hours, off_minutes, year = found.groups()
    offset = timedelta(hours=int(off_hours), minutes=int(off_minutes)) * (1 if sign == "+" else -1)
    numbers = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
    try:
        return datetime(*numbers, tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unparsable(f"发布时间无法识别：{_shown(text)}") from None


def item_id(item: Any) -> str:
    """The exact id of a status, comment or message, or "".

    ``idstr`` first: the number in ``id`` may have gone through a machine that rounds; a comment's ``mid`` is not always
    its id.
    """
    if not isinstance(item, Mapping):
        return ""
    for name in ("idstr", "mid", "message_id"):
        if text := number_text(item.get(name)):
            return text
    return ""


def number_text(value: Any) -> str:
    """An id given as text or as a whole number, as text; anything else is ""."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 < value < 10**19 else ""
    return value if isinstance(value, str) and _ID.fullmatch(value) and value.isascii() else ""


def raw_item(kind: Kind, item: Any) -> RawItem:
    """One entry of a list or a push as it is stored."""
    payload = as_payload(item)
    return RawItem(kind, id_of(item_id(item) or None, payload), payload)


def inbound(item: Any, kind: Kind, external_id: str, own_id: str, url_of: UrlOf) -> Inbound:
    """A stored item understood; :class:`Unparsable` says what is missing."""
    if not isinstance(item, Mapping):
        raise Unparsable("内容不是约定的数据格式")
    if item.get("deleted"):
        raise Unparsable("这条内容在读取前已被平台或作者删除")
    exact = item_id(item)
    if not exact:
        raise Unparsable("缺少编号，无法确认是哪一条内容")
    text = text_of(item)
    author = _author(item.get("sender" if kind is Kind.private else "user"), item)
    at = weibo_time(item.get("created_at"))
    thread_id, parent_id = _place(item, kind, exact, author)
    return Inbound(
        kind=kind,
        external_id=external_id,
        text=text,
        author=author,
        created_at=at,
        thread_id=thread_id,
        parent_id=parent_id,
        url=url_of(author.id, thread_id if kind is not Kind.private else "", exact),
        media=_pictures(item),
        likes=count(item.get("attitudes_count", item.get("like_count"))) or 0,
        is_own=author.id == own_id,
        reply_until=at + MESSAGE_WINDOW if kind is Kind.private else None,
    )


def text_of(item: Mapping[str, Any]) -> str:
    """The whole text; a long post carries it apart."""
    long = item.get("longText")
    whole = long.get("longTextContent") if isinstance(long, Mapping) else None
    text = whole if isinstance(whole, str) and whole else item.get("text")
    if not isinstance(text, str):
        raise Unparsable("缺少正文")
    return clean(text)


def _author(user: Any, item: Mapping[str, Any]) -> Author:
    if isinstance(user, Mapping):
        uid = user.get("idstr") or number_text(user.get("id"))
        if isinstance(uid, str) and uid:
            return Author(one_line(uid), one_line(str(user.get("screen_name") or uid)), user.get("verified") is True)
    sender = item.get("sender_id")
    if isinstance(sender, (str, int)) and not isinstance(sender, bool) and str(sender):
        return Author(one_line(str(sender)), one_line(str(item.get("sender_screen_name") or sender)))
    raise Unparsable("缺少作者")


def _place(item: Mapping[str, Any], kind: Kind, exact: str, author: Author) -> tuple[str, str]:
    """Thread and parent: a comment hangs under its post and maybe under another comment."""
    if kind is Kind.private:
        return f"private:{author.id}", ""
    if kind is Kind.mention:
        return exact, ""
    root = item_id(item.get("status"))
    if not root:
        raise Unparsable("评论没有指明所属的微博")
    return root, item_id(item.get("reply_comment")) or root


def _pictures(item: Mapping[str, Any]) -> tuple[Media, ...]:
    listed, single = item.get("pic_urls"), item.get("original_pic")
    urls = [p.get("thumbnail_pic") for p in listed if isinstance(p, Mapping)] if isinstance(listed, list) else []
    if not urls and isinstance(single, str):
        urls = [single]
    return tuple(Media("image", clean(url)) for url in urls if isinstance(url, str) and url)


def own_item(item: Any, url_of: UrlOf) -> OwnItem | None:
    """One of the account's own items from a list; None when it cannot be read."""
    exact = item_id(item)
    if not exact:
        return None
    try:
        text, at = text_of(item), weibo_time(item.get("created_at"))
    except Unparsable:
        return None
    root = item_id(item.get("status"))
    parent = item_id(item.get("reply_comment")) or root
    key = ""
    notes = item.get("annotations")
    if isinstance(notes, list) and notes and isinstance(notes[0], Mapping):
        key = str(notes[0].get("key") or "")
    user = item.get("user")
    author_id = str(user.get("idstr") or "") if isinstance(user, Mapping) else ""
    return OwnItem(exact, text, at, url_of(author_id, root or exact, exact), parent, key)


def _shown(value: Any) -> str:
    return one_line(str(value))[:60] if value is not None else "（空）"
