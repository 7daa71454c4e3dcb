"""A house with the real analyser on both databases, and a short way to say what citizens wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, func, select

from connectors.registry import connectors
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Arrival, Department, Matter, MatterEvent, MatterMessage, Message, MessageKind, Role
from hub.rights import Actor, rights_of
from workflows.house import House
from workflows.matters.jobs import place_messages
from workflows.tagging.batches import tag_waiting


@dataclass
class Voices:
    """What is said in the town, through tagging and placing."""

    house: House
    account_id: int = 0
    people: dict[str, Actor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Actor:
        return self.people[name]

    async def prepare(self) -> None:
        async with unit_of_work(self.house.ctx) as unit:
            account = Account(platform="file", name="信箱")
            rows = [
                Department(code=code, name=name, short_name=name, path=f"/{n}/", topics=topics)
                for n, (code, name, topics) in enumerate(
                    [("city", "市府办", []), ("house", "住建局", ["城乡建设"]), ("road", "交通局", ["交通运输"])], 1
                )
            ]
            unit.add(account, *rows)
            await unit.flush()
            self.account_id = account.id or 0
            for n, (name, role, department) in enumerate(
                [("press", Role.press_officer, 0), ("leader", Role.leader, 1), ("road_leader", Role.leader, 2),
                 ("clerk", Role.handler, 1), ("auditor", Role.auditor, 0), ("desk", Role.dispatcher, 0)], 1
            ):  # fmt: skip
                at, held = rows[department], frozenset({role})
                self.people[name] = Actor(None, name, at.id, at.path, held, rights_of(held))
                self.people[name] = await _person(unit, self.people[name], role, n)

    async def say(
        self, texts: Sequence[str], *, at: datetime | None = None, each: timedelta = timedelta(minutes=1), **given: Any
    ) -> list[int]:
        """Citizens write; ids of the messages, tagged and waiting for their place."""
        at = at or clock.now() - timedelta(hours=1)
        async with unit_of_work(self.house.ctx) as unit:
            base = await unit.first(select(func.max(col(Message.id)))) or 0
            for n, text in enumerate(texts, base + 1):
                key: dict[str, Any] = {"account_id": self.account_id, "kind": MessageKind.letter, "external_id": str(n)}
                arrival = Arrival(via="test", payload="{}", **key)
                unit.add(arrival)
                await unit.flush()
                values: dict[str, Any] = {
                    "author_id": f"u{n}", "author_name": f"市民{n}", "text": text, "created_at": at + each * (n - base),
                    "needs_case": True,
                }  # fmt: skip
                unit.add(Message(arrival_id=arrival.id or 0, **key, **(values | given)))
        while await tag_waiting(self.house):
            pass
        return list(range(base + 1, base + 1 + len(texts)))

    async def hear(self, texts: Sequence[str], **given: Any) -> list[int]:
        """As :meth:`say`, and the worker has placed them."""
        ids = await self.say(texts, **given)
        await place_messages(self.house)
        return ids

    async def of(self, message_id: int) -> int | None:
        """The matter a message is in."""
        async with reading(self.house.ctx) as unit:
            row = await unit.get(MatterMessage, message_id)
            assert row is not None
            return row.matter_id

    async def matter(self, matter_id: int | None) -> Matter:
        async with reading(self.house.ctx) as unit:
            found = await unit.get(Matter, matter_id)
            assert found is not None
            return found

    async def events(self, matter_id: int | None) -> list[str]:
        async with reading(self.house.ctx) as unit:
            rows = select(MatterEvent).where(MatterEvent.matter_id == matter_id).order_by(col(MatterEvent.id))
            return [one.what for one in await unit.all(rows)]


async def _person(unit: Any, actor: Actor, role: Role, number: int) -> Actor:
    from hub.models import User, UserRole
    from hub.people import load_actor

    user = User(username=actor.name, name=actor.name, department_id=actor.department_id or 0, password_hash="-")
    unit.add(user)
    await unit.flush()
    unit.add(UserRole(user_id=user.id or 0, role=role))
    await unit.flush()
    found = await load_actor(unit, user.id or 0)
    assert found is not None
    assert number
    return found


@pytest.fixture
async def voices(ctx: Context) -> Voices:
    made = Voices(House(ctx, connectors(live=False)))
    await made.prepare()
    return made


@pytest.fixture
async def any_voices(any_ctx: Context) -> Voices:
    made = Voices(House(any_ctx, connectors(live=False)))
    await made.prepare()
    return made
