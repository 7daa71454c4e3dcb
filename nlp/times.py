"""Find times: dates, clock times, spans from one to another, lengths, and days told from today."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from nlp.base import When
from nlp.clean import Cleaned
from nlp.finder import matches

_LOOK = 6_000
_DATE = (
    r"(?P<y>(?:19|20)\d\d)年(?:(?P<m>\d{1,2})月(?:份|(?P<d>\d{1,2})[日号]?)?)?"
    r"|(?<!\d)(?P<y2>(?:19|20)\d\d)[-/.](?P<m2>\d{1,2})[-/.](?P<d2>\d{1,2})(?!\d)"
    r"|(?<!\d)(?P<m3>\d{1,2})月(?:(?P<d3>\d{1,2})[日号]|份|(?P<x>[上中下]旬|底|初))"
)
_CLOCK = (
    r"(?P<half>凌晨|早上|清晨|上午|中午|下午|傍晚|晚上|半夜|深夜)?(?:(?<=[晨上晚午夜])(?P<h3>[一二两三四五六七八九十]{1,3})点(?P<half3>半)?钟?"
    r"|(?<![\d:])(?P<h>[01]?\d|2[0-4]):(?P<min>[0-5]\d)(?::[0-5]\d)?(?![\d:])"
    r"|(?<![\d.])(?P<h2>[01]?\d|2[0-4])点(?:(?P<min2>[0-5]?\d)分|(?P<m30>半)|整|钟)?(?![\d赞评]))"
)
_LENGTH = r"(?:(?P<n>(?<![\d年第.])[1-9]\d{0,3}|(?<![第十])[一二三四五六七八九十两]{1,3}|几|数|半)多?(?:个多?)?(?P<u>年|月|星期|礼拜|周|天|小时|钟头|分钟)(?:多|左右|以上)?)(?![\d级份日号末底初前假薪会纪轻])"  # noqa: E501
_RELATIVE = r"(?:大?前天|昨[天日晚]|今[天日早晚]|明[天日早晚]|大?后天|本周[一二三四五六日]?|上周[一二三四五六日末]?|下周[一二三四五六日末]?|上个?月|下个?月|本月|去年|前年|今年|明年|上半年|下半年|周[一二三四五六日末])"  # noqa: E501
_HEADS = re.compile("[0-9凌早清上中下傍晚半深一二三四五六七八九十两几数大前昨今明后本去周]")  # no time begins otherwise
_ANY = re.compile(f"(?P<date>{_DATE})|(?P<clock>{_CLOCK})|(?P<length>{_LENGTH})|(?P<relative>{_RELATIVE})")
_HINT = re.compile(r"\d|[天日晚早周月年]|小时|分钟|礼拜|星期|[晨午夜].{1,3}点")
_TO = re.compile(r"\s?(?:至|到|[-~—–]{1,2})\s?")
_UNITS = {"年": "P%sY", "月": "P%sM", "星期": "P%sW", "礼拜": "P%sW", "周": "P%sW", "天": "P%sD", "小时": "PT%sH",
          "钟头": "PT%sH", "分钟": "PT%sM"}  # fmt: skip
_DIGITS = {digit: number for number, digit in enumerate("零一二三四五六七八九十")} | {"两": 2}
_AFTERNOON = ("下午", "傍晚", "晚上", "半夜", "深夜")
_LATER = frozenset(_AFTERNOON)
_HALVES = ("凌晨", "早上", "清晨", "上午", "中午", *_AFTERNOON)


def find(cleaned: Cleaned, limit: int = 12) -> tuple[When, ...]:
    """The first ``limit`` times in reading order; two dates or clock times with 至 or - between them are one span."""
    text = cleaned.text[:_LOOK]
    if not _HINT.search(text):
        return ()
    found: list[tuple[int, int, str, str, str]] = []
    for start, end, kind, value in _each(text):
        joined = found[-1] if found else None
        if joined and joined[2] == kind and kind in ("date", "clock") and _TO.fullmatch(text, joined[1], start):
            found[-1] = (joined[0], end, "span", joined[3], _same_half(text, joined, (start, end, value)))
        else:
            found.append((start, end, kind, value, ""))
    return tuple(
        When(kind, *cleaned.span(start, end), value, until) for start, end, kind, value, until in found[:limit]
    )


def _same_half(text: str, first: tuple[int, int, str, str, str], second: tuple[int, int, str]) -> str:
    """The end of a span that leaves the half of the day to its beginning: 晚上7点到10点 ends at 22:00."""
    begin, until = first[3], second[2]
    said = text[second[0] : second[1]]
    if first[2] != "clock" or "点" not in said or said.startswith(_HALVES):
        return until
    if not text[first[0] : first[1]].startswith(_AFTERNOON) or until >= begin:
        return until
    later = f"T{int(until[1:3]) + 12:02}{until[3:]}"
    return later if begin < later <= "T24:00" else until


def _each(text: str) -> Iterator[tuple[int, int, str, str]]:
    for match in matches(_ANY, _HEADS, text):
        kind = next(name for name in _READ if match[name])
        value = _READ[kind](match)
        if value is not None:
            yield match.start(), match.end(), kind, value


def _date(match: re.Match[str]) -> str | None:
    """2020-01-06, 2020-01, 2020, --01-06 or --01; None for a month or day that does not exist."""
    year = match["y"] or match["y2"] or "-"
    month, day = match["m"] or match["m2"] or match["m3"], match["d"] or match["d2"] or match["d3"]
    if (month and not 1 <= int(month) <= 12) or (day and not 1 <= int(day) <= 31):
        return None
    return "-".join([year, *(f"{int(part):02}" for part in (month, day) if part)])


def _clock(match: re.Match[str]) -> str | None:
    told = match["h"] or match["h2"]
    hour = int(told) if told else _counted(match["h3"])
    minute = int(match["min"] or match["min2"] or (30 if match["m30"] or match["half3"] else 0))
    if match["half"] in _LATER and hour < 12 and (hour >= 5 or match["half"] in ("下午", "傍晚")):
        hour += 12
    return f"T{hour:02}:{minute:02}" if hour <= 24 else None


def _length(match: re.Match[str]) -> str:
    """P3D, PT2H …; "" where the number is not told (几天)."""
    number = match["n"]
    if number in ("几", "数"):
        return ""
    told = "0.5" if number == "半" else number if number.isascii() else str(_counted(number))
    return _UNITS[match["u"]] % told


def _counted(text: str) -> int:
    """十二 → 12, 二十 → 20, 两 → 2."""
    tens, ten, ones = text.partition("十")
    if not ten:
        return _DIGITS[text[-1]]
    return (_DIGITS[tens[-1]] if tens else 1) * 10 + (_DIGITS[ones[0]] if ones else 0)


_READ: dict[str, Callable[[re.Match[str]], str | None]] = {
    "date": _date, "clock": _clock, "length": _length, "relative": lambda match: "",
}  # fmt: skip
