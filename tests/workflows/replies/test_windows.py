"""Answering where the platform sets limits: until when, how often, counted per citizen; and what is left to do then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import Notice, NoticeKind
from connectors.registry import connectors
from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Refused
from hub.models import Account, Case, CaseState, DeliveryState, Message, MessageKind, Reply
from tests.workflows.cases.town import Town
from tests.workflows.replies.test_replies import TEXT, approve, draft, engine_says, make, submit
from workflows import replies
from workflows.cases.moves import Move
from workflows.house import House
from workflows.intake import notices
from workflows.replies import box
from workflows.replies.windows import Window, window_of

TWO_DAYS = timedelta(hours=48)


@pytest.fixture
def house(town: Town) -> House:
    return House(town.ctx, connectors(live=False))


def private(left: int | None = 5, author: str = "chen", **given: Any) -> dict[str, Any]:
    """What intake makes of a private message that may be answered ``left`` times within two days."""
    return {
        "kind": MessageKind.private, "author_id": author, "thread_id": f"private:{author}",
        "reply_until": clock.now() + TWO_DAYS, "received_at": clock.now(),
        "extra": {} if left is None else {"reply_left": left}, **given,
    }  # fmt: skip


async def signed(town: Town, **given: Any) -> Case:
    case = await town.case(**given)
    return await make(town, case, Move.sign, "clerk")


async def window(town: Town, case: Case) -> Window | None:
    async with reading(town.ctx) as unit:
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        return await window_of(unit, message)


async def answered(house: House, town: Town, case: Case, text: str) -> Reply:
    reply = await draft(town, case, text)
    await submit(house, town, reply)
    await approve(house, town, reply)
    return reply


async def shown(house: House, town: Town, case: Case) -> box.Box:
    async with reading(town.ctx) as unit:
        return await box.box(house, unit, await town.again(case), None)


async def test_every_answer_takes_one_off_and_a_new_message_begins_anew(
    any_town: Town, at_work: Callable[[timedelta], None]
) -> None:
    town = any_town
    house = House(town.ctx, connectors(live=False))
    case = await signed(town, **private(2))
    until = clock.now() + TWO_DAYS
    assert await window(town, case) == Window(until, 2)
    at_work(timedelta(minutes=5))
    reply = await answered(house, town, case, TEXT)
    assert await window(town, case) == Window(until, 1), "what waits to be sent counts already"
    await engine_says(town, reply, DeliveryState.sent, sent_at=clock.now(), remote_id="r1")
    assert await window(town, case) == Window(until, 1)
    at_work(timedelta(minutes=5))
    await town.case("路灯也坏了。请派人看看", **private(2, created_at=clock.now()))
    again = Window(clock.now() + TWO_DAYS, 2)
    assert await window(town, case) == again
    stranger = await signed(town, **private(2, "wang"))
    await answered(house, town, stranger, TEXT)
    assert await window(town, case) == again, "answers to others do not count"


async def test_an_answer_that_failed_is_not_counted(house: House, town: Town) -> None:
    case = await signed(town, **private(1))
    reply = await answered(house, town, case, TEXT)
    assert (await shown(house, town, case)).why_not
    await engine_says(town, reply, DeliveryState.failed, error_kind="content_rejected", error="内容违规")
    assert (await window(town, case)) == Window(clock.now() + TWO_DAYS, 1)


async def test_when_it_is_used_up_the_page_says_so(
    house: House, town: Town, at_work: Callable[[timedelta], None]
) -> None:
    case = await signed(town, **private(1))
    at_work(timedelta(minutes=1))
    first = await answered(house, town, case, "请问是几号楼？")
    await engine_says(town, first, DeliveryState.sent, sent_at=clock.now(), remote_id="r1")
    seen = await shown(house, town, case)
    assert not seen.can_send
    assert "次数已用完" in seen.why_not
    assert seen.window is not None
    assert seen.window.left == 0


async def test_after_the_time_is_over_elsewhere_is_open_and_the_platform_is_not(
    house: House, town: Town, at_work: Callable[[timedelta], None]
) -> None:
    case = await signed(town, **private(5))
    reply = await draft(town, case)
    before = {"version": case.version, "text": TEXT, "channel": "电话", "note": "平台已不能答复"}
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(Refused, match="可以在平台上答复"):
            await replies.answer_elsewhere(house, unit, case.id or 0, town["clerk"], **before)
    at_work(TWO_DAYS + timedelta(minutes=1))
    seen = await shown(house, town, case)
    assert "截止" in seen.why_not
    with pytest.raises(Refused, match="截止"):
        await submit(house, town, reply)
    async with unit_of_work(town.ctx) as unit:
        version = (await town.again(case)).version
        done = await replies.answer_elsewhere(
            house, unit, case.id or 0, town["clerk"], **(before | {"version": version})
        )
    assert done.state is CaseState.replied


async def test_who_leaves_cannot_be_answered_any_more(house: House, town: Town) -> None:
    case, other = await signed(town, **private(5)), await signed(town, **private(5, "wang"))
    async with unit_of_work(town.ctx) as unit:
        account = await unit.get(Account, town.accounts["weibo"])
        assert account is not None
        for about in ("private:chen", "private:nobody", ""):
            await notices.act(unit, account, [Notice(NoticeKind.left, about)])
    assert not (await shown(house, town, case)).can_send
    assert (await shown(house, town, other)).can_send


async def test_what_has_no_limit_has_no_window(house: House, town: Town) -> None:
    case = await signed(town)
    assert await window(town, case) is None
    seen = await shown(house, town, case)
    assert (seen.window, seen.why_not) == (None, "")


async def test_a_limit_of_one_message_is_its_own(house: House, town: Town) -> None:
    """In public the platform counts per message, not per person."""
    given: dict[str, Any] = {"author_id": "chen", "extra": {"reply_left": 1}}
    case, other = await signed(town, **given), await signed(town, **given)
    await answered(house, town, case, TEXT)
    assert await window(town, case) == Window(None, 0)
    assert await window(town, other) == Window(None, 1)
