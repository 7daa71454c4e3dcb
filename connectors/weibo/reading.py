"""The one stream of an account: mentions, comments, and mentions in comments, behind one cheap probe.

With 100 calls a day three lists cannot be read one by one. A *round* asks ``remind/unread_count`` once and reads only
the lists whose counter tells of something. Whether reading a list sets its counter back is not documented, so it is
observed: a counter that stands where it stood although nothing new was found does not fall by reading (``sticky``), and
from then on only its change counts. A list that seems quiet is looked at all the same every six hours, from further
back, so that neither a counter that somebody else set back nor a post that was held back loses anything. Each step is
one call; its cursor is stored with its items.

Cursor::

    {"due": ["comments"], "turn": 1, "blind_until": "2026-11-27T08:00:00+00:00", "limits_at": …,
     "lists": {"mentions": {"high": …, "floor": …, "walk": …, "seen": 3, "sticky": false,
                            "looked_at": …, "deep": true, "again": true}}}

``limits_at``: when the platform was last asked how many calls it has counted, which costs none and corrects our own
count; ``high``: everything up to it is stored; ``floor``: ``high`` as it was at the look before the last one, where the
next look from further back begins; ``walk``: see :mod:`connectors.walk`; ``again``: after that walk the list is read
once more; ``seen``: the counter before the last reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.base import AccountRef, ConnectorError, ErrorKind, Kind, Page
from connectors.walk import LOOK_BACK, after_step, bounds
from connectors.weibo.schemas import item_id, number_text, raw_item
from connectors.weibo.settings import hosts, number
from connectors.weibo.wire import Wire

STREAM = "incoming"
PAGE_SIZE = 50
LOOK_EVERY = timedelta(hours=6)
# A long post is cut short in lists unless its whole text is asked for.
WHOLE = {"isGetLongText": "1"}
# An app without the right to ask for counters reads the lists themselves, and tries again later.
BLIND_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Listed:
    """One list: where it is, its name in the answer, the kind of its items, its counter, its name for people."""

    path: str
    name: str
    kind: Kind
    counter: str
    words: str


LISTS: Mapping[str, Listed] = {
    "mentions": Listed("statuses/mentions", "statuses", Kind.mention, "mention_status", "@我的微博"),
    "comments": Listed("comments/to_me", "comments", Kind.comment, "cmt", "收到的评论"),
    "comment_mentions": Listed("comments/mentions", "comments", Kind.comment, "mention_cmt", "@我的评论"),
}


async def step(wire: Wire, account: AccountRef, cursor: Mapping[str, Any]) -> Page:
    """One call: the next page of a list that is due, or the probe that tells which are."""
    lists = {name: dict((cursor.get("lists") or {}).get(name) or {}) for name in LISTS}
    due = [name for name in cursor.get("due") or () if name in LISTS]
    kept = {**cursor, "lists": lists}
    if due and not _stale(cursor, wire.now):
        return await _read(wire, account, kept, due)
    return await _probe(wire, account, kept, due)


def _stale(cursor: Mapping[str, Any], now: datetime) -> bool:
    """Whether a round stopped half way long ago: one list that always fails must not keep the others waiting."""
    began = _moment(cursor.get("began"))
    return began is None or now - began > LOOK_EVERY / 12


async def _probe(wire: Wire, account: AccountRef, kept: dict[str, Any], left: list[str]) -> Page:
    """Begin a round."""
    now = wire.now
    asked = _moment(kept.get("limits_at"))
    if asked is None or now - asked >= LOOK_EVERY:
        # Other programs of the office call too, and so did whoever connected the account.
        await wire.limits(account)
        kept["limits_at"] = now.isoformat()
    counters = await _counters(wire, account, kept)
    lists, turn = kept["lists"], int(kept.get("turn") or 0) + 1
    every = timedelta(hours=number(account, "look_hours", 0)) or LOOK_EVERY
    due = list(left)
    for name, one in lists.items():
        looked = _moment(one.get("looked_at"))
        deep = looked is None or now - looked >= every
        counter = counters.get(name)
        if deep or _tells(one, counter):
            due = due if name in due else [*due, name]
            one["deep"] = bool(deep or one.get("deep"))
            one["counter"] = counter
            # What the counter tells of came above the walk that an earlier round left half way.
            one["again"] = "walk" in one
    # The first of a round changes, so that a list without rights costs the others at most every other turn.
    shift = turn % len(due) if due else 0
    kept |= {"due": due[shift:] + due[:shift], "turn": turn, "began": now.isoformat()}
    return Page((), kept, more=bool(due))


def _tells(one: dict[str, Any], counter: int | None) -> bool:
    """Whether a counter says that its list is worth reading; no counter always does."""
    if counter is None:
        return True
    if not one.get("sticky"):
        return counter > 0
    if counter == one.get("seen"):
        return False
    # It fell: somebody read the list, or reading sets it back after all.
    if counter < int(one.get("seen") or 0):
        one["sticky"] = False
    return True


async def _counters(wire: Wire, account: AccountRef, kept: dict[str, Any]) -> dict[str, int]:
    """The counters by list; none where the app may not ask for them."""
    blind = _moment(kept.get("blind_until"))
    if blind is not None and wire.now < blind:
        return {}
    params = {"uid": account.external_id} if account.external_id else {}
    try:
        body = await wire.get(account, f"{hosts(account).rm}/2/remind/unread_count.json", **params)
    except ConnectorError as error:
        if error.kind not in (ErrorKind.permission, ErrorKind.not_found, ErrorKind.bug):
            raise
        kept["blind_until"] = (wire.now + BLIND_FOR).isoformat()
        return {}
    if not isinstance(body, Mapping):
        raise ConnectorError(ErrorKind.protocol, "平台返回的未读数无法识别，请稍后再试", code="unread")
    found = {name: body.get(one.counter) for name, one in LISTS.items()}
    return {name: value for name, value in found.items() if isinstance(value, int) and not isinstance(value, bool)}


async def _read(wire: Wire, account: AccountRef, kept: dict[str, Any], due: list[str]) -> Page:
    """The next page of the first list that is due."""
    name = due[0]
    one, listed = kept["lists"][name], LISTS[name]
    high = str(one.get("high") or "")
    # From further back: what was held back and shown late stands below the newest that is known.
    since = str(one.get("floor") or "") if one.get("deep") and high else high
    at = {"high": since, "walk": one.get("walk")}
    size = number(account, "page_size", 0) or PAGE_SIZE
    body = await _list(wire, account, listed, bounds(at) | {"count": str(size)} | WHOLE)
    entries, next_cursor = _listed(body, listed, size, since)
    ids = [exact for exact in map(item_id, entries) if exact]
    items = [raw_item(listed.kind, entry) for entry in entries if not _gone(entry)]
    look_back = number(account, "look_back", LOOK_BACK)
    page = after_step(at, items, ids, next_cursor, look_back)
    if walk := page.cursor.get("walk"):
        one["walk"] = walk
        return Page(page.items, kept, more=True)
    left = due if _end(one, high, str(page.cursor["high"]), wire.now) else due[1:]
    kept["due"] = left
    return Page(page.items, kept, more=bool(left))


def _end(one: dict[str, Any], high: str, reached: str, now: datetime) -> bool:
    """A list is read to its end: move its marks. True: it is read once more at once, for what came above the walk;
    the next round may be hours away.
    """
    one.pop("walk", None)
    if one.pop("deep", False):
        one |= {"floor": high or reached, "looked_at": now.isoformat()}
    one["high"] = max(high, reached, key=lambda mark: int(mark) if mark.isdigit() else 0)
    # The counter counts what the second reading brings.
    if one.pop("again", False):
        return True
    counter, seen = one.pop("counter", None), one.get("seen")
    if counter and counter == seen and one["high"] == high:
        one["sticky"] = True
    one["seen"] = counter
    return False


async def _list(wire: Wire, account: AccountRef, listed: Listed, params: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        body = await wire.get(account, f"{hosts(account).api}/2/{listed.path}.json", **params)
    except ConnectorError as error:
        if error.kind is not ErrorKind.permission:
            raise
        raise ConnectorError(
            error.kind, f"读取「{listed.words}」：{error.human}", code=error.code, retry_at=error.retry_at
        ) from None
    if isinstance(body, Mapping) and isinstance(body.get(listed.name), list):
        return body
    # An empty list comes as an empty array from some of the platform's machines.
    if body == []:
        return {listed.name: []}
    raise ConnectorError(ErrorKind.protocol, "平台返回的列表无法识别，请稍后再试", code=listed.name)


def _listed(body: Mapping[str, Any], listed: Listed, size: int, since: str) -> tuple[list[Any], str]:
    """The entries and where the next page begins, "" at the end.

    A page may come empty because all of it is hidden: the walk ends at ``since``, not there.
    """
    entries = body[listed.name]
    told = number_text(body.get("next_cursor"))
    if told and int(told) and (entries or since):
        return entries, told if int(told) > int(since or 0) else ""
    last = next((exact for exact in map(item_id, reversed(entries)) if exact), "")
    # A full page without a hint where to go on: what lies below it is asked for, rather than lost.
    return entries, str(int(last) - 1) if last and len(entries) >= size else ""


def _gone(entry: Any) -> bool:
    """A stub of something that was deleted: no author, no text of its own."""
    return isinstance(entry, Mapping) and bool(entry.get("deleted")) and not entry.get("user")


def _moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else None
