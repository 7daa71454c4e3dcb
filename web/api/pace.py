"""How fast one token may ask: a bucket per token, for a bounded number of tokens, in this process only."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

from starlette.applications import Starlette

from hub import clock
from web.faults import TooMany

BURST = 120
PER_SECOND = 10.0
TOKENS = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Pace:
    """``burst`` requests at once, then ``per_second``; the longest unused of more than ``tokens`` are forgotten."""

    def __init__(self, burst: int = BURST, per_second: float = PER_SECOND, tokens: int = TOKENS) -> None:
        self.burst, self.per_second, self.tokens = burst, per_second, tokens
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, who: str) -> None:
        """Spend one request; :class:`TooMany` with the seconds to wait when there is none left."""
        now = clock.now().timestamp()
        bucket = self._buckets.setdefault(who, _Bucket(self.burst, now))
        self._buckets.move_to_end(who)
        while len(self._buckets) > self.tokens:
            self._buckets.popitem(last=False)
        bucket.left = min(self.burst, bucket.left + max(0.0, now - bucket.at) * self.per_second)
        bucket.at = now
        if bucket.left < 1:
            raise TooMany(ceil((1 - bucket.left) / self.per_second))
        bucket.left -= 1


def pace_of(app: Starlette) -> Pace:
    """The application's own, made on first use."""
    if not hasattr(app.state, "pace"):
        app.state.pace = Pace()
    found: Pace = app.state.pace
    return found
