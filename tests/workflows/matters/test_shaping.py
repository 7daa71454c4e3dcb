"""What people make of matters: kept for good by the machine, written down, refused with reasons, seen by the right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from hub.models import AuditEntry, Matter, MatterMessage, MatterState
from tests.workflows.matters.conftest import Voices
from tests.workflows.matters.test_placing import BUS, MIXER
from workflows.matters import detail, lists, shaping
from workflows.matters.detail import Which
from workflows.matters.jobs import place_messages
from workflows.matters.lists import Filters, Order


async def _version(voices: Voices, matter_id: int | None) -> int:
    return (await voices.matter(matter_id)).version


async def _do(
    voices: Voices, act: Callable[..., Awaitable[Matter | None]], *given: object, **named: object
) -> Matter | None:
    async with unit_of_work(voices.house.ctx) as unit:
        return await act(unit, voices["press"], *given, **named)


async def test_a_name_given_by_a_person_stays(any_voices: Voices) -> None:
    ids = await any_voices.hear(MIXER)
    matter_id = await any_voices.of(ids[0])
    await _do(any_voices, shaping.rename, matter_id, version=1, name=" 丽湾新城   搅拌站 ")
    await any_voices.hear([f"{text}，第{n}次反映搅拌站" for n in range(4) for text in MIXER])
    found = await any_voices.matter(matter_id)
    assert (found.name, found.is_named, found.is_kept, found.messages) == ("丽湾新城 搅拌站", True, True, 15)
    assert await any_voices.events(matter_id) == ["opened", "named", "renamed"]
    for name in ("", "  ", "长" * 41, "\u200b", "a\ue000b", "丽湾新城 搅拌站"):
        with pytest.raises(Invalid):
            await _do(any_voices, shaping.rename, matter_id, version=2, name=name)
    with pytest.raises(Stale):
        await _do(any_voices, shaping.rename, matter_id, version=1, name="另一个")


async def test_what_a_person_merged_the_machine_keeps_together(any_voices: Voices) -> None:
    ids = await any_voices.hear(MIXER + BUS)
    mixer, bus = await any_voices.of(ids[0]), await any_voices.of(ids[3])
    with pytest.raises(Invalid):
        await _do(any_voices, shaping.merge, bus, mixer, version=1, reason=" ")
    with pytest.raises(Invalid):
        await _do(any_voices, shaping.merge, bus, bus, version=1, reason="同一件")
    with pytest.raises(Invalid):
        await _do(any_voices, shaping.merge, bus, 999, version=1, reason="同一件")
    into = await _do(any_voices, shaping.merge, bus, mixer, version=1, reason="都是春节前的事")
    assert into is not None
    assert into.id == mixer
    later = await any_voices.hear([BUS[0] + "啊", MIXER[0] + "啊"])
    assert {await any_voices.of(one) for one in [*ids, *later]} == {mixer}
    gone = await any_voices.matter(bus)
    assert (gone.state, gone.merged_into_id) == (MatterState.merged, mixer)
    assert (await any_voices.matter(mixer)).messages == 8
    with pytest.raises(Refused):
        await _do(any_voices, shaping.rename, bus, version=2, name="公交")
    async with reading(any_voices.house.ctx) as unit:
        said = await unit.all(select(AuditEntry.what).order_by(col(AuditEntry.id)))
        page = await detail.detail(unit, bus or 0, any_voices["press"])
    assert list(said) == ["matter.merged", "matter.took_in"]
    assert (page.merged_into, page.history[0].note) == (mixer, "都是春节前的事")


async def test_what_a_person_parted_the_machine_keeps_apart(any_voices: Voices) -> None:
    ids = await any_voices.hear([*MIXER, "丽湾新城搅拌站的粉尘污染了学校操场"])
    matter_id = await any_voices.of(ids[0])
    assert {await any_voices.of(one) for one in ids} == {matter_id}
    fresh = await _do(
        any_voices, shaping.split, matter_id, [ids[3]], version=1, name="学校操场粉尘", reason="是学校的事"
    )
    assert fresh is not None
    await place_messages(any_voices.house)
    for _ in range(2):
        await any_voices.hear(["丽湾新城搅拌站的粉尘飘进学校操场了", MIXER[1] + "啊"])
    assert await any_voices.of(ids[3]) == fresh.id, "alike as they are, they are not joined again"
    assert await any_voices.of(ids[0]) == matter_id
    assert (await any_voices.matter(fresh.id)).state is MatterState.open
    assert (await any_voices.matter(matter_id)).state is MatterState.open
    assert (await any_voices.matter(matter_id)).size >= 3
    assert (await any_voices.events(fresh.id))[0] == "came_from"


async def test_what_was_moved_elsewhere_is_not_quoted_any_more(any_voices: Voices) -> None:
    own = "丽湾新城搅拌站的粉尘污染了学校操场，孩子们咳个不停"
    ids = await any_voices.hear([*MIXER, own])
    matter_id = await any_voices.of(ids[0]) or 0
    before = await any_voices.matter(matter_id)
    assert own in [one["text"] for one in before.summary]

    async def quoted(name: str) -> tuple[list[str], int]:
        async with reading(any_voices.house.ctx) as unit:
            page = await detail.detail(unit, matter_id, any_voices[name])
        return [point.text for point in page.points], page.hidden

    await _do(any_voices, shaping.split, matter_id, [ids[3]], version=before.version, name="学校操场", reason="另一件")
    said, hidden = await quoted("press")
    assert own not in said, "at once"
    assert (len(said), hidden) == (len(before.summary) - 1, 0)
    await place_messages(any_voices.house)
    after = await any_voices.matter(matter_id)
    assert own not in [one["text"] for one in after.summary], "and summed up anew without waiting for more"
    assert (len(after.summary), after.name) == (3, before.name)


async def test_let_go_messages_stand_alone_for_good_and_copies_go_along(any_voices: Voices) -> None:
    ids = await any_voices.hear([*MIXER, MIXER[2] + "！"])
    matter_id = await any_voices.of(ids[0])
    with pytest.raises(Invalid):
        await _do(any_voices, shaping.split, matter_id, [], version=1, name="", reason="不是")
    with pytest.raises(Invalid):
        await _do(any_voices, shaping.split, matter_id, ids, version=1, name="", reason="不是")
    with pytest.raises(Invalid):
        await _do(any_voices, shaping.split, matter_id, [10**9], version=1, name="", reason="不是")
    assert await _do(any_voices, shaping.split, matter_id, [ids[2]], version=1, name="", reason="不是") is None
    await any_voices.hear([MIXER[2] + "啊啊"])
    assert [await any_voices.of(one) for one in (ids[2], ids[3])] == [None, None]
    async with reading(any_voices.house.ctx) as unit:
        row = await unit.get(MatterMessage, ids[2])
        assert row is not None
        assert (row.is_held, row.is_copy) == (True, False)
    assert (await any_voices.matter(matter_id)).messages == 3


async def test_a_dismissed_matter_takes_its_messages_in_and_stays_off_the_list(any_voices: Voices) -> None:
    ids = await any_voices.hear(MIXER)
    matter_id = await any_voices.of(ids[0])
    await _do(any_voices, shaping.dismiss, matter_id, version=1, reason="商家互撕")
    await any_voices.hear([MIXER[0] + "啊", MIXER[1] + "啊"])
    async with reading(any_voices.house.ctx) as unit:
        assert (await lists.matters(unit, any_voices["press"])).rows == []
        [gone] = (await lists.matters(unit, any_voices["press"], Filters(state=MatterState.dismissed))).rows
    assert (gone.id, gone.messages) == (matter_id, 5)
    await _do(any_voices, shaping.reopen, matter_id, version=2, reason="又起来了")
    async with reading(any_voices.house.ctx) as unit:
        assert [row.id for row in (await lists.matters(unit, any_voices["press"])).rows] == [matter_id]
    with pytest.raises(Refused):
        await _do(any_voices, shaping.reopen, matter_id, version=3, reason="再来")


async def test_only_who_reads_everything_and_corrects_shapes(voices: Voices) -> None:
    ids = await voices.hear(MIXER)
    matter_id = await voices.of(ids[0]) or 0
    for name in ("leader", "auditor", "clerk"):
        async with unit_of_work(voices.house.ctx) as unit:
            with pytest.raises((NotAllowed, NotFound)):
                await shaping.rename(unit, voices[name], matter_id, version=1, name="别的")
    async with unit_of_work(voices.house.ctx) as unit:
        pasted = " 搅拌\u200b站\t"  # with what nobody sees
        assert (await shaping.rename(unit, voices["desk"], matter_id, version=1, name=pasted)).name == "搅拌站"


async def test_a_leader_sees_matters_of_the_own_tree_and_only_own_messages(any_voices: Voices) -> None:
    mixer = await any_voices.hear(MIXER)
    bus = await any_voices.hear(BUS)
    mixer_id, bus_id = await any_voices.of(mixer[0]) or 0, await any_voices.of(bus[0]) or 0
    async with reading(any_voices.house.ctx) as unit:
        cases = await unit.rows(select(MatterMessage.matter_id).where(col(MatterMessage.matter_id) == bus_id))
        assert len(cases) == 3
    from sqlalchemy import update

    from hub.models import Case, Message

    async with unit_of_work(any_voices.house.ctx) as unit:
        for ids, department in ((mixer, "leader"), (bus, "road_leader")):
            of_these = select(col(Message.case_id)).where(col(Message.id).in_(ids))
            at = any_voices[department].department_id
            await unit.run(update(Case).where(col(Case.id).in_(of_these)).values(department_id=at))
    async with reading(any_voices.house.ctx) as unit:
        for name, own, other in (("leader", mixer_id, bus_id), ("road_leader", bus_id, mixer_id)):
            page = await lists.matters(unit, any_voices[name])
            assert [row.id for row in page.rows] == [own]
            found = await detail.members(unit, own, any_voices[name])
            assert len(found.rows) == 3
            with pytest.raises(NotFound):
                await detail.detail(unit, other, any_voices[name])
            with pytest.raises(NotFound):
                await detail.members(unit, other, any_voices[name])
        assert len((await lists.matters(unit, any_voices["auditor"])).rows) == 2
        with pytest.raises(NotAllowed):
            await lists.matters(unit, any_voices["clerk"])
    async with unit_of_work(any_voices.house.ctx) as unit:  # one of the bus messages comes to the other department
        one = select(col(Message.case_id)).where(col(Message.id) == bus[0])
        await unit.run(
            update(Case).where(col(Case.id).in_(one)).values(department_id=any_voices["leader"].department_id)
        )
    async with reading(any_voices.house.ctx) as unit:
        page = await detail.detail(unit, bus_id, any_voices["leader"])
        assert [one.id for one in (await detail.members(unit, bus_id, any_voices["leader"])).rows] == [bus[0]]
        assert len(page.points) + page.hidden == len((await any_voices.matter(bus_id)).summary)
        assert {point.message_id for point in page.points} <= {bus[0]}
        assert len(page.cases) == 1


async def test_the_list_is_ranked_paged_and_narrowed(any_voices: Voices) -> None:
    now = clock.now()
    await any_voices.hear(MIXER, at=now - timedelta(days=9))
    await any_voices.hear(BUS, at=now - timedelta(hours=3))
    await any_voices.hear(["三中食堂饭菜有虫子", "三中食堂又吃出虫子"], at=now - timedelta(hours=2))
    press = any_voices["press"]
    async with reading(any_voices.house.ctx) as unit:
        hot = (await lists.matters(unit, press)).rows
        assert ["公交" in row.name for row in hot] == [True, False], "two messages are not yet a matter"
        assert hot[0].today == 3
        assert hot[0].spark[-2:] in ((0, 3), (3, 0), (1, 2), (2, 1))
        assert hot[0].is_new
        assert not hot[1].is_new
        assert len((await lists.matters(unit, press, Filters(all_sizes=True))).rows) == 3
        assert len((await lists.matters(unit, press, Filters(days=7))).rows) == 1
        for order in (Order.heat, Order.new):
            seen, after = [], ""
            while True:
                page = await lists.matters(unit, press, Filters(order=order, all_sizes=True), after=after, limit=1)
                seen += [row.id for row in page.rows]
                after = page.after
                if not after:
                    break
            assert len(set(seen)) == len(seen) == 3
        grown = (await lists.matters(unit, press, Filters(order=Order.growth, all_sizes=True))).rows
        assert [row.growth for row in grown] == [3, 2, 0]
        for mark in ("x", "1~x", "~", "2026-01-01~1"):
            with pytest.raises(Invalid):
                await lists.matters(unit, press, Filters(order=Order.new), after=mark)


async def test_messages_of_a_matter_page_by_page_in_every_order(any_voices: Voices) -> None:
    ids = await any_voices.hear([f"{text}，第{n}栋的搅拌站噪音" for n in range(2) for text in MIXER], likes=3)
    matter_id = await any_voices.of(ids[0]) or 0
    press = any_voices["press"]
    async with reading(any_voices.house.ctx) as unit:
        for which, order in ((Which.newest, ids[::-1]), (Which.first, ids)):
            seen: list[int] = []
            after = ""
            while True:
                page = await detail.members(unit, matter_id, press, which=which, after=after, limit=4)
                seen += [row.id for row in page.rows]
                after = page.after
                if not after:
                    break
            assert seen == order
        liked = await detail.members(unit, matter_id, press, which=Which.liked)
        assert {row.id for row in liked.rows} == set(ids)
        assert all(row.words for row in liked.rows)
        with pytest.raises(Invalid):
            await detail.members(unit, matter_id, press, after="nonsense")
