"""The office of the journeys: its house, its people by role, and what they do, in the words of the services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlmodel import col, func, select

from hub import clock
from hub.db import reading, unit_of_work
from hub.models import Case, CaseState, Reply, Stream
from hub.rights import Actor
from tests.insist import insist
from workflows import replies
from workflows.cases.moves import Move
from workflows.cases.service import dispatch_now, make_move
from workflows.delivery import engine
from workflows.house import House
from workflows.intake.pulling import pull_due
from workflows.intake.reading import read_waiting
from workflows.publishing import service as publishing
from workflows.publishing.content import Draft
from workflows.tagging.batches import tag_waiting


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
