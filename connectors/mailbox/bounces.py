"""Reports of mail that did not arrive (RFC 3464), read for one thing: which of our answers it was, and why. Pure."""

from __future__ import annotations

import re
from email.message import Message

from connectors.arriving import Notice, NoticeKind
from connectors.mailbox.charsets import header, opened, words

_ID = re.compile(r"^Message-ID:\s*<([^<>\s]{1,180})>", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"^(Action|Status|Diagnostic-Code):[ \t]*(.{1,300})$", re.IGNORECASE | re.MULTILINE)
# Lines of a status report that is looked at: longer ones are no reports.
LONGEST = 50_000


def bounce_of(data: bytes) -> Notice | None:
    """The notice in a delivery report that says an answer failed for good; None for every other mail.

    ``about`` is the Message-ID of the answer. Delayed deliveries are no failures yet.
    """
    try:
        message = opened(data)
        if message.get_content_type() != "multipart/report":
            return None
        fields, original = _status(message), _original(message)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if fields.get("action", "").strip().lower() != "failed" or not original:
        return None
    why = words(fields.get("diagnostic-code", "").partition(";")[2] or fields.get("status", ""))
    return Notice(NoticeKind.bounced, original, why[:300] or header(message, "Subject")[:300])


def _status(message: Message) -> dict[str, str]:
    text = "\n".join(_inside(part) for part in message.walk() if part.get_content_type() == "message/delivery-status")
    return {name.lower(): value for name, value in reversed(_FIELD.findall(text[:LONGEST]))}


def _inside(part: Message) -> str:
    inner = part.get_payload()
    return "\n".join(str(one) for one in inner) if isinstance(inner, list) else str(inner)


def _original(message: Message) -> str:
    """The Message-ID of the mail that came back, from its returned head."""
    for part in message.walk():
        if part.get_content_type() in ("text/rfc822-headers", "message/rfc822"):
            found = _ID.search(_inside(part)[:LONGEST])
            if found:
                return found.group(1)
    return ""
