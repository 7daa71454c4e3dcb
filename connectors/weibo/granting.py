"""Who we are on Weibo: the page where a person grants access, the token for the code, and whether it lives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connectors.base import AccountRef, ConnectorError, ErrorKind, Health, Renewed
from connectors.budget import Scope
from connectors.options import text
from connectors.text import one_line
from connectors.weibo.schemas import number_text
from connectors.weibo.settings import hosts
from connectors.weibo.wire import ALL, Wire

DEAD = (ErrorKind.auth_human, ErrorKind.auth_expired)
LONGEST_LIFE = 10**9


def page(account: AccountRef, back: str, state: str) -> str:
    """Where a person grants access; empty without an app key. Who is signed in there already must sign in anew: the
    office's account is meant, and not the one its editor happens to use."""
    key = text(account, "app_key")
    if not key:
        return ""
    query = {
        "client_id": key,
        "redirect_uri": back,
        "response_type": "code",
        "state": state,
        "scope": text(account, "scope") or "all",
        "forcelogin": "true",
    }
    return f"{hosts(account).api}/oauth2/authorize?{urlencode(query)}"


async def exchange(wire: Wire, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
    """The token for the code; there is no server-side renewal: before it ends a person grants access again."""
    if query.get("error") or query.get("error_code"):
        raise ConnectorError(ErrorKind.auth_human, "在微博页面上没有同意授权，账号没有接入", code="denied")
    if not (code := query.get("code", "").strip()):
        raise ConnectorError(ErrorKind.auth_human, "微博没有带回授权码，请点「重新授权」", code="no code")
    form = {
        "client_id": text(account, "app_key"),
        "client_secret": account.secrets.get("app_secret", "").strip(),
        "grant_type": "authorization_code",
        "redirect_uri": back,
        "code": code,
    }
    body = await wire.exchange(account, form)
    told: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    token, uid = told.get("access_token"), number_text(told.get("uid"))
    if not isinstance(token, str) or not token or not uid:
        raise ConnectorError(ErrorKind.protocol, "微博返回的授权内容不完整，请点「重新授权」", code="token")
    if account.external_id and account.external_id != uid:
        raise ConnectorError(ErrorKind.auth_human, "授权的是另一个微博账号，请用原来的账号登录微博", code="uid")
    return Renewed({"token": token}, _until(wire.now, told.get("expires_in")), uid)


async def health(wire: Wire, account: AccountRef) -> Health:
    """Whose token it is, until when it lives, and how many calls the platform allows."""
    if not account.secrets.get("token", "").strip():
        return Health(False, note="还没有授权，请点「去授权」，用这个账号登录微博并同意")
    try:
        uid, expires_at = await _token_info(wire, account)
        name = await _name(wire, account, uid)
    except ConnectorError as error:
        if error.kind in DEAD:
            return Health(False, note=error.human)
        raise
    if account.external_id and uid != account.external_id:
        return Health(False, uid, name, f"令牌属于另一个账号（{name or uid}），请核对账号编号")
    return Health(True, uid, name, token_expires_at=expires_at, learned=await _allowed(wire, account))


async def _name(wire: Wire, account: AccountRef, uid: str) -> str:
    """What the account is called there; an app that may not ask goes without."""
    try:
        user = await wire.get(account, f"{hosts(account).api}/2/users/show.json", uid=uid)
    except ConnectorError as error:
        if error.kind not in (ErrorKind.permission, ErrorKind.not_found):
            raise
        return ""
    return one_line(str(user.get("screen_name") or "")) if isinstance(user, Mapping) else ""


async def _token_info(wire: Wire, account: AccountRef) -> tuple[str, datetime | None]:
    """An app that may not ask about tokens asks whose it is."""
    api = hosts(account).api
    try:
        form = {"access_token": account.secrets.get("token", "").strip()}
        body = await wire.post(account, f"{api}/oauth2/get_token_info", form, write=False)
    except ConnectorError as error:
        if error.kind not in (ErrorKind.permission, ErrorKind.not_found):
            raise
        body = await wire.get(account, f"{api}/2/account/get_uid.json")
    uid = number_text(body.get("uid")) if isinstance(body, Mapping) else ""
    if not uid:
        raise ConnectorError(ErrorKind.protocol, "平台返回的内容不完整，请检查接口地址是否正确", code="uid")
    return uid, _until(wire.now, body.get("expire_in"))


async def _allowed(wire: Wire, account: AccountRef) -> dict[str, Any]:
    told = await wire.limits(account)
    own = [one for one in told if one.calls == ALL and one.scope is Scope.account and one.most]
    return {"user_limit": own[0].most, "user_limit_seconds": int(own[0].per.total_seconds())} if own else {}


def _until(now: datetime, seconds: Any) -> datetime | None:
    told = number_text(seconds)
    return now + timedelta(seconds=min(int(told), LONGEST_LIFE)) if told else None
