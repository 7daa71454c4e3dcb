"""Mail that says an answer did not arrive, as a report (RFC 3464) or in words, read for one thing: which of our answers
it was, and why. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.utils import getaddresses

from connectors.arriving import Notice, NoticeKind
from connectors.mailbox.charsets import body, header, opened, raw, words
from connectors.markup import plain

_ID = re.compile(r"^Message-ID:\s*<([^<>\s]{1,180})>", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"^(Action|Status|Diagnostic-Code):[ \t]*(.{1,300})$", re.IGNORECASE | re.MULTILINE)
# Who says so where it is not said in a report, and in which words; and words of those that are no bounce (yet).
_MACHINES = frozenset({"mailer-daemon", "postmaster"})
_FAILED = re.compile(
    r"undeliver|returned (?:mail|to sender)|failure notice|mail delivery failed|delivery (?:has )?fail|"
    r"delivery status notification \(failure\)|could not be delivered|"
    r"退信|退回|投递失败|发送失败|无法投递|无法送达|未送达",
    re.IGNORECASE,
)
_NOT_YET = re.compile(
    r"\bdelay|\bwarning\b|will (?:be )?retr|still being retried|延迟|延误|稍后重试|继续尝试", re.IGNORECASE
)
# What the other server answered, as programs quote it.
_SAID = re.compile(r"(?<![\d.])5\d\d[ -](?:#?5\.\d{1,3}\.\d{1,3}\s)?[^\r\n]{3,280}")
# The part before the @ of our own ids: see :func:`connectors.mailbox.sending.own_id`.
_KEY = r"(?<![0-9A-Za-z])([0-9a-f]{32})@%s(?![0-9A-Za-z_.-]*[0-9A-Za-z])"
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


def plain_bounce_of(data: bytes, domain: str) -> Notice | None:
    """The notice in a mail that is no report but says in words that an answer of ours came back; None for every other.

    Only where all of it holds: a machine of mail wrote it, its subject says that it failed and not that it is late, and
    exactly one id that only we give (``domain``: what stands behind its @) is among its references or in it.
    """
    try:
        message = opened(data)
        if message.get_content_type() == "multipart/report" or not _is_from_machine(message):
            return None
        subject, said = header(message, "Subject"), "\n".join(_texts(message))
        known = re.compile(_KEY % re.escape(domain), re.IGNORECASE)
        ours = {key.lower() for key in known.findall("\n".join((*_references(message), said)))}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if len(ours) != 1 or not _FAILED.search(subject) or _NOT_YET.search(subject):
        return None
    told = _SAID.search(said)
    return Notice(NoticeKind.bounced, f"{ours.pop()}@{domain}", words(told.group())[:300] if told else subject[:300])


def _is_from_machine(message: Message) -> bool:
    senders = [address for _name, address in getaddresses(raw(message, "From")) if address]
    return len(senders) == 1 and senders[0].partition("@")[0].lower() in _MACHINES


def _references(message: Message) -> Iterator[str]:
    for name in ("References", "In-Reply-To"):
        yield from (value[:LONGEST] for value in raw(message, name))


def _texts(message: Message) -> Iterator[str]:
    """The words of it, and the heads of mails inside it, as far as is looked."""
    left = LONGEST
    for part in message.walk():
        kind = part.get_content_type()
        said = _inside(part) if kind == "message/rfc822" else body(part) if kind.startswith("text/") else ""
        said = plain(said) if kind == "text/html" else said
        yield said[:left]
        left -= len(said[:left])


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
