"""The check as a gate for answers: red lines stop them, errors are confirmed by name, hints ask for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hub.db import reading, unit_of_work
from hub.errors import Refused, Stale
from hub.models import Case, CaseState, Message, MessageKind, OfficeWord, WordKind
from tests.workflows.cases.town import Town
from tests.workflows.replies.test_replies import approve, draft, house, signed, standing, submit
from workflows import replies
from workflows.checking.confirming import Unfit
from workflows.house import House
from workflows.replies import forcing
from workflows.replies.checks import check

__all__ = ["house"]
RED = "您好，请核对身份证号11010519491231002X。"


async def force(town: Town, case_id: int, content_hash: str, by: str = "head", reason: str = "当事人要求写明") -> None:
    async with unit_of_work(town.ctx) as unit:
        await forcing.force(unit, town[by], case_id, content_hash=content_hash, reason=reason)


async def test_a_red_line_stops_an_answer_until_it_is_let_pass(house: House, town: Town) -> None:
    reply = await draft(town, await signed(town), RED)
    with pytest.raises(Refused) as refused:
        await submit(house, town, reply, confirm="0" * 16)
    assert not isinstance(refused.value, replies.Unconfirmed)
    assert "身份证号没有遮挡" in refused.value.reasons[0]
    await force(town, reply.case_id, reply.content_hash)
    case = await submit(house, town, reply)
    assert case.state is CaseState.review
    event = next(event for event in await town.events(case) if event.what == "force_check")
    assert (event.by_id, event.note) == (town["head"].user_id, "当事人要求写明")
    assert event.data["passed"] == ["personal.id_card:11010519491231002X"]
    case = await approve(house, town, reply, by="reviewer")
    assert (await standing(town, reply)).approved_hash == reply.content_hash


async def test_who_may_and_for_which_text(house: House, town: Town) -> None:
    reply = await draft(town, await signed(town), RED)
    for by, reason, says in (("clerk", "有依据", "权限"), ("head", " ", "须填写理由")):
        with pytest.raises(Refused) as refused:
            await force(town, reply.case_id, reply.content_hash, by, reason)
        assert any(says in line for line in refused.value.reasons)
    with pytest.raises(Stale):
        await force(town, reply.case_id, "another")
    await force(town, reply.case_id, reply.content_hash)
    with pytest.raises(Refused):
        await force(town, reply.case_id, reply.content_hash)


async def test_errors_are_confirmed_and_hints_are_not(house: House, town: Town) -> None:
    reply = await draft(town, await signed(town), "您好，我局已布署维修，详见http://www.qilan.gov.cn。")
    async with reading(town.ctx) as unit:
        message = await unit.get(Message, reply.message_id)
        assert message is not None
        found = await check(house, unit, message, reply.text)
    assert [(one.blocks, one.is_hint) for one in found] == [(False, False), (False, True)]
    with pytest.raises(replies.Unconfirmed) as asked:
        await submit(house, town, reply)
    assert [one.told.found for one in asked.value.findings if one.told] == ["布署"]
    with pytest.raises(replies.Unconfirmed):
        await submit(house, town, reply, confirm="1")
    assert (await submit(house, town, reply, confirm=asked.value.confirm)).state is CaseState.review


async def test_a_question_back_to_the_citizen_passes_the_same_check(house: House, town: Town) -> None:
    reply = await draft(town, await signed(town), RED)
    with pytest.raises(Unfit):
        await submit(house, town, reply, asks=True)
    reply = await draft(town, await signed(town), "请问是哪天布署的？")
    with pytest.raises(replies.Unconfirmed) as asked:
        await submit(house, town, reply, asks=True)
    assert (await submit(house, town, reply, asks=True, confirm=asked.value.confirm)).state is CaseState.review


async def test_an_answer_given_elsewhere_passes_the_same_check(house: House, town: Town) -> None:
    case = await signed(town, kind=MessageKind.letter, account_id=town.accounts["letters"])
    given: dict[str, Any] = {"version": case.version, "channel": "短信", "note": "平台不能答复"}

    async def recorded(text: str, confirm: str = "") -> Case:
        async with unit_of_work(town.ctx) as unit:
            return await replies.answer_elsewhere(
                house, unit, case.id or 0, town["clerk"], text=text, confirm=confirm, **given
            )

    with pytest.raises(Unfit) as refused:
        await recorded(RED)
    assert refused.value.findings[0].told is not None
    assert (await town.again(case)).state is CaseState.handling
    with pytest.raises(replies.Unconfirmed) as asked:
        await recorded("我们已布署下去。")
    done = await recorded("我们已布署下去。", asked.value.confirm)
    assert done.state is CaseState.replied
    event = next(event for event in await town.events(done) if event.what == "answer_elsewhere")
    assert "布署" in event.data["confirmed"][0]


async def test_an_answer_goes_by_the_lists_of_the_department_that_has_the_case(house: House, town: Town) -> None:
    case = await signed(town)
    async with unit_of_work(town.ctx) as unit:
        unit.add(OfficeWord(kind=WordKind.prohibited, word="本局旧称", department_id=case.department_id))
    reply = await draft(town, case, "本局旧称已经办好。")
    with pytest.raises(Unfit, match="本局旧称"):
        await submit(house, town, reply)
