"""The account's own works: their list, their figures, whether they stand.

After developer.open-douyin.com › 内容能力: 查询授权账号视频列表 (GET ``/api/douyin/v1/video/video_list/``, scope
video.list.bind), 查询特定视频的视频数据 (POST ``/api/douyin/v1/video/video_data/``, scope video.data.bind). A work has
two ids: ``item_id``, which only this app knows, and ``video_id``, the number in its address. ``video_status``: 2 unfit
for the public, 4 under review, 5 public, 6 for friends, 7 private (1 in older answers: published).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.base import AccountRef, Metric, OwnItem
from connectors.douyin.schemas import count_of, instant, text_of
from connectors.douyin.wire import Wire, incomplete
from connectors.text import clean

LIST, DATA = "/api/douyin/v1/video/video_list/", "/api/douyin/v1/video/video_data/"
PAGE, AT_ONCE, PAGES = 20, 20, 3
REFUSED, STANDING = 2, (1, 5, 6, 7)
PICTURES = 2


@dataclass(frozen=True, slots=True)
class Work:
    """One own work. ``status`` as the platform numbers it, 0 when it does not say."""

    item_id: str
    video_id: str
    title: str
    created_at: datetime
    url: str
    status: int
    is_pictures: bool
    is_top: bool
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list; ``following`` "" at the end. ``is_whole``: every row could be read."""

    works: tuple[Work, ...]
    following: str
    is_whole: bool
    is_end: bool


async def page(wire: Wire, account: AccountRef, cursor: str) -> Listed:
    """The page of the list at ``cursor``, newest first but for what is pinned to the top."""
    data = await wire.get(account, LIST, cursor=cursor or "0", count=str(PAGE))
    rows = data.get("list")
    if not isinstance(rows, list):
        raise incomplete("list")
    found = _works(rows)
    return Listed(found, next_cursor(data, cursor), len(found) == len(rows), is_end(data))


async def stands(wire: Wire, account: AccountRef, own: str) -> bool:
    """Whether the public can see a work; only a list that is whole tells that it is gone."""
    found, is_whole = await _looked_up(wire, account, [own])
    if own in found:
        return found[own].status != REFUSED
    if not is_whole:
        raise incomplete("list")
    return False


async def named(wire: Wire, account: AccountRef, ids: Sequence[str]) -> dict[str, Work]:
    """Those of ``ids`` (item ids, or numbers of addresses) that the platform knows, by the id that was asked."""
    return (await _looked_up(wire, account, ids))[0]


async def _looked_up(wire: Wire, account: AccountRef, ids: Sequence[str]) -> tuple[dict[str, Work], bool]:
    """The works by the id that was asked, and whether every row of the answers could be read."""
    found: dict[str, Work] = {}
    is_whole = True
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        for name in ("item_ids", "video_ids"):
            wanted = [one for one in part if is_number(one) is (name == "video_ids")]
            if not wanted:
                continue
            data = await wire.post(account, DATA, {name: wanted}, write=False)
            rows = data.get("list")
            if not isinstance(rows, list):
                raise incomplete("list")
            read = _works(rows)
            is_whole = is_whole and len(read) == len(rows)
            for work in read:
                found |= {one: work for one in wanted if one in (work.item_id, work.video_id)}
    return found, is_whole


async def since(wire: Wire, account: AccountRef, moment: datetime) -> tuple[list[OwnItem], bool]:
    """Own works since ``moment``, newest first; and whether all of them are there: the list was read to that moment,
    and every row of it could be read.
    """
    items: list[OwnItem] = []
    cursor, is_whole = "", True
    for _ in range(PAGES):
        listed = await page(wire, account, cursor)
        items += [own_item(work) for work in listed.works if work.created_at >= moment]
        is_whole = is_whole and listed.is_whole
        reached = any(w.created_at < moment and not w.is_top for w in listed.works)
        if reached or not listed.following:
            return items, is_whole and (reached or listed.is_end)
        cursor = listed.following
    return items, False


def own_item(work: Work) -> OwnItem:
    """A work for reading back."""
    return OwnItem(work.item_id, work.title, work.created_at, work.url)


def metric(asked: str, work: Work) -> Metric:
    """The figures of a work under the id that was asked."""
    told = {name: count_of(work.figures.get(name)) for name in ("play_count", "digg_count", "comment_count")}
    shares = [count_of(work.figures.get(name)) for name in ("share_count", "forward_count")]
    known = [one for one in shares if one is not None]
    return Metric(asked, told["play_count"], told["digg_count"], told["comment_count"], max(known) if known else None)


def next_cursor(data: Mapping[str, Any], cursor: str) -> str:
    """Where the next page begins; "" at the end. A page that points to itself is refused: the rest would be lost."""
    if data.get("has_more") not in (True, 1, "true", "1"):
        return ""
    following = text_of(data.get("cursor"))
    if not following or following == (cursor or "0"):
        raise incomplete("cursor")
    return following


def is_end(data: Mapping[str, Any]) -> bool:
    """Whether the platform says that nothing follows; an answer without a word on it proves nothing."""
    return data.get("has_more") in (False, 0, "false", "0")


def is_number(own: str) -> bool:
    """Whether an id is the number of an address."""
    return own.isascii() and own.isdigit()


def _works(rows: Sequence[Any]) -> tuple[Work, ...]:
    found = []
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        own, at = text_of(row.get("item_id")), instant(row.get("create_time"))
        if not own or at is None:
            continue
        figures, url = row.get("statistics"), row.get("share_url")
        found.append(
            Work(
                own, text_of(row.get("video_id")), clean(str(row.get("title") or "")), at,
                _address(url), count_of(row.get("video_status")) or 0,
                count_of(row.get("media_type")) == PICTURES, row.get("is_top") not in (None, False, 0),
                figures if isinstance(figures, Mapping) else {},
            )
        )  # fmt: skip
    return tuple(found)


def _address(url: Any) -> str:
    return clean(url) if isinstance(url, str) and url.startswith("https://") else ""
