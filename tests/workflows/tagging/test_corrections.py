"""A person's correction: it wins, it is kept, figures and histories follow."""

from __future__ import annotations

from typing import Any

import pytest

from hub import audit
from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound
from hub.models import AuditEntry, Case, CaseEvent, Message, Role, Tagging
from tests.workflows.intake import town
from tests.workflows.tagging.test_batches import WORDS, arrive, check_rollups
from workflows.house import House
from workflows.tagging import batches
from workflows.tagging.corrections import correct


async def _tagged(house: House) -> list[Message]:
    await arrive(house, *[town.letter(n, words, likes=str(n)) for n, words in enumerate(WORDS)])
    await batches.tag_waiting(house)
    return await town.all_rows(house, Message)


async def test_a_correction_wins_and_everything_follows(any_house: House) -> None:
    message = (await _tagged(any_house))[0]
    actor = await town.person(any_house, Role.press_officer)
    given: dict[str, Any] = {
        "topic": "环境保护",
        "sentiment": "positive",
        "sensitive": True,
        "place": "滨江区",
        "request": "建议",
    }
    async with unit_of_work(any_house.ctx) as unit:
        tagging = await correct(unit, actor, message.id or 0, **given, reason=" 说的是油烟 ")
    assert (tagging.by_id, tagging.reason, tagging.topic_p) == (actor.user_id, "说的是油烟", 1.0)
    now = await town.message(any_house, "0")
    assert (now.topic, now.sentiment, now.is_sensitive, now.place, now.request) == tuple(given.values())
    current = [t for t in await town.all_rows(any_house, Tagging) if t.message_id == now.id and t.is_current]
    assert [t.by_id for t in current] == [actor.user_id]
    await check_rollups(any_house)
    case = next(c for c in await town.all_rows(any_house, Case) if c.id == now.case_id)
    assert (case.topic, case.sentiment, case.is_sensitive, case.place) == ("环境保护", "positive", True, "滨江区")
    event = [e for e in await town.all_rows(any_house, CaseEvent) if e.what == "tags_corrected"][-1]
    assert (event.case_id, event.by_id, event.note) == (now.case_id, actor.user_id, "说的是油烟")
    assert event.data["after"]["topic"] == "环境保护"
    assert event.data["before"]["topic"] == message.topic
    entry = (await town.all_rows(any_house, AuditEntry))[-1]
    assert (entry.what, entry.by_id, entry.object) == ("tags_corrected", actor.user_id, f"message:{now.id}")
    async with reading(any_house.ctx) as unit:
        assert (await audit.verify(unit)).broken_at is None


async def test_one_tag_alone_and_clearing_it(house: House) -> None:
    message = (await _tagged(house))[2]
    actor = await town.person(house, Role.dispatcher)
    async with unit_of_work(house.ctx) as unit:
        await correct(unit, actor, message.id or 0, topic="", reason="都不是")
    now = await town.message(house, "2")
    assert (now.topic, now.sentiment, now.place) == ("", message.sentiment, message.place)
    await check_rollups(house)


async def test_what_is_refused(house: House) -> None:
    message = (await _tagged(house))[0]
    actor = await town.person(house, Role.press_officer)
    stranger = await town.person(house, Role.handler, username="h")
    leader = await town.person(house, Role.leader, username="l")
    number = message.id or 0
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"topic": "天文", "reason": "x"}, "topic"),
        ({"sentiment": "angry", "reason": "x"}, "sentiment"),
        ({"sentiment": "", "reason": "x"}, "sentiment"),
        ({"request": "闲聊", "reason": "x"}, "request"),
        ({"place": "长" * 65, "reason": "x"}, "place"),
        ({"place": "a\x00b", "reason": "x"}, "place"),
        ({"topic": "环境保护", "reason": "  "}, "reason"),
        ({"topic": message.topic, "reason": "x"}, "message"),
        ({"reason": "x"}, "message"),
    ]
    async with unit_of_work(house.ctx) as unit:
        for given, field in wrong:
            with pytest.raises(Invalid) as refused:
                await correct(unit, actor, number, **given)
            assert list(refused.value.problems) == [field]
        with pytest.raises(NotFound):
            await correct(unit, actor, 4711, topic="环境保护", reason="x")
        with pytest.raises(NotFound):
            await correct(unit, stranger, number, topic="环境保护", reason="x")
        with pytest.raises(NotAllowed):
            await correct(unit, leader, number, topic="环境保护", reason="x")
    assert await town.count(house, Tagging) == 5
    assert await town.count(house, AuditEntry) == 0
