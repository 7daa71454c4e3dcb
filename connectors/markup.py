"""HTML as plain text: paragraphs, line breaks, links; nothing that could run."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from connectors.text import clean

LONGEST = 200_000
_DROPPED = frozenset({"script", "style", "template", "head", "title"})
_BLOCKS = frozenset({"p", "div", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"})
# Only what exports of web systems hold: a citizen's "a<b" or <A9路口> is no markup, and a lone script is shown as
# it was written.
_TAG = re.compile(
    r"</?(?:p|br|div|span|a|b|i|u|em|strong|font|small|big|sub|sup|img|hr|h[1-6]|ul|ol|li|dl|dt|dd|table|thead|tbody|tr"
    r"|td|th|blockquote|pre|code|section|article|center|label|input|form|button|iframe|svg|video|audio|object|embed"
    r"|html|head|body|meta|link|o:p)(?:\s+[a-z_:@-][^<>]*|\s*)/?>",
    re.IGNORECASE,
)
_DECLARED = re.compile(r"<[!?][^<>]*>")
_OPENS_NOTHING = re.compile(r"<(?![^<>]*>)")
_ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|[lr]dquo|[lr]squo|hellip|mdash|middot|#\d{1,7});")
_MANY_BREAKS = re.compile(r"\n{3,}")


def plain(html: str) -> str:
    """The text of ``html``; of anything longer than 200,000 characters only the beginning."""
    reader = _Reader()
    reader.feed(_orderly(html[:LONGEST]))
    reader.close()
    text = clean("".join(reader.parts)).replace("\u200b", "")
    return _MANY_BREAKS.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def plain_if_html(text: str) -> str:
    """``text`` as it is, unless it holds tags or entities of HTML: then what a browser would have shown of it."""
    if len(text) > LONGEST:
        return text
    if "<" in text and (_TAG.search(text) or "-->" in text.partition("<!--")[2]):
        return plain(text).replace("\xa0", " ")
    if "&" in text and _ENTITY.search(text):
        return clean(unescape(text)).replace("\xa0", " ").strip()
    return text


def _orderly(html: str) -> str:
    """Without comments and declarations, and with every < that opens nothing as &lt;.

    The parser looks for the end of each of those up to the end of the text: 50,000 of them, as hostile servers send,
    would keep it busy for minutes.
    """
    return _OPENS_NOTHING.sub("&lt;", _DECLARED.sub("", _without_comments(html)))


def _without_comments(html: str) -> str:
    parts, at = [], 0
    while (start := html.find("<!--", at)) >= 0 and (end := html.find("-->", start)) >= 0:
        parts.append(html[at:start])
        at = end + 3
    return "".join([*parts, html[at:]])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._dropped = 0
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._dropped += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag in _BLOCKS:
            self._paragraph()
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "a":
            self._open_link({name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._dropped = max(0, self._dropped - 1)
        elif tag in _BLOCKS:
            self._paragraph()
        elif tag == "a":
            self._close_link()

    def handle_data(self, data: str) -> None:
        if not self._dropped:
            self.parts.append(data)

    def _paragraph(self) -> None:
        if self.parts:
            self.parts.append("\n\n")

    def _open_link(self, attributes: dict[str, str]) -> None:
        classes = attributes.get("class", "").split()
        plain_link = "mention" not in classes and "hashtag" not in classes
        self._link = (attributes.get("href", ""), len(self.parts)) if plain_link else None

    def _close_link(self) -> None:
        """Servers shorten addresses for the eye; the whole address is in ``href``."""
        if self._link is None:
            return
        href, start = self._link
        self._link = None
        shown = "".join(self.parts[start:])
        if not href.startswith(("http://", "https://")):
            return
        bare = href.partition("://")[2].rstrip("/")
        if shown.strip("….").rstrip("/") and shown.replace("…", "").strip("/") in (href.strip("/"), bare):
            self.parts[start:] = [href if "://" in shown else shown]
        elif shown.strip() != href:
            self.parts[start:] = [f"{shown}（{href}）" if shown.strip() else href]
