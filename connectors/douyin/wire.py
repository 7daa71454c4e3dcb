"""One call to Douyin: the token in a header, the account's ``open_id`` in the address, the code in the body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.base import AccountRef, Attachment, ConnectorError, Effect, ErrorKind
from connectors.bodies import body_of
from connectors.douyin.errors import error_of
from connectors.http import Http
from connectors.videos import PIECE_SECONDS, Multipart

HOME = "https://open.douyin.com"
NO_TOKEN = "还没有授权，请管理员点「重新授权」，用这个账号登录抖音并同意"  # noqa: S105  a sentence


def home(account: AccountRef) -> str:
    """The platform's address, or that of a simulator."""
    return account.base_url.rstrip("/") or HOME


class Wire:
    """Calls for one connector; stateless."""

    def __init__(self, http: Http) -> None:
        self._http = http

    @property
    def now(self) -> datetime:
        """The clock of the door to the network."""
        return self._http.clock()

    async def get(self, account: AccountRef, path: str, **params: str) -> Mapping[str, Any]:
        """Read; ``data`` of the answer."""
        return await self._ask(account, "GET", path, params=params)

    async def post(
        self,
        account: AccountRef,
        path: str,
        body: Mapping[str, Any],
        *,
        write: bool = True,
        seconds: float | None = None,
        **params: str,
    ) -> Mapping[str, Any]:
        """Send JSON; ``data`` of the answer. ``seconds``: where it takes long."""
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        mime = "application/json"
        return await self._ask(
            account, "POST", path, params=params, content=content, mime=mime, write=write, seconds=seconds
        )

    async def upload(self, account: AccountRef, path: str, picture: Attachment) -> Mapping[str, Any]:
        """Send a picture as the field ``image``; nobody sees it before a post shows it."""
        return await self._ask(account, "POST", path, picture=picture)

    async def film(self, account: AccountRef, path: str, body: Multipart, **params: str) -> Mapping[str, Any]:
        """Send a video or a piece of it; nobody sees it before a post shows it."""
        return await self._ask(
            account, "POST", path, params=params, content=body, mime=body.content_type, seconds=PIECE_SECONDS
        )

    async def form(self, account: AccountRef, path: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        """A call about the authorisation itself; ``data`` of the answer."""
        answer = await self._http.call("POST", home(account) + path, form=form, headers={"Accept": "application/json"})
        body = body_of(answer)
        if error := error_of(answer, body, self.now, [*account.secrets.values(), *form.values()]):
            raise error
        return _data(body, Effect.not_done)

    async def _ask(
        self,
        account: AccountRef,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | Multipart | None = None,
        mime: str = "",
        picture: Attachment | None = None,
        write: bool = False,
        seconds: float | None = None,
    ) -> Mapping[str, Any]:
        token = account.secrets.get("token", "").strip()
        if not token or not account.external_id:
            raise ConnectorError(ErrorKind.auth_human, NO_TOKEN, code="no token")
        headers = {"access-token": token, "Accept": "application/json"} | ({"Content-Type": mime} if mime else {})
        answer = await self._http.call(
            method,
            home(account) + path,
            params={"open_id": account.external_id, **(params or {})},
            content=content,
            files=[("image", picture)] if picture else (),
            headers=headers,
            write=write,
            seconds=seconds,
        )
        body = body_of(answer)
        if error := error_of(answer, body, self.now, account.secrets.values()):
            raise error
        return _data(body, answer.effect if write else Effect.not_done)


def incomplete(what: str, effect: Effect = Effect.not_done) -> ConnectorError:
    """The platform said yes, but something is missing from its answer."""
    return ConnectorError(ErrorKind.protocol, "抖音的回答不完整，系统会核实后处理", code=what, effect=effect)


def _data(body: Any, effect: Effect) -> Mapping[str, Any]:
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping):
        raise incomplete("data", effect)
    return data
