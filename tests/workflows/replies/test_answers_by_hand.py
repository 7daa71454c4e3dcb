"""An answer on a platform without an interface: reviewed as always, given by a person, done by their word."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlmodel import select

from connectors.registry import connectors
from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Refused
from hub.models import Account, Case, CaseState, Delivery, DeliveryState, Message, MessageKind, Reply, ReplyState
from tests.workflows.cases.town import Town
from tests.workflows.replies.test_replies import TEXT, approve, draft, signed, standing, submit
from workflows.delivery import byhand, engine, handwork
from workflows.house import House
from workflows.intake.pasting import may_paste, take, understood
from workflows.intake.reading import read_waiting

S = DeliveryState


@pytest.fixture
def house(any_town: Town) -> House:
    return House(any_town.ctx, connectors(live=False))


async def by_hand(town: Town) -> None:
    """All accounts are on a platform without an interface."""
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Account).values(platform="manual", options={"site": "douyin"}))


async def let_go(house: House, town: Town, case: Case) -> Reply:
    """An answer written, approved and on its way."""
    reply = await draft(town, case)
    await submit(house, town, reply)
    await approve(house, town, reply)
    await engine.sweep(house)
    return reply


async def test_the_case_is_answered_when_the_person_says_so(house: House, any_town: Town) -> None:
    town = any_town
    case = await signed(town)
    await by_hand(town)
    reply = await let_go(house, town, case)
    async with reading(town.ctx) as unit:
        delivery = await unit.one(select(Delivery).where(Delivery.reply_id == reply.id))
        assert (delivery.state, delivery.assignee_id) == (S.by_hand, town["clerk"].user_id)
        pack = await handwork.pack(house, unit, town["clerk"], delivery.id or 0)
    assert pack.said is not None
    assert pack.said.id == case.first_message_id
    assert pack.task.delivery.text == TEXT
    assert (await town.again(case)).state is CaseState.review
    async with unit_of_work(town.ctx) as unit:
        await byhand.finish(house, unit, town["clerk"], delivery.id or 0, link="", without="私信没有链接")
    assert (await town.again(case)).state is CaseState.replied
    assert (await standing(town, reply)).state is ReplyState.sent
    assert [event.what for event in await town.events(case)][-2:] == ["answer_by_hand", "answer_sent"]


async def test_not_given_it_is_the_departments_again_with_the_reason(house: House, any_town: Town) -> None:
    town = any_town
    case = await signed(town)
    await by_hand(town)
    reply = await let_go(house, town, case)
    async with unit_of_work(town.ctx) as unit:
        delivery = await unit.one(select(Delivery).where(Delivery.reply_id == reply.id))
        await byhand.give_up(unit, town["clerk"], delivery.id or 0, "评论已被作者删除")
    assert (await town.again(case)).state is CaseState.handling
    last = (await town.events(case))[-1]
    assert last.what == "answer_failed"
    assert "评论已被作者删除" in str(last.data)


async def test_pasted_comments_come_in_once_through_the_same_intake(house: House, any_town: Town) -> None:
    town = any_town
    await signed(town)
    await by_hand(town)
    pasted = "赵小六：学府路的路灯坏了三天\n李四：我家门口也是"
    desk = next(actor for actor in map(town.__getitem__, ("desk", "press", "clerk")) if may_paste(actor))
    async with unit_of_work(town.ctx) as unit:
        account = (await unit.all(select(Account)))[0]
        first = await take(unit, desk, account.id or 0, pasted)
        again = await take(unit, desk, account.id or 0, pasted)
    assert (len(first.new), first.known, len(again.new), again.known) == (2, 0, 0, 2)
    while await read_waiting(house, 100):
        pass
    async with reading(town.ctx) as unit:
        found = await unit.all(select(Message).where(Message.author_name == "赵小六"))
    assert [(one.text, one.kind.value) for one in found] == [("学府路的路灯坏了三天", "comment")]
    assert len(understood(pasted)) == 2


async def test_an_account_that_is_switched_off_answers_all_the_same(house: House, any_town: Town) -> None:
    town = any_town
    case = await signed(town)
    await by_hand(town)
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Account).values(is_active=False))
    reply = await let_go(house, town, case)
    async with reading(town.ctx) as unit:
        delivery = await unit.one(select(Delivery).where(Delivery.reply_id == reply.id))
    assert delivery.state is S.by_hand, "it left, it was not held"


async def test_what_was_approved_fails_with_the_reason_where_the_account_is_gone(house: House, any_town: Town) -> None:
    town = any_town
    case = await signed(town)
    await by_hand(town)
    late = await draft(town, case)
    await submit(house, town, late)
    await approve(house, town, late)
    async with unit_of_work(town.ctx) as unit:
        await unit.run(update(Account).values(is_active=False, disconnected_at=clock.now(), sealed=""))
    await engine.sweep(house)
    back = await town.again(case)
    assert back.state is CaseState.handling
    assert (await town.events(case))[-1].note == "账号已断开，不能在平台上答复"
    again = await draft(town, case)
    with pytest.raises(Refused, match="账号已断开。请线下答复后登记"):
        await submit(house, town, again)


async def test_letters_are_answered_also_after_their_page_was_taken_away(house: House, any_town: Town) -> None:
    town = any_town
    case = await signed(town, kind=MessageKind.letter, account_id=town.accounts["letters"])
    async with unit_of_work(town.ctx) as unit:
        gone = {"platform": "webform", "is_active": False, "disconnected_at": clock.now(), "sealed": ""}
        await unit.run(update(Account).where(Account.name == "letters").values(**gone))
    await let_go(house, town, case)
    assert (await town.again(case)).state is CaseState.replied
