"""Where the next reading of the list of notifications begins, and what of it is new. Pure.

Forward by ``min_id``, so that each stored page is complete up to its newest id. Servers give ids before they show what
has them: of two mentions that come at once the newer may be seen first. So each reading begins a little before the
newest id, and passes over what it has seen. The cursor::

    {"high": the newest id that is stored, "next": where a reading goes on that is not over,
     "tail": {"from": where a reading begins, "then": where it will begin after "at" and OVERLAP,
              "at": …, "seen": ids above "from"}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.mastodon.schemas import id_order

OVERLAP = timedelta(minutes=1)
# Ids that are kept in a cursor: of a burst only the newest are looked at again.
MOST_SEEN = 200


def start(cursor: Mapping[str, Any]) -> str:
    """The id above which the next page lies."""
    return str(cursor.get("next") or _tail(cursor).get("from") or cursor.get("high") or "")


def seen(cursor: Mapping[str, Any]) -> frozenset[str]:
    """Ids that need not be looked at again."""
    return frozenset(map(str, _tail(cursor).get("seen") or ()))


def after_page(cursor: Mapping[str, Any], ids: Sequence[str], now: datetime, *, more: bool) -> dict[str, Any]:
    """The cursor after a page with ``ids``."""
    high = max((str(cursor["high"]), *ids), key=id_order)
    tail = dict(_tail(cursor)) or {"from": cursor["high"], "then": cursor["high"], "at": now.isoformat()}
    if not more and now - datetime.fromisoformat(tail["at"]) >= OVERLAP:
        tail |= {"from": tail["then"], "then": high, "at": now.isoformat()}
    known = sorted(seen(cursor) | set(ids), key=id_order)
    if len(known) > MOST_SEEN:
        tail["from"] = max(tail["from"], known[-MOST_SEEN - 1], key=id_order)
    tail["seen"] = [one for one in known if id_order(one) > id_order(tail["from"])]
    return {"high": high, "tail": tail} | ({"next": max(ids, key=id_order)} if more else {})


def _tail(cursor: Mapping[str, Any]) -> Mapping[str, Any]:
    found = cursor.get("tail")
    return found if isinstance(found, Mapping) else {}
