"""Names in the cells of the calendar."""

from __future__ import annotations

from datetime import date, timedelta

from hub.policy import festivals


def test_a_holiday_is_named_on_the_first_day_off_only() -> None:
    week = [festivals.holiday(date(2026, 10, 1) + timedelta(days=n)) for n in range(-1, 8)]
    assert week == ["", "国庆假期", *[""] * 7]


def test_a_weekend_worked_in_exchange_is_no_holiday() -> None:
    assert festivals.holiday(date(2026, 10, 10)) == ""


def test_years_nobody_has_published_have_no_holidays_but_terms() -> None:
    assert festivals.holiday(date(2099, 10, 1)) == ""
    assert festivals.term(date(2099, 1, 1)) == ""
    assert festivals.term(date(2150, 1, 5)) == ""


def test_solar_terms_stand_on_their_day() -> None:
    assert [festivals.term(date(2026, 11, day)) for day in (21, 22, 23)] == ["", "小雪", ""]
    found = {festivals.term(date(2026, 1, 1) + timedelta(days=n)) for n in range(365)}
    assert found - {""} == set(festivals.TERMS)
