"""What the core asks of the database works on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio

from sqlmodel import select

from connectors.registry import connectors
from hub.db import Context, reading, unit_of_work
from hub.models import Role, User
from hub.people import add_user, find_or_make_department, sessions, sign_in, tokens
from hub.rights import May, system
from web.app import create_app
from web.live import Feed
from web.observe.figures import read_figures
from web.observe.health import Vitals
from workflows import accounts
from workflows.house import House

GOOD = "清晨六点的公交-2026"


async def test_people_sessions_tokens(any_ctx: Context) -> None:
    async with unit_of_work(any_ctx) as unit:
        place = await find_or_make_department(unit, system(), "档案馆")
        user = await add_user(
            unit, system(), username="wang", name="王芳", department_id=place, password=GOOD,
            roles=[Role.handler, Role.head],
        )  # fmt: skip
    assert not (await sign_in(any_ctx, "wang", "wrong", address="::1", agent="")).token
    done = await sign_in(any_ctx, "WANG", GOOD, address="::1", agent="x" * 1000)
    async with unit_of_work(any_ctx) as unit:
        found = await sessions.resolve(unit, done.token)
        assert found
        who = found[0]
        assert who.actor.roles == {Role.handler, Role.head}
        assert who.actor.can(May.hand_back)
        assert who.department == "档案馆"
        assert who.actor.path.endswith(f"/{place}/")
        await sessions.touch(unit, who.sign_in_id or 0)
        assert await sessions.is_alive(unit, who.sign_in_id or 0)
        _row, text = await tokens.issue(unit, who.actor, "报表", ["cases:read"], 30)
    async with unit_of_work(any_ctx) as unit:
        assert await tokens.resolve(unit, text)
        await tokens.touch(unit, text)
        assert await sessions.revoke(unit, user.id or 0) == 1
        assert await sessions.resolve(unit, done.token) is None
        assert await sessions.sweep(unit) == 0


async def test_figures_and_feed(any_ctx: Context) -> None:
    house = House(any_ctx, connectors(live=False))
    found = await read_figures(house)
    assert found.deliveries["sent"] == 0
    assert await Vitals(house).reason_not_ready() == ""
    assert await Feed(any_ctx).newest() == 0
    assert create_app(house).state.house is house
    async with reading(any_ctx) as unit:
        assert all(one.account.name for one in await accounts.overviews(house, unit))


async def test_guesses_at_once_lock_like_guesses_one_by_one(any_ctx: Context) -> None:
    """Twelve tries at the same moment, the last with the right password: five wrong ones have locked by then."""
    async with unit_of_work(any_ctx) as unit:
        place = await find_or_make_department(unit, system(), "档案馆")
        await add_user(
            unit, system(), username="wang", name="王芳", department_id=place, password=GOOD, roles=[Role.handler]
        )
    guesses = [sign_in(any_ctx, "wang", f"wrong-{n}", address="::1", agent="") for n in range(12)]
    assert not any(done.token for done in await asyncio.gather(*guesses))
    async with reading(any_ctx) as unit:
        user = await unit.one(select(User).where(User.username == "wang"))
    assert user.locked_until is not None
    assert not (await sign_in(any_ctx, "wang", GOOD, address="::1", agent="")).token
