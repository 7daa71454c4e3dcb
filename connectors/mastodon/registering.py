"""The hub as an app on a server with the Mastodon client API: entered by itself, once, and again where it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.base import AccountRef, ConnectorError, ErrorKind, Registered
from connectors.http import Answer, Http, kind_of_status, retry_at
from connectors.mastodon.granting import SCOPES

# Among the options: which key we got ourselves and for which way back.
MARK = "registered"
LONGEST = 500
# Of an app's name, there.
LONGEST_NAME = 60
# It understood what was asked and says no; other statuses say that nothing there understands it.
_REFUSALS = (400, 401, 403, 413, 422)


async def register(http: Http, account: AccountRef, back: str, name: str) -> Registered | None:
    """A key of our own; None where one was typed, or where ours still serves.

    Ours is asked about first: servers forget apps that nobody has used, and one who stands before their page with such
    a key is not sent back.
    """
    key, secret = account.app.strip(), account.secrets.get("app_secret", "").strip()
    mark = account.options.get(MARK)
    ours = mark if isinstance(mark, Mapping) and mark.get("key") == key else None
    if key and ours is None:
        if not secret:
            human = "填了应用编号，还要填同一个应用的应用密钥；两项都不填的，系统自己登记"
            raise ConnectorError(ErrorKind.permission, human, code="app secret")
        return None
    if ours and secret and ours.get("back") == back and await _serves(http, account, back):
        return None
    return await _entered(http, account, back, name)


async def _serves(http: Http, account: AccountRef, back: str) -> bool:
    """Whether the server still knows our key; only its clear no counts."""
    form = {
        "grant_type": "client_credentials", "client_id": account.app.strip(), "redirect_uri": back, "scope": "read",
        "client_secret": account.secrets.get("app_secret", "").strip(),
    }  # fmt: skip
    try:
        answer = await http.call("POST", _at(account, "/oauth/token"), form=form, headers=_JSON)
    except ConnectorError:
        return True
    return answer.ok or _object(answer).get("error") != "invalid_client"


async def _entered(http: Http, account: AccountRef, back: str, name: str) -> Registered:
    way = urlsplit(back)
    form = {
        "client_name": name[:LONGEST_NAME], "redirect_uris": back, "scopes": SCOPES, "website": f"{way.scheme}://{way.netloc}",
    }  # fmt: skip
    answer = await http.call("POST", _at(account, "/api/v1/apps"), form=form, headers=_JSON, write=True)
    if not answer.ok:
        raise _refusal(http, answer)
    body = _object(answer)
    key, secret = _word(body.get("client_id")), _word(body.get("client_secret"))
    if not key or not secret:
        human = "服务器没有给出应用编号和密钥，请核对服务器地址"
        raise ConnectorError(ErrorKind.protocol, human, code=f"http {answer.status}")
    return Registered({"app_key": key, MARK: {"key": key, "back": back}}, {"app_secret": secret})


def _refusal(http: Http, answer: Answer) -> ConnectorError:
    kind, code = kind_of_status(answer.status), f"{answer.status}"
    if answer.status in _REFUSALS:
        human = f"服务器没有让系统自己登记应用（{code}）"
        return ConnectorError(ErrorKind.permission, human, code=code)
    until = retry_at(answer.headers, http.clock()) if kind is ErrorKind.rate_limited else None
    return ConnectorError(kind, "服务器现在不能登记应用", code=code, retry_at=until)


_JSON = {"Accept": "application/json"}


def _at(account: AccountRef, path: str) -> str:
    return account.base_url.rstrip("/") + path


def _object(answer: Answer) -> Mapping[str, Any]:
    """The body as a JSON object; a web page or anything else is an empty one."""
    try:
        body = answer.json()
    except ConnectorError:
        return {}
    return body if isinstance(body, dict) else {}


def _word(value: Any) -> str:
    """The value if it is one word that fits a form and an address, else ""."""
    is_word = isinstance(value, str) and value.isascii() and value.isprintable() and value.split() == [value]
    return value if is_word and len(value) <= LONGEST else ""
