"""Dates: days that do not exist, weekdays that do not fit, periods that end before they begin, impossible hours."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

from nlp.checking.base import Findings, made

_WEEKDAYS = "一二三四五六日"
_DATE = re.compile(
    r"(?<![\d.])(?:(?P<year>(?:19|20)\d{2})\s?年\s?)?(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?(?:日|号)"
    r"(?:\s?[（(]\s?(?:星期|周|礼拜)(?P<week>[一二三四五六日天])\s?[）)]|(?:星期|周)(?P<bare>[一二三四五六日天]))?"
)
_SPAN = re.compile(
    r"(?:19|20)\d{2}年\d{1,2}月\d{1,2}日(?:[（(][^（）()]{1,6}[）)])?(?:\d{1,2}[时点](?:\d{1,2}分)?)?(?:至|到|—|－|-|~|～)(?P<end>(?:19|20)\d{2}年\d{1,2}月\d{1,2}日)"
)
_YMD = re.compile(r"((?:19|20)\d{2})年(\d{1,2})月(\d{1,2})日")
_YEAR_MONTH = re.compile(r"(?:19|20)\d{2}年(\d{1,2})月(?!\d|日)")
_HOUR = re.compile(
    r"(?P<half>凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|晚)?(?<![\d:：.])(?P<hour>\d{1,2})(?:[时点](?!间|位|多钟|数|滴|对|米|亩|个|以|名|。)|(?P<colon>[:：](?P<minute>\d{2})(?![\d:：/])))(?:(?P<min>\d{1,2})分(?!钟))?"
)
_CENTURY = re.compile(r"((?:19|20)\d{2})年(?!度|届|级)")


def find(text: str, today: date | None = None) -> Findings:
    """Everything about dates and hours. A date without a year has the one that stands before, else the nearest."""
    if not any(mark in text for mark in "月时点:："):
        return
    year = 0
    for match in _DATE.finditer(text):
        year = int(match["year"] or 0) or _year_before(text, match.start(), year) or _nearest_year(match, today)
        yield from _of_date(text, match, year)
    for match in _YEAR_MONTH.finditer(text):
        if not 1 <= int(match[1]) <= 12:
            yield made("date.impossible", text, match.start(), match.end())
    for match in _SPAN.finditer(text):
        yield from _of_span(text, match)
    yield from _hours(text)


def _year_before(text: str, at: int, known: int) -> int:
    """The last year named in the eighty characters before, only for weekdays told without a year."""
    found = _CENTURY.findall(text, max(0, at - 80), at)
    return int(found[-1]) if found else known


def _nearest_year(match: re.Match[str], today: date | None) -> int:
    """The year in which the day lies within half a year of today; 0 without a today, or for a day of few years."""
    month, day = int(match["month"]), int(match["day"])
    if today is None or not 1 <= month <= 12 or not 1 <= day <= 28 + 3 * (month != 2):
        return 0
    around = [today.year + step for step in (-1, 0, 1) if day <= monthrange(today.year + step, month)[1]]
    return min(around, key=lambda year: abs(date(year, month, day) - today), default=0)


def _of_date(text: str, match: re.Match[str], year: int) -> Findings:
    month, day = int(match["month"]), int(match["day"])
    end = match.end("day") + 1
    if not 1 <= month <= 12 or day < 1 or day > monthrange(year if year and match["year"] else 2024, month)[1]:
        known = 1 <= month <= 12 and day > 0
        right = f"{month}月{monthrange(year if match['year'] else 2023, month)[1]}日" if known and day <= 31 else ""
        whole = (f"{match['year']}年" if match["year"] else "") + right
        yield made("date.impossible", text, match.start(), end, *([whole] if right else []))
        return
    said = match["week"] or match["bare"]
    if not said or not year or (not match["year"] and not 2000 <= year <= 2100):
        return
    truly = _WEEKDAYS[date(year, month, min(day, monthrange(year, month)[1])).weekday()]
    if truly != said.replace("天", "日"):
        start = match.start("week") if match["week"] else match.start("bare")
        first = text.rfind("（", match.start(), start) if match["week"] else -1
        first = first if first >= 0 else text.rfind("(", match.start(), start) if match["week"] else end
        stop = match.end()
        right = text[first:start] + truly + text[start + 1 : stop]
        yield made("date.weekday", text, first, stop, right, day=f"{year}年{month}月{day}日", weekday=f"星期{truly}")


def _of_span(text: str, match: re.Match[str]) -> Findings:
    first, last = (_day(found) for found in _YMD.findall(match[0])[:2])
    if first and last and last < first:
        yield made("date.order", text, match.start("end"), match.end("end"))


def _day(found: tuple[str, str, str]) -> date | None:
    try:
        return date(*map(int, found))
    except ValueError:
        return None


def _hours(text: str) -> Findings:
    for match in _HOUR.finditer(text):
        hour, half = int(match["hour"]), match["half"] or ""
        minute = int(match["minute"] or match["min"] or 0)
        if match["colon"] and not half and hour > 24:
            continue  # a ratio or a score
        if hour > 24 or minute > 59 or (half in ("凌晨", "早上", "早晨", "清晨", "上午") and hour > 12 and hour != 24):
            yield made("date.impossible", text, match.start(), match.end())
