"""Which of the account's own items is the trace of a sending whose outcome we do not know. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.base import OwnItem

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\ufe0e\ufe0f]")
_TAGS = re.compile(r"<[^>]{0,500}>")
# Platforms shorten addresses to their own: what a link says on the way out and back differs.
_LINKS = re.compile(r"https?://[\w./?%&=#~:@!$'()*+,;-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Trace:
    """What we look for. ``since``: nothing older counts. ``claimed``: ids that belong to other deliveries.

    ``spoken_for``: how many items of the same text were settled by hand without naming their id; the oldest
    candidates are theirs.
    """

    text: str
    key: str
    since: datetime
    parent_id: str = ""
    claimed: Collection[str] = ()
    spoken_for: int = 0


def normalised(text: str) -> str:
    """Text as platforms may change it without changing it: entities, markup, spaces, widths, links."""
    plain = html.unescape(_TAGS.sub("", text))
    plain = _LINKS.sub("<link>", unicodedata.normalize("NFKC", plain))
    return "".join(_INVISIBLE.sub("", plain).split())


def find_match(trace: Trace, items: Sequence[OwnItem]) -> OwnItem | None:
    """The item that is ours: by key where the platform shows keys, else the oldest unclaimed one that says the same.

    One item never stands for two deliveries: claimed ids and keys of others are left out.
    """
    free = [item for item in items if item.external_id not in trace.claimed]
    for item in free:
        if item.key and item.key == trace.key:
            return item
    wanted = normalised(trace.text)
    same = [
        item
        for item in free
        if not item.key
        and item.created_at >= trace.since
        and _same_parent(trace, item)
        and normalised(item.text) == wanted
    ]
    same.sort(key=lambda item: (item.created_at, item.external_id))
    return same[trace.spoken_for] if len(same) > trace.spoken_for else None


def _same_parent(trace: Trace, item: OwnItem) -> bool:
    return not item.parent_id or not trace.parent_id or item.parent_id == trace.parent_id
