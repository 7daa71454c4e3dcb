"""What the tests of the WeChat connector share: one simulator per module, an account, a connector on a clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import AccountRef, Kind, Outgoing, Published
from connectors.http import Http
from connectors.wechat.client import WechatConnector
from tests.sims.wechat import Control, WechatProcess, picture


@pytest.fixture(scope="module")
def wechat_platform() -> Iterator[Control]:
    with WechatProcess() as control:
        yield control


@dataclass
class Desk:
    """An account and the connector that speaks for it; ``offset``: how far our clock is from the real one."""

    control: Control
    account: dict[str, Any]
    ref: AccountRef
    client: WechatConnector
    offset: list[timedelta]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset[0]

    def with_options(self, **options: Any) -> AccountRef:
        return replace(self.ref, options={**self.ref.options, **options})

    def following(self, *published: Published, **options: Any) -> AccountRef:
        """The account as it is when its articles are followed."""
        return replace(self.with_options(open_comment="1", **options), published=published)

    async def renewed(self) -> AccountRef:
        made = await self.client.refresh(self.ref)
        assert made is not None
        self.ref = replace(self.ref, secrets={**self.ref.secrets, **made.secrets})
        return self.ref


@pytest.fixture
async def wechat_desk(wechat_platform: Control) -> Desk:
    platform = wechat_platform
    platform.post("reset")
    account = platform.account(review_seconds=0.2)
    offset = [timedelta(0)]
    http = Http(live=False, clock=lambda: datetime.now(UTC) + offset[0], read=4.0, total=6.0)
    made = Desk(platform, account, platform.ref(account), WechatConnector(http), offset)
    await made.renewed()
    return made


def article(
    text: str = "第一段。\n[图2]\n第二段。", key: str = "k1", title: str = "今日停水通知", **more: Any
) -> Outgoing:
    given = {"attachments": (picture(), picture(description="施工现场")), **more}
    return Outgoing(text, key, title=title, **given)


def answer(text: str, openid: str, target: str = "1", key: str = "r1") -> Outgoing:
    return Outgoing(text, key, target, Kind.private, f"private:{openid}", openid)
