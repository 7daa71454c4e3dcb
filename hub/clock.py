"""The only reader of the wall clock. Times are aware and stored in UTC; people see Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

OFFICE_ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = (2, 5)


def _wall() -> datetime:
    return datetime.now(UTC)


_read: Callable[[], datetime] = _wall


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _read()


def local(moment: datetime) -> datetime:
    """``moment`` on the office's clock. Naive times are refused."""
    if moment.tzinfo is None:
        raise ValueError("naive time")
    return moment.astimezone(OFFICE_ZONE)


def today() -> date:
    """The office's calendar day."""
    return local(now()).date()


def at_local(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A wall-clock time of an office day, in UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OFFICE_ZONE).astimezone(UTC)


def is_night() -> bool:
    """Whether the office sleeps: the hours for heavy work that can wait."""
    return NIGHT[0] <= local(now()).hour < NIGHT[1]


@contextmanager
def frozen(moment: datetime) -> Iterator[Callable[[datetime], None]]:
    """For tests: stop the clock at ``moment``; the yielded function moves it."""
    global _read  # noqa: PLW0603 -- one clock for the whole process is the point
    before, box = _read, [moment]

    def move(to: datetime) -> None:
        box[0] = to

    _read = lambda: box[0]  # noqa: E731
    try:
        yield move
    finally:
        _read = before
