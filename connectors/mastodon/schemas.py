"""Notifications and statuses understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.base import Author, ConnectorError, ErrorKind, Inbound, Kind, Media, OwnItem, RawItem, Unparsable
from connectors.markup import plain
from connectors.text import as_payload, clean, count, id_of, one_line

# Where pull leaves the root of a thread in a notification; not a name any server uses.
ROOT = "zhengsheng_root"
_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")


def text_id(value: Any) -> str:
    """An id as text (digits on Mastodon, ULIDs on GoToSocial), or "" when it is none."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if _ID.fullmatch(text) else ""


def id_order(value: str) -> tuple[int, str]:
    """Ids rise by length, then by text; they do not fit numbers."""
    return len(value), value


def status_of(notification: Any) -> Mapping[str, Any]:
    """The status in a notification, or an empty mapping."""
    status = notification.get("status") if isinstance(notification, Mapping) else None
    return status if isinstance(status, Mapping) else {}


def raw_item(notification: Any) -> RawItem:
    """A notification as it is stored: under the id of its status, the thing that is answered."""
    status = status_of(notification)
    kind = Kind.private if status.get("visibility") == "direct" else Kind.mention
    payload = as_payload(notification)
    return RawItem(kind, id_of(text_id(status.get("id")) or None, payload), payload)


def inbound(notification: Any, item: RawItem, own_id: str) -> Inbound:
    """A stored notification understood; :class:`Unparsable` says what is missing."""
    status = status_of(notification)
    exact = text_id(status.get("id"))
    if not exact or not isinstance(status.get("content"), str):
        raise Unparsable("通知中没有可识别的嘟文")
    account = status.get("account")
    if not isinstance(account, Mapping) or not text_id(account.get("id")):
        raise Unparsable("缺少作者")
    at = instant(status.get("created_at"))
    if at is None:
        raise Unparsable("发布时间无法识别")
    author = Author(text_id(account["id"]), _name(account))
    parent = text_id(status.get("in_reply_to_id"))
    return Inbound(
        kind=item.kind,
        external_id=item.external_id,
        text=without_mention(plain(status["content"]), _own_names(status, own_id)),
        author=author,
        created_at=at,
        title=one_line(str(status.get("spoiler_text") or "")),
        thread_id=text_id(notification.get(ROOT)) or parent or exact,
        parent_id=parent,
        url=_address(status),
        media=_media(status.get("media_attachments")),
        likes=count(status.get("favourites_count")) or 0,
        is_own=author.id == own_id,
        extra={"acct": one_line(str(account.get("acct") or "")), "visibility": str(status.get("visibility") or "")},
    )


def instant(value: Any) -> datetime | None:
    """An ISO time as aware UTC; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return None


def without_mention(text: str, names: set[str]) -> str:
    """``text`` without mentions of ``names`` at its front; a text that is nothing else stays."""
    rest = text
    while found := re.match(r"@([\w.\-]+(?:@[\w.\-:]+)?)(?:\s+|$)", rest):
        if found[1].lower() not in names and found[1].partition("@")[0].lower() not in names:
            break
        rest = rest[found.end() :]
    return rest or text


def _own_names(status: Mapping[str, Any], own_id: str) -> set[str]:
    mentions = status.get("mentions")
    names: set[str] = set()
    for mention in mentions if isinstance(mentions, list) else ():
        if isinstance(mention, Mapping) and own_id and str(mention.get("id")) == own_id:
            names |= {str(mention.get(name)).lower() for name in ("username", "acct") if mention.get(name)}
    return names


def _name(account: Mapping[str, Any]) -> str:
    for name in ("display_name", "acct", "username", "id"):
        if text := one_line(str(account.get(name) or "")):
            return text
    return ""


def _address(status: Mapping[str, Any]) -> str:
    for name in ("url", "uri"):
        value = status.get(name)
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return one_line(value)
    return ""


def _media(value: Any) -> tuple[Media, ...]:
    found = []
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("url"), str):
            kind, words = str(entry.get("type") or "unknown"), clean(str(entry.get("description") or ""))
            found.append(Media(one_line(kind), one_line(entry["url"]), words))
    return tuple(found)


def own_item(status: Any) -> OwnItem | None:
    """One of the account's own statuses; None when it cannot be read. The mention we put before an answer is off."""
    exact = text_id(status.get("id")) if isinstance(status, Mapping) else ""
    at = instant(status.get("created_at")) if exact else None
    if at is None or not isinstance(status.get("content"), str):
        return None
    parent = text_id(status.get("in_reply_to_id"))
    text = plain(status["content"])
    if parent:
        text = re.sub(r"^@[\w.\-]+(?:@[\w.\-:]+)?\s+", "", text)
    return OwnItem(exact, text, at, _address(status), parent)


def author_id(status: Any) -> str:
    """Who wrote a status."""
    account = status.get("account") if isinstance(status, Mapping) else None
    return text_id(account.get("id")) if isinstance(account, Mapping) else ""


def strange(what: str) -> ConnectorError:
    """The error for an answer that lacks what it must have."""
    return ConnectorError(ErrorKind.protocol, "服务器返回的内容不完整，请检查服务器地址是否正确", code=what)
