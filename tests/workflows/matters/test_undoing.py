"""A merge, a parting and a letting go are taken back with one step: messages, vectors, marks and history."""

from __future__ import annotations

import pytest
from sqlmodel import col, select

from hub.db import reading, unit_of_work
from hub.errors import NotAllowed, Refused, Stale
from hub.models import AuditEntry, Matter, MatterMessage, MatterState
from tests.workflows.matters.conftest import Voices
from tests.workflows.matters.test_placing import BUS, MIXER
from workflows.matters import detail, shaping, undoing
from workflows.matters.jobs import place_messages


async def _steps(voices: Voices, matter_id: int | None, who: str = "press") -> list[int]:
    async with reading(voices.house.ctx) as unit:
        page = await detail.detail(unit, matter_id or 0, voices[who])
    return [one.undo for one in page.history if one.undo]


async def _undo(voices: Voices, matter_id: int | None, step: int, who: str = "press") -> Matter:
    version = (await voices.matter(matter_id)).version
    async with unit_of_work(voices.house.ctx) as unit:
        found = await undoing.undo(unit, voices[who], matter_id or 0, step, version=version)
    await place_messages(voices.house)
    return found


async def _merged(voices: Voices) -> tuple[list[int], int, int]:
    """Mixer and bus made one: message ids, the matter that stands, the one that went in."""
    ids = await voices.hear(MIXER + BUS)
    mixer, bus = await voices.of(ids[0]) or 0, await voices.of(ids[3]) or 0
    async with unit_of_work(voices.house.ctx) as unit:
        await shaping.merge(unit, voices["press"], bus, mixer, version=1, reason="同一件")
    await place_messages(voices.house)
    return ids, mixer, bus


async def test_a_merge_is_taken_back_and_later_messages_stay(any_voices: Voices) -> None:
    ids, mixer, bus = await _merged(any_voices)
    before = await any_voices.matter(bus)
    [later] = await any_voices.hear([BUS[0] + "，天天如此，七路公交间隔太长"])
    assert await any_voices.of(later) == mixer
    [step] = await _steps(any_voices, mixer)
    async with reading(any_voices.house.ctx) as unit:
        away = (await detail.detail(unit, bus, any_voices["press"])).away
    assert away == detail.Away(mixer, step, (await any_voices.matter(mixer)).version)
    back = await _undo(any_voices, mixer, step)
    assert back.id == bus
    assert [await any_voices.of(one) for one in [*ids, later]] == [mixer] * 3 + [bus] * 3 + [mixer]
    one, two = await any_voices.matter(mixer), await any_voices.matter(bus)
    assert (one.messages, one.size, one.is_kept) == (4, 4, True)
    assert (two.state, two.merged_into_id, two.messages, two.size) == (MatterState.open, None, 3, before.size)
    assert two.is_kept
    assert (await any_voices.events(mixer))[-1] == (await any_voices.events(bus))[-1] == "undone"
    assert await _steps(any_voices, mixer) == [], "once"
    with pytest.raises(Refused):
        await _undo(any_voices, mixer, step)
    async with unit_of_work(any_voices.house.ctx) as unit:
        await shaping.merge(unit, any_voices["press"], bus, mixer, version=two.version, reason="还是同一件")
    assert len(await _steps(any_voices, mixer)) == 1, "and merged again, it can be taken back again"


async def test_a_parting_is_taken_back(any_voices: Voices) -> None:
    ids = await any_voices.hear([*MIXER, "丽湾新城搅拌站的粉尘污染了学校操场"])
    matter_id = await any_voices.of(ids[0])
    whole = await any_voices.matter(matter_id)
    async with unit_of_work(any_voices.house.ctx) as unit:
        fresh = await shaping.split(
            unit, any_voices["press"], matter_id or 0, [ids[3]], version=1, name="学校操场", reason="不同"
        )
    assert fresh is not None
    [step] = await _steps(any_voices, matter_id)
    await _undo(any_voices, matter_id, step)
    found = await any_voices.matter(matter_id)
    assert [await any_voices.of(one) for one in ids] == [matter_id] * 4
    assert (found.messages, found.size) == (whole.messages, whole.size)
    gone = await any_voices.matter(fresh.id)
    assert (gone.state, gone.merged_into_id) == (MatterState.merged, matter_id)
    async with reading(any_voices.house.ctx) as unit:
        assert not any(one.is_held for one in await unit.all(select(MatterMessage)))
        said = list(await unit.all(select(AuditEntry.what).order_by(col(AuditEntry.id))))
    assert said == ["matter.parted", "matter.came_from", "matter.undone"]


async def test_a_parting_stays_once_somebody_has_dismissed_what_was_parted(any_voices: Voices) -> None:
    ids = await any_voices.hear([*MIXER, "丽湾新城搅拌站的粉尘污染了学校操场"])
    matter_id = await any_voices.of(ids[0])
    async with unit_of_work(any_voices.house.ctx) as unit:
        fresh = await shaping.split(
            unit, any_voices["press"], matter_id or 0, [ids[3]], version=1, name="学校操场", reason="不同"
        )
        assert fresh is not None
        await shaping.dismiss(unit, any_voices["press"], fresh.id or 0, version=fresh.version, reason="不是热点")
    assert await _steps(any_voices, matter_id) == []


async def test_letting_go_is_taken_back_with_copies(any_voices: Voices) -> None:
    ids = await any_voices.hear([*MIXER, MIXER[2] + "！"])
    matter_id = await any_voices.of(ids[0])
    async with unit_of_work(any_voices.house.ctx) as unit:
        await shaping.split(unit, any_voices["press"], matter_id or 0, [ids[2]], version=1, name="", reason="不是")
    [step] = await _steps(any_voices, matter_id)
    await _undo(any_voices, matter_id, step)
    found = await any_voices.matter(matter_id)
    assert (found.messages, found.copies, found.size) == (3, 1, 3)
    async with reading(any_voices.house.ctx) as unit:
        rows = {one.message_id: one for one in await unit.all(select(MatterMessage))}
    assert [(rows[one].matter_id, rows[one].is_copy, rows[one].is_held) for one in ids] == [
        (matter_id, False, False)
    ] * 3 + [(matter_id, True, False)]


async def test_who_may_and_when_not(any_voices: Voices) -> None:
    _ids, mixer, bus = await _merged(any_voices)
    [step] = await _steps(any_voices, mixer)
    assert await _steps(any_voices, mixer, "leader") == [], "no button for who only reads"
    for who in ("leader", "auditor"):
        with pytest.raises(NotAllowed):
            await _undo(any_voices, mixer, step, who)
    async with unit_of_work(any_voices.house.ctx) as unit:
        with pytest.raises(Stale):
            await undoing.undo(unit, any_voices["press"], mixer, step, version=99)
    for wrong in (0, step + 100):
        with pytest.raises(Refused):
            await _undo(any_voices, mixer, wrong)
    async with unit_of_work(any_voices.house.ctx) as unit:
        version = (await unit.one(select(Matter).where(Matter.id == mixer))).version
        await shaping.dismiss(unit, any_voices["press"], mixer, version=version, reason="不重要")
    with pytest.raises(Refused):
        await _undo(any_voices, mixer, step)
    async with reading(any_voices.house.ctx) as unit:
        assert (await detail.detail(unit, bus, any_voices["press"])).away == detail.Away(mixer)
