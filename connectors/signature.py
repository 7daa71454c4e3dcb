"""Signatures of pushes: on WeChat and Weibo SHA-1 over the sorted secret, timestamp and nonce; elsewhere one header."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.base import Reject

# Clocks of offices are off by minutes, and a push refused is a message lost; what comes twice is stored once anyway.
OLDEST_SECONDS = 900.0
LARGEST = 256 * 1024


def sign(*parts: str) -> str:
    """The signature as lower-case hex."""
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "replace")).hexdigest()  # noqa: S324  their own scheme


def is_signed(signature: str, *parts: str) -> bool:
    """Whether ``signature`` is that of ``parts``."""
    return hmac.compare_digest(sign(*parts).encode(), signature.encode("utf-8", "replace"))


def reason_against(
    query: Mapping[str, str], secret: str, now: datetime, *, no_secret: str, oldest: float = OLDEST_SECONDS
) -> str:
    """Why a push is not genuine (Chinese), or "". Older or newer than ``oldest`` seconds is refused: a caught address
    must not work for ever. ``no_secret``: what to say where none is set.
    """
    if not secret:
        return no_secret
    timestamp = query.get("timestamp", "")
    if not is_signed(query.get("signature", ""), secret, timestamp, query.get("nonce", "")):
        return "推送签名不正确"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return "推送时间戳不正确"
    if abs(now.timestamp() - int(timestamp)) > oldest:
        return f"推送时间戳与本机时间相差超过 {int(oldest // 60)} 分钟，请管理员校准服务器时钟"
    return ""


def proof_of(query: Mapping[str, str]) -> str:
    """What such a signature was made of besides the secret; the content of the push is no part of it."""
    return f"{query.get('timestamp', '')}:{query.get('nonce', '')}"


def signed_object(
    method: str, headers: Mapping[str, str], body: bytes, secret: str, *, header: str,
    sign: Callable[[str, bytes], str], only_post: str, unset: str,
) -> Mapping[str, Any] | Reject:  # fmt: skip
    """The JSON object of a push whose ``header`` (lower case) is the hex that ``sign`` makes of secret and raw body, or
    why it is none. ``only_post``, ``unset``: what to say of another method, and where no secret is set.
    """
    if method != "POST":
        return Reject(405, only_post)
    if len(body) > LARGEST:
        return Reject(413, "推送内容过大")
    if not secret:
        return Reject(403, unset)
    given = {name.lower(): value for name, value in headers.items()}.get(header, "")
    if not hmac.compare_digest(given.strip().lower().encode("utf-8", "replace"), sign(secret, body).encode()):
        return Reject(403, "推送签名不正确")
    try:
        push = json.loads(body)
    except (ValueError, RecursionError):
        push = None
    return push if isinstance(push, Mapping) else Reject(400, "推送不是约定的 JSON")
