"""One call to Bilibili: signed, with the account's token; the code in the body."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.base import AccountRef, Attachment, ConnectorError, Effect, ErrorKind
from connectors.bilibili.errors import error_of
from connectors.bilibili.signature import signed
from connectors.bodies import body_of
from connectors.http import Answer, Http
from connectors.pictures import harmless
from connectors.videos import PIECE_SECONDS, Piece

API, LOGIN, TOKENS = "https://member.bilibili.com", "https://account.bilibili.com", "https://api.bilibili.com"
FILES = "https://openupos.bilivideo.com"
NO_TOKEN = "还没有授权，请管理员点「重新授权」，用这个账号登录 B 站并同意"  # noqa: S105  a sentence


def host(account: AccountRef, real: str) -> str:
    """One of the platform's addresses, or that of a simulator for all."""
    return account.base_url.rstrip("/") or real


class Wire:
    """Calls for one connector; stateless."""

    def __init__(self, http: Http) -> None:
        self._http = http

    @property
    def now(self) -> datetime:
        """The clock of the door to the network."""
        return self._http.clock()

    async def get(self, account: AccountRef, path: str, **params: str) -> Any:
        """Read; ``data`` of the answer."""
        headers = self._signed(account)
        url = host(account, API) + path
        return self._data(account, await self._http.call("GET", url, params=params or None, headers=headers))

    async def post(self, account: AccountRef, path: str, fields: Mapping[str, str]) -> Any:
        """Write a form of the kind ``multipart/form-data``; ``data`` of the answer."""
        content, mime = _multipart(fields)
        headers = self._signed(account) | {"Content-Type": mime}
        url = host(account, API) + path
        return self._data(account, await self._http.call("POST", url, content=content, headers=headers, write=True))

    async def say(
        self,
        account: AccountRef,
        path: str,
        body: Mapping[str, Any],
        *,
        write: bool = True,
        seconds: float | None = None,
        **params: str,
    ) -> Any:
        """Send JSON, which is signed with the rest; ``data`` of the answer. ``seconds``: where it takes long."""
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = self._signed(account, content) | {"Content-Type": "application/json"}
        url = host(account, API) + path
        answer = await self._http.call(
            "POST", url, params=params or None, content=content, headers=headers, write=write, seconds=seconds
        )
        return self._data(account, answer, params)

    async def picture(self, account: AccountRef, path: str, picture: Attachment) -> str:
        """Send a picture as the field ``file``; its address there. Nobody sees it before an article or a video shows
        it, so whatever fails did nothing.
        """
        url, files = host(account, API) + path, [("file", picture)]
        signed = self._signed(account)
        try:
            answer = await self._http.call("POST", url, form={"watermark": "0"}, files=files, headers=signed)
            data = self._data(account, answer)
        except ConnectorError as error:
            raise harmless(error) from None
        there = data.get("url") if isinstance(data, Mapping) else None
        if not isinstance(there, str) or not there.startswith(("http://", "https://", "//")):
            raise incomplete("url")
        return there

    async def piece(self, account: AccountRef, path: str, piece: Piece, **params: str) -> None:
        """Send a piece of a file, as it is, to where files are kept; nobody sees it."""
        headers = self._signed(account) | {"Content-Type": "application/octet-stream"}
        url = host(account, FILES) + path
        answer = await self._http.call(
            "POST", url, params=params, content=piece, headers=headers, seconds=PIECE_SECONDS
        )
        self._data(account, answer, params)

    async def token(self, account: AccountRef, path: str, params: Mapping[str, str]) -> Any:
        """A call about the authorisation itself: the platform wants it in the address, which is never shown."""
        answer = await self._http.call("POST", host(account, TOKENS) + path, params=params)
        return self._data(account, answer, params)

    def _signed(self, account: AccountRef, body: bytes = b"") -> dict[str, str]:
        token = account.secrets.get("token", "").strip()
        if not token or not account.app:
            raise ConnectorError(ErrorKind.auth_human, NO_TOKEN, code="no token")
        return signed(account.app.strip(), account.secrets.get("app_secret", "").strip(), token, self.now, body)

    def _data(self, account: AccountRef, answer: Answer, given: Mapping[str, str] | None = None) -> Any:
        body = body_of(answer)
        if error := error_of(answer, body, self.now, [*account.secrets.values(), *(given or {}).values()]):
            raise error
        return body.get("data")


def incomplete(what: str, effect: Effect = Effect.not_done) -> ConnectorError:
    """The platform said yes, but something is missing from its answer."""
    return ConnectorError(ErrorKind.protocol, "B 站的回答不完整，系统会核实后处理", code=what, effect=effect)


def _multipart(fields: Mapping[str, str]) -> tuple[bytes, str]:
    """A form without files, and its type."""
    mark = f"----zhengsheng{secrets.token_hex(16)}"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return f"{''.join(parts)}--{mark}--\r\n".encode("utf-8", "replace"), f"multipart/form-data; boundary={mark}"
