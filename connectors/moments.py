"""The zone of every platform here, and moments as mail, feeds and interfaces write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

BEIJING = timezone(timedelta(hours=8))


def moment_of(text: str) -> datetime | None:
    """RFC 822 or RFC 3339 as UTC; without a zone it is Beijing's; None when it cannot be read."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read(text.strip())
            return (at if at.tzinfo else at.replace(tzinfo=BEIJING)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
