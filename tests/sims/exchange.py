"""Another system that exchanges work orders: it checks our signatures, keeps results once, and pushes signed orders."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.exchange.signature import reason_against, signed
from tests.sims.serving import Answer, Asked, served

KEY_ID, KEY = "city-12345", "a-shared-secret-of-two"


@dataclass
class Hotline:
    """``results`` and ``events`` (where orders stand) by event id; ``orders`` are given out by "after" in pages of
    ``page``; ``status`` wins once each; ``slow``: seconds before a post is taken.
    """

    base_url: str = ""
    orders: list[dict[str, Any]] = field(default_factory=list)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: int = 0
    page: int = 10
    statuses: list[int] = field(default_factory=list)
    drops: int = 0
    slow: float = 0.0

    def push(self, *orders: dict[str, Any], at: datetime | None = None) -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed push."""
        body = json.dumps({"orders": list(orders)}, ensure_ascii=False).encode()
        return signed(KEY_ID, KEY, body, at or datetime.now(UTC)), body

    def answer(self, asked: Asked) -> Answer | None:
        """What the other system says; None: it has acted, and the connection breaks."""
        if reason_against(asked.headers, KEY_ID, KEY, asked.body, datetime.now(UTC)):
            return Answer.of({"error": "signature"}, 401)
        if self.statuses:
            return Answer.of({"error": "told to"}, self.statuses.pop(0))
        if asked.method == "POST":
            time.sleep(self.slow)
            return self._take(self._kept(asked.path), json.loads(asked.body))
        if asked.path == "/ping":
            return Answer.of({"ok": True})
        if asked.path == "/orders":
            start = int(asked.query.get("after", "0"))
            found = self.orders[start : start + self.page]
            return Answer.of({"orders": found, "next": str(start + len(found))})
        place, _slash, number = asked.path.rpartition("/")
        result = self._kept(place).get(number)
        return Answer.of(result, 200 if result else 404)

    def _kept(self, path: str) -> dict[str, dict[str, Any]]:
        return {"/results": self.results, "/events": self.events}[path]

    def _take(self, kept: dict[str, dict[str, Any]], told: dict[str, Any]) -> Answer | None:
        self.attempts += 1
        event = told.get("event_id") or told["LSH"]
        known = event in kept
        kept.setdefault(event, told)
        if self.drops:
            self.drops -= 1
            return None
        return Answer.of({"receipt": f"R{self.attempts}"}, 409 if known else 201)


@contextmanager
def hotline() -> Iterator[Hotline]:
    """On a free port of this machine, in a thread."""
    state = Hotline()
    with served(state.answer) as state.base_url:
        yield state
