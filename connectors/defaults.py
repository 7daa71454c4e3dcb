"""What a connector answers about things its platform does not have; inherited by all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import (
    AccountRef,
    Connector,
    ConnectorError,
    Effect,
    ErrorKind,
    Metric,
    Outcome,
    Outgoing,
    PostForm,
    Registered,
    Renewed,
    Unparsable,
    Uploaded,
    Uploading,
    Window,
)


class Defaults:
    """No budgets, no page to authorise on, nothing to refresh, no figures, nothing that calls; short posts only."""

    waits: Sequence[str] = ()

    def post_forms(self: Connector, account: AccountRef) -> tuple[PostForm, ...]:
        """One form: a short text without pictures."""
        return (PostForm("", "短文", self.limits(account).post_length),)

    def budgets(self, account: AccountRef) -> tuple[Window, ...]:
        """None."""
        return ()

    async def register(self, account: AccountRef, back: str, name: str) -> Registered | None:
        """A person enters the app in the platform's back office, where it has apps at all."""
        return None

    def authorise_url(self, account: AccountRef, back: str, state: str) -> str:
        """Secrets are typed."""
        return ""

    async def exchange(self, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
        """Refused: there is no page to come back from."""
        raise ConnectorError(ErrorKind.bug, "这个平台不用网页授权，请在账号设置中填写凭据", code="exchange")

    async def refresh(self, account: AccountRef) -> Renewed | None:
        """Nothing to renew."""
        return None

    async def wait(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> None:
        """Refused: nothing there calls."""
        raise ConnectorError(ErrorKind.bug, "这个平台不会主动通知", code="wait")

    async def tell(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused: nobody there asks how a case stands."""
        raise ConnectorError(ErrorKind.bug, "这个平台不接收办理进度", code="tell", effect=Effect.not_done)

    async def upload(self, account: AccountRef, out: Outgoing, state: Mapping[str, str]) -> Uploading | Uploaded:
        """Refused: no form of posts takes a video."""
        raise ConnectorError(ErrorKind.bug, "这个平台的稿件不能带视频", code="upload", effect=Effect.not_done)

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """None known."""
        return []

    def read_link(self, account: AccountRef, link: str) -> str:
        """Links are not read."""
        raise Unparsable("这个平台的内容由系统发布，不用粘贴链接")

    async def media_query(self, account: AccountRef, url: str) -> Mapping[str, str]:
        """Nothing: whoever has the address may see it."""
        return {}
