"""Addresses of posts on weibo.com: the id in base 62 as pages show it, and back."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from connectors.base import Unparsable

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Seven decimal digits of the id are four digits of the address, counted from the right.
_SEVEN, _FOUR = 7, 4
_HOSTS = frozenset({"weibo.com", "www.weibo.com", "weibo.cn", "m.weibo.cn", "m.weibo.com", "service.weibo.com"})
_SHORT = re.compile(r"[0-9A-Za-z]{5,16}")
_NUMBER = re.compile(r"\d{11,19}")


def short_of(mid: str) -> str:
    """``3501756485200075`` as ``z0JH2lOMb``."""
    parts = [mid[max(0, end - _SEVEN) : end] for end in range(len(mid), 0, -_SEVEN)]
    written = [_written(int(part)).rjust(_FOUR, "0") for part in parts]
    return "".join(reversed(written)).lstrip("0")


def mid_of(short: str) -> str:
    """``z0JH2lOMb`` as ``3501756485200075``."""
    parts = [short[max(0, end - _FOUR) : end] for end in range(len(short), 0, -_FOUR)]
    return "".join(str(_read(part)).rjust(_SEVEN, "0") for part in reversed(parts)).lstrip("0")


def _written(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return digits


def _read(part: str) -> int:
    number = 0
    for digit in part:
        number = number * 62 + _DIGITS.index(digit)
    return number


def post_url(author_id: str, mid: str) -> str:
    """Where everybody can read a post; empty when its author or id is no number."""
    if not (author_id.isascii() and author_id.isdigit() and mid.isascii() and mid.isdigit()):
        return ""
    return f"https://weibo.com/{author_id}/{short_of(mid)}"


def id_of_link(link: str) -> str:
    """The id of the post behind a pasted address; :class:`Unparsable` says what was expected."""
    try:
        place = urlsplit(link.strip())
    except ValueError:
        place = urlsplit("")
    parts = [part for part in place.path.split("/") if part]
    if place.hostname in _HOSTS and parts:
        if _NUMBER.fullmatch(parts[-1]) and parts[0] in ("status", "detail"):
            return parts[-1]
        if len(parts) == 2 and parts[0].isdigit() and _SHORT.fullmatch(parts[-1]):
            return mid_of(parts[-1])
    raise Unparsable("这不是一条微博的链接，应形如 https://weibo.com/1234567890/z0JH2lOMb")
