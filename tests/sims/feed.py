"""A web server with one feed, made by feedgen, that answers as the test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from feedgen.feed import FeedGenerator


@dataclass
class FeedServer:
    """``body`` is served with an ETag of its own; ``status`` other than 200 and ``location`` win over it."""

    base_url: str = ""
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def show(self, entries: list[tuple[str, str, str]], *, atom: bool = False) -> None:
        """Entries as (id, title, html), the newest first."""
        feed = FeedGenerator()
        feed.id("https://example.org/feed")
        feed.title("市民留言板")
        feed.link(href="https://example.org/", rel="alternate")
        feed.description("留言")
        for number, title, html in reversed(entries):
            entry = feed.add_entry()
            entry.id(f"https://example.org/{number}")
            entry.title(title)
            entry.link(href=f"https://example.org/{number}")
            entry.description(html)
            entry.published("2026-11-23T09:00:00+08:00")
            entry.updated("2026-11-23T09:00:00+08:00")
            entry.author(name="王某", email="w@example.org")
        self.body = feed.atom_str() if atom else feed.rss_str()


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    """On a free port of this machine, in a thread."""
    feed = FeedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feed.asked.append({name.lower(): value for name, value in self.headers.items()})
            tag = f'"{sha256(feed.body).hexdigest()[:16]}"'
            moved = feed.status in (301, 302, 307, 308) and self.path == "/moved"
            same = self.headers.get("If-None-Match") == tag
            status = feed.status if moved or feed.status not in (200, 301, 302, 307, 308) else 304 if same else 200
            body = feed.body if status == 200 else b""
            self.send_response(status)
            for name, value in {"ETag": tag, "Content-Length": str(len(body)), **feed.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of what it overrides
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    feed.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield feed
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
