"""The item in a push of the pretend platform, which spares the receiver a second call for mentions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import Kind, RawItem
from connectors.weibo.schemas import item_id, raw_item


def pushed_item(push: Any) -> RawItem | None:
    """The item in a push; None for a push of a type that carries none (follow, scan and the like)."""
    if not isinstance(push, Mapping):
        return raw_item(Kind.private, push)
    data = push.get("data")
    inner = data.get("item") if isinstance(data, Mapping) else None
    match push.get("type"):
        case "text" | "image" | "voice" | "position":
            # The same message may come by list too: under the same id it is stored once.
            return raw_item(Kind.private, inner if item_id(inner) else push)
        case "mention":
            return raw_item(Kind.mention, inner if isinstance(inner, Mapping) else push)
        case "event":
            return None
        case _:
            return raw_item(Kind.private, push)
