"""The platform's own clock: the machine's, unless a scene is being set in the past."""

from __future__ import annotations

import time

_stopped_at: list[float] = []


def now() -> float:
    """Unix seconds."""
    return _stopped_at[0] if _stopped_at else time.time()


def stop_at(moment: float | None) -> None:
    """Stand still at ``moment`` (unix seconds), or go on with the machine's clock (None). Not kept over a restart."""
    _stopped_at[:] = [] if moment is None else [moment]
