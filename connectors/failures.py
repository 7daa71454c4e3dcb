"""The one error tree of all platforms: kind, effect, when to try again, and a sentence for people."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from connectors.text import clean


class ErrorKind(StrEnum):
    """The fourteen ways a platform call goes wrong."""

    transient = "transient"
    rate_limited = "rate_limited"
    quota_day = "quota_day"
    auth_expired = "auth_expired"
    auth_human = "auth_human"
    permission = "permission"
    content_rejected = "content_rejected"
    duplicate = "duplicate"
    not_found = "not_found"
    window_closed = "window_closed"
    target_refuses = "target_refuses"
    account_risk = "account_risk"
    protocol = "protocol"
    bug = "bug"


class Effect(StrEnum):
    """What a failed write did on the platform, as far as we can know."""

    not_done = "not_done"
    done = "done"
    unknown = "unknown"


class ConnectorError(Exception):
    """A platform call went wrong; carries everything the engine needs to decide, and a sentence for people."""

    def __init__(
        self,
        kind: ErrorKind,
        human: str,
        *,
        code: str = "",
        effect: Effect = Effect.not_done,
        retry_at: datetime | None = None,
    ) -> None:
        # Both may quote the platform, and what a platform sends must be fit to be kept and shown.
        self.human, self.code = clean(human), clean(code)
        super().__init__(f"{kind.value} {self.code}: {self.human}")
        self.kind = kind
        self.effect = effect
        self.retry_at = retry_at


def codes(numbers: str, kind: ErrorKind, human: str) -> dict[int, tuple[ErrorKind, str]]:
    """One meaning for many codes of a platform; ``20601-20615`` is every number in between."""
    found: dict[int, tuple[ErrorKind, str]] = {}
    for part in numbers.split():
        first, _, last = part.partition("-")
        found |= dict.fromkeys(range(int(first), int(last or first) + 1), (kind, human))
    return found


def unsettled(error: ConnectorError) -> ConnectorError:
    """Why nobody could say how a pending write ended: it may have ended well, so it is asked again, not sent again."""
    return ConnectorError(error.kind, error.human, code=error.code, effect=Effect.unknown, retry_at=error.retry_at)


class Unparsable(Exception):
    """``parse`` cannot understand a stored item; the text says why (Chinese). The item goes to quarantine."""
