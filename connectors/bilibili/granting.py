"""Who we are on Bilibili: the page where a person grants access, the token for the code, and its renewal.

After open.bilibili.com › 账号授权 / 账号管理: the page ``/pc/account-pc/auth/oauth`` (client_id, gourl, state), POST
``/x/account-oauth2/v1/token`` and ``/x/account-oauth2/v1/refresh_token`` (each refresh token once; ``expires_in`` is a
moment, in unix seconds); GET ``/arcopen/fn/user/account/info`` and ``/arcopen/fn/user/account/scopes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connectors.base import AccountRef, ConnectorError, ErrorKind, Health, Renewed
from connectors.bilibili.wire import LOGIN, NO_TOKEN, Wire, host, incomplete
from connectors.text import one_line

PAGE, TOKEN, REFRESH = "/pc/account-pc/auth/oauth", "/x/account-oauth2/v1/token", "/x/account-oauth2/v1/refresh_token"
INFO, SCOPES = "/arcopen/fn/user/account/info", "/arcopen/fn/user/account/scopes"
# A number as large as this is a moment, a smaller one a span.
MOMENT = 1_000_000_000


def page(account: AccountRef, back: str, state: str) -> str:
    """Where a person grants access; empty without a client id."""
    key = account.app.strip()
    query = {"client_id": key, "gourl": back, "state": state}
    return f"{host(account, LOGIN)}{PAGE}?{urlencode(query)}" if key else ""


async def exchange(wire: Wire, account: AccountRef, query: Mapping[str, str]) -> Renewed:
    """The tokens for the code, and whose they are."""
    if not (code := query.get("code", "").strip()):
        raise ConnectorError(ErrorKind.auth_human, "在 B 站页面上没有同意授权，账号没有接入", code="denied")
    given = _app(account) | {"grant_type": "authorization_code", "code": code}
    found = _renewed(await wire.token(account, TOKEN, given), wire.now)
    own, name = await _who(wire, replace(account, secrets={**account.secrets, **found.secrets}))
    if account.external_id and own != account.external_id:
        raise ConnectorError(ErrorKind.auth_human, "授权的是另一个 B 站账号，请用原来的账号登录 B 站", code="openid")
    return replace(found, account_id=own, account_name=name)


async def refresh(wire: Wire, account: AccountRef) -> Renewed | None:
    """New tokens from the refresh token, which is used up by it."""
    held = account.secrets.get("refresh_token", "").strip()
    if not held or not account.app:
        return None
    given = _app(account) | {"grant_type": "refresh_token", "refresh_token": held}
    return _renewed(await wire.token(account, REFRESH, given), wire.now)


async def health(wire: Wire, account: AccountRef) -> Health:
    """Whose token it is and what it may."""
    if not account.secrets.get("token", "").strip():
        return Health(False, note=NO_TOKEN)
    try:
        own, name = await _who(wire, account)
    except ConnectorError as error:
        if error.kind is ErrorKind.auth_human:
            return Health(False, account.external_id, note=error.human)
        raise
    if account.external_id and own != account.external_id:
        return Health(False, own, name, f"令牌属于另一个账号（{name}），请重新授权")
    return Health(True, own, name, learned=await _scopes(wire, account))


async def _who(wire: Wire, account: AccountRef) -> tuple[str, str]:
    data = await wire.get(account, INFO)
    own = data.get("openid") if isinstance(data, Mapping) else None
    if not isinstance(own, str) or not own:
        raise incomplete("openid")
    return one_line(own), one_line(str(data.get("name") or ""))


async def _scopes(wire: Wire, account: AccountRef) -> dict[str, str]:
    """The rights the person gave; nothing where the platform does not say."""
    try:
        data = await wire.get(account, SCOPES)
    except ConnectorError as error:
        if error.kind in (ErrorKind.permission, ErrorKind.bug, ErrorKind.not_found):
            return {}
        raise
    given = data.get("scopes") if isinstance(data, Mapping) else None
    return {"scopes": ",".join(str(one) for one in given)} if isinstance(given, list) else {}


def _app(account: AccountRef) -> dict[str, str]:
    return {"client_id": account.app.strip(), "client_secret": account.secrets.get("app_secret", "").strip()}


def _renewed(data: Any, now: datetime) -> Renewed:
    token = data.get("access_token") if isinstance(data, Mapping) else None
    if not isinstance(token, str) or not token:
        raise incomplete("access_token")
    fresh = data.get("refresh_token")
    kept = {"refresh_token": fresh} if isinstance(fresh, str) and fresh else {}
    return Renewed({"token": token, **kept}, _until(data.get("expires_in"), now))


def _until(told: Any, now: datetime) -> datetime | None:
    if not isinstance(told, int) or isinstance(told, bool) or not 0 < told < 10 * MOMENT:
        return None
    return datetime.fromtimestamp(told, UTC) if told > MOMENT else now + timedelta(seconds=told)
