"""Where platforms deliver pushes: a path per account that nobody can guess."""

from __future__ import annotations

import hmac

from hub.settings import Settings


def push_path(settings: Settings, account_id: int) -> str:
    """Where the platform delivers pushes for this account: a path nobody can guess, the same for ever."""
    key = hmac.new(settings.key, f"push/{account_id}".encode(), "sha256").hexdigest()[:32]
    return f"/hooks/{account_id}/{key}"


def is_push_path(settings: Settings, path: str, account_id: int) -> bool:
    """Whether a push came to the account's own path."""
    return hmac.compare_digest(push_path(settings, account_id).encode(), path.encode())
