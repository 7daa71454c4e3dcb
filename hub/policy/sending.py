"""How patient the delivery engine is: the figures of ``sending.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sending:
    """The pack in force. Lengths are ``timedelta``; see the comments in ``sending.toml`` for each reason."""

    version: str
    post_late: timedelta
    overdue: timedelta
    longest_call: timedelta
    lease: timedelta
    order_patience: timedelta
    waits: tuple[timedelta, ...]
    tries: int
    rate_limited: timedelta
    video_ahead: timedelta
    video_step: timedelta
    video_lease: timedelta
    video_look: timedelta
    video_longest_wait: timedelta
    video_forgotten: timedelta
    looks: tuple[timedelta, ...]
    absent_after: timedelta
    clock_skew: timedelta
    park_after: timedelta
    slow_look: timedelta
    give_up: timedelta
    watch: tuple[timedelta, ...]
    figures: tuple[timedelta, ...]
    figures_gap: timedelta
    figures_turns: int
    hand_late: timedelta
    hand_day_ends: time
    hand_morning: time

    def wait(self, tries: int) -> timedelta:
        """How long to wait after the ``tries``-th failed try."""
        return self.waits[min(max(tries, 1), len(self.waits)) - 1]


@lru_cache(maxsize=1)
def sending() -> Sending:
    """The pack, read once per process."""
    pack = tomllib.loads((Path(__file__).parent / "sending.toml").read_text("utf-8"))
    late, call, retry, back = pack["late"], pack["call"], pack["retry"], pack["readback"]
    video = pack["video"]
    return Sending(
        version=pack["version"],
        post_late=timedelta(minutes=late["post_minutes"]),
        overdue=_s(late["overdue_seconds"]),
        longest_call=_s(call["longest"]),
        lease=_s(call["lease"]),
        order_patience=_s(call["order_patience"]),
        waits=tuple(_s(wait) for wait in retry["waits"]),
        tries=retry["tries"],
        rate_limited=_s(retry["rate_limited"]),
        video_ahead=timedelta(minutes=video["ahead_minutes"]),
        video_step=_s(video["longest_step"]),
        video_lease=_s(video["lease"]),
        video_look=_s(video["look"]),
        video_longest_wait=_s(video["longest_wait"]),
        video_forgotten=timedelta(minutes=video["forgotten_minutes"]),
        looks=tuple(_s(look) for look in back["looks"]),
        absent_after=_s(back["absent_after"]),
        clock_skew=_s(back["clock_skew"]),
        park_after=_s(back["park_after"]),
        slow_look=_s(back["slow_look"]),
        give_up=timedelta(hours=back["give_up_hours"]),
        watch=tuple(timedelta(hours=hours) for hours in pack["watch"]["hours"]),
        figures=tuple(timedelta(hours=hours) for hours in pack["figures"]["hours"]),
        figures_gap=timedelta(minutes=pack["figures"]["gap_minutes"]),
        figures_turns=pack["figures"]["turns"],
        hand_late=timedelta(minutes=pack["by_hand"]["late_minutes"]),
        hand_day_ends=time.fromisoformat(pack["by_hand"]["day_ends"]),
        hand_morning=time.fromisoformat(pack["by_hand"]["morning"]),
    )


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
