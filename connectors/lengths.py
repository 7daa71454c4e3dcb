"""How platforms count the length of a text."""

from __future__ import annotations

import re

# The short link a platform makes of any address counts like 20 ASCII characters.
_LINK = re.compile(r"https?://[!-~]+")
_LINK_HALVES = 20


def weibo_units(text: str) -> int:
    """Length as Weibo counts: a Chinese character 1, an ASCII character ½, a link 10, the sum rounded up."""
    links = _LINK.findall(text)
    rest = _LINK.sub("", text)
    halves = len(links) * _LINK_HALVES + sum(1 if char.isascii() else 2 for char in rest)
    return (halves + 1) // 2
