"""One mail as a stored item, and a stored item as a citizen's letter. Pure.

The item holds what the hub works with: addresses, subject, text, references, attachments. The mail itself stays in the
mailbox; of a very large one only the beginning is here, and its attachments are no more than named.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from connectors.base import Attached, Author, Inbound, Kind, Media, RawItem, Unparsable, attached
from connectors.mailbox.charsets import body, header, opened, raw, words
from connectors.markup import plain
from connectors.text import as_payload, clean, one_line

LONGEST_TEXT = 100_000
MOST_PARTS, MOST_FILES = 200, 50
# How far the sender's clock may be from the server's before it is not believed.
EARLIEST, LATEST = timedelta(days=30), timedelta(hours=1)
# An id goes back into headers: only what may stand there.
_ID = re.compile(r"<([!-;=?-~]{1,180})>")
# Where programs begin to quote the mail that is answered.
_QUOTE = re.compile(
    r"^(?:-{2,}\s*(?:原始邮件|原邮件|回复的原邮件|转发的邮件|Original Message|Forwarded message)\s*-{2,}|_{20,}"
    r"|(?:发件人|From)[:：].{1,200}\n(?:.{0,200}\n)?(?:发送时间|日期|时间|Sent|Date)[:：]"
    r"|On .{6,200} wrote:|(?:在|于) ?.{6,120}写道[:：]|>.*)\s*",
    re.MULTILINE,
)


def item_of(data: bytes, arrived: datetime, *, truncated: bool = False) -> RawItem:
    """A mail (RFC 5322 bytes) as an item to store; what cannot be read at all is stored as it came, for quarantine.

    ``arrived`` (aware): when the server got it.
    """
    try:
        read, files = _read(opened(data), truncated)
        read |= {"arrived": arrived.astimezone(UTC).isoformat()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        read, files = {"unreadable": data[:LONGEST_TEXT].decode("utf-8", "backslashreplace")}, []
    return RawItem(Kind.letter, _external_id(read), as_payload(read), tuple(files))


def _external_id(read: Mapping[str, Any]) -> str:
    """The mail's own id with a digest of what it says: an id that somebody uses twice hides no second letter."""
    said = json.dumps([read.get(name) for name in ("message_id", "from", "subject", "text", "unreadable")])
    digest = hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:24]
    return f"{read.get('message_id') or 'sha256'}#{digest}"


def message_id_of(external_id: str) -> str:
    """The Message-ID (without angle brackets) inside an item's id; "" where the mail had none."""
    found = external_id.rpartition("#")[0]
    return "" if found == "sha256" else found


def _read(message: Message, truncated: bool) -> tuple[dict[str, Any], list[Attached]]:
    senders = _addresses(message, "From") or _addresses(message, "Sender")
    name, address = senders[0] if senders else ("", "")
    text, files = _content(message)
    listed = [{"name": file.name, "bytes": len(file.data)} for file in files]
    read = {
        "message_id": _first_id(message, "Message-ID"), "from": address, "from_name": name,
        "reply_to": next((found for _, found in _addresses(message, "Reply-To")), ""),
        "subject": header(message, "Subject")[:300], "date": header(message, "Date"), "text": text[:LONGEST_TEXT],
        "references": [*_ids(message, "References"), *_ids(message, "In-Reply-To")][:50], "files": listed,
        "automatic": automatic(message), "truncated": truncated or len(text) > LONGEST_TEXT,
    }  # fmt: skip
    return read, [] if truncated else files


def _addresses(message: Message, name: str) -> list[tuple[str, str]]:
    """(name, address) of a header; only what can be written to."""
    values = raw(message, name)
    found = getaddresses([value.encode("ascii", "surrogateescape").decode("ascii", "ignore") for value in values])
    names = [words(value.rpartition("<")[0].strip().strip('"')) for value in values]
    whole = [(words(label) or (names[0] if names else ""), address) for label, address in found]
    return [(label[:100], address[:254]) for label, address in whole if re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address)]


def _ids(message: Message, name: str) -> list[str]:
    return [found for value in raw(message, name) for found in _ID.findall(value)]


def _first_id(message: Message, name: str) -> str:
    return next(iter(_ids(message, name)), "")


def automatic(message: Message) -> str:
    """Why a machine wrote this mail (nothing may ever answer it by itself); "" for a person's."""
    if header(message, "Auto-Submitted").partition(";")[0].strip().lower() not in ("", "no"):
        return "auto-submitted"
    if header(message, "Precedence").lower() in ("bulk", "list", "junk", "auto_reply"):
        return "precedence"
    if any(message.get(name) for name in ("List-Id", "List-Unsubscribe", "X-Autoreply", "X-Autorespond")):
        return "list"
    if header(message, "Return-Path") == "<>" or message.get_content_type() == "multipart/report":
        return "report"
    return ""


def leaves(message: Message) -> Iterator[Message]:
    """Parts that hold something, outermost first; neither deep nor wide nestings keep us busy."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        inside = part.get_payload()
        if part.is_multipart() and isinstance(inside, list):
            waiting.extend(one for one in inside if isinstance(one, Message))
        else:
            yield part


def _content(message: Message) -> tuple[str, list[Attached]]:
    """What the mail says, plain text before HTML, and what is attached to it."""
    texts: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    files = []
    for part in leaves(message):
        kind, name = part.get_content_type(), words(str(part.get_filename() or ""))
        if kind in texts and not name and part.get_content_disposition() != "attachment":
            texts[kind].append(body(part))
        elif name or part.get_content_maintype() != "text":
            data = part.get_payload(decode=True)
            files.append(Attached(name or kind, data if isinstance(data, bytes) else b""))
    own = "\n".join(texts["text/plain"]).strip()
    return own or plain("\n".join(texts["text/html"])), files[:MOST_FILES]


def inbound(item: RawItem, own_address: str) -> Inbound:
    """Understand a stored mail; raises :class:`Unparsable`."""
    try:
        read = json.loads(item.payload)
    except (ValueError, RecursionError):
        raise Unparsable("内容不是邮件记录") from None
    if not isinstance(read, dict) or "unreadable" in read:
        raise Unparsable("邮件的格式无法识别")
    try:
        return _understood(read, item, own_address)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise Unparsable("邮件记录不完整") from None


def _understood(read: Mapping[str, Any], item: RawItem, own_address: str) -> Inbound:
    address = one_line(read["from"]).lower()
    if not address:
        raise Unparsable("邮件没有发件人地址")
    text, quoted = split(clean(read["text"]).strip())
    files = [
        Media("file", attached(number), f"{one_line(file['name'])}（{file['bytes'] // 1024 or 1} KB）")
        for number, file in enumerate(read["files"])
    ]
    references = [one_line(str(one)) for one in read["references"]]
    return Inbound(
        kind=Kind.letter,
        external_id=item.external_id,
        text=text or one_line(read["subject"]) or "（邮件没有正文）",
        title=one_line(read["subject"]),
        author=Author(one_line(read["reply_to"]).lower() or address, one_line(read["from_name"]) or address),
        created_at=_moment(read["date"], read["arrived"]),
        thread_id=references[0] if references else one_line(str(read["message_id"])),
        parent_id=references[-1] if references else "",
        media=tuple(files),
        is_own=address == own_address.lower(),
        extra={"quoted": quoted, "automatic": str(read["automatic"]), "truncated": bool(read["truncated"])},
    )


def split(text: str) -> tuple[str, str]:
    """What is said now, and the quoted mail below it (where a mail is nothing but a quotation, it is what is said)."""
    found = _QUOTE.search(text)
    if found is None or not text[: found.start()].strip():
        return text, ""
    return text[: found.start()].strip(), text[found.start() :].strip()


def _moment(written: str, arrived: str) -> datetime:
    """When it was written, if the sender's clock is believable, else when it arrived. A missing zone is UTC."""
    came = datetime.fromisoformat(arrived)
    if came.tzinfo is None:
        raise ValueError(arrived)
    try:
        at = parsedate_to_datetime(written)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return came
    return at if came - EARLIEST <= at <= came + LATEST else came
