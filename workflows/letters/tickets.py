"""The form's ticket and the citizen's query code, both made from the hub's own key. Pure.

A ticket proves that a form was shown by us not long ago; one ticket makes one letter, however often it is sent. The
code follows from the ticket, so that a form sent twice shows the same code twice, and only its digest is kept.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from hub import crypto

# Faster than this nobody writes a letter; later the form has to be opened again (what was typed stays).
QUICKEST = 3
LONGEST = 4 * 3600
CODE_DIGITS = 10


def new_ticket(key: bytes, slug: str, now: datetime) -> str:
    """A ticket for one form of the page ``slug``."""
    head = f"{int(now.timestamp())}.{crypto.new_token()[:22]}"
    return f"{head}.{_sign(key, 'ticket', slug, head)}"


def age_of(key: bytes, slug: str, ticket: str, now: datetime) -> float | None:
    """Seconds since the form was shown; None when the ticket is not ours or of another page."""
    head, _, signature = ticket.rpartition(".")
    if not head or not hmac.compare_digest(signature.encode(), _sign(key, "ticket", slug, head).encode()):
        return None
    return now.timestamp() - int(head.partition(".")[0])


def code_of(key: bytes, ticket: str, number: int = 0) -> str:
    """The query code of the letter written on this ticket: ten digits. ``number``: the next one, should it be taken."""
    made = hmac.new(key, f"code|{ticket}|{number}".encode(), "sha256").digest()
    return str(int.from_bytes(made[:16]) % 10**CODE_DIGITS).zfill(CODE_DIGITS)


def digest(key: bytes, what: str, text: str) -> str:
    """What is kept of a ticket, a code, an address: enough to find it again, worthless without our key."""
    return hmac.new(key, f"{what}|{text}".encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def _sign(key: bytes, *parts: str) -> str:
    return hmac.new(key, "|".join(parts).encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:40]
