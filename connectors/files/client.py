"""The ``file`` platform: its items come from tables on disk, and nothing can be sent to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from connectors.base import (
    AccountRef,
    Capability,
    ConnectorError,
    ErrorKind,
    Grant,
    Granted,
    Health,
    Inbound,
    Limits,
    Outcome,
    Outgoing,
    OwnItems,
    Page,
    Problem,
    PushAnswer,
    RawItem,
    Reject,
)
from connectors.defaults import Defaults
from connectors.files.rows import parse_item

NO_REPLY = "文件导入账号不能回复，请用其他方式答复来信人"
NO_POST = "文件导入账号不能发布"
NO_PULL = "文件导入账号没有平台可以读取，请导入文件"


class FileConnector(Defaults):
    """Files as a :class:`connectors.base.Connector`: understands imported rows, refuses the rest in words."""

    platform = "file"
    label = "文件导入"
    streams: Sequence[str] = ()

    def limits(self, account: AccountRef) -> Limits:
        """Nothing can be sent."""
        return Limits(post_length=0, reply_length=0)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """None, each with its reason."""
        reasons = {
            Capability.reply_public: NO_REPLY,
            Capability.reply_private: NO_REPLY,
            Capability.publish: NO_POST,
        }
        return {c: Grant(Granted.no, reasons.get(c, NO_PULL)) for c in Capability}

    async def check(self, account: AccountRef) -> Health:
        """Always well: there is nothing to reach."""
        return Health(True, account.external_id, account.name, "文件导入账号不连接任何平台")

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """Refused."""
        _refuse(NO_PULL)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Refused."""
        return Reject(404, "文件导入账号不接收推送")

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand an imported row."""
        return parse_item(item)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        _refuse(NO_REPLY)

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        _refuse(NO_POST)

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Refused."""
        _refuse(NO_POST)

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """There are no own items, and that is complete knowledge."""
        return OwnItems((), complete=True)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Nothing of ours is there."""
        return False

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Already gone."""

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Never fit to send."""
        return [Problem("account", NO_POST if out.target_kind is None else NO_REPLY)]


def _refuse(reason: str) -> NoReturn:
    raise ConnectorError(ErrorKind.permission, reason, code="file")
