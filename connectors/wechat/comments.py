"""Comments of our own articles, read article by article.

The platform has no "since": a list is read by position, and which end of it grows is not documented. So each article
keeps the position of its walk and the time of its newest comment; a walk that has begun goes on where the last stored
page ended, pages overlap (comments may vanish meanwhile), and only a list that shows itself newest first is left early.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from connectors.base import AccountRef, ConnectorError, ErrorKind, Page, Published
from connectors.wechat.schemas import answer_of, comment_item, instant
from connectors.wechat.wire import Wire, incomplete, text_of

PAGE = 49
OVERLAP = 5
# Whatever is older than the newest known comment by more than this was read for sure.
TAIL = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=6)
INDEX = "0"
# Looking for one answer: 1,300 comments; an article with more is looked through by people.
MOST_PAGES = 30


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of an article's comments."""

    total: int
    comments: Sequence[Any]

    @property
    def times(self) -> list[datetime]:
        """When they were written, in the order of the list."""
        found = [instant(one.get("create_time")) for one in self.comments if isinstance(one, Mapping)]
        return [at for at in found if at is not None]


async def read(wire: Wire, account: AccountRef, data_id: str, begin: int) -> Listed:
    """Comments ``begin`` … ``begin + 48`` of an article. An article without comments is empty."""
    try:
        return await _page(wire, account, data_id, begin)
    except ConnectorError as error:
        if error.kind is ErrorKind.not_found or text_of(error.code).startswith("88002"):
            return Listed(0, ())
        raise


async def _page(wire: Wire, account: AccountRef, data_id: str, begin: int) -> Listed:
    wanted = {"msg_data_id": int(data_id), "index": int(INDEX), "begin": begin, "count": PAGE, "type": 0}
    body = await wire.call(account, "/cgi-bin/comment/list", wanted)
    total, found = body.get("total"), body.get("comment")
    if not isinstance(total, int) or isinstance(total, bool) or not isinstance(found, list):
        raise incomplete("comment")
    return Listed(total, found)


async def pull(wire: Wire, account: AccountRef, cursor: Mapping[str, Any], every: float) -> Page:
    """The next page of the article whose turn it is. ``more``: another article, or more of this one, is due."""
    now = wire.now()
    articles = {data_id: one for one in account.published if (data_id := _data_id(one))}
    known = {name: dict(state) for name, state in _known(cursor).items() if name in articles}
    due = [name for name in articles if _is_due(known.get(name, {}), articles[name], now, every)]
    if not due:
        return Page((), {"articles": known})
    chosen = min(due, key=lambda name: ("begin" not in known.get(name, {}), str(known.get(name, {}).get("at", ""))))
    state = known.get(chosen, {})
    listed = await read(wire, account, chosen, _number(state.get("begin")))
    known[chosen] = _moved(state, listed, now)
    own = articles[chosen].external_id
    items = tuple(comment_item(one, chosen, INDEX, own) for one in listed.comments)
    return Page(items, {"articles": known}, more=len(due) > 1 or "begin" in known[chosen])


async def answered(wire: Wire, account: AccountRef, place: tuple[str, str, str]) -> tuple[str, datetime | None] | None:
    """Our answer under one comment ("" where it has none); None when the comment is not in the list.

    A list that is too long, cut short or in part unreadable does not tell that: it is ``protocol``.
    """
    begin, is_whole = 0, True
    for _ in range(MOST_PAGES):
        listed = await _page(wire, account, place[0], begin)
        for one in listed.comments:
            own = text_of(one.get("user_comment_id")) if isinstance(one, Mapping) else ""
            if own == place[2]:
                if not _is_told(one.get("reply")):
                    raise incomplete("reply")
                return answer_of(one)
            is_whole = is_whole and bool(own)
        is_end = begin + len(listed.comments) >= listed.total
        if is_end and is_whole:
            return None
        if is_end or len(listed.comments) < PAGE:
            break
        begin += PAGE - OVERLAP
    raise incomplete("comment")


def _is_told(reply: Any) -> bool:
    """Whether an entry says clearly what the answer is, or that there is none."""
    return not reply or (isinstance(reply, Mapping) and isinstance(reply.get("content"), str))


def _moved(state: Mapping[str, Any], listed: Listed, now: datetime) -> dict[str, Any]:
    """The article's state after a page: where to go on, or, at the end of its walk, when it was read."""
    begin, high = _number(state.get("begin")), _time(state.get("high"))
    newest = max([at for at in (_time(state.get("newest")), *listed.times) if at], default=None)
    kept = {name: state[name] for name in ("at", "total") if name in state}
    kept |= {"high": _text(high), "newest": _text(newest)}
    is_over = begin + len(listed.comments) >= listed.total or not listed.comments
    if is_over or _reached(listed, high):
        # The next walk begins at the front again: new ones stand there, or the walk passes them on its way to the end.
        return {"high": _text(newest), "newest": _text(newest), "at": now.isoformat(), "total": listed.total}
    following = begin + max(1, len(listed.comments) - OVERLAP)
    if high is not None and begin == 0 and _is_sorted(listed.times):
        # Newest last: what was read before is passed over, but for the last page of it.
        following = max(following, _number(state.get("total")) - PAGE)
    return kept | {"begin": following}


def _reached(listed: Listed, high: datetime | None) -> bool:
    """Whether a list that is newest first has come to what was read before."""
    times = listed.times
    return high is not None and _is_sorted(times[::-1]) and times[-1] < high - TAIL


def _is_sorted(times: Sequence[datetime]) -> bool:
    """Whether they rise."""
    return len(times) > 1 and times[0] < times[-1] and all(a <= b for a, b in pairwise(times))


def _is_due(state: Mapping[str, Any], article: Published, now: datetime, every: float) -> bool:
    """A walk goes on at once; otherwise the older the article, the longer the pause."""
    read_at = _time(state.get("at"))
    if "begin" in state or read_at is None:
        return True
    age = max(timedelta(0), now - article.sent_at)
    return now - read_at >= min(max(age / 20, timedelta(seconds=every * 0.8)), LONGEST_PAUSE)


def _data_id(article: Published) -> str:
    found = text_of(article.extra.get("msg_data_id"))
    return found if found.isascii() and found.isdigit() and len(found) < 20 else ""


def _known(cursor: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    found = cursor.get("articles")
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if value else None
    except (TypeError, ValueError):
        return None


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""
