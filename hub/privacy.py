"""Personal data in text: masked unless somebody with the right asks, and then it is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

_STARS = "*"
_NUMBER_SIGNS = "0123456789*"


def _keep(head: int, tail: int) -> Callable[[str], str]:
    def hide(found: str) -> str:
        kept = min(head + tail, max(0, len(found) - 2))
        before, after = min(head, kept), min(tail, max(0, kept - head))
        return found[:before] + _STARS * (len(found) - before - after) + (found[-after:] if after else "")

    return hide


def _email(found: str) -> str:
    name, _, host = found.partition("@")
    return name[:1] + _STARS * max(2, len(name) - 1) + "@" + host


# What stays readable is enough to recognise one's own number, not to use somebody else's.
_HIDE: dict[str, Callable[[str], str]] = {
    "phone": _keep(3, 4),
    "id_card": _keep(3, 2),
    "bank_card": _keep(0, 4),
    "plate": _keep(2, 0),
    "email": _email,
}


def masked(text: str, found: Iterable[Sequence[Any]]) -> str:
    """``text`` with the spans ``[kind, start, end)`` made unreadable; unknown kinds are hidden whole.

    Spans outside the text are cut to it; overlapping ones are hidden from the first to the last character.
    """
    parts, at = [], 0
    for kind, start, end in sorted(((str(k), int(s), int(e)) for k, s, e in found), key=lambda span: span[1:]):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        hide = _HIDE.get(kind, _keep(0, 0))
        parts += [text[at:start], hide(text[start:end])]
        at = end
    return "".join([*parts, text[at:]])


def excerpt(text: str, found: Iterable[Sequence[Any]], length: int) -> str:
    """The first ``length`` characters of the masked text on one line, with … when there is more."""
    return shortened(" ".join(masked(text, found).split()), length)


def shortened(line: str, length: int) -> str:
    """The line, or its beginning and … when there is more; a number, hidden or not, is left out rather than cut in
    two: part of one looks like another."""
    if len(line) <= length:
        return line
    kept, rest = line[: length - 1], line[length - 1 :]
    if rest[:1] in _NUMBER_SIGNS and kept[-1:] in _NUMBER_SIGNS:
        kept = kept.rstrip(_NUMBER_SIGNS).rstrip() or kept
    return kept + "…"
