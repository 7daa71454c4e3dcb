"""How far a video is on its way to its platform, for pages and for whoever tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub import clock
from hub.models import Delivery, VideoJourney
from hub.policy.sending import sending


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a video is: ``percent`` of its bytes; ``is_there``: the platform has it; ``error``: the last trouble.

    ``begins_at``: when it sets out, None once that time has come; ``next_at``: when it is tried again after trouble.
    """

    percent: int
    is_there: bool
    error: str
    next_at: datetime | None
    begins_at: datetime | None


def progress(delivery: Delivery, journey: VideoJourney | None) -> Progress | None:
    """For the delivery's page; None for one without a video on its way."""
    if journey is None or not delivery.video:
        return None
    done = 100 if journey.is_there else min(99, percent(journey.done, int(delivery.video.get("size", 0))))
    begins = delivery.scheduled_at - sending().video_ahead
    return Progress(
        done, journey.is_there, journey.error, journey.next_at if journey.error else None,
        begins if begins > clock.now() else None,
    )  # fmt: skip


def percent(done: int, size: int) -> int:
    """How much of the bytes."""
    return 100 * done // max(1, size)
