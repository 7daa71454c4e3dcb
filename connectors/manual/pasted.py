"""Comments as people copy them out of an app, read leniently: one per block, who and when as far as it can be told."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.base import Kind, RawItem
from connectors.files.moments import moment
from connectors.moments import BEIJING
from connectors.text import as_payload, clean, one_line

LONGEST_TEXT = 10_000
MOST = 500
NAME = 30
# What apps put around a comment: buttons, counts, badges.
_NOISE = re.compile(
    r"(?:回复|赞|点赞|举报|分享|删除|置顶|作者|作者赞过|首评|展开|收起|更多|\d+|\d+(?:\.\d+)?[万wk]|展开\s*\d+\s*条回复|查看全部\d*条?回复)",
    re.IGNORECASE,
)
_AGO = re.compile(r"(\d{1,3})\s*(秒|分钟|小时|天|周)前")
_SHORT = re.compile(r"(?:(\d{1,2})[-/.月](\d{1,2})日?)(?:\s+(\d{1,2}):(\d{2}))?")
_DAYS = {"今天": 0, "昨天": 1, "前天": 2}
_DAY = re.compile(r"(今天|昨天|前天)(?:\s*(\d{1,2}):(\d{2}))?")
_SPANS = {"秒": "seconds", "分钟": "minutes", "小时": "hours", "天": "days", "周": "weeks"}
_SAID = re.compile(r"^([^:：\s][^:：]{0,29}?)\s*[:：]\s*(\S.*)$", re.DOTALL)
# "3小时前 · 广东  回复": the time with the place apps show.
_TAIL = re.compile(r" ?[·•]? ?(?:IP属地[:：]?)? ?[\u4e00-\u9fff]{0,8} ?(?:回复)?$")
# No app writes a longer line under a comment.
LONGEST_TIME = 60


@dataclass(frozen=True, slots=True)
class Pasted:
    """One comment. ``at`` is when it was pasted where nothing tells (``is_dated`` False)."""

    author: str
    text: str
    at: datetime
    is_dated: bool


def read(pasted: str, now: datetime) -> list[Pasted]:
    """Every comment in what was pasted, in order, none twice; at most :data:`MOST`."""
    found: dict[tuple[str, str], Pasted] = {}
    for block in _blocks(clean(pasted)):
        one = _comment(block, now)
        if one is not None:
            found.setdefault((one.author, one.text), one)
    return list(found.values())[:MOST]


def item_of(one: Pasted, url: str = "", about: str = "") -> RawItem:
    """The comment as it is stored: the same words of the same person are the same item, whenever they are pasted.

    ``url`` and ``about``: of the own item it stands under.
    """
    named = hashlib.sha256(f"{one.author}\n{one.text}\n{url}".encode("utf-8", "surrogatepass")).hexdigest()
    shape = {"text": one.text, "author": one.author, "created_at": one.at.isoformat(), "url": url}
    kept = {name: value for name, value in shape.items() if value}
    return RawItem(Kind.comment, f"pasted:{named}", as_payload(kept | ({"extra": {"作品": about}} if about else {})))


def _blocks(text: str) -> list[list[str]]:
    """Blocks between empty lines; where there are none and every line says who speaks, each line."""
    lines = [line.strip() for line in text.split("\n")]
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    whole = [block for block in blocks if block]
    if len(whole) == 1 and len(whole[0]) > 1 and all(_SAID.match(line) for line in whole[0]):
        return [[line] for line in whole[0]]
    return whole


def _comment(lines: list[str], now: datetime) -> Pasted | None:
    at: datetime | None = None
    kept = []
    for line in lines:
        if _NOISE.fullmatch(line):
            continue
        when = _when(line, now)
        if when is not None:
            at = at or when
        else:
            kept.append(line)
    author, text = _parted(kept)
    if not text:
        return None
    return Pasted(one_line(author)[:NAME], text[:LONGEST_TEXT], at or now, at is not None)


def _parted(lines: list[str]) -> tuple[str, str]:
    """Who and what: a first line that is short is a name; else "name: words"."""
    if len(lines) > 1 and len(lines[0]) <= NAME and not _SAID.match(lines[0]):
        return lines[0].lstrip("@"), "\n".join(lines[1:])
    whole = "\n".join(lines)
    if (said := _SAID.match(whole)) and not said[1].lower().startswith("http"):
        return said[1].lstrip("@").strip(), said[2]
    return "", whole


def _when(line: str, now: datetime) -> datetime | None:
    """The time a line tells and nothing else (but a place); never later than now."""
    line = " ".join(line.split())
    if len(line) > LONGEST_TIME:
        return None
    bare = _TAIL.sub("", line) or line
    here = now.astimezone(BEIJING)
    for text in (line, bare):
        found = moment(text) if re.search(r"\d{4}", text) else _told(text.strip(), here)
        if found is not None:
            return min(found, now)
    return None


def _told(text: str, here: datetime) -> datetime | None:
    if text == "刚刚":
        return here.astimezone(UTC)
    if ago := _AGO.fullmatch(text):
        return (here - timedelta(**{_SPANS[ago[2]]: int(ago[1])})).astimezone(UTC)
    if named := _DAY.fullmatch(text):
        day = here - timedelta(days=_DAYS[named[1]])
        return _at(day.year, day.month, day.day, named[2], named[3])
    if short := _SHORT.fullmatch(text):
        year = here.year if (int(short[1]), int(short[2])) <= (here.month, here.day) else here.year - 1
        return _at(year, int(short[1]), int(short[2]), short[3], short[4])
    return None


def _at(year: int, month: int, day: int, hour: str | None, minute: str | None) -> datetime | None:
    try:
        return datetime(year, month, day, int(hour or 12), int(minute or 0), tzinfo=BEIJING).astimezone(UTC)
    except ValueError:
        return None
