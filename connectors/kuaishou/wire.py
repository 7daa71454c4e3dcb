"""One call to Kuaishou: everything that names us and the token in the address, the code under ``result``.

Addresses are shown nowhere: neither logs nor errors hold them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.base import AccountRef, Attachment, ConnectorError, Effect, ErrorKind
from connectors.bodies import body_of
from connectors.http import Answer, Http
from connectors.kuaishou.errors import code_of, error_of, is_unknown
from connectors.options import is_on
from connectors.uploading import gone
from connectors.videos import PIECE_SECONDS, Piece

HOME = "https://open.kuaishou.com"
NO_TOKEN = "还没有授权，请管理员点「重新授权」，用这个账号登录快手并同意"  # noqa: S105  a sentence
_GATEWAY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\d{1,5})?")


def home(account: AccountRef) -> str:
    """The platform's address, or that of a simulator."""
    return account.base_url.rstrip("/") or HOME


def is_gateway(named: str) -> bool:
    """Whether this is a host, with a port or without, and nothing that would turn the address into another one's."""
    return _GATEWAY.fullmatch(named) is not None


class Wire:
    """Calls for one connector; stateless."""

    def __init__(self, http: Http) -> None:
        self._http = http

    @property
    def now(self) -> datetime:
        """The clock of the door to the network."""
        return self._http.clock()

    async def get(self, account: AccountRef, path: str, **params: str) -> Mapping[str, Any]:
        """Read."""
        url = home(account) + path
        return self._body(account, await self._http.call("GET", url, params=self._named(account, params)), params)

    async def post(
        self,
        account: AccountRef,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        cover: Attachment | None = None,
        write: bool = True,
        **params: str,
    ) -> Mapping[str, Any]:
        """Change something there; ``cover`` goes as the field of that name."""
        answer = await self._http.call(
            "POST",
            home(account) + path,
            params=self._named(account, params),
            form=form,
            files=[("cover", cover)] if cover else (),
            write=write,
        )
        return self._body(account, answer, params)

    async def send(
        self, account: AccountRef, gateway: str, path: str, piece: Piece | None, **params: str
    ) -> Mapping[str, Any]:
        """A piece of a file, as it is, to the gateway the platform has named; nobody sees it."""
        headers = {"Content-Type": "application/octet-stream"}
        answer = await self._http.call(
            "POST",
            _at(account, gateway) + path,
            params=params,
            content=piece if piece is not None else b"",
            headers=headers,
            seconds=PIECE_SECONDS,
        )
        return self._told(account, answer, params)

    async def ask(self, account: AccountRef, gateway: str, path: str, **params: str) -> Mapping[str, Any]:
        """A question to the gateway."""
        answer = await self._http.call("GET", _at(account, gateway) + path, params=params)
        return self._told(account, answer, params)

    async def token(self, account: AccountRef, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """A call about the authorisation itself."""
        return self._body(account, await self._http.call("GET", home(account) + path, params=params), params)

    def _named(self, account: AccountRef, params: Mapping[str, str]) -> dict[str, str]:
        token = account.secrets.get("token", "").strip()
        if not token or not account.app:
            raise ConnectorError(ErrorKind.auth_human, NO_TOKEN, code="no token")
        return {"app_id": account.app.strip(), "access_token": token, **params}

    def _told(self, account: AccountRef, answer: Answer, given: Mapping[str, str]) -> Mapping[str, Any]:
        """What the gateway says. The meaning of its refusals is written nowhere: a token that died is the likeliest,
        and a new one mends it.
        """
        if is_unknown(body_of(answer)):
            raise gone(f"gateway {code_of(body_of(answer))}")
        return self._body(account, answer, given)

    def _body(self, account: AccountRef, answer: Answer, given: Mapping[str, str]) -> Mapping[str, Any]:
        body: Mapping[str, Any] = body_of(answer)
        if error := error_of(answer, body, self.now, [*account.secrets.values(), *given.values()]):
            raise error
        return body


def _at(account: AccountRef, gateway: str) -> str:
    """Encrypted, though the platform's pages write http://, unless the office says that its gateway is not."""
    is_plain = home(account).startswith("http://") or is_on(account, "plain_upload")
    return f"{'http' if is_plain else 'https'}://{gateway}"


def incomplete(what: str, effect: Effect = Effect.not_done) -> ConnectorError:
    """The platform said yes, but something is missing from its answer."""
    return ConnectorError(ErrorKind.protocol, "快手的回答不完整，系统会核实后处理", code=what, effect=effect)
