"""A feed's bytes as items to store, and a stored item as an understood one. Pure."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import feedparser

from connectors.base import Author, ConnectorError, ErrorKind, Inbound, Kind, RawItem, Unparsable
from connectors.markup import plain
from connectors.moments import moment_of
from connectors.text import as_payload, id_of, one_line

MOST_ENTRIES = 1000
LONGEST_TEXT = 50_000
TTL_WITHIN, MOST_MINUTES = 64 * 1024, 24 * 60
_TTL = re.compile(rb"<ttl>\s{0,20}(\d{1,6})\s{0,20}</ttl>")
NO_FEED = "这个地址给出的不是 RSS 或 Atom 订阅源，请管理员核对地址"


def items_of(data: bytes, headers: Mapping[str, str]) -> list[RawItem]:
    """The entries of a feed, oldest first; :class:`ConnectorError` (protocol) for what is none."""
    told = {name: headers[name] for name in ("content-type",) if name in headers}
    # Bare bytes would first be tried as the name of a file on this machine.
    body = io.BytesIO(data)
    try:
        found = feedparser.parse(body, response_headers=told, sanitize_html=False, resolve_relative_uris=False)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError, AssertionError):
        raise ConnectorError(ErrorKind.protocol, NO_FEED, code="no feed") from None
    if not found.get("version") and not found.entries:
        raise ConnectorError(ErrorKind.protocol, NO_FEED, code="no feed")
    return [_item(entry) for entry in reversed(found.entries[:MOST_ENTRIES])]


def minutes_of(data: bytes) -> int:
    """For how long a feed says that it need not be asked again (``<ttl>``), at most a day; 0 where it says nothing."""
    # Before the entries: what people write into them decides nothing.
    found = _TTL.search(data[:TTL_WITHIN].partition(b"<item")[0])
    return min(int(found[1]), MOST_MINUTES) if found else 0


def _item(entry: dict[str, Any]) -> RawItem:
    content = next((c.get("value", "") for c in entry.get("content") or [] if c.get("value")), "")
    read = {
        "title": _text(entry, "title"), "link": _text(entry, "link"), "author": _text(entry, "author"),
        "html": (content or _text(entry, "summary"))[: 4 * LONGEST_TEXT],
        "published": _text(entry, "published") or _text(entry, "updated") or _text(entry, "created"),
    }  # fmt: skip
    own = _text(entry, "id") or read["link"] or _digest([read["title"], read["published"]])
    payload = as_payload(read)
    return RawItem(Kind.mention, id_of(own if len(own) <= 200 else _digest([own]), payload), payload)


def _text(entry: dict[str, Any], name: str) -> str:
    # As a plain dictionary: feedparser's own look-up answers "updated" with the time of publishing, and complains.
    value = dict.get(entry, name)
    return value if isinstance(value, str) else ""


def _digest(parts: list[str]) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()


def inbound(item: RawItem, *, opens_case: bool, now: datetime) -> Inbound:
    """Understand a stored entry; raises :class:`Unparsable`. A date that cannot be read is ``now``."""
    try:
        read = json.loads(item.payload)
        title, html, link = str(read["title"]), str(read["html"]), one_line(str(read["link"]))
        author, published = one_line(str(read["author"])), str(read["published"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unparsable("内容不是订阅源的条目") from None
    title, text = one_line(plain(title)), plain(html)[:LONGEST_TEXT]
    if not title and not text:
        raise Unparsable("条目既没有标题也没有内容")
    return Inbound(
        kind=Kind.mention, external_id=item.external_id, text=text or title, title=title if text else "",
        author=Author(author, author), created_at=moment_of(published) or now, needs_answer=opens_case,
        url=link if link.lower().startswith(("http://", "https://")) else "",
    )  # fmt: skip
