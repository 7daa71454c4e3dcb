"""Everything the analyser says is kept; what a person settles is never contradicted by what only follows from it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

import nlp
from hub.db import unit_of_work
from hub.errors import Invalid
from hub.models import Because, Correction, Message, Role, Tagging
from hub.rights import Actor
from tests.workflows.intake import town
from tests.workflows.tagging.test_batches import arrive
from workflows.house import House
from workflows.tagging import batches, jobs
from workflows.tagging.corrections import correct
from workflows.tagging.settled import agree
from workflows.tagging.withdrawing import last_of, withdraw

LETTER = (
    "市住建局王志明局长您好，我们长沙市岳麓区的小区物业乱收费，太让人气愤了，3月5日投诉到现在没人管，"
    "业委会也不出面，已经停水两天，请尽快解决，电话13912345678。"
)
NULLS: dict[str, Any] = dict.fromkeys(
    ("sentiment_second", "emotion", "emotion_p", "request_p", "subtopic", "urgency_p", "sensitive_p", "departments",
     "persons", "times", "personal", "emotion_words", "request_words")
)  # fmt: skip


async def _tagged(house: House, words: str = LETTER) -> tuple[Message, Tagging]:
    await arrive(house, town.letter(0, words))
    await batches.tag_waiting(house)
    return await town.message(house, "0"), await _current(house)


async def _current(house: House) -> Tagging:
    (found,) = [one for one in await town.all_rows(house, Tagging) if one.is_current]
    assert isinstance(found, Tagging)
    return found


async def test_everything_the_analyser_says_is_kept(any_house: House) -> None:
    message, tagging = await _tagged(any_house)
    (said,) = nlp.analyse([nlp.Text(message.text, message.title)])
    assert (tagging.emotion, tagging.emotion_p) == (said.emotion.value, said.emotion.p)
    assert (tagging.emotion_second, tagging.sentiment_second) == (said.emotion.second, said.sentiment.second)
    assert (tagging.request_p, tagging.request_words) == (said.asked.p, list(said.asked.words))
    assert (tagging.subtopic, tagging.urgency_p, tagging.sensitive_p) == (
        said.subtopic.value, said.urgent.p, said.flagged.p,
    )  # fmt: skip
    assert tagging.urgency == "outage"
    assert (tagging.urgency_p or 0) > 0.5
    assert [one["name"] for one in tagging.departments or []] == [one.name for one in said.departments] != []
    assert [one["role"] for one in tagging.persons or []] == [one.role for one in said.persons] != []
    assert [one["value"] for one in tagging.times or []] == [one.value for one in said.times] != []
    assert tagging.personal == ["phone"]
    assert "13912345678" not in tagging.model_dump_json()
    assert any(place["code"] for place in tagging.places)
    assert (message.emotion, message.subtopic) == (tagging.emotion, tagging.subtopic)


async def test_rows_from_before_are_filled_by_the_renewal(any_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    message, fresh = await _tagged(any_house)
    await _forget(any_house, version="2-old")
    assert await jobs.retag_messages(any_house) == 1
    renewed = await _current(any_house)
    kept = set(Tagging.model_fields) - {"id", "at"}
    assert renewed.model_dump(include=kept) == fresh.model_dump(include=kept)
    now = await town.message(any_house, "0")
    assert (now.emotion, now.subtopic) == (message.emotion, message.subtopic)


async def _forget(house: House, **more: Any) -> None:
    async with unit_of_work(house.ctx) as unit:
        await unit.run(update(Tagging).where(col(Tagging.is_current)).values(**NULLS, **more))
        await unit.run(update(Message).values(emotion="", subtopic=""))


async def test_what_a_person_settled_before_is_filled_up_and_stays(any_house: House) -> None:
    message, _fresh = await _tagged(any_house)
    actor = await town.person(any_house, Role.press_officer)
    await _correct(any_house, actor, message, topic="环境保护", sentiment="positive", request="建议")
    await _forget(any_house)
    assert await jobs.retag_messages(any_house) == 1
    filled = await _current(any_house)
    assert (filled.topic, filled.sentiment, filled.request, filled.by_id) == (
        "环境保护", "positive", "建议", actor.user_id,
    )  # fmt: skip
    assert (filled.emotion, filled.subtopic, filled.request_p) == ("happy", "", 1.0)
    assert filled.personal == ["phone"]
    assert filled.departments
    now = await town.message(any_house, "0")
    assert (now.emotion, now.subtopic, now.topic) == ("happy", "", "环境保护")
    assert await jobs.retag_messages(any_house) == 0


async def _correct(house: House, actor: Actor, message: Message, **given: Any) -> None:
    async with unit_of_work(house.ctx) as unit:
        await correct(unit, actor, message.id or 0, **given, because=Because.tone)


async def test_a_new_tone_takes_the_emotion_along_and_a_new_topic_the_second_level(any_house: House) -> None:
    message, before = await _tagged(any_house)
    assert agree(before.emotion or "", "negative")
    assert before.subtopic
    actor = await town.person(any_house, Role.press_officer)
    await _correct(any_house, actor, message, sentiment="neutral", topic="教育文体")
    now, tagging = await town.message(any_house, "0"), await _current(any_house)
    assert (now.emotion, tagging.emotion, tagging.emotion_p) == ("neutral", "neutral", None)
    assert (now.subtopic, tagging.subtopic, tagging.subtopic_p) == ("", "", None)
    told = await town.all_rows(any_house, Correction)
    assert {one.field for one in told} == {"sentiment", "topic"}, "what only follows teaches nothing"
    async with unit_of_work(any_house.ctx) as unit:
        await withdraw(unit, actor, await last_of(unit, actor, message.id or 0), "看错了")
    back, tagging = await town.message(any_house, "0"), await _current(any_house)
    assert (back.emotion, back.subtopic, back.sentiment) == (before.emotion, before.subtopic, before.sentiment)
    assert tagging.by_id is None


async def test_the_finer_tags_are_set_right_too(any_house: House) -> None:
    message, before = await _tagged(any_house)
    actor = await town.person(any_house, Role.dispatcher)
    mood = "sad" if before.emotion != "sad" else "fear"
    second = next(name for name in ("城乡规划", "安全生产") if name != before.subtopic)
    given = {"emotion": mood, "subtopic": second, "urgency": "danger"}
    await _correct(any_house, actor, message, topic="城乡建设" if message.topic != "城乡建设" else None, **given)
    now, tagging = await town.message(any_house, "0"), await _current(any_house)
    assert (now.emotion, now.subtopic, now.urgency) == (mood, second, "danger")
    assert (tagging.emotion_p, tagging.subtopic_p, tagging.urgency_p) == (1.0, 1.0, 1.0)
    told = {one.field: (one.before, one.after, one.p) for one in await town.all_rows(any_house, Correction)}
    assert told["emotion"] == (before.emotion, mood, before.emotion_p)
    assert told["urgency"] == (before.urgency, "danger", before.urgency_p)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"emotion": "happy"}, "emotion"), ({"emotion": "bored"}, "emotion"), ({"subtopic": "教育收费"}, "subtopic"),
        ({"urgency": "now"}, "urgency"), ({"sentiment": "positive", "emotion": "fear"}, "emotion"),
    ],
)  # fmt: skip
async def test_what_does_not_go_together_is_refused(house: House, given: dict[str, str], field: str) -> None:
    message, _tagging = await _tagged(house)
    assert (message.topic, message.sentiment) == ("城乡建设", "negative")
    actor = await town.person(house, Role.press_officer)
    with pytest.raises(Invalid) as refused:
        await _correct(house, actor, message, **given)
    assert list(refused.value.problems) == [field]


async def test_finer_tags_left_as_they_are_stand_in_nobodys_way(house: House) -> None:
    """A form sends every tag. The analyser may doubt so much that its emotion is not of the tone it finds likeliest."""
    message, _tagging = await _tagged(house)
    async with unit_of_work(house.ctx) as unit:
        await unit.run(update(Message).values(emotion="neutral"))
    actor = await town.person(house, Role.press_officer)
    given = {"sentiment": "negative", "emotion": "neutral", "subtopic": message.subtopic, "topic": "交通运输"}
    await _correct(house, actor, message, **given)
    now = await town.message(house, "0")
    assert (now.topic, now.subtopic, now.emotion) == ("交通运输", "", "neutral")


def test_surprise_goes_with_every_tone() -> None:
    assert all(agree("surprise", tone) and agree("", tone) for tone in nlp.SENTIMENTS)
    assert not agree("happy", "negative")
