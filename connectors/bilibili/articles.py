"""Articles (专栏): submitted, looked for after review, counted, removed.

After open.bilibili.com › 专栏稿件管理 and › 数据开放服务, host member.bilibili.com: POST ``/arcopen/fn/article/add``
(title ≤ 40; summary; content: HTML of 200–40000 characters or at least three pictures; category; template_id: 4 one
cover, 5 none; image_urls) → id; POST ``/arcopen/fn/article/upload/image`` (field ``file``) → url; GET
``/arcopen/fn/article/list`` (sort 1: newest first; group 0: all, 1: in progress, 2: passed, 3: refused); GET
``/arcopen/fn/article/detail``; POST ``/arcopen/fn/article/delete`` (id); GET ``/arcopen/fn/data/art/stat`` (ids). What
the numbers in ``state`` mean is not written there: how a review ended is told by the group an article stands in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from connectors.absence import proves, reaches
from connectors.base import (
    AccountRef,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Metric,
    Outcome,
    Outgoing,
    OwnItem,
    OwnItems,
    Pending,
    PostForm,
)
from connectors.bilibili.wire import Wire, incomplete
from connectors.failures import unsettled
from connectors.markup import plain
from connectors.options import text
from connectors.pictures import in_time
from connectors.text import count, one_line

ADD, DELETE, LIST = "/arcopen/fn/article/add", "/arcopen/fn/article/delete", "/arcopen/fn/article/list"
DETAIL, IMAGE, STAT = "/arcopen/fn/article/detail", "/arcopen/fn/article/upload/image", "/arcopen/fn/data/art/stat"
# Numbers that people paste may be those of other things: what the hub submitted is told apart.
CV = "cv"
TITLE, LEAST, MOST, ENOUGH_PICTURES = 40, 200, 40_000, 3
# Exactly so long: the pages of the platform do not agree whether it is the most or the least.
SUMMARY = 200
PASSED, REFUSED, ALL = "2", "3", "0"
PAGE, PAGES, COUNTED_AT_ONCE, LOOKED_AT = 20, 3, 30, 5
ASK_AGAIN = timedelta(minutes=10)
FORM = PostForm(
    "article", "专栏文章", MOST, "由系统投稿，审核通过后公开。正文至少 200 字，或至少 3 张图片；第一张图片作封面。",
    TITLE, needs_title=True, pictures=20, picture_types=("image/jpeg", "image/png"), picture_bytes=5 * 1024 * 1024,
)  # fmt: skip


def address(own: str) -> str:
    """Where people read an article of this id (``cv…``)."""
    return f"https://www.bilibili.com/read/{own}"


async def submit(wire: Wire, account: AccountRef, out: Outgoing) -> Outcome:
    """Submit an article; it is pending until it is reviewed."""
    pictures = await in_time(wire.picture(account, IMAGE, one) for one in out.attachments)
    fields = {
        "title": one_line(out.title),
        "category": text(account, "category"),
        "template_id": "4" if pictures else "5",
        "summary": one_line(out.text)[:SUMMARY],
        "content": content_of(out.text, pictures),
        "original": "1",
    } | ({"image_urls": pictures[0]} if pictures else {})
    data = await wire.post(account, ADD, fields)
    own = _id(data.get("id")) if isinstance(data, Mapping) else ""
    if not own:
        raise incomplete("id", Effect.unknown)
    return Pending(own, wire.now + ASK_AGAIN)


def content_of(words: str, pictures: Sequence[str]) -> str:
    """Text as paragraphs, the pictures below."""
    lines = [f"<p>{escape(line, quote=False)}</p>" for line in words.splitlines() if line.strip()]
    return "".join([*lines, *(f'<p><img src="{escape(url)}"></p>' for url in pictures)])


async def poll(wire: Wire, account: AccountRef, job: str) -> Outcome:
    """How the review ended: in which group the article stands."""
    try:
        if await _row(wire, account, job, PASSED) is not None:
            return Done(f"{CV}{job}", address(f"{CV}{job}"))
        refused = await _row(wire, account, job, REFUSED)
    except ConnectorError as error:
        raise unsettled(error) from None
    if refused is None:
        return Pending(job, wire.now + ASK_AGAIN)
    why = one_line(str(refused.get("reason") or ""))[:100] or "B 站没有说明原因"
    raise ConnectorError(ErrorKind.content_rejected, f"专栏没有通过审核：{why}", code="refused")


async def find(wire: Wire, account: AccountRef, since: datetime) -> OwnItems:
    """Own articles since a moment with their whole text; the list itself shows but a summary.

    Only the newest few are looked at: complete when they are all there are, or the list has come to what is older.
    """
    floor = since.replace(microsecond=0)
    rows, total = await _listed(wire, account, ALL, "1")
    read: list[OwnItem | None] = []
    for row in rows[:LOOKED_AT]:
        read.append(await _whole(wire, account, row, floor))
        if reaches(read, floor):
            break
    found = [one for one in read if one is not None and one.created_at >= floor]
    return OwnItems(tuple(found), complete=proves(read, floor, max(len(rows), total) <= LOOKED_AT))


async def stats(wire: Wire, account: AccountRef, ids: Sequence[str]) -> dict[str, Metric]:
    """Figures of those articles (``cv…``) the platform knows, by their ids."""
    found: dict[str, Metric] = {}
    for start in range(0, len(ids), COUNTED_AT_ONCE):
        part = ids[start : start + COUNTED_AT_ONCE]
        data = await wire.get(account, STAT, ids=",".join(own.removeprefix(CV) for own in part))
        for own in part:
            row = data.get(own.removeprefix(CV)) if isinstance(data, Mapping) else None
            told = row.get("stats") if isinstance(row, Mapping) else None
            if isinstance(told, Mapping):
                found[own] = Metric(own, *(count(told.get(name)) for name in ("view", "like", "reply", "share")))
    return found


async def stands(wire: Wire, account: AccountRef, own: str) -> bool:
    """Whether the platform still counts an article (``cv…``)."""
    data = await wire.get(account, STAT, ids=own.removeprefix(CV))
    if not isinstance(data, Mapping):
        raise incomplete("stat")
    if own.removeprefix(CV) not in data:
        return False
    if not isinstance(data[own.removeprefix(CV)], Mapping):
        raise incomplete("stat")
    return True


async def remove(wire: Wire, account: AccountRef, own: str) -> None:
    """Remove an article; already gone is fine."""
    try:
        await wire.post(account, DELETE, {"id": own.removeprefix(CV)})
    except ConnectorError as error:
        if error.kind is not ErrorKind.not_found:
            raise


async def _row(wire: Wire, account: AccountRef, own: str, group: str) -> Mapping[str, Any] | None:
    for page in range(1, PAGES + 1):
        rows, _ = await _listed(wire, account, group, str(page))
        for row in rows:
            if isinstance(row, Mapping) and _id(row.get("id")) == own:
                return row
        if len(rows) < PAGE:
            break
    return None


async def _whole(wire: Wire, account: AccountRef, row: Any, floor: datetime) -> OwnItem | None:
    """The article of a row with its text, which is not asked for below ``floor``; None when it cannot be read."""
    own, at = (_id(row.get("id")), _moment(row.get("ctime"))) if isinstance(row, Mapping) else ("", None)
    if not own or at is None:
        return None
    if at < floor:
        return OwnItem(f"{CV}{own}", "", at)
    data = await wire.get(account, DETAIL, id=own)
    content = data.get("content") if isinstance(data, Mapping) else None
    return OwnItem(f"{CV}{own}", plain(content), at, address(f"{CV}{own}")) if isinstance(content, str) else None


async def _listed(wire: Wire, account: AccountRef, group: str, page: str) -> tuple[list[Any], int]:
    """A page of the list, and how many there are on all pages, 0 where the platform does not say."""
    data = await wire.get(account, LIST, pn=page, ps=str(PAGE), sort="1", group=group)
    listed = data.get("articles", data.get("list")) if isinstance(data, Mapping) else None
    if not isinstance(listed, list):
        raise incomplete("articles")
    told = data.get("artPage")
    return listed, (count(told.get("total")) or 0) if isinstance(told, Mapping) else 0


def _id(value: Any) -> str:
    given = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return given if given.isascii() and given.isdigit() and 0 < len(given) < 20 and int(given) else ""


def _moment(value: Any) -> datetime | None:
    given = _id(value)
    return datetime.fromtimestamp(int(given), UTC) if given and len(given) <= 10 else None
