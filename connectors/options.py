"""What an account's options say: typed by a person into the form, or kept by a program."""

from __future__ import annotations

import math

from connectors.base import AccountRef

# Bounds, in seconds and days, of what people may type for pauses and for how long their own items are followed.
SHORTEST, DAY, LONGEST_FOLLOWED = 0.001, 86_400.0, 3650.0
_ON = frozenset(("是", "yes", "on", "true", "1"))
_OFF = frozenset(("", "否", "no", "off", "false", "0"))


def text(account: AccountRef, name: str) -> str:
    """An option as text without blanks around it; "" when it is not set."""
    value = account.options.get(name)
    return "" if value is None else str(value).strip()


def is_on(account: AccountRef, name: str, usually: bool = False) -> bool:
    """Whether an option says yes. What is not set is off; ``usually``: what a word that is neither yes nor no means."""
    said = text(account, name).lower()
    return said in _ON or (usually and said not in _OFF)


def number(account: AccountRef, name: str, usually: float, low: float, high: float) -> float:
    """A number of at least ``low`` and at most ``high``; ``usually`` where none is set or it cannot be read."""
    try:
        given = float(text(account, name))
    except ValueError:
        given = math.nan
    return min(max(usually if math.isnan(given) else given, low), high)
