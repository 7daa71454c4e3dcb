"""When a list of the account's own items proves that something is *not* there: only then may it be sent again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.base import OwnItem


def proves(rows: Sequence[OwnItem | None], floor: datetime, is_end: bool) -> bool:
    """Whether ``rows``, newest first, show everything since ``floor``; None stands for one that cannot be read.

    The unreadable one may be what is looked for. ``is_end``: the platform said so, not merely nothing else.
    """
    return all(row is not None for row in rows) and (is_end or reaches(rows, floor))


def reaches(rows: Sequence[OwnItem | None], floor: datetime) -> bool:
    """Whether a list that is newest first has come to what is older. The last one tells: others may be pinned."""
    return bool(rows) and (last := rows[-1]) is not None and last.created_at < floor
