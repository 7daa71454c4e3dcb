"""Where platforms deliver pushes: a path per account that nobody can guess."""

from __future__ import annotations

import hmac

from hub.settings import Settings


def push_path(settings: Settings, account_id: int) -> str:
    """Where the platform delivers pushes for this account: a path nobody can guess, the same as long as the key is."""
    return _path(settings.key, account_id)


def _path(key: bytes, account_id: int) -> str:
    mark = hmac.new(key, f"push/{account_id}".encode(), "sha256").hexdigest()[:32]
    return f"/hooks/{account_id}/{mark}"


def is_push_path(settings: Settings, path: str, account_id: int) -> bool:
    """Whether a push came to the account's own path; paths of earlier keys hold as long as those keys are known."""
    known = [_path(key, account_id) for key in settings.keys]
    return any(hmac.compare_digest(one.encode(), path.encode()) for one in known)
