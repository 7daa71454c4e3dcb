"""The neutral work order, a city's own names for its fields, and what the hub makes of one. Pure.

Neutral fields (all text unless said): order_id, title, content, kind (咨询|求助|投诉|举报|建议|表扬), category,
category_system, person, phone, address, region (GB/T 2260), accepted_at and due_at (RFC 3339; without a zone it is
China's), channel, department, url, attachments (list of {name, url}).
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Author, Inbound, Kind, Media, RawItem, Unparsable
from connectors.forms import pairs_in
from connectors.moments import moment_of
from connectors.text import as_payload, clean, id_of, one_line

FIELDS = (
    "order_id", "title", "content", "kind", "category", "category_system", "person", "phone", "address", "region",
    "accepted_at", "due_at", "channel", "department", "url", "attachments",
)  # fmt: skip
# The fields of what goes back, named by the same table.
GOING_BACK = (
    "event_id", "order_id", "status", "result", "answered_at", "department", "department_code", "reason", "at",
    "receipt",
)  # fmt: skip
KINDS = ("咨询", "求助", "投诉", "举报", "建议", "表扬")
LONGEST_TEXT = 50_000
_DAY = re.compile(r"\d{4}-?\d\d-?\d\d")


def pairs(text: str) -> dict[str, str]:
    """``a=b,c=d`` as a mapping; what lacks a side is passed over."""
    return {left: right for left, right in pairs_in(text) if left and right}


def pushed(body: bytes) -> Any:
    """What the body of a push tells; what is no JSON is its text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "backslashreplace")[:LONGEST_TEXT]


def items_of(told: Any, names: Mapping[str, str]) -> list[RawItem]:
    """All orders: one object, a list, or {"orders": [...]}. What is none is kept for quarantine."""
    orders = told.get("orders", told) if isinstance(told, dict) else told
    return [_item(order, names) for order in (orders if isinstance(orders, list) else [orders])]


def _item(order: Any, names: Mapping[str, str]) -> RawItem:
    payload = as_payload(order)
    number = order.get(names.get("order_id", "order_id")) if isinstance(order, dict) else None
    return RawItem(Kind.letter, id_of(number, payload), payload)


def inbound(item: RawItem, names: Mapping[str, str], kinds: Mapping[str, str], key: str, now: datetime) -> Inbound:
    """Understand a stored order; raises :class:`Unparsable`. ``names``: neutral → theirs; ``kinds``: theirs → ours;
    ``key``: what persons are told apart by."""
    try:
        order = json.loads(item.payload)
    except (ValueError, RecursionError):
        raise Unparsable("内容不是 JSON") from None
    if not isinstance(order, dict):
        raise Unparsable("内容不是工单")
    read = {name: order.get(names.get(name, name)) for name in FIELDS}
    if not (number := _said(read, "order_id")):
        raise Unparsable("工单没有编号")
    text = clean(str(read["content"] or "")).strip()[:LONGEST_TEXT]
    title = _said(read, "title")
    if not text and not title:
        raise Unparsable("工单没有内容")
    return Inbound(
        kind=Kind.letter, external_id=item.external_id, text="\n".join([text or title, *_contact(read)]),
        title=title if text else "", author=_author(read, number, key),
        created_at=moment_of(_said(read, "accepted_at")) or now, thread_id=number, url=_link(_said(read, "url")),
        media=tuple(_files(read["attachments"])), due_at=_deadline(_said(read, "due_at")), extra=_extra(read, kinds),
    )  # fmt: skip


def _author(read: Mapping[str, Any], number: str, key: str) -> Author:
    """One telephone is one person; neither it nor the whole name is in what lists show.

    A bare digest would be no cover: all telephones of the country are tried in minutes.
    """
    person, phone = _said(read, "person"), "".join(c for c in _said(read, "phone") if c.isdigit())
    shown = person[:1] + "＊" * max(1, len(person) - 1) if person else "来电人"
    told = hmac.new(key.encode(), b"person." + (phone or number).encode(), "sha256").hexdigest()
    return Author("P" + told[:24], shown)


def _contact(read: Mapping[str, Any]) -> list[str]:
    """A line for those who handle it; personal data in a text are hidden until somebody with the right asks."""
    said = [
        f"{label}：{value}" for label, name in (("联系人", "person"), ("电话", "phone")) if (value := _said(read, name))
    ]
    return ["，".join(said)] if said else []


def _said(read: Mapping[str, Any], name: str) -> str:
    value = read.get(name)
    return one_line(str(value))[:300] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _deadline(text: str) -> datetime | None:
    """The moment; of a day alone its end."""
    at = moment_of(text)
    return at + timedelta(days=1, seconds=-1) if at and _DAY.fullmatch(text) else at


def _link(text: str) -> str:
    return text if text.lower().startswith(("http://", "https://")) else ""


def _files(value: Any) -> list[Media]:
    listed = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    said = [(one_line(str(one.get("url", ""))), one_line(str(one.get("name", "")))[:200]) for one in listed[:50]]
    return [Media("file", _link(url), name) for url, name in said]


def _extra(read: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    kind = _said(read, "kind")
    found: dict[str, Any] = {
        "stated_kind": kinds.get(kind, kind), "stated_place": _said(read, "address"),
        "category": _said(read, "category"), "category_system": _said(read, "category_system"),
        "region": _said(read, "region"), "channel": _said(read, "channel"), "department": _said(read, "department"),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}
