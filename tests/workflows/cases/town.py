"""A small town to work cases in: three departments in a tree, one person per role, two accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from sqlmodel import col, select

from hub import clock
from hub.clock import at_local
from hub.db import Context, Unit, reading, unit_of_work
from hub.models import Account, Arrival, Case, CaseEvent, Department, Message, MessageKind, Role, User, UserRole
from hub.people import load_actor
from hub.rights import Actor
from nlp.base import Analysis, Label
from workflows.cases import opening
from workflows.tagging.types import Tagged

# A Monday with an ordinary week before and behind it.
MONDAY = at_local(datetime(2026, 3, 9).date(), 9)  # noqa: DTZ001 -- a day
_numbers = count(1)


def analysis(topic: str = "城乡建设", p: float = 0.9, **given: Any) -> Analysis:
    values: dict[str, Any] = {
        "topic": Label(topic, p, "环境保护", 0.02, ("漏水",)), "sentiment": Label("negative", 0.8), "sensitive": False,
        "sensitive_words": (), "request": "投诉", "urgency": "", "urgency_words": (), "keywords": ("漏水",),
        "places": (), "personal": (), "tokens": "漏水", "version": "test",
    }  # fmt: skip
    return Analysis(**(values | given))


@dataclass
class Town:
    """Ids and actors by short name."""

    ctx: Context
    departments: dict[str, int] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]

    async def say(
        self, unit: Unit, text: str = "我家楼道漏水三天没人管。请尽快处理", *, by: Analysis | None = None, **given: Any
    ) -> Tagged:
        """One stored, tagged message of a citizen."""
        found, number = by or analysis(), next(_numbers)
        values: dict[str, Any] = {
            "account_id": self.accounts["weibo"], "kind": MessageKind.mention, "external_id": f"m{number}",
            "author_id": "zhang", "author_name": "张三", "text": text, "created_at": clock.now(), "needs_case": True,
            "tagged_at": clock.now(), "topic": found.topic.value, "sentiment": found.sentiment.value,
            "is_sensitive": found.sensitive, "request": found.request, "urgency": found.urgency,
        } | given  # fmt: skip
        arrival = Arrival(
            account_id=values["account_id"],
            kind=values["kind"],
            external_id=values["external_id"],
            via="pull",
            payload="{}",
        )
        unit.add(arrival)
        await unit.flush()
        message = Message(arrival_id=arrival.id or 0, **values)
        unit.add(message)
        await unit.flush()
        return Tagged(message, found)

    async def case(self, text: str = "我家楼道漏水三天没人管。请尽快处理", **given: Any) -> Case:
        """A case from one new message, as the hub opens it."""
        given.setdefault("author_id", f"citizen{next(_numbers)}")
        async with unit_of_work(self.ctx) as unit:
            (case_id,) = await opening.attach(unit, [await self.say(unit, text, **given)])
            case = await unit.get(Case, case_id)
            assert case is not None
            return case

    async def again(self, case: Case) -> Case:
        """The case as it stands."""
        async with reading(self.ctx) as unit:
            found = await unit.get(Case, case.id)
            assert found is not None
            return found

    async def events(self, case: Case) -> list[CaseEvent]:
        """Its history, oldest first."""
        async with reading(self.ctx) as unit:
            wanted = select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(col(CaseEvent.id))
            return list(await unit.all(wanted))


_PEOPLE: dict[str, tuple[str, Role]] = {
    "desk": ("office", Role.dispatcher), "press": ("office", Role.press_officer),
    "reviewer": ("office", Role.reviewer2),
    "leader": ("office", Role.leader), "auditor": ("office", Role.auditor),
    "clerk": ("housing", Role.handler), "head": ("housing", Role.head), "unit_clerk": ("repairs", Role.handler),
    "other_clerk": ("traffic", Role.handler), "other_head": ("traffic", Role.head),
    "admin": ("office", Role.administrator),
}  # fmt: skip


async def build_town(ctx: Context) -> Town:
    town = Town(ctx)
    async with unit_of_work(ctx) as unit:
        await _add_departments(unit, town)
        for name, (department, role) in _PEOPLE.items():
            user = User(username=name, name=name, department_id=town.departments[department], password_hash="x")
            unit.add(user)
            await unit.flush()
            unit.add(UserRole(user_id=user.id or 0, role=role))
            await unit.flush()
            actor = await load_actor(unit, user.id or 0)
            assert actor is not None
            town.actors[name] = actor
        for name, platform in (("weibo", "sandbox"), ("letters", "file")):
            account = Account(platform=platform, name=name)
            unit.add(account)
            await unit.flush()
            town.accounts[name] = account.id or 0
    return town


async def _add_departments(unit: Unit, town: Town) -> None:
    rows = [
        ("office", None, [], ""), ("housing", "office", ["城乡建设"], "住房、物业、漏水"),
        ("repairs", "housing", [], ""), ("traffic", "office", ["交通运输"], "道路、公交、红绿灯"),
    ]  # fmt: skip
    for code, parent, topics, duties in rows:
        row = Department(
            code=code, name=code, short_name=code, topics=topics, duties=duties,
            parent_id=town.departments[parent] if parent and parent != "office" else None,
        )  # fmt: skip
        unit.add(row)
        await unit.flush()
        above = f"/{row.parent_id}/" if row.parent_id else "/"
        row.path = f"{above}{row.id}/"
        town.departments[code] = row.id or 0
