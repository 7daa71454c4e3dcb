"""Plain text out of what platforms and files send: nothing a database or a page would stumble over."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

# C0 and C1 controls except tab and line feed; carriage returns are turned into line feeds first.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Almost every text is clean: one look tells.
_UNCLEAN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
LONGEST_ID = 200
TOO_DEEP = "nested too deeply"
# As long as the id of an own item, with what we put before it, can be kept.
LONGEST_OWN_ID = 255
LONGEST_ADDRESS = 2000


def clean(text: str) -> str:
    """``text`` without NUL and other control characters, half characters marked as lost, one kind of line break.

    Emoji, marks of right-to-left writing and everything else a citizen may have meant stay.
    """
    if not _UNCLEAN.search(text):
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _BREAKS.sub("\n", text)))


def one_line(text: str) -> str:
    """``clean``, on one line: for names and titles."""
    return " ".join(clean(text).split())


def as_payload(value: Any) -> str:
    """A value as the JSON text that is stored: storable everywhere, also with half characters inside.

    What is nested too deeply to be written becomes a text that says so: no connector reads it, so it is quarantined.
    """
    try:
        compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return json.dumps(TOO_DEEP)
    if _SURROGATES.search(compact):
        return json.dumps(value, separators=(",", ":"))
    return compact


def exact(text: str, longest: int = LONGEST_OWN_ID) -> str:
    """``text`` where it can be kept as it is, else "": an id or address that was altered would be that of another."""
    return text if len(text) <= longest and clean(text) == text else ""


def count(value: Any) -> int | None:
    """A number of readers, likes or the like; None for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def id_of(value: Any, payload: str) -> str:
    """A platform's id as text, or ``sha256:<hex of payload>`` where there is none that can be kept."""
    text = one_line(str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if 0 < len(text) <= LONGEST_ID:
        return text
    return f"sha256:{hashlib.sha256(payload.encode()).hexdigest()}"
