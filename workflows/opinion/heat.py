"""How hot a matter is: how many speak and like, and how lately. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

# One day of silence weighs as much as half of all voices: the unit of heat is a doubling.
HALF_LIFE = timedelta(days=1)
# A like is a voice that cost one click; ten of them weigh as much as one message.
LIKE_WEIGHT = 0.1
_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)


def heat(messages: int, likes: int, last_message_at: datetime) -> float:
    """A figure to sort matters by; only its order means something, larger is hotter.

    The logarithm of the voices plus the moment of the last one in half-lives. Because every matter cools at the same
    rate, the order never changes by waiting: the figure is stored once, moved when a message joins, and indexed.
    Negative counts are taken as none; a naive time is refused with ValueError.
    """
    if last_message_at.tzinfo is None:
        raise ValueError("naive time")
    voices = 1 + max(messages, 0) + LIKE_WEIGHT * max(likes, 0)
    return math.log2(voices) + (last_message_at - _ORIGIN) / HALF_LIFE
