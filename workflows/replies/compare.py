"""What changed between two versions of an answer, for people to read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

Piece = tuple[str, str]
# Comparing sign by sign takes quadratic time; longer texts are compared sentence by sentence.
_BY_SIGN = 2_000
_ENDS = "。！？!?；;\n"


def pieces(before: str, after: str) -> list[Piece]:
    """The text as (same | del | add, words) in reading order; joined without the deleted ones it is ``after``."""
    if max(len(before), len(after)) <= _BY_SIGN:
        return _pieces(before, after)
    return _pieces(_sentences(before), _sentences(after))


def _pieces(before: Sequence[str], after: Sequence[str]) -> list[Piece]:
    found: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(before[a:b])))
            continue
        found += [("del", "".join(before[a:b]))] if a < b else []
        found += [("add", "".join(after[c:d]))] if c < d else []
    return found


def _sentences(text: str) -> list[str]:
    found, start = [], 0
    for place, sign in enumerate(text, start=1):
        if sign in _ENDS:
            found.append(text[start:place])
            start = place
    return [*found, text[start:]] if start < len(text) else found
