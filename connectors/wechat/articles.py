"""A text with pictures as an article: simple, safe HTML, and the same text back out of the platform's. Pure.

A line that is only ［图2］ (or [图2], 【图2】) is the place of the second picture; the first one is the cover and
stands in the text only where a line asks for it. Pictures without a place stand at the end, in order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from connectors.base import AccountRef, Attachment, Outgoing
from connectors.markup import plain
from connectors.options import is_on, text
from connectors.text import clean, one_line

AUTHOR_LENGTH = 16
DIGEST_LENGTH = 54
# No article has more pictures.
MOST = 99
_IMAGES = re.compile(r"<img\b", re.IGNORECASE)
_PLACE = re.compile(r"(?<!\s)\s*[\[［【]图\s*(\d{1,2})[\]］】]\s*")


def places(text: str, count: int) -> list[int]:
    """The pictures of an article in the order they stand in its text, by number from 1; ``count``: how many there are.

    A place of a picture that is not there is none: the line stays as it was written.
    """
    asked = [int(found[1]) for line in text.split("\n") if (found := _PLACE.fullmatch(line))]
    placed = [number for number in asked if 1 <= number <= count]
    return placed + [number for number in range(2, count + 1) if number not in placed]


def html_of(text: str, pictures: Sequence[Attachment], addresses: Mapping[int, str]) -> str:
    """``text`` as paragraphs; ``addresses``: number of a picture → its address on the platform."""
    parts: list[str] = []
    standing: set[int] = set()
    for line in clean(text).split("\n"):
        number = _number(line)
        if number in addresses:
            parts.append(_image(number, pictures, addresses))
            standing.add(number)
        elif line.strip():
            parts.append(f"<p>{escape(line.strip())}</p>")
    rest = [number for number in sorted(addresses) if number not in standing]
    return "".join(parts + [_image(number, pictures, addresses) for number in rest])


def body_of(text: str, count: int) -> str:
    """What readers see of ``text`` as an article, without the lines that are places of its ``count`` pictures."""
    lines = [line for line in clean(text).split("\n") if not 1 <= _number(line) <= count]
    return "\n".join(line.strip() for line in lines if line.strip())


def draft_of(account: AccountRef, out: Outgoing, content: str, cover: str) -> dict[str, Any]:
    """The article as ``draft/add`` takes it. ``cover``: the id of the picture that is its cover."""
    comments = int(is_on(account, "open_comment", usually=True))
    return {
        "article_type": "news",
        "title": one_line(out.title),
        "author": one_line(text(account, "author"))[:AUTHOR_LENGTH],
        "digest": one_line(body_of(out.text, len(out.attachments)))[:DIGEST_LENGTH],
        "content": content,
        "content_source_url": "",
        "thumb_media_id": cover,
        "need_open_comment": comments,
        "only_fans_can_comment": 0,
    }


def is_same(article: Any, out: Outgoing) -> bool:
    """Whether an article of the platform says what ``out`` says: title, text, and number of pictures where ``out``
    brings any (what is looked for later comes without them).
    """
    if not isinstance(article, Mapping) or not isinstance(article.get("content"), str):
        return False
    content, count = article["content"], len(out.attachments)
    return (
        _bare(str(article.get("title") or "")) == _bare(out.title)
        and _bare(body_of(plain(content), MOST)) == _bare(body_of(out.text, MOST))
        and (not count or len(_IMAGES.findall(content)) == len(places(out.text, count)))
    )


def _bare(text: str) -> str:
    return "".join(text.replace("\u200b", "").split())


def _number(line: str) -> int:
    found = _PLACE.fullmatch(line)
    return int(found[1]) if found else 0


def _image(number: int, pictures: Sequence[Attachment], addresses: Mapping[int, str]) -> str:
    words = pictures[number - 1].description if number <= len(pictures) else ""
    return f'<p><img src="{escape(addresses[number])}" alt="{escape(one_line(words))}"></p>'
