"""Short ways to say what stands in a test's database, and a platform that does what the test says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel, col, select

from connectors.base import AccountRef, ConnectorError, Inbound, Kind, Page, RawItem
from connectors.files.client import FileConnector
from hub.db import reading, unit_of_work
from hub.models import Account, Arrival, Department, Message, Role, User
from hub.rights import Actor, rights_of
from workflows.house import House

WRITTEN = "2026-11-20T08:00:00+08:00"


async def account(house: House, platform: str = "file", name: str = "信箱", **given: Any) -> Account:
    async with unit_of_work(house.ctx) as unit:
        row = Account(platform=platform, name=name, **given)
        unit.add(row)
    return row


async def person(house: House, *roles: Role, username: str = "clerk") -> Actor:
    """A real person with these roles."""
    async with unit_of_work(house.ctx) as unit:
        department = Department(code=username, name="某局", short_name="某局", path="/1/")
        unit.add(department)
        await unit.flush()
        user = User(username=username, name="王敏", department_id=department.id or 0, password_hash="-")
        unit.add(user)
        await unit.flush()
        held = frozenset(roles)
        return Actor(user.id, user.name, department.id, department.path, held, rights_of(held))


def letter(number: object, words: str = "路灯坏了", **more: Any) -> RawItem:
    """One row of a file, as the ``file`` platform stores it."""
    shape = {"text": words, "created_at": WRITTEN, "author": f"市民{number}"} | more
    return RawItem(Kind.letter, str(number), json.dumps(shape, ensure_ascii=False))


async def all_rows(house: House, model: type[Any]) -> list[Any]:
    async with reading(house.ctx) as unit:
        key = next(iter(model.__table__.primary_key.columns))
        return list(await unit.all(select(model).order_by(key)))


async def count(house: House, model: type[SQLModel]) -> int:
    async with reading(house.ctx) as unit:
        name = model.__tablename__
        return int((await unit.rows(text(f'SELECT count(*) FROM "{name}"')))[0][0])


async def message(house: House, external_id: str) -> Message:
    async with reading(house.ctx) as unit:
        return await unit.one(select(Message).where(col(Message.external_id) == external_id))


async def arrival(house: House, external_id: str) -> Arrival:
    async with reading(house.ctx) as unit:
        return await unit.one(select(Arrival).where(col(Arrival.external_id) == external_id))


class Numbers(FileConnector):
    """A platform whose one stream is the numbers from 1 to ``last``, ten a page; ``trouble`` breaks a page once.

    Its items say in their payload what they are: "own", or "break" with the name of what reading them breaks.
    """

    platform = "numbers"
    streams = ("numbers",)

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self.trouble: dict[int, BaseException] = {}
        self.asked: list[int] = []

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        start = int(cursor.get("after", 0))
        self.asked.append(start)
        if start in self.trouble:
            raise self.trouble.pop(start)
        ids = range(start + 1, min(start + 10, self.last) + 1)
        return Page(tuple(letter(n) for n in ids), {"after": max(ids, default=start)}, more=start + 10 < self.last)

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        shape = json.loads(item.payload)
        if fault := shape.get("break"):
            raise {"parse": ValueError, "key": KeyError, "recursion": RecursionError}[fault](shape["text"])
        inbound = super().parse(account, item)
        places = {"thread_id": shape.get("thread", ""), "parent_id": shape.get("parent", "")}
        inbound = replace(inbound, text=shape["text"], **places)  # as written: no file, so no HTML is taken out
        if "extra_object" in shape:
            inbound = replace(inbound, extra={"object": object()})
        return replace(inbound, is_own=bool(shape.get("own")))


def numbers(house: House, last: int = 0) -> Numbers:
    """Put the platform into the house."""
    platform = Numbers(last)
    house.platforms = {**house.platforms, platform.platform: platform}
    return platform


__all__ = ["ConnectorError", "Numbers", "account", "all_rows", "count", "letter", "message", "numbers", "person"]
