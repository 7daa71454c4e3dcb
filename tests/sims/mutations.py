"""Genuine payloads, spoilt: values swapped for odd ones, fields gone or doubled, bytes cut, repeated and spliced."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 2**63, -(2**64), 10**30, 1e308, float("nan"), float("inf"), "", " ", "\x00", "\ud800",
    "0", "-1", "²", "９９", "1e5", "9" * 30, "9" * 4500, [], {}, [[]], [None], {"a": {}}, {"id": {}}, ["x"] * 50,
    "0000-00-00T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-02-30", 253402300800,
    "Wed Feb 30 23:49:17 +0800 2012", "Wed Oct 24 23:49:17 +9999 2012", "Fri, 01 Jan 0001 00:00:00 +2359", "今天",
    "http://[", "http://[::1", "https://x:99999/", "javascript:alert(1)", "//", "\u202e", "x" * 5000, "<p>", "&#xD800;",
    "＝", "=cmd|' /C calc'!A0", "\r\n\r\n", "a\u2028b",
)  # fmt: skip
BITS: tuple[bytes, ...] = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"{", b"}", b"[", b"]", b'"', b"\\", b"<", b">", b"&", b"&#0;",
    b"&#xD800;", b"&amp", b"&lol;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml version='1.0' encoding='utf-7'?>",
    b'<!DOCTYPE x [<!ENTITY lol "lol">]>', b'<!DOCTYPE x SYSTEM "file:///etc/passwd">', b"</", b"<a>" * 300,
    b"[" * 3000, b"\r\n", b"\n\n", b"\r\n\r\n", b"\t", b";", b":", b"=", b"--", b"%", b"%00", b"\\u0000", b"\\ud800",
    b"NaN", b"1e999", b"-", b"9" * 400, b"=?gb2312?B?", b"=?utf-8?Q?=FF=00?=", b"=?x?B?", b"charset=gb18030;",
    b"charset=idna;", b"charset=zlib;", b"charset=\x00;", b"boundary=", b"Content-Type: multipart/mixed\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"filename*=utf-8''%FF", b"filename*=x'y'z;", b"Date: \r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    "\u202e𠮷\U0001f600".encode(), "\udcff".encode("utf-8", "surrogatepass"),
)  # fmt: skip


def spoilt(chance: random.Random, genuine: bytes) -> bytes:
    """``genuine`` with one to four things wrong; as JSON where it is JSON, three times of four."""
    if chance.random() < 0.75:
        try:
            return json.dumps(spoilt_value(chance, json.loads(genuine))).encode("utf-8", "surrogatepass")
        except ValueError:
            pass
    return spoilt_bytes(chance, genuine)


def spoilt_value(chance: random.Random, genuine: Any) -> Any:
    """A JSON value with one to four things wrong, wherever they lie."""
    whole = [copy.deepcopy(genuine)]
    for _ in range(chance.randint(1, 4)):
        places = list(_places(whole))
        holder, key = chance.choice(places)
        chance.choice(_CHANGES)(chance, holder, key)
        if not whole:
            return chance.choice(ODD)
    return whole[0]


def _places(value: Any, depth: int = 0) -> list[tuple[Any, Any]]:
    keys: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list) and depth < 12:
            found += _places(value[key], depth + 1)
    return found or [(value, None)]


def _odd(chance: random.Random, holder: Any, key: Any) -> None:
    _put(holder, key, copy.deepcopy(chance.choice(ODD)))


def _gone(chance: random.Random, holder: Any, key: Any) -> None:
    if key is not None and key in (holder if isinstance(holder, dict) else range(len(holder))):
        del holder[key]


def _as_text(chance: random.Random, holder: Any, key: Any) -> None:
    """A number as text, a text as number, a thing as its list, a list as its first."""
    if key is None:
        return
    value = holder[key]
    if isinstance(value, str):
        changed: Any = int(value) if value.isascii() and value.isdigit() and len(value) < 4000 else [value]
    else:
        changed = value[0] if isinstance(value, list) and value else str(value)[:5000]
    _put(holder, key, changed)


def _twice(chance: random.Random, holder: Any, key: Any) -> None:
    if isinstance(holder, list) and holder:
        holder.append(copy.deepcopy(chance.choice(holder)))


def _swapped(chance: random.Random, holder: Any, key: Any) -> None:
    """The value of another field in this one's place."""
    if isinstance(holder, dict) and holder:
        _put(holder, key, copy.deepcopy(holder[chance.choice(list(holder))]))


def _torn(chance: random.Random, holder: Any, key: Any) -> None:
    """A text with bits in it."""
    if key is not None and isinstance(holder[key], str):
        text: str = holder[key]
        place = chance.randint(0, len(text))
        bit = chance.choice(BITS).decode("utf-8", "surrogateescape")
        _put(holder, key, text[:place] + bit + text[place + chance.randint(0, 3) :])


def _put(holder: Any, key: Any, value: Any) -> None:
    if key is not None:
        holder[key] = value


_CHANGES: tuple[Callable[[random.Random, Any, Any], None], ...] = (
    _odd, _odd, _odd, _gone, _as_text, _twice, _swapped, _torn, _torn,
)  # fmt: skip


def spoilt_bytes(chance: random.Random, genuine: bytes) -> bytes:
    """Bytes with one to four cuts, repeats, flips or splices."""
    body = bytearray(genuine)
    for _ in range(chance.randint(1, 4)):
        place, length = chance.randint(0, len(body)), chance.randint(0, 30)
        match chance.randint(0, 5):
            case 0:
                del body[place : place + length]
            case 1:
                body[place:place] = body[place : place + length * 4] * chance.randint(1, 5)
            case 2 if place < len(body):
                body[place] ^= 1 << chance.randint(0, 7)
            case 3:
                del body[place:]
            case _:
                body[place : place + chance.randint(0, 3)] = chance.choice(BITS)
    return bytes(body)
