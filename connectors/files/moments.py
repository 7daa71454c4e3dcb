"""Times as people and programs write them into tables, read as Beijing time."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

from connectors.moments import BEIJING

_DAY = r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?"
_CLOCK = r"(\d{1,2})\s*[:时点]\s*(\d{1,2})(?:\s*[:分]\s*(\d{1,2})(?:[.,]\d+)?)?\s*[分秒]?"
_WRITTEN = re.compile(
    rf"{_DAY}(?:[\sT,]*(?:星期|周|礼拜)[一二三四五六日天])?"
    rf"(?:[\sT,]*(上午|下午|晚上|凌晨|中午|AM|PM)?\s*{_CLOCK}\s*(AM|PM)?\s*(Z|UTC|[+-]\d\d:?\d\d)?)?",
    re.IGNORECASE,
)
_PACKED = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[\sT]?(\d\d)(\d\d)(\d\d)?)?")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_AFTERNOON = ("下午", "晚上", "PM")
_MORNING = ("上午", "凌晨", "AM")
# Days since 1899-12-30, as Excel counts, between 1995 and 2064.
_SERIALS = (34_700, 60_000)
_EXCEL_START = datetime(1899, 12, 30, tzinfo=BEIJING)


def moment(text: str) -> datetime | None:
    """An aware UTC time, or None. Without a zone the time is Beijing's; a day alone is its midnight.

    Read: 2020/1/7 15:04:05 · 2020-01-07T15:04 · 2020年1月7日 下午3时4分 · 20200107150405 · Excel's day number ·
    unix seconds and milliseconds. Not read: 1/7/2020, which may mean two days.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    try:
        if found := _WRITTEN.fullmatch(text):
            return _written(*found.groups())
        if (found := _PACKED.fullmatch(text)) and found[1][:2] in ("19", "20"):
            numbers = [int(part) for part in found.groups() if part]
            return _sane(datetime(*(numbers + [0] * (6 - len(numbers))), tzinfo=BEIJING))  # type: ignore[arg-type, misc]
        return _counted(float(text)) if _NUMBER.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def _written(
    year: str,
    month: str,
    day: str,
    before: str | None,
    hour: str | None,
    minute: str | None,
    second: str | None,
    after: str | None,
    zone: str | None,
) -> datetime | None:
    hours = int(hour or 0)
    half = (before or after or "").upper()
    if half in _AFTERNOON and hours < 12:
        hours += 12
    elif half in _MORNING and hours == 12:
        hours = 0
    at = datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0), tzinfo=_zone(zone))
    return _sane(at)


def _zone(text: str | None) -> timezone:
    if text is None:
        return BEIJING
    if text.upper() in ("Z", "UTC"):
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _counted(number: float) -> datetime | None:
    if _SERIALS[0] <= number <= _SERIALS[1]:
        # Excel's fractions of a day are exact to about a millisecond: round to the second.
        return _sane(_EXCEL_START + timedelta(seconds=round(number * 86_400)))
    if 10**9 <= number < 10**10:
        return datetime.fromtimestamp(number, UTC)
    if 10**12 <= number < 10**13:
        return datetime.fromtimestamp(number / 1000, UTC)
    return None


def _sane(at: datetime) -> datetime | None:
    return at.astimezone(UTC) if 1990 <= at.year <= 2100 else None
