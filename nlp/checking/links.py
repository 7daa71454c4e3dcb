"""Links by their writing alone, nothing is fetched: broken, short, by number, unencrypted, or of hosts abroad."""

from __future__ import annotations

import re

from nlp.checking.base import Findings, Policy, made

_LINK = re.compile(
    r"(?P<scheme>(?:https?|ftp)[:：]/{1,2}|(?<![\w./])www\.)(?P<rest>[^\s\u4e00-\u9fff\uff00-\uffef\u3000-\u303f“”‘’《》<>\"']{1,500})",
    re.IGNORECASE,
)
_BROKEN = re.compile(
    r"(?<![\w/])(?:https?[:：](?!/{2}[\w\[])/{0,3}|htp://|http//|https//|htttp\w?://|http;//|https;//|http:\\\\|hppt://|htttps?://)[\w.-]{0,60}(?:/[\w./-]{0,60})?",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}$")
_HOST = re.compile(r"^(?:[^@/?#]*@)?(\[[0-9a-f:]+\]|[^:/?#]+)", re.IGNORECASE)
_SHORT = frozenset((
    "t.cn", "url.cn", "dwz.cn", "bit.ly", "goo.gl", "tinyurl.com", "t.co", "suo.im", "suo.nz", "mrw.so", "sina.lt",
    "is.gd", "ow.ly", "0x9.me", "c7.gg", "dwz.win", "u.to", "3.cn", "m.tb.cn", "w.url.cn", "dwz.mk", "tb.cn", "rrd.me",
    "s.kw.ai", "v.douyin.com",
))  # fmt: skip
# National endings besides .cn, and platforms abroad.
_ABROAD = re.compile(
    r"(?:^|\.)(?:youtube|youtu|twitter|x|facebook|instagram|telegram|google|whatsapp|tiktok|reddit|wikipedia|blogspot|wordpress|medium|tumblr|pinterest|snapchat|discord|line|vimeo|dropbox)\.(?:com|be|me|org|gg)$|\.(?:us|uk|jp|kr|tw|ru|de|fr|in|au|ca|eu|ph|vn|th|my|sg|id|nl|it|es|se|ch|br|mx|za|nz|ua|pl|tk|ml|ga|cf|gq)$",
    re.IGNORECASE,
)


def find(text: str, policy: Policy) -> Findings:
    """Every link that should not go out as it is; hosts the office calls its own are fine."""
    lowered = text.lower()
    if (
        "://" not in text
        and "www." not in lowered
        and "http" not in lowered
        and "htp" not in lowered
        and "hppt" not in lowered
    ):
        return
    for match in _BROKEN.finditer(text):
        yield made("link.broken", text, match.start(), match.end(), *_mended(match[0]))
    for match in _LINK.finditer(text):
        yield from _of_link(text, match, policy)


def _mended(found: str) -> tuple[str, ...]:
    host = re.sub(r"^[a-z]+[:：;]?[\\/]*", "", found, flags=re.IGNORECASE)
    return (f"https://{host}",) if "." in host else ()


def _of_link(text: str, match: re.Match[str], policy: Policy) -> Findings:
    rest = match["rest"].rstrip(".,;:!?)")
    end = match.start("rest") + len(rest)
    host = _HOST.match(rest)
    name = (host[1] if host else "").lower()
    scheme = match["scheme"].lower()
    if "：" in scheme or not scheme.endswith(("//", "www.")) or not name or "." not in name.strip("."):
        return
    if any(name == own or name.endswith(f".{own}") for own in policy.own_hosts):
        return
    if _NUMBER.match(name) or name.startswith("["):
        yield made("link.number", text, match.start(), end)
    elif name in _SHORT:
        yield made("link.short", text, match.start(), end)
    elif _ABROAD.search(name):
        yield made("link.foreign", text, match.start(), end, host=name)
    elif scheme.startswith("http:"):
        yield made("link.plain", text, match.start(), end, f"https://{rest}")
