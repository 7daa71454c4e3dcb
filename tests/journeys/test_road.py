"""The whole road on two platforms: a mention in, an answer out in its thread, a post out; the platform is the judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, func, select

from connectors.registry import connectors
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import (
    Account,
    Case,
    CaseState,
    Delivery,
    Department,
    Message,
    Post,
    Reply,
    Role,
    Stream,
    User,
    UserRole,
)
from hub.people import load_actor
from hub.rights import Actor
from tests.insist import insist
from tests.sims.mastodon import MastodonProcess
from tests.sims.sandbox import Control, SandboxProcess
from workflows import accounts, replies
from workflows.cases.moves import Move
from workflows.cases.service import dispatch_now, make_move
from workflows.delivery import engine
from workflows.house import House
from workflows.intake.pulling import pull_due
from workflows.intake.reading import read_waiting
from workflows.publishing import service as publishing
from workflows.publishing.content import Draft
from workflows.tagging.batches import tag_waiting

ANSWER = "您好，枫林路的路灯今晚修好，谢谢提醒。"


@dataclass
class City:
    """The office: its house and its people by role."""

    house: House
    people: dict[str, Actor]

    async def take_in(self) -> None:
        """Read every stream now, understand, tag, open cases."""
        async with unit_of_work(self.house.ctx) as unit:
            for stream in await unit.all(select(Stream)):
                stream.due_at = clock.now() - timedelta(seconds=1)
                unit.add(stream)
        await pull_due(self.house)
        while await read_waiting(self.house):
            pass
        while await tag_waiting(self.house):
            pass

    async def one(self, model: type[Any], *conditions: Any) -> Any:
        async with reading(self.house.ctx) as unit:
            return await unit.one(select(model).where(*conditions))

    async def count(self, model: type[Any], *conditions: Any) -> int:
        async with reading(self.house.ctx) as unit:
            return await unit.one(select(func.count(col(model.id))).where(*conditions))

    async def answer(self, case: Case, text: str) -> None:
        """Desk, clerk, head: dispatched, signed, written, submitted, approved by somebody else."""
        desk, clerk, head = (self.people[name] for name in ("dispatcher", "handler", "head"))
        async with unit_of_work(self.house.ctx) as unit:
            case = await unit.one(select(Case).where(Case.id == case.id))
            if case.state is not CaseState.dispatched:
                case = await dispatch_now(
                    unit, case.id, desk, version=case.version, department_id=clerk.department_id, note="路灯归住建"
                )
            case = await make_move(unit, case.id, Move.sign, clerk, version=case.version)
        async with unit_of_work(self.house.ctx) as unit:
            reply = await replies.save_draft(unit, case.id, clerk, text=text, version=0)
            await insist(partial(replies.submit, self.house, unit, reply.id, clerk, version=reply.version))
            reply = await unit.one(select(Reply).where(Reply.case_id == case.id))
        async with unit_of_work(self.house.ctx) as unit:
            await replies.approve(
                self.house, unit, reply.id, head, version=reply.version, content_hash=reply.content_hash
            )
        await engine.sweep(self.house)

    async def publish(self, text: str, account_id: int) -> None:
        """Written, submitted, approved by somebody else, due now."""
        press, review = self.people["press_officer"], self.people["reviewer1"]
        at = clock.now() + timedelta(seconds=1)
        async with unit_of_work(self.house.ctx) as unit:
            post = await publishing.create(unit, press, Draft("通告", text, {account_id: ""}, scheduled_at=at))
            post = await insist(partial(publishing.submit, self.house, unit, press, post.id, version=post.version))
            await publishing.approve(self.house, unit, review, post.id, content_hash=post.content_hash)
        with clock.frozen(at + timedelta(seconds=1)):
            await engine.sweep(self.house)


@pytest.fixture
async def city(ctx: Context) -> City:
    people: dict[str, Actor] = {}
    async with unit_of_work(ctx) as unit:
        unit.add(Department(id=1, code="housing", name="住建局", short_name="住建局", path="/1/", topics=["城乡建设"]))
        await unit.flush()
        for number, role in enumerate(Role, 1):
            unit.add(User(id=number, username=role.value, name=role.value, department_id=1, password_hash="-"))
            await unit.flush()
            unit.add(UserRole(user_id=number, role=role))
            await unit.flush()
            actor = await load_actor(unit, number)
            assert actor is not None
            people[role.value] = actor
    return City(House(ctx, connectors(live=False)), people)


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
