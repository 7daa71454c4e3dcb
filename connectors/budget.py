"""How often a platform may be called: windows as data, and the meter that every call to such a platform passes.

A connector says what its platform allows (:class:`Window`), and asks its :class:`Meter` before each call. Counts are
kept outside ``connectors``; what the platform itself tells (headers, a status call) goes to :meth:`Meter.learn`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from connectors.base import AccountRef


class Purpose(StrEnum):
    """For whom a call is made: a share of every window is kept back for ``people``; ``figures`` of posts give way to
    both: they take nothing of the half that is then left to ``reading``."""

    people = "people"
    reading = "reading"
    figures = "figures"


class Scope(StrEnum):
    """Who shares a window: one account, all accounts of one app (``AccountRef.app``), or this whole installation."""

    account = "account"
    app = "app"
    house = "house"


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``most`` calls of the class ``calls`` in a span ``per``; ``reserve``: the share kept for people.

    It begins at full multiples of ``per`` on China's calendar: a day at midnight there.
    """

    calls: str
    most: int
    per: timedelta
    scope: Scope = Scope.account
    reserve: float = 0.3


@dataclass(frozen=True, slots=True)
class Standing:
    """What the platform itself says of a window: ``left`` of ``most`` calls until ``resets_at`` (aware)."""

    calls: str
    per: timedelta
    left: int
    most: int | None = None
    resets_at: datetime | None = None
    scope: Scope = Scope.account


class Meter(Protocol):
    """Counts calls. One per process; the counts are shared by all processes."""

    async def take(self, account: AccountRef, windows: Sequence[Window], calls: str) -> None:
        """Count one call of class ``calls`` against every window of it, before it is made.

        Raises :class:`connectors.base.ConnectorError` (``rate_limited`` or, for windows of a day, ``quota_day``,
        with ``retry_at``) when one is used up, or up to its reserve when ``account.purpose`` is ``reading``, or
        half of that when it is ``figures``.
        """

    async def learn(self, account: AccountRef, standings: Sequence[Standing]) -> None:
        """Correct the counts by what the platform said."""


class Unmetered:
    """A meter that lets everything pass: for tools and tests that count nothing."""

    async def take(self, account: AccountRef, windows: Sequence[Window], calls: str) -> None:
        """Nothing is counted."""

    async def learn(self, account: AccountRef, standings: Sequence[Standing]) -> None:
        """Nothing is kept."""
