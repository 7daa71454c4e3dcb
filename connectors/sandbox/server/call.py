"""One call to the API, read: who calls, with which values, under which standing faults."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.server.faults import Refusal
from connectors.sandbox.server.store import Store
from connectors.sandbox.server.wire import Wire


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets. ``flags``: standing faults such as ``list_lag`` with their parameters.

    ``file``: what was uploaded with it.
    """

    store: Store
    wire: Wire
    account: sqlite3.Row | None
    operation: str
    values: dict[str, str]
    key: str
    flags: dict[str, dict[str, Any]]
    file: bytes | None = None

    @property
    def uid(self) -> str:
        """The caller's uid; handlers run only for known accounts."""
        assert self.account is not None
        return str(self.account["uid"])

    @property
    def author(self) -> tuple[str, str]:
        """The caller as an author: uid and screen name."""
        assert self.account is not None
        return self.uid, str(self.account["screen_name"])

    def number(self, name: str, default: int = 0) -> int:
        """A whole number among the values; anything else is refused with 10008."""
        text = self.values.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 19):
            raise Refusal(10008)
        return min(int(text), 2**63 - 1)

    def note(self, outcome: str, item_id: int | None = None) -> None:
        """Enter this write into the table of attempts."""
        self.store.note_attempt(
            str(self.account["uid"]) if self.account else "", self.operation, self.key, outcome, item_id
        )
