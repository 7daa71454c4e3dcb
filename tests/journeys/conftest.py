"""One office per journey."""

from __future__ import annotations

import pytest

from connectors.registry import connectors
from hub.db import Context, unit_of_work
from hub.models import Department, Role, User, UserRole
from hub.people import load_actor
from hub.rights import Actor
from tests.journeys.office import City
from workflows.house import House


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
