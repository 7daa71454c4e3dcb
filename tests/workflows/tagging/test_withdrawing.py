"""Every tag set right is an example; it can be confirmed and taken back, and then everything is as it was."""

from __future__ import annotations

from typing import Any

import pytest

from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.models import AuditEntry, Because, Case, Correction, Message, Role, Tagging
from hub.rights import Actor
from tests.workflows.intake import town
from tests.workflows.tagging.test_batches import WORDS, arrive, check_rollups
from workflows.house import House
from workflows.tagging import batches
from workflows.tagging.corrections import confirm, correct
from workflows.tagging.withdrawing import last_of, withdraw


async def _first(house: House) -> Message:
    await arrive(house, *[town.letter(n, words, likes=str(n)) for n, words in enumerate(WORDS)])
    await batches.tag_waiting(house)
    return await town.message(house, "0")


async def _correct(house: House, actor: Actor, message: Message, **given: Any) -> list[Correction]:
    async with unit_of_work(house.ctx) as unit:
        await correct(unit, actor, message.id or 0, **given, because=Because.subject)
    return await town.all_rows(house, Correction)


async def _current(house: House, message: Message) -> Tagging:
    found: list[Tagging] = [
        one for one in await town.all_rows(house, Tagging) if one.message_id == message.id and one.is_current
    ]
    assert len(found) == 1
    return found[0]


async def test_each_tag_set_right_is_an_example_with_its_reason(any_house: House) -> None:
    message = await _first(any_house)
    machine = await _current(any_house, message)
    actor = await town.person(any_house, Role.press_officer)
    tone = "positive" if message.sentiment != "positive" else "negative"
    rows = await _correct(any_house, actor, message, topic="环境保护", sentiment=tone, request=message.request)
    assert [(one.field, one.before, one.after) for one in rows] == [
        ("topic", message.topic, "环境保护"),
        ("sentiment", message.sentiment, tone),
    ]
    assert {(one.by_id, one.because, one.version) for one in rows} == {
        (actor.user_id, Because.subject, machine.version)
    }
    assert rows[0].p == machine.topic_p


async def test_taking_it_back_brings_the_analysers_word_back(any_house: House) -> None:
    message = await _first(any_house)
    machine = await _current(any_house, message)
    actor = await town.person(any_house, Role.press_officer)
    await _correct(any_house, actor, message, topic="环境保护")
    async with reading(any_house.ctx) as unit:
        mine = await last_of(unit, actor, message.id or 0)
    async with unit_of_work(any_house.ctx) as unit:
        await withdraw(unit, actor, mine, "点错了")
    assert (await _current(any_house, message)).id == machine.id
    now = await town.message(any_house, "0")
    assert now.topic == message.topic
    await check_rollups(any_house)
    case = next(one for one in await town.all_rows(any_house, Case) if one.id == now.case_id)
    assert case.topic == message.topic
    kept = (await town.all_rows(any_house, Correction))[0]
    assert (kept.withdrawn_by_id, kept.withdrawn_why) == (actor.user_id, "点错了")
    assert (await town.all_rows(any_house, AuditEntry))[-1].what == "tags_withdrawn"
    async with unit_of_work(any_house.ctx) as unit:
        with pytest.raises(Refused):
            await withdraw(unit, actor, mine, "")


async def test_another_word_stays_when_one_is_taken_back(house: House) -> None:
    message = await _first(house)
    actor = await town.person(house, Role.press_officer)
    await _correct(house, actor, message, topic="环境保护")
    rows = await _correct(house, actor, message, request="表扬")
    async with unit_of_work(house.ctx) as unit:
        await withdraw(unit, actor, [rows[0].id or 0], "")
    now, said = await town.message(house, "0"), await _current(house, message)
    assert (now.topic, now.request) == (message.topic, "表扬")
    assert (said.by_id, said.topic, said.request) == (actor.user_id, message.topic, "表扬")
    await check_rollups(house)


async def test_a_tag_changed_again_since_stays(house: House) -> None:
    message = await _first(house)
    actor = await town.person(house, Role.press_officer)
    first = await _correct(house, actor, message, topic="环境保护")
    await _correct(house, actor, message, topic="交通运输")
    async with unit_of_work(house.ctx) as unit:
        await withdraw(unit, actor, [first[0].id or 0], "")
    assert (await town.message(house, "0")).topic == "交通运输"


async def test_what_is_right_can_be_said_to_be_right_once(house: House) -> None:
    message = await _first(house)
    actor = await town.person(house, Role.dispatcher)
    async with unit_of_work(house.ctx) as unit:
        await confirm(unit, actor, message.id or 0)
    rows = await town.all_rows(house, Correction)
    assert [(one.field, one.before == one.after, one.because) for one in rows] == [
        ("topic", True, Because.right),
        ("sentiment", True, Because.right),
        ("request", True, Because.right),
    ]
    assert (await _current(house, message)).by_id == actor.user_id
    async with unit_of_work(house.ctx) as unit:
        with pytest.raises(Invalid):
            await confirm(unit, actor, message.id or 0)


async def test_who_may_take_it_back(house: House) -> None:
    message = await _first(house)
    officer = await town.person(house, Role.press_officer)
    reviewer = await town.person(house, Role.reviewer2, username="r")
    stranger = await town.person(house, Role.handler, username="h")
    rows = [one.id or 0 for one in await _correct(house, officer, message, topic="环境保护")]
    async with unit_of_work(house.ctx) as unit:
        with pytest.raises(NotAllowed):
            await withdraw(unit, reviewer, rows, "")
        with pytest.raises(NotFound):
            await withdraw(unit, stranger, rows, "")
        with pytest.raises(NotFound):
            await withdraw(unit, officer, [4711], "")
