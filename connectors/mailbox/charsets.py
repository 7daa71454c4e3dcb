"""Words of mail as text, whatever the sender's program thought their encoding was called."""

from __future__ import annotations

import codecs
import re
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from typing import Any

from charset_normalizer import from_bytes

from connectors.text import clean, one_line

# What old programs call gb2312 holds characters that only its superset has.
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030"}
_GUESSES = ("utf-8", "gb18030")
# Names of the codecs that languages are written in. Others (punycode, idna, escapes) are none of mail's, and punycode
# takes ten seconds for 640 KB.
_OF_MAIL = re.compile(r"(?:ascii|utf|iso8859|iso2022|cp|koi8|mac|gb|hz|big5|euc|shift_jis|johab|tis)")
LONGEST_NAME = 40


def opened(data: bytes) -> Message:
    """A mail (RFC 5322 bytes), in which no name of an encoding but mail's own is believed."""
    return message_from_bytes(data, _Mail)


class _Mail(Message):
    """The library decodes boundaries, file names and texts by whatever encoding a mail names; not here."""

    def get_param(self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True) -> Any:
        found = super().get_param(param, failobj, header, unquote)
        if isinstance(found, tuple):
            found = decoded(found[2].encode("raw-unicode-escape"), found[0])
        return failobj if param == "charset" and isinstance(found, str) and not _codec(found) else found


def decoded(data: bytes, charset: str | None = None) -> str:
    """``data`` as text: in ``charset`` if it fits, else UTF-8, GB18030, a guess; what cannot be read is marked lost."""
    named = _codec(charset or "")
    for name in (named, *_GUESSES) if named else _GUESSES:
        try:
            return data.decode(name)
        except ValueError:
            continue
    best = from_bytes(data[:100_000]).best()
    return data.decode(best.encoding if best else "utf-8", "replace")


def _codec(charset: str) -> str:
    """What the library calls an encoding of mail, or its superset; "" for every other."""
    named = charset.strip().strip("\"'").lower()
    if named in _SUPERSETS:
        return _SUPERSETS[named]
    try:
        name = codecs.lookup(named).name if len(named) <= LONGEST_NAME else ""
    except (LookupError, ValueError):
        return ""
    return _SUPERSETS.get(name, name) if _OF_MAIL.match(name) else ""


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
