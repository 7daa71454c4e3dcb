"""A new analyser over old messages: by itself, in steps, never over a person's word, to be seen and begun by hand."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

import nlp
from hub import clock
from hub.db import reading, unit_of_work
from hub.models import Case, Message, Role, Tagging
from hub.queries import search
from nlp.base import Analysis
from tests.workflows.intake import town
from tests.workflows.tagging.test_batches import WORDS, arrive, check_rollups
from workflows.house import House
from workflows.tagging import batches, jobs, renewal
from workflows.tagging.renewal import Renewal


def _next(analysis: Analysis) -> Analysis:
    topic = replace(analysis.topic, value="环境保护")
    return replace(analysis, version="next", topic=topic, tokens=analysis.tokens + " nextversion")


@pytest.fixture
def new_analyser(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on another version is in force, which finds everything to be about the environment."""
    real = nlp.analyse
    monkeypatch.setitem(vars(nlp), "VERSION", "next")
    monkeypatch.setattr(nlp, "analyse", lambda texts: [_next(a) for a in real(texts)])


async def _standing(house: House) -> Renewal:
    async with reading(house.ctx) as unit:
        found = await renewal.standing(unit)
    assert found is not None
    return found


async def _tagged(house: House) -> None:
    await arrive(house, *[town.letter(n, words, likes=str(n)) for n, words in enumerate(WORDS)])
    await batches.tag_waiting(house)


async def test_a_new_version_tags_again_but_never_over_a_person(
    any_house: House, request: pytest.FixtureRequest
) -> None:
    await _tagged(any_house)
    assert await jobs.retag_messages(any_house) == 0, "nothing is stale"
    assert (await _standing(any_house)).is_over
    person = await town.person(any_house)
    async with unit_of_work(any_house.ctx) as unit:
        corrected = await unit.get(Tagging, 1)
        assert corrected
        corrected.by_id = person.user_id
    request.getfixturevalue("new_analyser")
    assert await jobs.retag_messages(any_house) == 4
    assert await jobs.retag_messages(any_house) == 0
    messages = await town.all_rows(any_house, Message)
    assert [m.topic == "环境保护" for m in messages[1:]] == [True] * 4
    current = [t for t in await town.all_rows(any_house, Tagging) if t.is_current]
    assert Counter(t.version for t in current) == {"next": 4, corrected.version: 1}
    assert len({t.message_id for t in current}) == 5
    async with reading(any_house.ctx) as unit:
        found = await search.match(unit, nlp.query_tokens("nextversion"))
    assert found == [m.id for m in reversed(messages[1:])]
    await check_rollups(any_house)
    cases = {c.first_message_id: c.topic for c in await town.all_rows(any_house, Case)}
    assert cases == {m.id: m.topic for m in messages}, "a case shows what its first message shows"
    done = await _standing(any_house)
    assert (done.version, done.changed, done.last, done.is_over) == ("next", 4, messages[-1].id, True)


async def test_in_steps_that_another_worker_can_take_over(
    house: House, monkeypatch: pytest.MonkeyPatch, new_analyser: None
) -> None:
    monkeypatch.setattr(nlp, "VERSION", "old")
    await _tagged(house)
    monkeypatch.setattr(nlp, "VERSION", "next")
    async with unit_of_work(house.ctx) as unit:
        for tagging in await town.all_rows(house, Tagging):
            (await unit.get(Tagging, tagging.id)).version = "old"  # type: ignore[union-attr]
    monkeypatch.setattr(renewal, "BATCH", 2)
    taken = await renewal._take(house)
    assert taken is not None
    assert await jobs.retag_messages(house) == 0, "somebody holds the step"
    with clock.frozen(clock.now() + renewal.LEASE + timedelta(seconds=1)) as move:
        del move
        until = clock.now() + timedelta(minutes=1)
        changed = await asyncio.gather(*[renewal.go_on(house, until) for _ in range(3)])
    assert sum(changed) == 5
    assert (await _standing(house)).changed == 5
    assert not await renewal._note(house, taken[0], taken[1], 0, 2), "the one that was too slow writes nothing"
    assert Counter(t.version for t in await town.all_rows(house, Tagging) if t.is_current) == {"next": 5}


async def test_new_messages_come_first(house: House, new_analyser: None) -> None:
    await arrive(house, town.letter(1, WORDS[0]))
    assert await jobs.retag_messages(house) == 0
    async with reading(house.ctx) as unit:
        assert await renewal.standing(unit) is None
    await batches.tag_waiting(house)
    await jobs.retag_messages(house)
    assert (await _standing(house)).is_over


async def test_an_administrator_begins_it_again(any_house: House) -> None:
    await _tagged(any_house)
    await jobs.retag_messages(any_house)
    admin = await town.person(any_house, Role.administrator)
    async with unit_of_work(any_house.ctx) as unit:
        await renewal.start(unit, admin)
    begun = await _standing(any_house)
    assert (begun.is_over, begun.last, begun.by_name) == (False, 0, admin.name)
    await jobs.retag_messages(any_house)
    assert (await _standing(any_house)).is_over
