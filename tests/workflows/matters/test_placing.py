"""Messages find their matter in the worker: what joins, what stays alone, what is counted, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import col, select

from hub import clock
from hub.db import reading, unit_of_work
from hub.models import Case, CaseState, Matter, MatterMessage, MatterState, Message, WordTally
from tests.workflows.matters.conftest import Voices
from workflows.matters import counting, detail, placing
from workflows.matters.jobs import count_matters, place_messages
from workflows.opinion.heat import HALF_LIFE, voice, warmth

MIXER = [
    "丽湾新城旁边建搅拌站，噪音大得睡不着",
    "丽湾新城小区附近的搅拌站粉尘和噪音扰民",
    "请关停丽湾新城旁的混凝土搅拌站",
]
BUS = ["七路公交等不到车，四十分钟还不来", "七路公交间隔太长，早高峰等不到车", "建议七路公交早高峰加密班次"]
NOW = datetime(2026, 11, 23, tzinfo=UTC)


async def test_messages_about_one_thing_become_one_matter(any_voices: Voices) -> None:
    first = await any_voices.hear([MIXER[0], BUS[0], "身份证到期怎么换领"])
    assert [await any_voices.of(one) for one in first] == [None, None, None], "one message is no matter"
    second = await any_voices.hear([MIXER[1], BUS[1]])
    mixer, bus = await any_voices.of(first[0]), await any_voices.of(first[1])
    assert mixer != bus
    assert [await any_voices.of(one) for one in second] == [mixer, bus]
    [third] = await any_voices.hear([MIXER[2]])
    assert await any_voices.of(third) == mixer, "ids stay as matters grow"
    found = await any_voices.matter(mixer)
    assert (found.messages, found.copies, found.people, found.is_stale) == (3, 0, 3, False)
    assert "搅拌站" in found.name
    assert found.summary
    assert {one["message_id"] for one in found.summary} <= {first[0], second[0], third}
    assert await any_voices.events(mixer) == ["opened", "named"]


async def test_nothing_is_placed_twice_and_own_items_never(any_voices: Voices) -> None:
    ids = await any_voices.hear(MIXER)
    before = await any_voices.matter(await any_voices.of(ids[0]))
    assert await place_messages(any_voices.house) == 0
    async with unit_of_work(any_voices.house.ctx) as unit:
        await placing.enlist(unit, [await unit.one(_message(ids[0]))])
    assert await place_messages(any_voices.house) == 0
    await any_voices.hear([MIXER[0] + "！"], is_own=True, needs_case=False)
    after = await any_voices.matter(before.id)
    assert (after.messages, after.size) == (before.messages, before.size)


def _message(number: int) -> object:
    from sqlmodel import select

    return select(Message).where(col(Message.id) == number)


async def test_copies_are_counted_apart_and_add_no_heat(any_voices: Voices) -> None:
    ids = await any_voices.hear(MIXER)
    matter_id = await any_voices.of(ids[0])
    before = await any_voices.matter(matter_id)
    copies = await any_voices.hear([f"//@市民甲:{MIXER[0]} https://t.cn/a{n}" for n in range(5)])
    assert {await any_voices.of(one) for one in copies} == {matter_id}
    after = await any_voices.matter(matter_id)
    assert (after.messages, after.copies, after.people) == (3, 5, 8)
    assert after.heat == pytest.approx(before.heat)
    assert after.size == before.size, "copies do not pull the matter's words to themselves"


async def test_copies_of_one_lone_text_are_a_matter(any_voices: Voices) -> None:
    """A campaign: nobody writes anything else, thirty people post the same."""
    ids = await any_voices.hear(["请为三中门口的斑马线装一盏红绿灯"] * 4)
    matter = await any_voices.matter(await any_voices.of(ids[0]))
    assert len({await any_voices.of(one) for one in ids}) == 1
    assert (matter.messages, matter.copies) == (1, 3)
    later = await any_voices.hear(["请为三中门口的斑马线装一盏红绿灯。"])
    assert await any_voices.of(later[0]) == matter.id


async def test_a_short_word_goes_with_its_case(voices: Voices) -> None:
    ids = await voices.hear(MIXER, thread_id="t1", author_id="same")
    matter_id = await voices.of(ids[0])
    [short] = await voices.hear(["还没解决"], thread_id="t1", author_id="same")
    [stray] = await voices.hear(["还没解决啊"])
    assert await voices.of(short) == matter_id
    assert await voices.of(stray) is None


async def test_one_worker_places_at_a_time_and_a_dead_one_is_replaced(any_voices: Voices) -> None:
    await any_voices.say(MIXER + BUS)
    done = await asyncio.gather(*(placing.place_waiting(any_voices.house) for _ in range(4)))
    assert sorted(done) == [0, 0, 0, 6]
    await any_voices.say([MIXER[0] + "，物业也不管"])
    async with unit_of_work(any_voices.house.ctx) as unit:
        await unit.run(update(WordTally).values(lease="dead", lease_until=clock.now() + timedelta(minutes=1)))
    assert await placing.place_waiting(any_voices.house) == 0
    async with unit_of_work(any_voices.house.ctx) as unit:
        await unit.run(update(WordTally).values(lease_until=clock.now() - timedelta(seconds=1)))
    assert await placing.place_waiting(any_voices.house) == 1


async def test_matters_that_grew_alike_become_one_and_the_old_address_leads_there(any_voices: Voices) -> None:
    """Two groups begun apart, as two distant batches may: the machine joins what nobody touched."""
    ids = await any_voices.hear(MIXER)
    one = await any_voices.of(ids[0])
    async with unit_of_work(any_voices.house.ctx) as unit:
        first = await unit.get(Matter, one)
        assert first is not None
        twin = Matter(first_at=first.first_at, last_at=first.last_at, profile=first.profile, size=first.size)
        unit.add(twin)
    await any_voices.hear(["丽湾新城的搅拌站什么时候搬走，噪音太大"])
    gone = await any_voices.matter(twin.id)
    assert (gone.state, gone.merged_into_id) == (MatterState.merged, one)
    assert await any_voices.events(one) == ["opened", "named", "took_in"]


async def test_old_letters_meet_old_letters_only(voices: Voices) -> None:
    long_ago = clock.now() - timedelta(days=400)
    old = await voices.hear(MIXER, at=long_ago)
    new = await voices.hear([MIXER[0] + "啊", MIXER[1] + "啊"])
    assert await voices.of(old[0]) is not None
    assert await voices.of(new[0]) not in (None, await voices.of(old[0]))


async def test_figures_follow_corrections_and_cases(any_voices: Voices) -> None:
    ids = await any_voices.hear(MIXER)
    matter_id = await any_voices.of(ids[0])
    async with unit_of_work(any_voices.house.ctx) as unit:
        await unit.run(update(Message).where(col(Message.id).in_(ids)).values(sentiment="positive", likes=10))
        await unit.run(update(Matter).values(counted_at=clock.now() - timedelta(hours=1)))
    assert await count_matters(any_voices.house) == 1
    found = await any_voices.matter(matter_id)
    assert found.figures["moods"] == [["positive", 3]]
    assert found.likes == 30
    assert sum(found.figures["hours"].values()) == sum(found.figures["days"].values()) == 3
    assert found.figures["accounts"] == [[any_voices.account_id, 3]]


async def test_messages_of_a_merged_case_count_where_it_is_handled(any_voices: Voices) -> None:
    ids = await any_voices.hear(MIXER)
    matter_id, house = await any_voices.of(ids[0]) or 0, any_voices["leader"].department_id
    async with unit_of_work(any_voices.house.ctx) as unit:
        found = await unit.rows(select(Message.case_id).where(col(Message.id).in_(ids)).order_by(col(Message.id)))
        lead, *others = [row[0] for row in found]
        await unit.run(update(Case).where(col(Case.id) == lead).values(department_id=house))
        merged = {"state": CaseState.merged, "is_open": False, "merged_into_id": lead}
        await unit.run(update(Case).where(col(Case.id).in_(others)).values(**merged))
        await unit.run(update(Matter).values(counted_at=clock.now() - timedelta(hours=1)))
    assert await count_matters(any_voices.house) == 1
    assert (await any_voices.matter(matter_id)).figures["departments"] == [[house, 3]]
    async with unit_of_work(any_voices.house.ctx) as unit:  # of one of them no case was made
        await unit.run(update(Message).where(col(Message.id) == ids[-1]).values(case_id=None))
    async with reading(any_voices.house.ctx) as unit:
        for who, shown in (("auditor", ["", "住建局", "住建局"]), ("leader", ["住建局", "住建局"])):
            seen = await detail.members(unit, matter_id, any_voices[who])
            assert sorted(member.department for member in seen.rows) == shown
            (case,) = (await detail.detail(unit, matter_id, any_voices[who])).cases
            assert (case.department, case.messages) == ("住建局", 2)


async def test_cases_merged_one_after_the_other_count_where_the_last_is_handled(any_voices: Voices) -> None:
    ids = await any_voices.hear(MIXER)
    matter_id, house = await any_voices.of(ids[0]) or 0, any_voices["leader"].department_id
    async with unit_of_work(any_voices.house.ctx) as unit:
        found = await unit.rows(select(Message.case_id).where(col(Message.id).in_(ids)).order_by(col(Message.id)))
        lead, second, third = [row[0] for row in found]
        await unit.run(update(Case).where(col(Case.id) == lead).values(department_id=house))
        for case, into in ((third, second), (second, lead)):
            merged = {"state": CaseState.merged, "is_open": False, "merged_into_id": into}
            await unit.run(update(Case).where(col(Case.id) == case).values(**merged))
        await unit.run(update(Matter).values(counted_at=clock.now() - timedelta(hours=1)))
    await count_matters(any_voices.house)
    assert (await any_voices.matter(matter_id)).figures["departments"] == [[house, 3]]
    async with reading(any_voices.house.ctx) as unit:
        (case,) = (await detail.detail(unit, matter_id, any_voices["auditor"])).cases
        seen = await detail.members(unit, matter_id, any_voices["auditor"])
    assert (case.department, case.messages) == ("住建局", 3)
    assert {one.department for one in seen.rows} == {"住建局"}


async def test_reposts_said_by_the_platform_count(voices: Voices) -> None:
    ids = await voices.hear(MIXER, extra={"reposts_count": 40})
    await voices.hear([MIXER[0] + "呀"], extra={"reposts_count": "many"})
    assert (await voices.matter(await voices.of(ids[0]))).reposts == 120


async def test_a_person_who_writes_ten_times_is_one_person(voices: Voices) -> None:
    ids = await voices.hear([f"{text}第{n}次说" for n in range(3) for text in MIXER], author_id="same")
    loud = await voices.matter(await voices.of(ids[0]))
    assert (loud.messages, loud.people) == (9, 1)
    async with reading(voices.house.ctx) as unit:
        row = await unit.get(MatterMessage, ids[0])
        assert row is not None
        assert row.words


def test_heat_cools_by_half_a_day_and_never_changes_order_by_waiting() -> None:
    two, one = [(1.0, NOW), (1.0, NOW)], [(1.0, NOW)]
    assert warmth(two) == pytest.approx(warmth(one) + 1)
    assert warmth([(1.0, NOW + HALF_LIFE)]) == pytest.approx(warmth(two))
    assert warmth([(0.0, NOW)]) == warmth([]) == -1e9
    many, liked = warmth([(voice(0, 0), NOW)] * 56), warmth([(voice(800, 0), NOW)] * 15)
    assert abs(many - liked) < 1, "fifty who write and fifteen posts that hundreds like are about as hot"


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.booleans())
def test_more_likes_or_reposts_never_weigh_less(likes: int, reposts: int, again: bool) -> None:
    assert voice(likes + 1, reposts, again=again) > voice(likes, reposts, again=again) > 0
    assert voice(likes, reposts + 1, again=again) > voice(likes, reposts, again=again)
    assert voice(likes, reposts, again=True) < voice(likes, reposts)
    assert voice(-likes, -reposts) == 1


def test_counting_nothing_is_nothing() -> None:
    count = counting.counted([])
    assert (count.messages, count.people, count.times) == (0, 0, [])
