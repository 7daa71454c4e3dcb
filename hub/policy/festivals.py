"""What a Chinese calendar writes into its cells beside 班 and 休: holidays and solar terms. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import chinese_calendar

from hub.i18n import N_, _

DAY = timedelta(days=1)
# The library's names of statutory holidays. Its days are the whole time off, so the first of them carries the name.
_HOLIDAYS = {
    "New Year's Day": N_("元旦假期"),
    "Spring Festival": N_("春节假期"),
    "Tomb-sweeping Day": N_("清明假期"),
    "Labour Day": N_("劳动节假期"),
    "Dragon Boat Festival": N_("端午假期"),
    "National Day": N_("国庆假期"),
    "Mid-autumn Festival": N_("中秋假期"),
}
TERMS = (
    N_("小寒"), N_("大寒"), N_("立春"), N_("雨水"), N_("惊蛰"), N_("春分"), N_("清明"), N_("谷雨"), N_("立夏"),
    N_("小满"), N_("芒种"), N_("夏至"), N_("小暑"), N_("大暑"), N_("立秋"), N_("处暑"), N_("白露"), N_("秋分"),
    N_("寒露"), N_("霜降"), N_("立冬"), N_("小雪"), N_("大雪"), N_("冬至"),
)  # fmt: skip


def holiday(on: date) -> str:
    """The holiday that begins on this day, in words; empty on all others and in years nobody has published yet."""
    name = _off(on)
    return _(_HOLIDAYS[name]) if name in _HOLIDAYS and _off(on - DAY) != name else ""


def term(on: date) -> str:
    """The solar term of this day; empty on most days, and outside 1900–2100."""
    try:
        found: list[Any] = chinese_calendar.get_solar_terms(on, on)
    except NotImplementedError:
        return ""
    names = [name for day, name in found if day == on and name in TERMS]
    return _(names[0]) if names else ""


def _off(on: date) -> str:
    try:
        is_off, name = chinese_calendar.get_holiday_detail(on)
    except NotImplementedError:
        return ""
    return str(name) if is_off and name else ""
