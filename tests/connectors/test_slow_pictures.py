"""Pictures that take longer than the engine waits: surely not sent, not perhaps sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from connectors import pictures
from connectors.base import AccountRef, ConnectorError, Effect, ErrorKind, Outgoing
from connectors.http import Answer, Http
from tests.sims.recording import made
from tests.sims.wechat import picture

FORMS = {"weibo": "long", "douyin": "pictures", "bilibili": "article"}
OPTIONS = {"app_key": "k", "category": "15", "publish": "yes", "commercial": "yes"}
# What each platform calls a picture it has taken.
NAMED = {
    "pic_id": "p", "id": "7", "media_id": "m", "url": "https://a", "code": 0,
    "data": {"image": {"image_id": "i"}, "error_code": 0, "url": "https://a"},
}  # fmt: skip


class Slow(Http):
    """Takes the first picture and never ends with the second; everything else is answered at once, and kept."""

    def __init__(self) -> None:
        super().__init__(live=False)
        self.taken, self.other = 0, list[str]()

    async def call(self, method: str, url: str, *, files: Any = (), write: bool = False, **asked: Any) -> Answer:
        if not files:
            self.other.append(f"{method} {url}")
            return Answer(200, {}, b'{"item": []}', write)
        if self.taken:
            await asyncio.sleep(60)
        self.taken += 1
        return Answer(200, {}, json.dumps(NAMED).encode(), write)


@pytest.mark.parametrize("platform", ["bilibili", "douyin", "mastodon", "sandbox", "wechat", "weibo"])
async def test_pictures_that_are_too_slow_are_a_post_not_sent(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "UPLOAD_SECONDS", 0.5)
    http = Slow()
    ref = AccountRef(1, platform, "号", "5", "http://127.0.0.1:9", {"token": "t", "access_token": "t"}, OPTIONS)
    out = Outgoing("停水通知" * 60, "k", title="题", form=FORMS.get(platform, ""), attachments=(picture(),) * 3)
    with pytest.raises(ConnectorError) as caught:
        await made(platform, http).publish(ref, out)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.transient, Effect.not_done), caught.value
    assert "图片" in caught.value.human
    assert http.taken == 1
    assert all(call.startswith("GET") or "batchget" in call for call in http.other), "nothing anybody sees was sent"
