"""A lesson from corrections to a version in force: once, whatever is run twice or dies in between, and only when it
is no worse."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import nlp
from hub import clock
from hub.db import unit_of_work
from hub.errors import NotAllowed, Refused
from hub.models import LearnRun, LearnState, LearntModel, LiveModel, Message, ModelChange, Role, Tagging
from hub.rights import Actor
from tests.workflows.intake import town
from tests.workflows.learning import office
from tests.workflows.tagging.test_batches import arrive
from workflows.house import House
from workflows.learning import lessons, live, teaching
from workflows.tagging import batches
from workflows.tagging.jobs import tag_messages

NIGHT = clock.at_local(date(2026, 11, 24), 3, 10)


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    live.forget()
    yield
    live.forget()


async def _ask(house: House, actor: Actor) -> None:
    async with unit_of_work(house.ctx) as unit:
        await lessons.ask(unit, actor)


async def test_corrections_become_a_version_that_tags_the_next_message(any_house: House) -> None:
    actor = await office.corrected(any_house)
    await _ask(any_house, actor)
    assert await lessons.learn_waiting(any_house) == 1  # topics: nobody said anything that fits, or too little
    made = (await town.all_rows(any_house, LearntModel))[0]
    assert (made.task, made.number, made.is_accepted) == ("sentiment", 1, True)
    assert made.corrections + made.confirmations == 64
    assert 0 < len(made.data) <= 1_000_000
    assert made.report["office"]["after"]["macro_f1"] > made.report["office"]["before"]["macro_f1"]
    assert made.report["guard"]["after"]["macro_f1"] >= made.report["guard"]["before"]["macro_f1"] - 0.01
    shipped = nlp.VERSION
    await arrive(any_house, town.letter("new", "新开的图书馆，绝绝子！"), town.letter("old", "这样的服务，无语子"))
    await tag_messages(any_house)  # loads what is in force before it tags
    said = {one.external_id: one for one in await town.all_rows(any_house, Message)}
    assert (said["new"].sentiment, said["old"].sentiment) == ("positive", "negative")
    tagging = next(one for one in await town.all_rows(any_house, Tagging) if one.message_id == said["new"].id)
    assert tagging.version == f"{shipped}+s1"
    change = (await town.all_rows(any_house, ModelChange))[0]
    assert (change.task, change.from_number, change.to_number, change.by_id) == ("sentiment", 0, 1, None)
    run = (await town.all_rows(any_house, LearnRun))[0]
    assert (run.state, run.lease_until) == (LearnState.done, None)


async def test_two_workers_make_one_version(any_house: House) -> None:
    actor = await office.corrected(any_house)
    await _ask(any_house, actor)
    assert sum(await asyncio.gather(lessons.learn_waiting(any_house), lessons.learn_waiting(any_house))) == 1
    assert await lessons.learn_waiting(any_house) == 0
    assert await town.count(any_house, LearntModel) == 1
    with pytest.raises(NotAllowed):
        await _ask(any_house, await town.person(any_house, Role.handler, username="h"))


async def test_one_lesson_at_a_time(house: House) -> None:
    actor = await office.corrected(house, 2)
    await _ask(house, actor)
    with pytest.raises(Refused):
        await _ask(house, actor)


async def test_a_crash_between_store_and_activation_leaves_nothing_half_done(
    any_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = await office.corrected(any_house)
    await _ask(any_house, actor)

    async def crash(*_given: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(live, "put_in_force", crash)
        with pytest.raises(KeyboardInterrupt):
            await lessons.learn_waiting(any_house)
    assert await town.count(any_house, LearntModel) == 0
    assert await lessons.learn_waiting(any_house) == 0  # the dead worker's lease still runs
    with clock.frozen(clock.now() + lessons.LEASE + timedelta(seconds=1)):
        assert await lessons.learn_waiting(any_house) == 1
    assert [(one.task, one.learnt_id is not None) for one in await town.all_rows(any_house, LiveModel)] == [
        ("sentiment", True)
    ]


async def test_a_crash_after_the_version_is_stored_makes_no_second_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = await office.corrected(house)
    await _ask(house, actor)

    async def crash(*_given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lessons, "_end", crash)
        with pytest.raises(KeyboardInterrupt):
            await lessons.learn_waiting(house)
    with clock.frozen(clock.now() + lessons.LEASE + timedelta(seconds=1)):
        assert await lessons.learn_waiting(house) == 0
    assert [one.number for one in await town.all_rows(house, LearntModel)] == [1]
    assert (await town.all_rows(house, LearnRun))[0].state is LearnState.done


async def test_a_worker_that_stops_ends_the_process_it_started(house: House) -> None:
    actor = await office.corrected(house)
    await _ask(house, actor)
    work = asyncio.create_task(lessons.learn_waiting(house))
    while not (await town.all_rows(house, LearnRun))[0].step:
        await asyncio.sleep(0.05)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await town.all_rows(house, LearnRun))[0].state is LearnState.running
    assert await town.count(house, LearntModel) == 0


async def test_a_lesson_that_dies_every_time_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = await office.corrected(house, 24)
    await _ask(house, actor)

    async def dies(*_given: Any, **_more: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(teaching, "teach", dies)
    now = clock.now()
    for number in range(lessons.TRIES):
        with clock.frozen(now + number * 2 * lessons.LEASE), pytest.raises(KeyboardInterrupt):
            await lessons.learn_waiting(house)
    with clock.frozen(now + 10 * lessons.LEASE):
        assert await lessons.learn_waiting(house) == 0
    assert (await town.all_rows(house, LearnRun))[0].state is LearnState.failed


async def test_noise_is_refused_and_says_why(house: House) -> None:
    actor = await office.corrected(house, wrongly=True)
    await _ask(house, actor)
    await lessons.learn_waiting(house)
    made = next(one for one in await town.all_rows(house, LearntModel) if one.task == "sentiment")
    if made.is_accepted:  # a lucky split: then it must have been no worse
        assert made.report["office"]["after"]["macro_f1"] > made.report["office"]["before"]["macro_f1"]
    else:
        assert (made.data, made.report["why"] != []) == (b"", True)
        assert await town.count(house, LiveModel) == 0


async def test_too_few_examples_are_said_to_be_too_few(house: House) -> None:
    actor = await office.corrected(house, 6)
    await _ask(house, actor)
    assert await lessons.learn_waiting(house) == 0
    run = (await town.all_rows(house, LearnRun))[0]
    assert (run.state, run.notes["sentiment"]) == (LearnState.done, "few:6")


async def test_one_lesson_a_night_and_only_with_something_new(house: House) -> None:
    with clock.frozen(NIGHT):
        assert not await lessons.begin_night(house)  # nothing was corrected
    await office.corrected(house, 24)
    with clock.frozen(NIGHT + timedelta(hours=6)):
        assert not await lessons.begin_night(house)  # broad day
    with clock.frozen(NIGHT):
        assert sorted(await asyncio.gather(lessons.begin_night(house), lessons.begin_night(house))) == [False, True]
        await lessons.learn_waiting(house)
        assert not await lessons.begin_night(house)
    with clock.frozen(NIGHT + timedelta(days=1)):
        assert not await lessons.begin_night(house)  # nothing new since
    assert await town.count(house, LearnRun) == 1


async def test_the_analyser_in_force_tags_again_only_what_it_tagged(house: House) -> None:
    """The corrected messages stay as the people left them when the new version goes over old messages."""
    actor = await office.corrected(house, 48)
    before = {one.id: one.sentiment for one in await town.all_rows(house, Message)}
    await _ask(house, actor)
    await lessons.learn_waiting(house)
    await live.load(house)
    await batches.tag_waiting(house)
    assert {one.id: one.sentiment for one in await town.all_rows(house, Message)} == before


async def test_a_process_killed_in_the_middle_leaves_a_lesson_that_another_finishes(
    house: House, tmp_path: Path
) -> None:
    """The real command, killed with SIGKILL while it learns; then a worker takes the lesson over."""
    await office.corrected(house)
    command = [sys.executable, "-m", "web.cli", "nlp", "learn", "--data", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (runs := await town.all_rows(house, LearnRun)) or runs[0].step != "sentiment":
            assert process.poll() is None, "the lesson ended before it could be killed"
            await asyncio.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert await town.count(house, LearntModel) == 0
    assert await lessons.learn_waiting(house) == 0
    with clock.frozen(clock.now() + lessons.LEASE + timedelta(seconds=1)):
        assert await lessons.learn_waiting(house) == 1
    assert (await town.all_rows(house, LearnRun))[0].state is LearnState.done
    assert [one.number for one in await town.all_rows(house, LearntModel)] == [1]
