"""How every call to Bilibili's open platform is signed.

After open.bilibili.com › 接口签名实现标准和状态码, and the platform's own demo (github:
bilibili-openplatform/SignatureAlgorithm_DotnetDemo): the six ``x-bili-`` headers, sorted, as ``name:value`` lines,
HMAC-SHA256 with the app secret. The MD5 is that of the body without files; of a GET and of ``multipart/form-data``,
that of nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

PREFIX = "x-bili-"


def digest(secret: str, headers: Mapping[str, str]) -> str:
    """The signature over the ``x-bili-`` headers, hex in lower case."""
    lines = (f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith(PREFIX))
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def signed(key: str, secret: str, token: str, now: datetime, body: bytes = b"") -> dict[str, str]:
    """The headers of one call."""
    headers = {
        "x-bili-accesskeyid": key,
        "x-bili-content-md5": hashlib.md5(body, usedforsecurity=False).hexdigest(),
        "x-bili-signature-method": "HMAC-SHA256",
        "x-bili-signature-nonce": secrets.token_hex(16),
        "x-bili-signature-version": "2.0",
        "x-bili-timestamp": str(int(now.timestamp())),
    }
    return {**headers, "Authorization": digest(secret, headers), "access-token": token, "Accept": "application/json"}
