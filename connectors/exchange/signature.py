"""The signature of both directions: HMAC-SHA256 over ``timestamp + "." + body``, the key's number beside it. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime

KEY, TIMESTAMP, SIGNATURE = "x-exchange-key", "x-exchange-timestamp", "x-exchange-signature"
# How far the clocks of both sides may be apart.
OLDEST = 300
SHORTEST_KEY = 16


def signed(key_id: str, key: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of a request with this body."""
    at = str(int(now.timestamp()))
    return {KEY: key_id, TIMESTAMP: at, SIGNATURE: _sign(key, at, body)}


def reason_against(headers: Mapping[str, str], key_id: str, key: str, body: bytes, now: datetime) -> str:
    """Why a request is not believed (Chinese), or "" when it is genuine. ``headers`` by small names."""
    at, sent = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "").lower()
    if len(key) < SHORTEST_KEY:
        return "没有设置签名密钥"
    if headers.get(KEY, "") != key_id:
        return "密钥编号不对"
    if not (at.isascii() and at.isdigit() and len(at) < 12) or abs(now.timestamp() - int(at)) > OLDEST:
        return "时间戳缺失，或与本机时间相差超过 5 分钟"
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), _sign(key, at, body).encode()):
        return "签名不对"
    return ""


def _sign(key: str, at: str, body: bytes) -> str:
    return hmac.new(key.encode(), at.encode() + b"." + body, "sha256").hexdigest()
