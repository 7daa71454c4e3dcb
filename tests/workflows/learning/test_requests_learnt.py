"""A request set right is an example like a topic set right: learnt at night, in force at every worker, taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import nlp
from hub.db import unit_of_work
from hub.models import Because, LearntModel, LiveModel, Message, Role
from tests.nlp.test_learning_requests import local
from tests.workflows.intake import town
from tests.workflows.learning import office
from tests.workflows.tagging.test_batches import arrive
from workflows.house import House
from workflows.learning import live
from workflows.tagging import batches
from workflows.tagging.corrections import correct
from workflows.tagging.jobs import tag_messages


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    live.forget()
    yield
    live.forget()


async def test_requests_set_right_are_learnt(any_house: House) -> None:
    examples = local(48)
    await arrive(any_house, *[town.letter(n, one.text.body) for n, one in enumerate(examples)])
    while await batches.tag_waiting(any_house):
        pass
    actor = await town.person(any_house, Role.press_officer)
    messages = {one.external_id: one for one in await town.all_rows(any_house, Message)}
    for n, one in enumerate(examples):
        message = messages[str(n)]
        if message.request != one.label:
            async with unit_of_work(any_house.ctx) as unit:
                await correct(unit, actor, message.id or 0, request=one.label, because=Because.local)
    assert await office.learnt(any_house, actor) == 1
    (made,) = await town.all_rows(any_house, LearntModel)
    assert (made.task, made.is_accepted) == ("request", True)
    await arrive(any_house, *[town.letter(f"new{n}", one.text.body) for n, one in enumerate(local(2, 900))])
    await tag_messages(any_house)
    assert nlp.VERSION.endswith("+r1")
    said = {one.external_id: one.request for one in await town.all_rows(any_house, Message)}
    assert (said["new0"], said["new1"]) == ("投诉", "求助")
    async with unit_of_work(any_house.ctx) as unit:
        await live.choose(unit, actor, "request", 0, "先用出厂版")
    (now,) = [one for one in await town.all_rows(any_house, LiveModel) if one.task == "request"]
    assert (now.learnt_id, now.is_held) == (None, True)
