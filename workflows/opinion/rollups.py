"""Counts moved in the same transaction as what they count; pages read them instead of counting messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.db import Unit
from hub.insert import insert
from hub.models import Message, Rollup

_CHUNK = 500
_KEY = ("hour", "account_id", "topic", "sentiment", "place")
_COUNTS = ("messages", "likes", "sensitive")


@dataclass(frozen=True, slots=True)
class Delta:
    """What to add to one cell; counts may be negative. ``hour`` is a full hour in UTC."""

    hour: datetime
    account_id: int
    topic: str
    sentiment: str
    place: str
    messages: int
    likes: int
    sensitive: int


def hour_of(moment: datetime) -> datetime:
    """The hour a moment falls into, in UTC; the office's days begin on full hours of UTC. ValueError for naive."""
    if moment.tzinfo is None:
        raise ValueError("naive time")
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def delta(message: Message, sign: int = 1) -> Delta:
    """The cell of a message as it is tagged now, to be added (``sign`` 1) or taken away (-1)."""
    return Delta(
        hour_of(message.created_at), message.account_id, message.topic, message.sentiment, message.place,
        sign, sign * message.likes, sign * int(message.is_sensitive),
    )  # fmt: skip


async def move(unit: Unit, deltas: Iterable[Delta]) -> None:
    """Add the deltas to their cells. Not safe to run twice: call it in the transaction that makes them true."""
    cells: dict[tuple[datetime, int, str, str, str], list[int]] = {}
    for one in deltas:
        counts = cells.setdefault((one.hour, one.account_id, one.topic, one.sentiment, one.place), [0, 0, 0])
        for n, value in enumerate((one.messages, one.likes, one.sensitive)):
            counts[n] += value
    # In the order of the key, so that two writers never wait for each other in a circle.
    rows = [dict(zip(_KEY + _COUNTS, (*key, *cells[key]), strict=True)) for key in sorted(cells) if any(cells[key])]
    statement = insert(unit, Rollup)
    added = {name: getattr(Rollup, name) + statement.excluded[name] for name in _COUNTS}
    statement = statement.on_conflict_do_update(index_elements=list(_KEY), set_=added)
    for start in range(0, len(rows), _CHUNK):
        await unit.run(statement, rows[start : start + _CHUNK])
