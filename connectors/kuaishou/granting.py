"""Who we are on Kuaishou: the page where a person grants access, the token for the code, and its renewal.

After open.kuaishou.com › 快手登录 and the platform's own Java kit: the page ``/oauth2/authorize`` (app_id, scope with
commas, response_type, redirect_uri, state; ``ua=pc``: a code to scan), GET ``/oauth2/access_token`` and
``/oauth2/refresh_token`` (the token lives 48 hours, the refresh token 180 days; each renewal gives a new one and uses
up the old), GET ``/openapi/user_info``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connectors.base import AccountRef, ConnectorError, ErrorKind, Health, Renewed
from connectors.kuaishou.wire import NO_TOKEN, Wire, home, incomplete
from connectors.options import is_on
from connectors.text import one_line

PAGE, TOKEN, REFRESH = "/oauth2/authorize", "/oauth2/access_token", "/oauth2/refresh_token"
INFO = "/openapi/user_info"
SCOPES = ("user_info", "user_video_publish", "user_video_info")
DELETE_SCOPE = "user_video_delete"
LONGEST_LIFE = 10**8


def page(account: AccountRef, back: str, state: str) -> str:
    """Where a person grants access; empty without an app id."""
    key = account.app.strip()
    wanted = [*SCOPES, *([DELETE_SCOPE] if is_on(account, "delete") else [])]
    query = {
        "app_id": key, "scope": ",".join(wanted), "response_type": "code", "ua": "pc", "redirect_uri": back,
        "state": state,
    }  # fmt: skip
    return f"{home(account)}{PAGE}?{urlencode(query)}" if key else ""


async def exchange(wire: Wire, account: AccountRef, query: Mapping[str, str]) -> Renewed:
    """The tokens for the code, and whose they are."""
    if not (code := query.get("code", "").strip()):
        raise ConnectorError(ErrorKind.auth_human, "在快手页面上没有同意授权，账号没有接入", code="denied")
    found = _renewed(await wire.token(account, TOKEN, _app(account, "authorization_code") | {"code": code}), wire.now)
    if not found.account_id:
        raise incomplete("open_id")
    if account.external_id and found.account_id != account.external_id:
        raise ConnectorError(ErrorKind.auth_human, "授权的是另一个快手账号，请用原来的账号登录快手", code="open_id")
    name = await _name(wire, replace(account, secrets={**account.secrets, **found.secrets}))
    return replace(found, account_name=name)


async def refresh(wire: Wire, account: AccountRef) -> Renewed | None:
    """New tokens from the refresh token, which is used up by it."""
    held = account.secrets.get("refresh_token", "").strip()
    if not held or not account.app:
        return None
    given = _app(account, "refresh_token") | {"refresh_token": held}
    return replace(_renewed(await wire.token(account, REFRESH, given), wire.now), account_id="")


async def health(wire: Wire, account: AccountRef) -> Health:
    """Whose token it is."""
    if not account.secrets.get("token", "").strip():
        return Health(False, account.external_id, note=NO_TOKEN)
    try:
        name = await _name(wire, account)
    except ConnectorError as error:
        if error.kind is ErrorKind.auth_human:
            return Health(False, account.external_id, note=error.human)
        raise
    return Health(True, account.external_id, name)


async def _name(wire: Wire, account: AccountRef) -> str:
    told = (await wire.get(account, INFO)).get("user_info")
    name = told.get("name") if isinstance(told, Mapping) else None
    if not isinstance(name, str):
        raise incomplete("user_info")
    return one_line(name)


def _app(account: AccountRef, grant: str) -> dict[str, str]:
    secret = account.secrets.get("app_secret", "").strip()
    return {"app_id": account.app.strip(), "app_secret": secret, "grant_type": grant}


def _renewed(data: Mapping[str, Any], now: datetime) -> Renewed:
    token, fresh, own = data.get("access_token"), data.get("refresh_token"), data.get("open_id")
    if not isinstance(token, str) or not token:
        raise incomplete("access_token")
    kept = {"refresh_token": fresh} if isinstance(fresh, str) and fresh else {}
    return Renewed(
        {"token": token, **kept}, _until(data.get("expires_in"), now), one_line(own) if isinstance(own, str) else ""
    )


def _until(seconds: Any, now: datetime) -> datetime | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
        return None
    return now + timedelta(seconds=min(seconds, LONGEST_LIFE))
