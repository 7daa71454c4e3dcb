"""A press office over the pretend platform: an author, two reviewers, accounts, and posts on the way out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlmodel import col, select

from connectors.http import Http
from connectors.sandbox.client import SandboxConnector
from hub import clock
from hub.db import Context, Unit, reading, unit_of_work
from hub.models import Account, Attempt, Delivery, Department, Post, Role, User, UserRole
from hub.people import load_actor
from hub.rights import Actor
from tests.insist import insist
from tests.sims.sandbox import Control
from workflows.delivery import engine
from workflows.house import House
from workflows.publishing import service
from workflows.publishing.content import Draft

_numbers = count(1)


@dataclass
class Office:
    """Ids and actors by short name; every post made here takes the real road: written, submitted, approved."""

    house: House
    sandbox: Control
    actors: dict[str, Actor] = field(default_factory=dict)
    accounts: list[int] = field(default_factory=list)
    uids: dict[int, str] = field(default_factory=dict)

    @property
    def ctx(self) -> Context:
        return self.house.ctx

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]

    def work(self) -> Any:
        return unit_of_work(self.ctx)

    def read(self) -> Any:
        return reading(self.ctx)

    async def connect(self, name: str, **options: Any) -> int:
        """One more account, known on both sides."""
        there = self.sandbox.account(name)
        keys = {"token": there["token"], "app_secret": there["app_secret"]}
        async with self.work() as unit:
            account = Account(
                platform="sandbox",
                name=name,
                external_id=there["uid"],
                base_url=self.sandbox.base_url,
                sealed=self.ctx.vault.seal(keys),
                options=options,
            )
            unit.add(account)
            await unit.flush()
            assert account.id
        self.accounts.append(account.id)
        self.uids[account.id] = there["uid"]
        return account.id

    async def draft(self, text: str = "", accounts: Sequence[int] = (), **given: Any) -> Post:
        """A draft by the press officer."""
        body = text or f"第 {next(_numbers)} 条通告：明日起恢复供水。"
        targets = dict.fromkeys(accounts or self.accounts[:1], "")
        async with self.work() as unit:
            return await service.create(unit, self["press"], Draft("通告", body, targets, **given))

    async def submitted(self, text: str = "", accounts: Sequence[int] = (), **given: Any) -> Post:
        """A post in review."""
        post = await self.draft(text, accounts, **given)
        async with self.work() as unit:
            number, version = post.id or 0, post.version
            return await insist(partial(service.submit, self.house, unit, self["press"], number, version=version))

    async def approved(
        self, text: str = "", accounts: Sequence[int] = (), *, after: float = 0.0, **given: Any
    ) -> list[int]:
        """Ids of the deliveries of a post approved by somebody else, due in ``after`` seconds."""
        given.setdefault("scheduled_at", clock.now() + timedelta(seconds=after))
        post = await self.submitted(text, accounts, **given)
        async with self.work() as unit:
            await service.approve(self.house, unit, self["review"], post.id or 0, content_hash=post.content_hash)
        return [key or 0 for key in await self.ids(post)]

    async def ids(self, post: Post) -> Sequence[int | None]:
        async with self.read() as unit:
            return await unit.all(select(Delivery.id).where(Delivery.post_id == post.id).order_by(col(Delivery.id)))

    async def delivery(self, delivery_id: int) -> Delivery:
        async with self.read() as unit:
            found = await unit.get(Delivery, delivery_id)
        assert found is not None
        return found

    async def states(self, ids: Sequence[int]) -> list[str]:
        return [(await self.delivery(key)).state.value for key in ids]

    async def attempts(self, delivery_id: int) -> list[str]:
        async with self.read() as unit:
            found = await unit.all(
                select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(col(Attempt.number))
            )
        return [attempt.result.value for attempt in found]

    async def post_of(self, delivery_id: int) -> Post:
        async with self.read() as unit:
            delivery = await unit.get(Delivery, delivery_id)
            return await unit.get(Post, delivery.post_id)

    async def sweep(self) -> None:
        await engine.sweep(self.house)

    def texts(self) -> list[str]:
        """What the platform accepted, the only judge."""
        return [item["text"] for item in self.sandbox.accepted()]


@dataclass
class Hands:
    """Hands of the stopped clock."""

    move: Any

    def on(self, seconds: float) -> None:
        """Move the clock on."""
        self.move(clock.now() + timedelta(seconds=seconds))


async def open_office(ctx: Context, sandbox: Control) -> Office:
    """The office with its people and one account."""
    house = House(ctx, {"sandbox": SandboxConnector(Http(live=False, read=3.0, total=5.0))})
    office = Office(house, sandbox)
    async with unit_of_work(ctx) as unit:
        department = Department(code="press", name="新闻办公室", short_name="新闻办", path="/1/")
        unit.add(department)
        await unit.flush()
        assert department.id
        await _hire(unit, office, "press", department.id, Role.press_officer)
        await _hire(unit, office, "review", department.id, Role.reviewer1)
        await _hire(unit, office, "chief", department.id, Role.reviewer3)
        await _hire(unit, office, "both", department.id, Role.press_officer, Role.reviewer1)
        await _hire(unit, office, "clerk", department.id, Role.handler)
    await office.connect("临江发布")
    return office


async def _hire(unit: Unit, office: Office, name: str, department_id: int, *roles: Role) -> None:
    person = User(username=name, name=name, department_id=department_id, password_hash="-")
    unit.add(person)
    await unit.flush()
    assert person.id
    for role in roles:
        unit.add(UserRole(user_id=person.id, role=role))
    await unit.flush()
    actor = await load_actor(unit, person.id)
    assert actor is not None
    office.actors[name] = actor


def stopped() -> AbstractContextManager[Any]:
    """The clock stopped at the present moment: the platform's clock is the wall's."""
    return clock.frozen(clock.now())
