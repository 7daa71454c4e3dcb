"""One call to the platform: the token in the address, raw UTF-8 in the body, ``errcode`` in the answer.

The token stands in the query, so that no address may ever be shown or logged: what leaves here are the platform's
answer and :class:`ConnectorError`, whose texts are scrubbed of every secret.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.base import AccountRef, Attachment, ConnectorError, Effect, ErrorKind
from connectors.bodies import body_of
from connectors.budget import Scope, Standing, Window
from connectors.http import Http
from connectors.wechat.errors import TOKEN, code_of, error_of, next_day

HOME = "https://api.weixin.qq.com"
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
# Class of calls, how many, in which span: what a new account is allowed; its back office shows what it has by now.
QUOTAS: tuple[tuple[str, int, timedelta], ...] = (
    ("token", 10_000, MINUTE),
    ("message", 500_000, DAY),
    ("media", 5_000, DAY),
    ("mass", 100, DAY),
    ("mass", 60, MINUTE),
)


def windows() -> tuple[Window, ...]:
    """The budgets of an app; an office that has been granted more says so among the account's options."""
    return tuple(Window(calls, most, per, Scope.app) for calls, most, per in QUOTAS)


class Wire:
    """Calls the platform for one account at a time; stateless."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def now(self) -> datetime:
        """The present moment."""
        return self._http.clock()

    async def token(self, account: AccountRef) -> tuple[str, datetime]:
        """The access token in force and until when it lives. Asking again gives the same one until it is renewed."""
        wanted = {
            "grant_type": "client_credential",
            "appid": account.app,
            "secret": account.secrets.get("app_secret", ""),
            "force_refresh": False,
        }
        try:
            body = await self._ask(account, "/cgi-bin/stable_token", wanted, {}, (), calls="token", write=False)
        except ConnectorError as error:
            if error.kind is ErrorKind.auth_expired:
                human = "公众号的 AppSecret 不正确或已被重置，请管理员重新填写"
                raise ConnectorError(ErrorKind.auth_human, human, code=error.code) from None
            raise
        found = body.get("access_token")
        if not isinstance(found, str) or not found:
            raise incomplete("access_token")
        return found, self.now() + timedelta(seconds=_seconds(body.get("expires_in")))

    async def call(
        self,
        account: AccountRef,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        files: Sequence[tuple[str, Attachment]] = (),
        calls: str = "",
        write: bool = False,
        passed: Collection[int] = (),
    ) -> dict[str, Any]:
        """The answer of ``path`` (with ``body``: POST); everything but a success is a :class:`ConnectorError`.

        ``calls``: the class that counts against the budgets. ``write``: something people see may come of it.
        ``passed``: codes that are as good as a success here.
        """
        token = account.secrets.get("access_token", "")
        if not token:
            raise ConnectorError(ErrorKind.auth_expired, TOKEN, code="no token")
        given = {"access_token": token, **(params or {})}
        return await self._ask(account, path, body, given, files, calls=calls, write=write, passed=passed)

    async def _ask(
        self,
        account: AccountRef,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str],
        files: Sequence[tuple[str, Attachment]],
        *,
        calls: str,
        write: bool,
        passed: Collection[int] = (),
    ) -> dict[str, Any]:
        if calls:
            await self._http.meter.take(account, windows(), calls)
        answer = await self._http.call(
            "GET" if body is None and not files else "POST",
            (account.base_url.rstrip("/") or HOME) + path,
            params=params or None,
            content=None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
            files=files,
            headers={"Content-Type": "application/json; charset=utf-8"} if body is not None else None,
            write=write,
        )
        found = body_of(answer)
        error = error_of(answer, found, self.now(), account.secrets.values())
        if error is None or code_of(found) in passed:
            return dict(found)
        if error.kind is ErrorKind.quota_day and any(name == calls and per == DAY for name, _, per in QUOTAS):
            standing = Standing(calls, DAY, 0, resets_at=next_day(self.now()), scope=Scope.app)
            await self._http.meter.learn(account, [standing])
        raise error


def incomplete(what: str, effect: Effect = Effect.not_done) -> ConnectorError:
    """The platform said yes, but something is missing from its answer."""
    human = "微信公众平台的回答不完整，系统会核实后处理"
    return ConnectorError(ErrorKind.protocol, human, code=what, effect=effect)


def text_of(value: Any) -> str:
    """A number or text of the platform as text; anything else is ""."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _seconds(value: Any) -> int:
    return value if isinstance(value, int) and 0 < value <= 7200 * 12 else 7200
