"""Working days with 调休, working hours, and spans of time counted on them. Pure: every moment is passed in."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import version as installed
from pathlib import Path

import chinese_calendar

from hub.clock import OFFICE_ZONE, local

DAY = timedelta(days=1)
# Holidays whose date is the same every year; all a provisional year can know.
_FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
_SPAN = re.compile(r"(\d{1,5})(min|h|wd|d)")


class SpanUnit(StrEnum):
    """min and h: working time, or wall-clock time where a class runs round the clock; wd: working days; d: days."""

    min = "min"
    h = "h"
    wd = "wd"
    d = "d"


@dataclass(frozen=True, slots=True)
class Span:
    """A length as rules write it: 15 minutes, 24 hours, 5 working days, 15 days."""

    count: int
    unit: SpanUnit

    @classmethod
    def parse(cls, text: str) -> Span:
        """``15min``, ``24h``, ``5wd`` or ``15d``; anything else is a ValueError."""
        if not (match := _SPAN.fullmatch(text.strip())):
            raise ValueError(f"not a span of time: {text!r}")
        return cls(int(match[1]), SpanUnit(match[2]))

    @property
    def length(self) -> timedelta:
        """Wall-clock length; for working days the natural days, a lower bound."""
        return timedelta(minutes=self.count) if self.unit is SpanUnit.min else self.count * _LENGTHS[self.unit]

    def __str__(self) -> str:
        return f"{self.count}{self.unit.value}"


_LENGTHS = {SpanUnit.h: timedelta(hours=1), SpanUnit.d: DAY, SpanUnit.wd: DAY}


@dataclass(frozen=True, slots=True)
class DayTable:
    """Days that differ from the library, and the years that the table knows completely."""

    version: str
    complete: frozenset[int]
    days: dict[date, bool]

    @classmethod
    def parse(cls, text: str) -> DayTable:
        """From TOML; a day that is neither rest nor work is a ValueError."""
        data = tomllib.loads(text)
        days = {}
        for row in data.get("day", []):
            if row.get("kind") not in {"rest", "work"}:
                raise ValueError(f"day {row.get('on')}: kind must be rest or work")
            days[row["on"]] = row["kind"] == "work"
        return cls(str(data["version"]), frozenset(data.get("complete", [])), days)


Block = tuple[time, time]
DEFAULT_HOURS: tuple[Block, ...] = ((time(9), time(12)), (time(13, 30), time(17, 30)))


@lru_cache(maxsize=1)
def built_in_days() -> DayTable:
    """The table shipped with the hub."""
    return DayTable.parse((Path(__file__).parent / "days.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _library_version() -> str:
    return installed("chinese-calendar")  # reads a file


@lru_cache(maxsize=8192)
def _library_says(on: date) -> bool | None:
    """Whether the library calls it a working day; None where it has no data and raises."""
    try:
        return bool(chinese_calendar.is_workday(on))
    except NotImplementedError:
        return None


@dataclass(frozen=True)
class Calendar:
    """A working calendar: a table of days over the library's, and blocks of working hours in Asia/Shanghai."""

    table: DayTable = field(default_factory=built_in_days)
    hours: tuple[Block, ...] = DEFAULT_HOURS

    def __post_init__(self) -> None:
        edges = [edge for block in self.hours for edge in block]
        if not edges or edges != sorted(set(edges)):
            raise ValueError("working hours must be blocks in order that do not touch")

    @property
    def version(self) -> str:
        """Which data a due time was computed from; stored with it."""
        return f"{self.table.version}+{_library_version()}"

    def stamp(self, due: datetime) -> str:
        """The version to store with ``due``; it ends in ``~`` when that day is provisional."""
        return self.version + ("~" if self.is_provisional(local(due).date()) else "")

    def is_provisional(self, on: date) -> bool:
        """Whether nobody has published that year's holidays to us yet."""
        return on not in self.table.days and on.year not in self.table.complete and _library_says(on) is None

    def is_working_day(self, on: date) -> bool:
        """With holidays and worked weekends; provisional years: Monday to Friday without fixed holidays."""
        if on in self.table.days:
            return self.table.days[on]
        known = None if on.year in self.table.complete else _library_says(on)
        if known is not None:
            return known
        is_fixed = (on.month, on.day) in _FIXED_HOLIDAYS and on.year not in self.table.complete
        return on.weekday() < 5 and not is_fixed

    def day_mark(self, on: date) -> str | None:
        """班 for a weekend that is worked, 休 for a weekday that is free, None for days as usual."""
        works = self.is_working_day(on)
        if works == (on.weekday() < 5):
            return None
        return "班" if works else "休"

    def is_working_time(self, moment: datetime) -> bool:
        """Whether the office is at work at that moment."""
        here = local(moment)
        return self.is_working_day(here.date()) and any(start <= here.time() < end for start, end in self.hours)

    def end_of(self, on: date) -> datetime:
        """The end of that day's last block, in UTC."""
        return _at(on, self.hours[-1][1])

    def add(self, start: datetime, span: Span, *, round_the_clock: bool = False) -> datetime:
        """When a span that begins at ``start`` is over, in UTC.

        Working days: the day after is day one, due at the end of work of the last. Minutes and hours: working
        time, unless ``round_the_clock``. Days: the same time of day so many natural days later.
        """
        if span.unit is SpanUnit.wd:
            return self.end_of(self._working_day_after(local(start).date(), span.count))
        if span.unit is SpanUnit.d or round_the_clock:
            return start.astimezone(UTC) + span.length
        return self.add_working(start, span.length)

    def _working_day_after(self, on: date, count: int) -> date:
        left = count
        while left > 0:
            on += DAY
            left -= self.is_working_day(on)
        return on

    def add_working(self, start: datetime, length: timedelta) -> datetime:
        """The moment at which ``length`` of working time has passed since ``start``, in UTC."""
        on, left = local(start).date(), length
        while True:
            for opens, closes in self._blocks(on):
                begins = max(opens, start)
                if closes > begins:
                    if left <= closes - begins:
                        return (begins + left).astimezone(UTC)
                    left -= closes - begins
            on += DAY

    def working_between(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two moments; negative when ``end`` is the earlier one."""
        if end < start:
            return -self.working_between(end, start)
        on, last, total = local(start).date(), local(end).date(), timedelta()
        while on <= last:
            for opens, closes in self._blocks(on):
                total += max(timedelta(), min(closes, end) - max(opens, start))
            on += DAY
        return total

    def days_between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; 0 when ``end`` is not later."""
        return sum(self.is_working_day(start + n * DAY) for n in range(1, (end - start).days + 1))

    def _blocks(self, on: date) -> list[tuple[datetime, datetime]]:
        if not self.is_working_day(on):
            return []
        return [(_at(on, start), _at(on, end)) for start, end in self.hours]


def _at(on: date, at: time) -> datetime:
    return datetime.combine(on, at, tzinfo=OFFICE_ZONE).astimezone(UTC)
