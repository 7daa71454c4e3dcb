"""The gap-free walk over a list that is newest first and knows ``since_id`` and an inclusive ``max_id``.

The cursor has two parts: ``high`` is the newest id of which everything older is stored; ``walk`` is the position of
a walk that is not over. ``high`` moves only when a walk reaches its lower end, so that a walk interrupted by a crash
goes on where the last stored page ended, and asking for the newest page alone can lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import ConnectorError, ErrorKind, Page, RawItem

# The first walk of an account reaches back so many items, then stops.
LOOK_BACK = 2000


def bounds(cursor: Mapping[str, Any]) -> dict[str, str]:
    """``since_id`` and ``max_id`` of the request that belongs to ``cursor``, where they apply."""
    walk = cursor.get("walk") or {}
    wanted = {"since_id": str(cursor.get("high") or ""), "max_id": str(walk.get("next") or "")}
    return {name: value for name, value in wanted.items() if value}


def after_step(
    cursor: Mapping[str, Any],
    items: Sequence[RawItem],
    ids: Sequence[str],
    next_cursor: str,
    look_back: int = LOOK_BACK,
) -> Page:
    """The page and the cursor after an answer. ``ids`` are its readable ids, newest first; ``next_cursor`` "" ends.

    An answer that points back to itself is refused as ``protocol``: going on would lose what lies behind it.
    """
    high = str(cursor.get("high") or "")
    walk = cursor.get("walk") or {}
    upper = str(walk.get("upper") or "") or (ids[0] if ids else high)
    left = int(walk.get("left", look_back)) - len(items)
    # A walk above a known id always goes to its end; only the very first one is bounded.
    if next_cursor and next_cursor == str(walk.get("next") or ""):
        raise ConnectorError(ErrorKind.protocol, "平台的分页没有前进，已停止读取，请稍后再试", code="paging")
    if next_cursor and (high or left > 0):
        walking = {"upper": upper, "next": next_cursor} | ({} if high else {"left": left})
        return Page(tuple(items), {"high": high, "walk": walking}, more=True)
    return Page(tuple(items), {"high": upper or high})
