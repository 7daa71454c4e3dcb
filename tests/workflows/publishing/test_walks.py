"""Random walks over every door: nothing leaves that was not signed, as it is, by somebody who wrote none of it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import col, select

from hub import clock
from hub.errors import HubError
from hub.models import Attempt, Delivery, Pause, Post, PostEvent
from hub.rights import Actor
from tests.insist import insist
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import engine
from workflows.delivery import service as deliveries
from workflows.publishing import service
from workflows.publishing.content import Draft

PEOPLE = ("press", "review", "chief", "both", "clerk")
WORDS = ("停水", "停电", "封路", "开馆", "招聘")
UNDOING = ("save", "send_back", "back_to_review", "withdraw")


class Walker:
    """One person after the other tries one thing after the other, allowed or not."""

    def __init__(self, office: Office, hands: Hands, seed: int) -> None:
        self.office, self.hands, self.dice = office, hands, random.Random(seed)
        self.done = 0
        self.steps: list[Callable[[], Awaitable[object]]] = [
            self.create, self.save, self.save, self.submit, self.submit, self.approve, self.approve, self.approve,
            self.approve, self.submit, self.submit, self.send_back, self.withdraw, self.drag, self.move_one,
            self.send_now, self.retry, self.cancel, self.say, self.pause, self.lift, self.lift, self.send, self.sweep,
            self.sweep, self.sweep,
        ]  # fmt: skip

    async def walk(self, steps: int) -> None:
        for _ in range(steps):
            try:
                await self.dice.choice(self.steps)()
                self.done += 1
            except HubError:
                pass
            self.hands.on(self.dice.choice((0, 0, 1, 30)))
        await self.sweep()

    def who(self, fit: str = "press") -> Actor:
        """Mostly somebody fit for it, so that walks come far; often enough somebody who is not."""
        return self.office[fit if self.dice.random() < 0.6 else self.dice.choice(PEOPLE)]

    def words(self) -> Draft:
        chosen = self.dice.sample(self.office.accounts, self.dice.randint(1, 2))
        own = {account: self.dice.choice(("", self.dice.choice(WORDS))) for account in chosen}
        at = clock.now() + timedelta(seconds=self.dice.choice((0, 5, 60, 3600)))
        return Draft("题", self.dice.choice(WORDS), own, self.dice.choice((None, at)))

    async def post(self) -> Post:
        async with self.office.read() as unit:
            return self.dice.choice(
                await unit.all(select(Post)) or [Post(id=0, title="", department_id=0, author_id=0)]
            )

    async def delivery(self) -> int:
        async with self.office.read() as unit:
            return self.dice.choice(await unit.all(select(Delivery.id)) or [0])

    async def create(self) -> None:
        async with self.office.work() as unit:
            await service.create(unit, self.who(), self.words())

    async def save(self) -> None:
        post = await self.post()
        async with self.office.work() as unit:
            await service.save(unit, self.who(), post.id or 0, version=post.version, draft=self.words())

    async def submit(self) -> None:
        post = await self.post()
        async with self.office.work() as unit:
            number, version = post.id or 0, post.version
            await insist(partial(service.submit, self.office.house, unit, self.who(), number, version=version))

    async def approve(self) -> None:
        post = await self.post()
        async with self.office.work() as unit:
            await service.approve(
                self.office.house, unit, self.who("review"), post.id or 0, content_hash=post.content_hash,
                at_once=self.dice.random() < 0.5,
            )  # fmt: skip

    async def send_back(self) -> None:
        post = await self.post()
        async with self.office.work() as unit:
            await service.send_back(unit, self.who("review"), post.id or 0, content_hash=post.content_hash, reason="退")

    async def withdraw(self) -> None:
        post = await self.post()
        async with self.office.work() as unit:
            await service.withdraw(unit, self.who(), post.id or 0, version=post.version, reason="撤")

    async def drag(self) -> None:
        post = await self.post()
        at = clock.now() + timedelta(seconds=self.dice.choice((1, 60, 864000)))
        async with self.office.work() as unit:
            await service.reschedule(unit, self.who(), post.id or 0, version=post.version, scheduled_at=at)

    async def move_one(self) -> None:
        key, at = await self.delivery(), clock.now() + timedelta(seconds=self.dice.choice((1, 60)))
        async with self.office.work() as unit:
            await deliveries.reschedule(unit, self.who(), key, at)

    async def send_now(self) -> None:
        key = await self.delivery()
        async with self.office.work() as unit:
            await deliveries.send_now(unit, self.who(), key)

    async def retry(self) -> None:
        key = await self.delivery()
        async with self.office.work() as unit:
            await deliveries.retry(unit, self.who(), key)

    async def cancel(self) -> None:
        key = await self.delivery()
        async with self.office.work() as unit:
            await deliveries.cancel(unit, self.who(), key, "作废")

    async def say(self) -> None:
        key = await self.delivery()
        async with self.office.work() as unit:
            await deliveries.settle_by_hand(unit, self.who(), key, self.dice.random() < 0.5, "", "看过")

    async def pause(self) -> None:
        async with self.office.work() as unit:
            await deliveries.pause(unit, self.who(), "停")

    async def lift(self) -> None:
        async with self.office.read() as unit:
            pauses = await unit.all(select(Pause.id).where(col(Pause.lifted_at).is_(None)))
        for key in pauses:
            async with self.office.work() as unit:
                await deliveries.lift(unit, self.office["press"], key or 0, "好")

    async def send(self) -> None:
        await engine.send(self.office.house, await self.delivery())

    async def sweep(self) -> None:
        await self.office.sweep()


async def breaches(office: Office) -> list[str]:
    """Attempts that had no right to be made, judged from the histories alone."""
    async with office.read() as unit:
        tried = (
            await unit.session.exec(
                select(Attempt, Delivery).join(Delivery, col(Delivery.id) == col(Attempt.delivery_id))
            )
        ).all()
        events = await unit.all(select(PostEvent).order_by(col(PostEvent.id)))
    found = []
    for attempt, delivery in tried:
        before = [e for e in events if e.post_id == delivery.post_id and e.at <= attempt.started_at]
        approvals = [e for e in before if e.what == "approve"]
        if not approvals:
            found.append(f"delivery {delivery.id}: never approved")
            continue
        last = approvals[-1]
        writers = {e.by_id for e in before if e.what in ("create", "save") and e.id < last.id}
        said = last.data["targets"].get(str(delivery.account_id), None)
        if last.by_id in writers or last.by_id is None:
            found.append(f"delivery {delivery.id}: approved by a writer")
        if said is None or (said or last.data["body"]) != delivery.text:
            found.append(f"delivery {delivery.id}: other words than approved")
        if any(e.what in UNDOING and e.id > last.id and e.at < attempt.started_at for e in before):
            found.append(f"delivery {delivery.id}: the approval had been undone")
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_no_walk_gets_round_the_review(office: Office, hands: Hands, seed: int) -> None:
    await office.connect("江北发布")
    walker = Walker(office, hands, seed)
    await walker.walk(200)
    assert await breaches(office) == []
    assert walker.done > 20, "a walk that does nothing proves nothing"
    assert office.texts(), "a walk that sends nothing proves nothing"


async def test_the_judge_sees_a_breach(office: Office, hands: Hands) -> None:
    (one,) = await office.approved("原文", after=5)
    hands.on(1)
    async with office.work() as unit:
        await unit.claim(Delivery, col(Delivery.id) == one, text="别的")
        unit.add(Attempt(delivery_id=one, number=1, key="k", content_hash=""))
    assert await breaches(office) == [f"delivery {one}: other words than approved"]
