"""Encryption of pushes. The cipher is wechatpy's; it is loaded when the first encrypted push comes."""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
from collections.abc import Mapping
from typing import Any

from connectors.signature import sign

RANDOM_BYTES = 16


class Unreadable(Exception):
    """What was encrypted cannot be opened with this key; the text says why (Chinese)."""


class Foreign(Unreadable):
    """It was encrypted for another account."""


def key_of(aes_key: str) -> bytes:
    """The 32 bytes behind an EncodingAESKey of 43 characters; :class:`Unreadable` for anything else."""
    try:
        key = base64.b64decode(aes_key.strip() + "=", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise Unreadable("消息加解密密钥不正确，应为公众平台给出的 43 个字符")
    return key


def decrypt(encrypted: str, aes_key: str, app_id: str) -> str:
    """The XML in ``Encrypt``; :class:`Foreign` when it is for another account, else :class:`Unreadable`."""
    from wechatpy.exceptions import InvalidAppIdException

    cipher = _cipher(key_of(aes_key))
    try:
        text: str = cipher.decrypt(encrypted, app_id)
    except InvalidAppIdException:
        raise Foreign("推送属于另一个公众号") from None
    except (ValueError, IndexError, struct.error, binascii.Error, UnicodeError):
        raise Unreadable("推送解密失败，请核对消息加解密密钥") from None
    return text


def encrypt(xml: str, aes_key: str, app_id: str) -> str:
    """``xml`` as the text of ``Encrypt``."""
    made: bytes = _cipher(key_of(aes_key)).encrypt(xml, app_id)
    return made.decode("ascii")


def sealed(xml: str, secret: Mapping[str, str], app_id: str, timestamp: str) -> str:
    """The envelope of an encrypted passive answer; ``secret`` holds ``token`` and ``aes_key``."""
    nonce, inner = secrets.token_hex(8), encrypt(xml, secret["aes_key"], app_id)
    signature = sign(secret["token"], timestamp, nonce, inner)
    return (
        f"<xml><Encrypt><![CDATA[{inner}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )


def _cipher(key: bytes) -> Any:
    from wechatpy.crypto import PrpCrypto

    class Cipher(PrpCrypto):  # type: ignore[misc]
        """wechatpy's, with random bytes nobody can guess: they are all that stands for a fresh IV."""

        def get_random_string(self) -> bytes:
            return secrets.token_bytes(RANDOM_BYTES)

    return Cipher(key)
