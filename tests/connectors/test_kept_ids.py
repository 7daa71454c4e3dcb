"""Ids that platforms give what we sent: kept exactly or not at all, and never a failure after it has left."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base import AccountRef, ConnectorError, Done, Effect, Outgoing, OwnItem, Pending
from connectors.http import Answer, Http
from connectors.wechat.client import WechatConnector
from connectors.weibo.client import WeiboConnector
from tests.sims.wechat import picture

NOW = datetime(2026, 11, 27, tzinfo=UTC)
ODD = ["12\x00", "12\ud800", "1" * 300, "a\u2028b", "1\x85"]


class ByPath(Http):
    """Answers by the end of the address."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(live=False)
        self.answers = answers

    async def call(self, method: str, url: str, *, write: bool = False, **asked: Any) -> Answer:
        body = next(body for path, body in self.answers.items() if url.endswith(path))
        return Answer(200, {}, json.dumps(body).encode(), write)


@pytest.mark.parametrize("own", ODD)
def test_an_id_that_cannot_be_kept_is_none(own: str) -> None:
    done = Done(own, f"https://example.org/{own}" * 8, extra={"object_id": own, "mid": "7"})
    assert (done.external_id, done.url, done.extra) == ("", "", {"mid": "7"})
    item = OwnItem(own, "文", NOW, f"https://example.org/{own}" * 8)
    assert (item.external_id, item.url) == ("", "")
    with pytest.raises(ConnectorError) as caught:
        Pending(own, NOW)
    assert caught.value.effect is Effect.unknown, "nobody could ask again, and it must not be sent again"


@pytest.mark.parametrize("own", ["7", "@9VwABC==", "mass:12", "BV1xx411c7mD", "<key@example.org>", "编号 7", "1" * 255])
def test_an_id_that_can_be_kept_is_kept(own: str) -> None:
    assert (Done(own).external_id, Pending(own, NOW).job, OwnItem(own, "文", NOW).external_id) == (own, own, own)


@pytest.mark.parametrize("own", ODD)
async def test_an_article_whose_number_is_odd_has_left_all_the_same(own: str) -> None:
    answers = {
        "draft/batchget": {"item": []}, "add_material": {"media_id": "m"}, "uploadimg": {"url": "https://a"},
        "draft/add": {"media_id": "d"}, "freepublish/submit": {"publish_id": own},
    }  # fmt: skip
    ref = AccountRef(1, "wechat", "号", "g", "http://127.0.0.1:9", {"access_token": "t"}, {"app_key": "k"})
    out = Outgoing("正文", "k", title="题", attachments=(picture(),))
    with pytest.raises(ConnectorError) as caught:
        await WechatConnector(ByPath(answers)).publish(ref, out)
    assert caught.value.effect is Effect.unknown
    answers["freepublish/submit"] = {"publish_id": 12, "msg_data_id": "9" * 100_000}
    pending = await WechatConnector(ByPath(answers)).publish(ref, out)
    assert isinstance(pending, Pending)
    assert (pending.job, pending.extra) == ("publish:12", {"publish_id": "12"})


@pytest.mark.parametrize("own", [*ODD, {"a": 1}])
async def test_a_long_article_is_kept_under_the_number_of_its_post(own: Any) -> None:
    body = {"code": "100000", "data": {"object_id": own, "url": "https://weibo.com/a\x00", "mid": "7"}}
    options = {"article": "yes", "cover_url": "https://example.org/c.png"}
    ref = AccountRef(1, "weibo", "号", "5", "http://127.0.0.1:9", {"token": "t"}, options)
    out = Outgoing("正文", "k", title="题", form="article")
    done = await WeiboConnector(ByPath({"publish.json": body})).publish(ref, out)
    assert isinstance(done, Done)
    assert (done.external_id, done.url, done.extra.get("object_id", "")) == ("7", "", "")
