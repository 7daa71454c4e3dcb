"""A question back to the citizen: reviewed like an answer, the clock stands while it is open, and it is no answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.registry import connectors
from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Refused
from hub.models import Case, CaseState, DeliveryState, Message, Reply
from hub.queries.search import ANSWERED, index, match
from tests.workflows.cases.town import Town
from tests.workflows.replies.test_replies import approve, draft, engine_says, signed, standing, submit
from workflows.cases import opening, sweeps
from workflows.cases.detail import detail
from workflows.house import House
from workflows.replies import send_back

Later = Callable[[timedelta], None]
QUESTION = "您好，请补充漏水的楼栋和单元号。"


@pytest.fixture
def house(town: Town) -> House:
    return House(town.ctx, connectors(live=False))


async def sent(town: Town, reply: Reply) -> None:
    """The platform confirms."""
    await engine_says(town, reply, DeliveryState.sent, sent_at=clock.now(), remote_id=f"r{reply.id}")


async def asked(house: House, town: Town) -> tuple[Case, Reply]:
    """A case whose question has gone out."""
    case = await signed(town)
    reply = await draft(town, case, QUESTION)
    assert (await submit(house, town, reply, asks=True)).state is CaseState.review
    await approve(house, town, reply)
    await sent(town, reply)
    return await town.again(case), reply


async def test_the_clock_stands_while_a_question_is_open(house: House, town: Town, at_work: Later) -> None:
    case, reply = await asked(house, town)
    assert (case.state, case.replied_at, case.is_open) == (CaseState.waiting, None, True)
    assert case.waiting_until == clock.now() + timedelta(days=5)
    assert case.due_at is not None
    assert case.due_at > case.waiting_until
    assert [event.what for event in await town.events(case)][-4:] == [
        "draft",
        "ask_citizen",
        "approve",
        "question_sent",
    ]
    async with reading(town.ctx) as unit:
        shown = await detail(unit, case.id or 0, town["clerk"])
    assert [(one.id, one.asks) for one in shown.replies] == [(reply.id, True)]


async def test_a_question_is_no_answer_to_be_found(house: House, town: Town) -> None:
    case = await signed(town)
    async with unit_of_work(town.ctx) as unit:
        await index(unit, [(case.first_message_id or 0, "楼道 漏水")])
    reply = await draft(town, case, QUESTION)
    await submit(house, town, reply, asks=True)
    await approve(house, town, reply)
    await sent(town, reply)
    async with reading(town.ctx) as unit:
        assert await match(unit, [["漏水"]]) == [case.first_message_id]
        assert await match(unit, [[ANSWERED]]) == []


async def test_what_the_citizen_says_starts_the_clock_again(house: House, town: Town, at_work: Later) -> None:
    case, _reply = await asked(house, town)
    before = (await town.events(case))[-2].at
    at_work(timedelta(hours=30))
    async with unit_of_work(town.ctx) as unit:
        first = await unit.get(Message, case.first_message_id)
        assert first is not None
        more = await town.say(unit, "三栋二单元", author_id=case.author_id, parent_id=first.external_id,
                              thread_id=first.external_id)  # fmt: skip
        assert await opening.attach(unit, [more]) == [case.id]
    now = await town.again(case)
    assert (now.state, now.waiting_until) == (CaseState.handling, None)
    assert now.paused_seconds >= 30 * 3600 - 60
    assert now.due_at is not None
    assert case.due_at is not None
    assert before < now.due_at < case.due_at, "what was left goes on from here"
    answer = await draft(town, now, "您好，三栋二单元明天上门维修。")
    await submit(house, town, answer)
    await approve(house, town, answer)
    await sent(town, answer)
    assert (await town.again(case)).state is CaseState.replied


async def test_nobody_answers_and_work_goes_on(house: House, town: Town, at_work: Later) -> None:
    case, _reply = await asked(house, town)
    assert await sweeps.resume_waiting(house) == 0
    at_work(timedelta(days=5, minutes=1))
    assert await sweeps.resume_waiting(house) == 1
    assert (await town.again(case)).state is CaseState.handling


async def test_a_question_sent_back_and_handed_in_as_an_answer_is_one(house: House, town: Town) -> None:
    case = await signed(town)
    reply = await draft(town, case, QUESTION)
    await submit(house, town, reply, asks=True)
    async with unit_of_work(town.ctx) as unit:
        version = (await standing(town, reply)).version
        await send_back(unit, reply.id or 0, town["head"], version=version, note="直接答复即可")
    again = await draft(town, case, "您好，已安排维修。", version=(await standing(town, reply)).version)
    await submit(house, town, again)
    await approve(house, town, again)
    await sent(town, again)
    assert (await town.again(case)).state is CaseState.replied


async def test_one_question_at_a_time(house: House, town: Town) -> None:
    case, _reply = await asked(house, town)
    second = await draft(town, case, "请再补充门牌号。")
    with pytest.raises(Refused, match="挂起"):
        await submit(house, town, second, asks=True)
    assert (await submit(house, town, second)).state is CaseState.review, "an answer may go out all the same"
