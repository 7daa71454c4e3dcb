"""Secrets at rest, password hashes, tokens and digests."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_hasher = PasswordHasher()


# Verified against when the user name is unknown, so that timing does not tell names apart.
@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash("nobody-signs-in-with-this")


def hash_password(password: str) -> str:
    """Argon2id hash in PHC form."""
    return _hasher.hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Whether the password is right; takes the same time for an unknown user (``stored`` None)."""
    try:
        return _hasher.verify(stored or _nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def new_token() -> str:
    """256 random bits, url-safe."""
    return secrets.token_urlsafe(32)


def digest(text: str) -> str:
    """SHA-256 hex of UTF-8 text: for tokens at rest and content identity."""
    return hashlib.sha256(text.encode()).hexdigest()


class Vault:
    """Encrypts small mappings of secrets. ``keys``: newest first; older ones still decrypt (rotation)."""

    def __init__(self, *keys: bytes) -> None:
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key).digest())) for key in keys])

    def seal(self, values: Mapping[str, str]) -> str:
        """Encrypted text of the mapping; empty mapping → empty text."""
        return self._fernet.encrypt(json.dumps(dict(values)).encode()).decode() if values else ""

    def renew(self, sealed: str) -> str:
        """The same mapping under the newest key; ValueError when no key of ours opens it."""
        if not sealed:
            return ""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise ValueError("sealed with another key") from None

    def open(self, sealed: str) -> dict[str, str]:
        """The mapping; ValueError when the key is not the one it was sealed with."""
        if not sealed:
            return {}
        try:
            values: dict[str, str] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise ValueError("sealed with another key") from None
        return values
