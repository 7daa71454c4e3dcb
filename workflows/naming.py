"""Names that people give to plans, rules and hot issues."""

from __future__ import annotations

import unicodedata


def named(typed: str) -> str:
    """A name as it is kept: without what nobody sees (two names that look alike would be two) and extra blanks."""
    seen = "".join(" " if sign.isspace() else sign for sign in typed if sign.isspace() or not _is_unseen(sign))
    return " ".join(seen.split())


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cf", "Cc")
