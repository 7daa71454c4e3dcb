"""Another system that exchanges work orders: it checks our signatures, keeps results once, and pushes signed orders."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.exchange.signature import reason_against, signed

KEY_ID, KEY = "city-12345", "a-shared-secret-of-two"


@dataclass
class Hotline:
    """``results`` by event id; ``orders`` are given out by "after" in pages of ``page``; ``status`` wins once each."""

    base_url: str = ""
    orders: list[dict[str, Any]] = field(default_factory=list)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: int = 0
    page: int = 10
    statuses: list[int] = field(default_factory=list)
    drops: int = 0

    def push(self, *orders: dict[str, Any], at: datetime | None = None) -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed push."""
        body = json.dumps({"orders": list(orders)}, ensure_ascii=False).encode()
        return signed(KEY_ID, KEY, body, at or datetime.now(UTC)), body


@contextmanager
def hotline() -> Iterator[Hotline]:
    """On a free port of this machine, in a thread."""
    state = Hotline()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, body: Any = None) -> None:
            data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(data)

        def _refused(self, body: bytes) -> bool:
            headers = {name.lower(): value for name, value in self.headers.items()}
            if reason_against(headers, KEY_ID, KEY, body, datetime.now(UTC)):
                self._answer(401, {"error": "signature"})
                return True
            if state.statuses:
                self._answer(state.statuses.pop(0), {"error": "told to"})
                return True
            return False

        def do_GET(self) -> None:
            if self._refused(b""):
                return
            parts = urlsplit(self.path)
            if parts.path == "/ping":
                self._answer(200, {"ok": True})
            elif parts.path == "/orders":
                start = int(parse_qs(parts.query).get("after", ["0"])[0])
                found = state.orders[start : start + state.page]
                self._answer(200, {"orders": found, "next": str(start + len(found))})
            else:
                found_result = state.results.get(parts.path.rpartition("/")[2])
                self._answer(200 if found_result else 404, found_result)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self._refused(body):
                return
            state.attempts += 1
            result = json.loads(body)
            known = result["event_id"] in state.results
            state.results.setdefault(result["event_id"], result)
            if state.drops:
                state.drops -= 1
                self.connection.close()
                return
            self._answer(409 if known else 201, {"receipt": result["event_id"]})

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of what it overrides
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
