"""Comments of the account's own works, read work by work, each call a step whose place is kept.

After developer.open-douyin.com › 互动评论 › 视频评论管理 (scope item.comment): GET ``/item/comment/list/`` and
``/item/comment/reply/list/`` (``sort_type=time``: newest first; at most 20 at once), POST ``/item/comment/reply/``. The
platform serves them for videos, not for picture posts. What is said under a comment comes by push only.

Cursor::

    {"listed_at": "…", "listing": "20", "works": {"@9Vw…": {"sent": "…", "url": "…", "high": 1764230000,
     "newest": 1764230500, "next": "20", "left": 480, "at": "…", "deep_at": "…"}}}

``high``: everything up to this second is stored; ``next``: where a walk that is not over goes on; ``left``: how many
the first walk of a work still reads. ``high`` moves only when a walk reaches its lower end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import AccountRef, ConnectorError, ErrorKind, Page
from connectors.douyin import works
from connectors.douyin.schemas import comment_item, instant, text_of
from connectors.douyin.wire import Wire, incomplete
from connectors.douyin.works import PAGE, is_end, next_cursor
from connectors.options import number, text

LIST, REPLIES, REPLY = "/item/comment/list/", "/item/comment/reply/list/", "/item/comment/reply/"
LIST_EVERY, DEEP_EVERY, LONGEST_PAUSE = timedelta(minutes=30), timedelta(hours=6), timedelta(hours=6)
# Below the newest known comment everything was read; a little is read again, now and then a day of it, for what was
# held back by review or moved up while somebody deleted.
TAIL, DEEP_TAIL = timedelta(minutes=10), timedelta(hours=24)
FIRST, MOST_WORKS = 500, 100


def device(account: AccountRef) -> dict[str, str]:
    """What the platform wants to know of the caller: a program at a desk, at the address the office entered."""
    return {
        "device_brand": "other", "device_platform": "pc", "device_type": "server", "os_version": "1.0",
        "shark_channel": "open_api", "ip": text(account, "rip") or "127.0.0.1",
    }  # fmt: skip


async def pull(wire: Wire, account: AccountRef, cursor: Mapping[str, Any], every: float, days: float) -> Page:
    """One call: the next page of own works when the list is old, else of the work whose turn it is."""
    now, kept = wire.now, dict(cursor)
    known = cursor.get("works")
    kept["works"] = {name: dict(one) for name, one in known.items()} if isinstance(known, Mapping) else {}
    listed_at = _time(cursor.get("listed_at"))
    if "listing" in kept or listed_at is None or now - listed_at >= min(LIST_EVERY, timedelta(seconds=every * 3)):
        return await _list(wire, account, kept, now - timedelta(days=days))
    longest = timedelta(seconds=number(account, "longest_pause", LONGEST_PAUSE.total_seconds(), 0, 7 * 86_400))
    due = [name for name, one in kept["works"].items() if _is_due(one, now, every, longest)]
    if not due:
        return Page((), kept)
    chosen = min(due, key=lambda name: ("next" not in kept["works"][name], str(kept["works"][name].get("at", ""))))
    items = await _read(wire, account, chosen, kept["works"][chosen])
    return Page(tuple(items), kept, more=len(due) > 1 or "next" in kept["works"][chosen])


async def _list(wire: Wire, account: AccountRef, kept: dict[str, Any], oldest: datetime) -> Page:
    listed = await works.page(wire, account, str(kept.get("listing") or ""))
    for work in listed.works:
        if work.created_at >= oldest and not work.is_pictures and work.status in (0, *works.STANDING):
            one = kept["works"].setdefault(work.item_id, {})
            one |= {"sent": work.created_at.isoformat(), "url": work.url[:500]}
    is_over = any(work.created_at < oldest and not work.is_top for work in listed.works)
    if listed.following and not is_over and len(kept["works"]) < MOST_WORKS:
        return Page((), {**kept, "listing": listed.following}, more=True)
    kept.pop("listing", None)
    newest = sorted(kept["works"].items(), key=lambda pair: str(pair[1].get("sent", "")), reverse=True)
    still = {name: one for name, one in newest[:MOST_WORKS] if (_time(one.get("sent")) or oldest) >= oldest}
    return Page((), {**kept, "works": still, "listed_at": wire.now.isoformat()}, more=bool(still))


async def _read(wire: Wire, account: AccountRef, work: str, one: dict[str, Any]) -> list[Any]:
    """The next page of one work's comments; ``one``, its state, moves on."""
    now, cursor = wire.now, str(one.get("next") or "")
    try:
        data = await wire.get(
            account, LIST, item_id=work, cursor=cursor or "0", count=str(PAGE), sort_type="time", **device(account)
        )
    except ConnectorError as error:
        # This work is not served (deleted, comments closed): the others must not wait for it.
        if error.kind not in (ErrorKind.bug, ErrorKind.not_found):
            raise
        one.pop("next", None)
        one["at"] = now.isoformat()
        return []
    rows = data.get("list")
    if rows is None and not next_cursor(data, cursor):
        rows = []
    if not isinstance(rows, list):
        raise incomplete("list")
    _move(one, rows, next_cursor(data, cursor), now)
    return [comment_item(row, work, str(one.get("url") or "")) for row in rows]


def _move(one: dict[str, Any], rows: Sequence[Any], following: str, now: datetime) -> None:
    seen = [instant(r.get("create_time")) for r in rows if isinstance(r, Mapping) and r.get("top") is not True]
    times = [int(at.timestamp()) for at in seen if at]
    one["newest"] = max([_whole(one.get("newest")), *(min(at, int(now.timestamp())) for at in times)])
    high, left = _whole(one.get("high")), _whole(one.get("left", FIRST)) - len(rows)
    deep_at = _time(one.get("deep_at"))
    is_deep = deep_at is None or now - deep_at >= DEEP_EVERY
    tail = DEEP_TAIL if is_deep else TAIL
    reached = bool(high and times) and min(times) < high - tail.total_seconds()
    if following and not reached and (high or left > 0):
        one |= {"next": following} | ({} if high else {"left": left})
        return
    for name in ("next", "left"):
        one.pop(name, None)
    # A work without comments so far has no oldest to stop at: its next walk goes to the end again.
    one |= {"high": one["newest"], "at": now.isoformat()} | ({"deep_at": now.isoformat()} if is_deep else {})


async def replies(wire: Wire, account: AccountRef, work: str, comment: str) -> tuple[Sequence[Any], bool]:
    """What was said under one comment, newest first, the first twenty; and whether that is all."""
    data = await wire.get(
        account, REPLIES, item_id=work, comment_id=comment, cursor="0", count=str(PAGE), sort_type="time",
        **device(account),
    )  # fmt: skip
    rows = data.get("list")
    if not isinstance(rows, list):
        raise incomplete("list")
    return rows, is_end(data)


async def reply(wire: Wire, account: AccountRef, work: str, comment: str, words: str) -> str:
    """Answer a comment; the id of the answer."""
    data = await wire.post(account, REPLY, {"item_id": work, "comment_id": comment, "content": words})
    return text_of(data.get("comment_id"))


def _is_due(one: Mapping[str, Any], now: datetime, every: float, longest: timedelta) -> bool:
    """A walk goes on at once; otherwise the older the work, the longer the pause."""
    read_at, sent = _time(one.get("at")), _time(one.get("sent"))
    if "next" in one or read_at is None or sent is None:
        return True
    age = max(timedelta(0), now - sent)
    return now - read_at >= min(max(age / 20, timedelta(seconds=every * 0.8)), longest)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if value else None
    except (TypeError, ValueError):
        return None
