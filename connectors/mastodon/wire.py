"""One call to a server with the Mastodon client API: counted before it is made, the count set right by its headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.base import AccountRef, Attachment
from connectors.budget import Standing, Window
from connectors.http import Answer, Http, retry_at
from connectors.mastodon.errors import error_of
from connectors.moments import moment_of
from connectors.videos import PIECE_SECONDS, Multipart

ALL = "all"
# What the documentation allows an account; servers may be set otherwise and say so in every answer.
CALLS, SPAN = 300, timedelta(minutes=5)
# The answer whose headers are always kept: a check, and rare.
ME = "/api/v1/accounts/verify_credentials"
# Clocks tick over between the server's two stamps.
_SLACK = timedelta(seconds=5)


def windows() -> tuple[Window, ...]:
    """The budget of an account."""
    return (Window(ALL, CALLS, SPAN),)


class Wire:
    """Calls for one connector; stateless."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def call(
        self,
        account: AccountRef,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        form: Mapping[str, Any] | None = None,
        files: Sequence[tuple[str, Attachment]] = (),
        key: str = "",
        body: Multipart | None = None,
    ) -> Any:
        """The body as JSON; everything but a success is a :class:`connectors.base.ConnectorError`."""
        headers = {"Accept": "application/json"}
        if token := account.secrets.get("token", "").strip():
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = body.content_type
        await self._http.meter.take(account, windows(), ALL)
        answer = await self._http.call(
            method,
            account.base_url.rstrip("/") + path,
            params=params or None,
            form=form,
            files=files,
            content=body,
            headers=headers,
            write=method != "GET",
            seconds=PIECE_SECONDS if body is not None else None,
        )
        # Posts, deletions and uploads have limits of their own, and their headers tell of those.
        if method == "GET" and (told := standing(answer, self._http.clock())) and _matters(told, path):
            await self._http.meter.learn(account, [told])
        if error := error_of(answer, self._http.clock(), account.secrets.values()):
            raise error
        return answer.json()


def standing(answer: Answer, now: datetime) -> Standing | None:
    """What the headers say of the window; None where they say nothing, or speak of a longer one."""
    left, most = _whole(answer.headers.get("x-ratelimit-remaining")), _whole(answer.headers.get("x-ratelimit-limit"))
    if left is None or not most:
        return None
    # Their clock may be minutes off ours: the time that is left is told by their own two stamps.
    theirs = moment_of(answer.headers.get("date", "")) or now
    reset = retry_at({"x-ratelimit-reset": answer.headers.get("x-ratelimit-reset", "")}, theirs)
    if reset is None or reset - theirs > SPAN + _SLACK:
        return None
    return Standing(ALL, SPAN, left=left, most=most, resets_at=now + min(reset - theirs, SPAN))


def _matters(told: Standing, path: str) -> bool:
    """Whether it is worth a writing: our own count is right as long as nobody else calls for the account."""
    return path == ME or told.left * 2 < (told.most or CALLS)


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None
