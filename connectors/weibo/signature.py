"""The signature of a push: SHA-1 over the sorted app secret, timestamp and nonce (Weibo's fan-service platform)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

# Clocks of offices are off by minutes, and a push refused is a message lost; what comes twice is stored once anyway.
OLDEST_SECONDS = 900.0


def sign(app_secret: str, timestamp: str, nonce: str) -> str:
    """The signature as lower-case hex."""
    joined = "".join(sorted((app_secret, timestamp, nonce)))
    return hashlib.sha1(joined.encode("utf-8", "replace")).hexdigest()  # noqa: S324  the platform's own scheme


def reason_against(query: Mapping[str, str], app_secret: str, now: datetime, oldest: float = OLDEST_SECONDS) -> str:
    """Why a push is not genuine (Chinese), or "". Older or newer than ``oldest`` seconds is refused: a caught address
    must not work for ever."""
    if not app_secret:
        return "账号没有设置应用密钥，无法核对推送签名"
    timestamp = query.get("timestamp", "")
    wanted = sign(app_secret, timestamp, query.get("nonce", ""))
    if not hmac.compare_digest(wanted.encode(), query.get("signature", "").encode("utf-8", "replace")):
        return "推送签名不正确"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return "推送时间戳不正确"
    if abs(now.timestamp() - int(timestamp)) > oldest:
        return f"推送时间戳与本机时间相差超过 {int(oldest // 60)} 分钟，请管理员校准服务器时钟"
    return ""
