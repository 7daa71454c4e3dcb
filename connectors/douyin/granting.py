"""Who we are on Douyin: the page where a person grants access, the token for the code, and its renewal.

After developer.open-douyin.com › 账号授权: ``/platform/oauth/connect/``, ``/oauth/access_token/`` (15 days, with a
refresh token for 30), ``/oauth/refresh_token/`` (a new token; the 30 days stay as they are), ``/oauth/userinfo/``, and
``/oauth/renew_refresh_token/`` (30 days more, five times, where the app was granted it).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connectors.base import AccountRef, ConnectorError, ErrorKind, Health, Renewed
from connectors.douyin.wire import NO_TOKEN, Wire, home, incomplete
from connectors.options import is_on
from connectors.text import one_line

UNTIL = "refresh_until"
LONGEST_LIFE = 10**8
# Prolonged only when it would not outlive a token of 15 days: it can be prolonged five times.
NEAR, WARN = timedelta(days=15), timedelta(days=5)
SCOPES = {
    "": ("user_info",),
    "publish": ("video.create.bind",),
    "comments": ("item.comment",),
    "messages": ("im.direct_message",),
    "works": ("video.list.bind", "video.data.bind"),
    "renew": ("renew_refresh_token",),
}


def page(account: AccountRef, back: str, state: str) -> str:
    """Where a person grants access; empty without a client key. Only what the app was granted is asked for: one scope
    it lacks and the platform refuses them all."""
    key = account.app.strip()
    if not key:
        return ""
    wanted = [scope for option, scopes in SCOPES.items() if not option or is_on(account, option) for scope in scopes]
    query = {
        "client_key": key, "response_type": "code", "scope": ",".join(wanted), "redirect_uri": back, "state": state,
    }  # fmt: skip
    return f"{home(account)}/platform/oauth/connect/?{urlencode(query)}"


async def exchange(wire: Wire, account: AccountRef, query: Mapping[str, str]) -> Renewed:
    """The tokens for the code."""
    if not (code := query.get("code", "").strip()):
        raise ConnectorError(ErrorKind.auth_human, "在抖音页面上没有同意授权，账号没有接入", code="denied")
    form = {
        "grant_type": "authorization_code", "client_key": account.app.strip(),
        "client_secret": account.secrets.get("app_secret", "").strip(), "code": code,
    }  # fmt: skip
    found = _renewed(await wire.form(account, "/oauth/access_token/", form), wire.now)
    if account.external_id and found.account_id and found.account_id != account.external_id:
        raise ConnectorError(ErrorKind.auth_human, "授权的是另一个抖音账号，请用原来的账号登录抖音", code="open_id")
    return found


async def refresh(wire: Wire, account: AccountRef) -> Renewed | None:
    """A new token from the refresh token; the refresh token's own life is prolonged where the app may and must.

    The last one before the 30 days are over is told as such, so that somebody is warned while the account works.
    """
    held = account.secrets.get("refresh_token", "").strip()
    if not held or not account.app:
        return None
    kept: dict[str, str] = {}
    until = _until_of(account)
    may_prolong, is_near = is_on(account, "renew"), until is not None and until - wire.now < NEAR
    if may_prolong and is_near:
        kept = await _prolonged(wire, account, held)
    used = kept.get("refresh_token", held)
    form = {"client_key": account.app.strip(), "grant_type": "refresh_token", "refresh_token": used}
    found = _renewed(await wire.form(account, "/oauth/refresh_token/", form), wire.now)
    secrets = {**kept, **found.secrets}
    ends = _moment_in(secrets.get(UNTIL, "")) or until
    if (known := _moment_in(kept.get(UNTIL, "")) or until) and secrets.get("refresh_token", used) == used:
        # Renewing does not prolong it, whatever the answer says of its life.
        ends = min(ends or known, known)
        secrets[UNTIL] = ends.isoformat()
    is_ending = ends is not None and found.expires_at is not None and ends - found.expires_at < WARN
    is_last = is_ending and (is_near or not may_prolong)
    return Renewed(secrets, found.expires_at, found.account_id, is_last=is_last)


async def _prolonged(wire: Wire, account: AccountRef, held: str) -> dict[str, str]:
    """Another refresh token; none when the platform gives no more of them."""
    try:
        data = await wire.form(
            account, "/oauth/renew_refresh_token/", {"client_key": account.app.strip(), "refresh_token": held}
        )
    except ConnectorError as error:
        if error.kind is ErrorKind.permission:
            return {}
        raise
    fresh, ends = data.get("refresh_token"), _moment(data.get("expires_in"), wire.now)
    if not isinstance(fresh, str) or not fresh:
        return {}
    return {"refresh_token": fresh} | ({UNTIL: ends.isoformat()} if ends else {})


async def health(wire: Wire, account: AccountRef) -> Health:
    """Whose token it is; and when a person must grant access again."""
    token = account.secrets.get("token", "").strip()
    if not token or not account.external_id:
        return Health(False, note=NO_TOKEN)
    try:
        data = await wire.form(account, "/oauth/userinfo/", {"access_token": token, "open_id": account.external_id})
    except ConnectorError as error:
        if error.kind is ErrorKind.auth_human:
            return Health(False, account.external_id, note=error.human)
        raise
    name, own = one_line(str(data.get("nickname") or "")), str(data.get("open_id") or account.external_id)
    if own != account.external_id:
        return Health(False, own, name, f"令牌属于另一个账号（{name}），请重新授权")
    until = _until_of(account)
    note = ""
    if until is not None and until - wire.now < WARN and not is_on(account, "renew"):
        note = "抖音的授权最长 30 天，还剩不到 5 天，请点「重新授权」"
    return Health(True, own, name, note)


def _renewed(data: Mapping[str, Any], now: datetime) -> Renewed:
    token, fresh, own = data.get("access_token"), data.get("refresh_token"), data.get("open_id")
    if not isinstance(token, str) or not token:
        raise incomplete("access_token")
    secrets = {"token": token}
    if isinstance(fresh, str) and fresh:
        secrets["refresh_token"] = fresh
        if ends := _moment(data.get("refresh_expires_in"), now):
            secrets[UNTIL] = ends.isoformat()
    return Renewed(secrets, _moment(data.get("expires_in"), now), own if isinstance(own, str) else "")


def _moment(seconds: Any, now: datetime) -> datetime | None:
    """Seconds from now, given as number or text."""
    given = str(seconds).strip() if isinstance(seconds, (int, str)) and not isinstance(seconds, bool) else ""
    if not (given.isascii() and given.isdigit() and len(given) < 12 and int(given)):
        return None
    return now + timedelta(seconds=min(int(given), LONGEST_LIFE))


def _until_of(account: AccountRef) -> datetime | None:
    return _moment_in(account.secrets.get(UNTIL, ""))


def _moment_in(kept: str) -> datetime | None:
    try:
        return datetime.fromisoformat(kept).astimezone(UTC)
    except ValueError:
        return None
