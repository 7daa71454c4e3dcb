"""Words of mail as text, whatever the sender's program thought their encoding was called."""

from __future__ import annotations

from email.errors import MessageError
from email.header import decode_header
from email.message import Message

from charset_normalizer import from_bytes

from connectors.text import clean, one_line

# What old programs call gb2312 holds characters that only its superset has.
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "cp936": "gb18030", "x-gbk": "gb18030"}
_GUESSES = ("utf-8", "gb18030")


def decoded(data: bytes, charset: str | None = None) -> str:
    """``data`` as text: in ``charset`` if it fits, else UTF-8, GB18030, a guess; what cannot be read is marked lost."""
    named = (charset or "").strip().strip("\"'").lower()
    for name in (_SUPERSETS.get(named, named), *_GUESSES):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    best = from_bytes(data[:100_000]).best()
    return data.decode(best.encoding if best else "utf-8", "replace")


def header(message: Message, name: str) -> str:
    """A header's words on one line, "" when it is missing."""
    return next(map(words, raw(message, name)), "")


def raw(message: Message, name: str) -> list[str]:
    """Every header of this name as it came, its bytes beyond ASCII as surrogates (``get`` would lose them)."""
    return [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]


def words(text: str) -> str:
    """RFC 2047 words, and the bare 8-bit bytes some programs send in their place, as one line of text."""
    if any("\udc80" <= char <= "\udcff" for char in text):
        return one_line(decoded(text.encode("ascii", "surrogateescape")))
    try:
        parts = decode_header(text.replace("\r", "").replace("\n", ""))
    except (ValueError, LookupError, MessageError):
        return one_line(text)
    return one_line("".join(decoded(part, name) if isinstance(part, bytes) else part for part, name in parts))


def body(part: Message) -> str:
    """The text of one text part."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    return clean(decoded(payload, part.get_content_charset()))
