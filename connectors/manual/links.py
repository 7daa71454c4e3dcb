"""What a person pastes back, read: the address in it, checked to be the platform's, and the id of the item."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from connectors.base import Unparsable
from connectors.manual.platforms import OTHER, Site

# Apps put the address into a sentence ("复制打开抖音，看看… https://v.douyin.com/abc/ 12/24").
# Only what an address may hold as it stands: no markup beside it gets in.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
LONGEST = 2000


def address_in(pasted: str) -> str:
    """The first web address in what was pasted; :class:`Unparsable` when there is none."""
    found = _ADDRESS.search(pasted[:LONGEST])
    if found is None:
        raise Unparsable("没有找到网址。请在平台上点「分享－复制链接」，再整段粘贴到这里")
    return found[0].rstrip(".,;!?)\"'")


def item_of(site: Site, pasted: str) -> str:
    """The platform's id of the item; :class:`Unparsable` says what is wrong with the link."""
    try:
        parts = urlsplit(address_in(pasted))
        host = (parts.hostname or "").lower()
    except ValueError:
        raise Unparsable("网址不完整，请重新复制") from None
    if site.name == OTHER:
        return _of_anywhere(host, parts.path, parts.query)
    if not any(host == one or host.endswith(f".{one}") for one in site.hosts):
        raise Unparsable(f"这不是{site.label}的链接（{host[:60]}），请复制{site.label}上那一条的链接")
    for pattern in site.patterns:
        if found := re.search(pattern, parts.path):
            return found[1][:200]
    raise Unparsable(f"这是{site.label}的网址，但不是某一条作品的链接，请打开那一条后再复制")


def _of_anywhere(host: str, path: str, query: str) -> str:
    if "." not in host:
        raise Unparsable("网址不完整，请重新复制")
    last = path.rstrip("/").rpartition("/")[2]
    named = next((values[0] for name, values in sorted(parse_qs(query).items()) if "id" in name.lower()), "")
    if not (last or named):
        raise Unparsable("这是网站的首页，请打开发布的那一条后再复制链接")
    return (named or last)[:200]
