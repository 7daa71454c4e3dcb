"""A pretend platform's HTTP server on this machine: one function answers, everything around it stands here.

::

    with served(lambda asked: Answer.of({"ok": True})) as base_url:
        ...
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request. ``headers`` by small names; ``query``: the first value of each name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What goes back; the length is added."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(value: Any, status: int = 200) -> Answer:
        """``value`` as JSON."""
        return Answer(json.dumps(value, ensure_ascii=False).encode(), status, {"Content-Type": "application/json"})


@contextmanager
def served(answer: Callable[[Asked], Answer | None]) -> Iterator[str]:
    """The base URL of a server in a thread, on a free port; where ``answer`` gives None the connection is cut."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length") or 0))
            found = answer(Asked(self.command, parts.path, query, headers, body))
            if found is None:
                self.connection.close()
                return
            self.send_response(found.status)
            for name, value in {**found.headers, "Content-Length": str(len(found.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.body)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 -- the names the server asks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of what it overrides
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
