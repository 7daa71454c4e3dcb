"""A web server with one feed that answers as the test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape

from tests.sims.serving import Answer, Asked, served


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
        self.body = (
            (_ATOM if atom else _RSS)
            .format(
                "".join(
                    (_ATOM_ENTRY if atom else _RSS_ITEM).format(n=number, title=escape(title), html=escape(html))
                    for number, title, html in entries
                )
            )
            .encode()
        )


_RSS = (
    '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>市民留言板</title>'
    "<link>https://example.org/</link><description>留言</description>{}</channel></rss>"
)
_RSS_ITEM = (
    "<item><title>{title}</title><link>https://example.org/{n}</link><guid>https://example.org/{n}</guid>"
    "<author>w@example.org (王某)</author><pubDate>Mon, 23 Nov 2026 09:00:00 +0800</pubDate>"
    "<description>{html}</description></item>"
)
_ATOM = (
    '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>市民留言板</title>'
    "<id>https://example.org/feed</id><updated>2026-11-23T09:00:00+08:00</updated>{}</feed>"
)
_ATOM_ENTRY = (
    "<entry><title>{title}</title><id>https://example.org/{n}</id><author><name>王某</name></author>"
    '<link href="https://example.org/{n}"/><published>2026-11-23T09:00:00+08:00</published>'
    '<updated>2026-11-23T09:00:00+08:00</updated><summary type="html">{html}</summary></entry>'
)


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    """On a free port of this machine, in a thread."""
    feed = FeedServer()

    def answer(asked: Asked) -> Answer:
        feed.asked.append(dict(asked.headers))
        tag = f'"{sha256(feed.body).hexdigest()[:16]}"'
        headers = {"ETag": tag, **feed.headers}
        is_redirect = feed.status in (301, 302, 307, 308)
        if (is_redirect and asked.path == "/moved") or (feed.status != 200 and not is_redirect):
            return Answer(b"", feed.status, headers)
        if asked.headers.get("if-none-match") == tag:
            return Answer(b"", 304, headers)
        return Answer(feed.body, 200, headers)

    with served(answer) as feed.base_url:
        yield feed
