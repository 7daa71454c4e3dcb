"""The working calendar against an independent oracle: an array with one entry per minute."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta

import chinese_calendar
import numpy as np
import pytest

from hub.clock import at_local, local
from hub.policy.calendar import Calendar, DayTable, Span, SpanUnit

CALENDAR = Calendar()
FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)
ORIGIN = at_local(FIRST)


def _works(on: date) -> bool:
    """Read from the library's own tables, not through the code under test."""
    if on in chinese_calendar.workdays:
        return True
    return on.weekday() < 5 and on not in chinese_calendar.holidays


def _minutes() -> np.ndarray:
    """One boolean per minute from the origin: is the office at work?"""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    one = np.zeros(1440, dtype=bool)
    one[9 * 60 : 12 * 60] = True
    one[13 * 60 + 30 : 17 * 60 + 30] = True
    return np.concatenate([one if _works(day) else np.zeros(1440, dtype=bool) for day in days])


def test_span_of_working_days_over_the_spring_festival() -> None:
    due = CALENDAR.add(at_local(date(2026, 2, 13), 9), Span.parse("5wd"))
    assert local(due) == local(at_local(date(2026, 2, 27), 17, 30))


def test_twenty_thousand_working_spans_equal_the_minute_array() -> None:
    working = _minutes()
    passed = np.concatenate([[0], np.cumsum(working)])  # working minutes before minute i
    pick = random.Random(7)
    for _ in range(20_000):
        start = pick.randrange(1440 * 1000)
        count = pick.randrange(1, 4000)
        moment = ORIGIN + timedelta(minutes=start)
        expected = int(np.searchsorted(passed, passed[start] + count))  # first moment with that many behind it
        got = CALENDAR.add(moment, Span(count, SpanUnit.min))
        assert got == ORIGIN + timedelta(minutes=expected), (moment, count)
        end = pick.randrange(start, start + 20_000)
        between = CALENDAR.working_between(moment, ORIGIN + timedelta(minutes=end))
        assert between == timedelta(minutes=int(passed[end] - passed[start]))


def test_twenty_thousand_spans_of_working_days_equal_a_walk() -> None:
    pick = random.Random(11)
    works = [_works(FIRST + timedelta(days=n)) for n in range((LAST - FIRST).days + 1)]
    for _ in range(20_000):
        day, count = pick.randrange(1000), pick.randrange(1, 30)
        moment = ORIGIN + timedelta(days=day, seconds=pick.randrange(86_400))
        left, on = count, day
        while left:
            on += 1
            left -= works[on]
        got = local(CALENDAR.add(moment, Span(count, SpanUnit.wd)))
        assert (got.date(), got.time()) == (FIRST + timedelta(days=on), time(17, 30))


def test_round_the_clock_and_natural_days() -> None:
    night = at_local(date(2026, 2, 17), 23, 50)  # inside the holiday
    assert CALENDAR.add(night, Span.parse("15min"), round_the_clock=True) == night + timedelta(minutes=15)
    assert CALENDAR.add(night, Span.parse("2h")) == at_local(date(2026, 2, 24), 11)
    assert CALENDAR.add(night, Span.parse("15d")) == night + timedelta(days=15)


def test_negative_working_time_mirrors_the_positive_one() -> None:
    early, late = at_local(date(2026, 3, 2), 10), at_local(date(2026, 3, 3), 10)
    assert CALENDAR.working_between(late, early) == -CALENDAR.working_between(early, late) == -timedelta(hours=7)


def test_day_marks_of_2026() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    worked = [day for day in days if CALENDAR.day_mark(day) == "班"]
    named = [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)]
    assert [(day.month, day.day) for day in worked] == named
    assert CALENDAR.day_mark(date(2026, 2, 17)) == "休"
    assert CALENDAR.day_mark(date(2026, 3, 3)) is None


def test_years_nobody_published_are_provisional_and_say_so() -> None:
    monday = date(2027, 3, 1)
    assert CALENDAR.is_provisional(monday)
    assert CALENDAR.is_working_day(monday)
    assert not CALENDAR.is_working_day(date(2027, 10, 1))
    due = CALENDAR.add(at_local(date(2027, 3, 1), 9), Span.parse("1wd"))
    assert CALENDAR.stamp(due).endswith("~")
    assert not CALENDAR.stamp(at_local(date(2026, 3, 2))).endswith("~")
    assert len(CALENDAR.stamp(due)) <= 20


def test_own_table_wins_over_library_and_fallback() -> None:
    table = DayTable.parse('version = "2"\ncomplete = [2027]\n[[day]]\non = 2027-02-07\nkind = "work"\n')
    calendar = Calendar(table)
    assert calendar.is_working_day(date(2027, 2, 7))
    assert calendar.day_mark(date(2027, 2, 7)) == "班"
    assert not calendar.is_provisional(date(2027, 3, 1))
    assert calendar.is_working_day(date(2027, 10, 1))  # the table says complete: nothing is guessed
    with pytest.raises(ValueError, match="rest or work"):
        DayTable.parse('version = "2"\n[[day]]\non = 2027-02-07\nkind = "free"\n')


def test_working_time_and_refused_input() -> None:
    assert CALENDAR.is_working_time(at_local(date(2026, 2, 14), 9))
    assert not CALENDAR.is_working_time(at_local(date(2026, 2, 14), 12))
    assert not CALENDAR.is_working_time(at_local(date(2026, 2, 17), 10))
    for text in ("", "5", "wd", "5 weeks", "-1d"):
        with pytest.raises(ValueError, match="not a span"):
            Span.parse(text)
    with pytest.raises(ValueError, match="naive"):
        CALENDAR.add(datetime(2026, 1, 1), Span.parse("1h"))  # noqa: DTZ001 -- the refusal is the point
    with pytest.raises(ValueError, match="working hours"):
        Calendar(hours=((time(12), time(9)),))
    assert CALENDAR.add(datetime(2026, 3, 2, 1, tzinfo=UTC), Span.parse("1h")).tzinfo is UTC
