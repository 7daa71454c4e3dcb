"""The whole road on two platforms: a mention in, an answer out in its thread, a post out; the platform is the judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select

from hub.db import unit_of_work
from hub.models import Account, Case, CaseState, Delivery, Message, Post
from tests.journeys.office import City
from tests.sims.mastodon import MastodonProcess
from tests.sims.sandbox import Control, SandboxProcess
from workflows import accounts

ANSWER = "您好，枫林路的路灯今晚修好，谢谢提醒。"


@pytest.fixture(scope="module")
def mastodon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonProcess]:
    server = MastodonProcess(tmp_path_factory.mktemp("road-mastodon"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Control]:
    process = SandboxProcess(tmp_path / "platform")
    yield Control(process.start())
    process.kill()


async def test_the_road_on_a_mastodon_server(city: City, mastodon: MastodonProcess) -> None:
    given = {"name": "临江发布", "base_url": mastodon.base_url, "token": "press_token"}
    account, health = await accounts.connect(city.house, city.people["administrator"], "mastodon", given)
    assert health.ok
    asked = mastodon.post("alice", "@press 枫林路的路灯坏了半个月，晚上老人摔了一跤")
    await city.take_in()
    message = await city.one(Message, col(Message.text).contains("路灯"))
    assert message.sentiment == "negative"
    await city.answer(await city.one(Case, Case.id == message.case_id), ANSWER)
    below = mastodon.below(asked["id"])
    assert [status["account"]["username"] for status in below] == ["press"]
    assert "今晚修好" in below[0]["content"]
    assert (await city.one(Case, Case.id == message.case_id)).state is CaseState.replied
    await city.publish("【通告】明日八时起枫林路恢复通车。", account.id)
    assert any("恢复通车" in status["content"] for status in mastodon.statuses_of("press"))
    assert (await city.one(Delivery, Delivery.kind == "post")).state.value == "sent"
    assert (await city.one(Post)).state.value == "done"


async def test_25_mentions_arrive_as_25_messages(city: City, mastodon: MastodonProcess) -> None:
    given = {"name": "临江发布", "base_url": mastodon.base_url, "token": "press_token"}
    account, _health = await accounts.connect(city.house, city.people["administrator"], "mastodon", given)
    async with unit_of_work(city.house.ctx) as unit:
        known = await unit.one(select(Account).where(Account.id == account.id))
        known.options = {**known.options, "page_size": 10}
        unit.add(known)
    await city.take_in()
    before = await city.count(Message)
    for number in range(25):
        mastodon.post("bob", f"@press 第 {number} 次：公交晚点")
    await city.take_in()
    assert await city.count(Message) - before == 25
    await city.take_in()
    assert await city.count(Message) - before == 25


async def test_the_road_on_the_sandbox(city: City, platform: Control) -> None:
    remote = platform.account("临江发布")
    given = {
        "name": "临江发布", "base_url": platform.base_url, "external_id": remote["uid"], "token": remote["token"],
        "app_secret": remote["app_secret"],
    }  # fmt: skip
    account, health = await accounts.connect(city.house, city.people["administrator"], "sandbox", given)
    assert health.ok
    (asked,) = platform.mentions(remote["uid"], "@临江发布 小区停水一天了没有通知", author="没水的人")
    await city.take_in()
    message = await city.one(Message, Message.external_id == asked)
    await city.answer(await city.one(Case, Case.id == message.case_id), ANSWER)
    (answer,) = platform.accepted()
    assert (answer["kind"], answer["text"]) == ("reply", ANSWER)
    assert asked in (answer["target_id"], answer["thread_id"])
    assert (await city.one(Case, Case.id == message.case_id)).state is CaseState.replied
    await city.publish("【通告】明日八时起恢复供水。", account.id)
    assert [item["text"] for item in platform.accepted()][-1] == "【通告】明日八时起恢复供水。"
    await city.take_in()
    assert await city.count(Message, ~col(Message.is_own)) == 1, "our own answer came back as a citizen's message"
