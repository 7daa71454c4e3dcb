"""OAuth of servers with the Mastodon client API: the page where a person grants access, and the token for the code."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from connectors.base import AccountRef, ConnectorError, ErrorKind, Renewed
from connectors.http import Http

SCOPES = "read write"


def page(account: AccountRef, back: str, state: str) -> str:
    """The server's page; empty without the key of an app registered there. Who is signed in there is asked anew: the
    office's account is meant, not the one its editor happens to use."""
    key = account.app.strip()
    if not key or not account.base_url:
        return ""
    query = {"client_id": key, "redirect_uri": back, "response_type": "code", "scope": SCOPES, "state": state,
             "force_login": "true"}  # fmt: skip
    return f"{account.base_url.rstrip('/')}/oauth/authorize?{urlencode(query)}"


async def exchange(http: Http, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
    """The token for the code; these tokens live until they are withdrawn."""
    if query.get("error"):
        raise ConnectorError(ErrorKind.auth_human, "在服务器的页面上没有同意授权，账号没有接入", code="denied")
    if not (code := query.get("code", "").strip()):
        raise ConnectorError(ErrorKind.auth_human, "服务器没有带回授权码，请点「重新授权」", code="no code")
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": back, "client_id": account.app.strip(),
        "client_secret": account.secrets.get("app_secret", "").strip(), "scope": SCOPES,
    }  # fmt: skip
    url = account.base_url.rstrip("/") + "/oauth/token"
    answer = await http.call("POST", url, form=form, headers={"Accept": "application/json"})
    if 400 <= answer.status < 500:
        human = "服务器不接受这次授权：应用密钥不对，或授权码已过期，请核对后点「重新授权」"
        raise ConnectorError(ErrorKind.auth_human, human, code=f"http {answer.status}")
    body = answer.json()
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token:
        raise ConnectorError(ErrorKind.protocol, "服务器返回的授权内容不完整，请点「重新授权」", code="token")
    return Renewed({"token": token})
