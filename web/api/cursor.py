"""Opaque marks of where a page ended: signed, and good for the same list with the same filters only."""

from __future__ import annotations

import base64
import binascii
import hmac
import json

from hub.i18n import _
from web.api.schema import PageQuery
from web.faults import BadRequest

_SIGNATURE = 16


def write(key: bytes, query: PageQuery, mark: str | int | None) -> str | None:
    """The cursor for the page after ``mark``; None when there is none (the list ended)."""
    if not mark:
        return None
    content = str(mark).encode()
    return base64.urlsafe_b64encode(_signature(key, query, content) + content).decode().rstrip("=")


def read(key: bytes, query: PageQuery) -> str:
    """The mark in the query's cursor, empty for the first page; :class:`BadRequest` when it is not one of ours."""
    if not query.cursor:
        return ""
    try:
        raw = base64.urlsafe_b64decode(query.cursor + "=" * (-len(query.cursor) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    signature, content = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if not content or not hmac.compare_digest(signature, _signature(key, query, content)):
        raise BadRequest(_("cursor 无效：请原样使用上一页的 next，并保持筛选条件不变。"))
    return content.decode()


def _signature(key: bytes, query: PageQuery, content: bytes) -> bytes:
    filters = query.model_dump(mode="json", exclude={"cursor", "limit"})
    bound = json.dumps(["cursor", type(query).__qualname__, filters], sort_keys=True).encode()
    return hmac.new(key, bound + b"\0" + content, "sha256").digest()[:_SIGNATURE]
