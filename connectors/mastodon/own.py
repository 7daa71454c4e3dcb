"""Own statuses read back: what was published or answered lately, in a thread or in the own list, and how it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.absence import proves, reaches
from connectors.base import AccountRef, ConnectorError, ErrorKind, Kind, Metric, Outgoing, OwnItem, OwnItems
from connectors.mastodon.media import Call
from connectors.mastodon.schemas import author_id, id_order, own_item, strange, text_id
from connectors.text import count

PAGE_SIZE, OWN_PAGES = 40, 5


async def find(call: Call, account: AccountRef, own_id: str, since: datetime, out: Outgoing) -> OwnItems:
    """Own posts since ``since``, or own answers to the target: first in its thread, then in the own list.

    Servers hide direct messages from the own list; only the whole thread shows that one is not there.
    """
    if out.target_kind is None:
        return await _listed(call, account, own_id, since, "")
    around = await _thread(call, account, own_id, since, out.target_id)
    if around.items:
        return around
    listed = await _listed(call, account, own_id, since, out.target_id)
    return replace(listed, complete=listed.complete and (around.complete or out.target_kind is not Kind.private))


async def _thread(call: Call, account: AccountRef, own_id: str, since: datetime, target: str) -> OwnItems:
    """Own answers below the target; not complete where the thread, or something in it, cannot be read."""
    try:
        around = await call(account, "GET", f"/api/v1/statuses/{target}/context")
    except ConnectorError as error:
        if error.kind is ErrorKind.not_found:
            return OwnItems((), complete=False)
        raise
    below = around.get("descendants") if isinstance(around, dict) else None
    if not isinstance(below, list):
        return OwnItems((), complete=False)
    mine = [own_item(s) if author_id(s) else None for s in below if author_id(s) in (own_id, "")]
    fitting = [o for o in mine if o and o.parent_id == target and o.created_at >= since.replace(microsecond=0)]
    return OwnItems(tuple(sorted(fitting, key=lambda o: o.created_at, reverse=True)), complete=None not in mine)


async def _listed(call: Call, account: AccountRef, own_id: str, since: datetime, target: str) -> OwnItems:
    floor = since.replace(microsecond=0)
    seen: list[OwnItem | None] = []
    upper: list[tuple[str, str]] = []
    complete = False
    for _ in range(OWN_PAGES):
        listed = [own_item(status) for status in await _page(call, account, own_id, upper)]
        seen += listed
        own = [o for o in listed if o is not None]
        if not own or reaches(listed, floor):
            complete = proves(seen, floor, not listed)
            break
        upper = [("max_id", min((o.external_id for o in own), key=id_order))]
    found = [o for o in seen if o is not None and o.created_at >= floor and o.parent_id == target]
    return OwnItems(tuple(found), complete)


async def _page(call: Call, account: AccountRef, own_id: str, upper: Sequence[tuple[str, str]]) -> list[Any]:
    params = [("limit", str(PAGE_SIZE)), ("exclude_reblogs", "true"), *upper]
    body = await call(account, "GET", f"/api/v1/accounts/{own_id}/statuses", params=params)
    if not isinstance(body, list):
        raise strange("list")
    return body


async def metric(call: Call, account: AccountRef, own: str) -> Metric | None:
    """How one status does; None when it is gone."""
    try:
        body = await call(account, "GET", f"/api/v1/statuses/{own}")
    except ConnectorError as error:
        if error.kind is ErrorKind.not_found:
            return None
        raise
    if not isinstance(body, dict) or text_id(body.get("id")) != own:
        raise strange("id")
    told = [count(body.get(name)) for name in ("favourites_count", "replies_count", "reblogs_count")]
    return Metric(own, likes=told[0], comments=told[1], reposts=told[2])
