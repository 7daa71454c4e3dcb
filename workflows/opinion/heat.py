"""How hot a matter is: how many speak and like, and how lately. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

# One day of silence weighs as much as half of all voices: the unit of heat is a doubling.
HALF_LIFE = timedelta(days=1)
# A like is a voice that cost one click; ten of them weigh as much as one message.
LIKE_WEIGHT = 0.1
# What the same person says again about a matter weighs a quarter of the first time.
AGAIN_WEIGHT = 0.25
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


def voice(likes: int, reposts: int, *, again: bool = False) -> float:
    """How much one message weighs: a person, and half a voice for every doubling of those who liked or passed it on.

    A post with 2,000 likes weighs 6.5 voices: many clicks are heard, and do not drown fifty people who wrote."""
    passed = max(likes, 0) + 2 * max(reposts, 0)
    return (AGAIN_WEIGHT if again else 1.0) + 0.5 * math.log2(1 + passed)


def warmth(voices: Iterable[tuple[float, datetime]]) -> float:
    """Heat of many voices, each cooling from its own moment on; larger is hotter, only the order means something.

    The logarithm of what all voices weigh at one common moment: like :func:`heat` the order never changes by waiting.
    No voice at all is colder than anything (-1e9). Copies are not voices: leave them out."""
    given = [(math.log2(weight), (at - _ORIGIN) / HALF_LIFE) for weight, at in voices if weight > 0]
    if not given:
        return -1e9
    top = max(weight + at for weight, at in given)
    return top + math.log2(sum(2.0 ** (weight + at - top) for weight, at in given))
