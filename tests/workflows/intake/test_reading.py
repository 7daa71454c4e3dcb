"""Stored arrivals become messages; what cannot be read is kept, seen and read again, and blocks nobody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Kind, RawItem
from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Stale
from hub.models import (
    Account,
    Arrival,
    ArrivalState,
    AuditEntry,
    Case,
    Delivery,
    DeliveryKind,
    Message,
    MessageKind,
    Role,
)
from tests.workflows.intake import town
from workflows.house import House
from workflows.intake import jobs, quarantine, read_waiting, store
from workflows.intake.quarantine import legible


async def _store(house: House, account: Account, *items: RawItem) -> None:
    async with unit_of_work(house.ctx) as unit:
        await store(unit, account, items, "pull")


async def test_an_arrival_becomes_a_message_that_wants_a_case(any_house: House) -> None:
    account = await town.account(any_house)
    await _store(any_house, account, town.letter(1, subject="路灯", likes="7", url="https://a.example/1"))
    assert await read_waiting(any_house) == 1
    assert await read_waiting(any_house) == 0
    message = await town.message(any_house, "1")
    assert (message.text, message.title, message.likes, message.url) == ("路灯坏了", "路灯", 7, "https://a.example/1")
    assert message.created_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert (message.needs_case, message.is_own, message.tagged_at) == (True, False, None)
    assert (await town.arrival(any_house, "1")).state is ArrivalState.parsed
    assert ("tag_messages", ()) in any_house.ctx.bell.rung  # type: ignore[attr-defined]


async def test_poison_is_put_aside_with_its_reason_and_blocks_nobody(any_house: House) -> None:
    town.numbers(any_house)
    account = await town.account(any_house, "numbers")
    poison = [
        RawItem(Kind.letter, "broken", "{"),
        RawItem(Kind.letter, "list", "[]"),
        RawItem(Kind.letter, "no time", '{"text": "没有时间"}'),
        town.letter("key", **{"break": "key"}),
        town.letter("deep", **{"break": "recursion"}),
        town.letter("object", extra_object=1),
    ]
    await _store(any_house, account, *poison, *[town.letter(n) for n in range(40)])
    assert await jobs.read_arrivals(any_house) == 46
    rows = {row.external_id: row for row in await town.all_rows(any_house, Arrival)}
    assert {name for name, row in rows.items() if row.state is ArrivalState.quarantined} == {
        item.external_id for item in poison
    }
    assert rows["no time"].error == "缺少可识别的时间"
    assert "KeyError" in rows["key"].error
    assert all(rows[item.external_id].error for item in poison)
    assert await town.count(any_house, Message) == 40
    assert await jobs.read_arrivals(any_house) == 0


async def test_hostile_values_are_stored_harmless_on_both_databases(any_house: House) -> None:
    account = await town.account(any_house)
    hostile = town.letter(
        "x", "<script>alert(1)</script>\x00\u202e=cmd()\ud83d 𠮷", author="名" * 10_000, subject="\x00", likes="9" * 9,
        extra={"a\x00": "b\x00", "answer": "冒充的答复"}, created_at="2099-01-01 00:00",
    )  # fmt: skip
    await _store(any_house, account, hostile, town.letter("old", created_at="1991-01-01"))
    assert await read_waiting(any_house) == 2
    message = await town.message(any_house, "x")
    assert "\x00" not in message.text
    assert "<script>alert(1)</script>" in message.text
    assert "𠮷" in message.text
    assert len(message.author_name) == 255
    assert "answer" not in message.extra, "a foreign column must not pass for an answer"
    assert message.extra["answer*"] == "冒充的答复"
    assert message.created_at == message.received_at, "nobody writes in the future"
    assert message.extra["stated_at"].startswith("2098-12-31T16")


async def test_the_same_item_with_edits_is_known(any_house: House) -> None:
    account = await town.account(any_house)
    await _store(any_house, account, town.letter(1))
    await read_waiting(any_house)
    await _store(any_house, account, town.letter(1, "改了一个字"))
    assert await read_waiting(any_house) == 0
    assert (await town.message(any_house, "1")).text == "路灯坏了"


async def test_two_readers_settle_each_arrival_once(any_house: House) -> None:
    account = await town.account(any_house)
    await _store(any_house, account, *[town.letter(n) for n in range(300)])
    settled = await asyncio.gather(*[read_waiting(any_house, 300) for _ in range(4)])
    assert sum(settled) == 300
    assert await town.count(any_house, Message) == 300


async def test_a_switched_off_or_unknown_platform_is_a_reason_not_a_crash(house: House) -> None:
    account = await town.account(house, "fax", name="传真")
    await _store(house, account, town.letter(1))
    assert await read_waiting(house) == 1
    assert "fax" in (await town.arrival(house, "1")).error


# --- what the account itself wrote ------------------------------------------------------------------------------------


async def _case(house: House, account: Account, external_id: str, thread: str) -> int:
    """A citizen's message in a case."""
    await _store(house, account, town.letter(external_id, thread=thread))
    await read_waiting(house)
    async with unit_of_work(house.ctx) as unit:
        case = Case(
            number=external_id, title="", account_id=account.id or 0, kind=MessageKind.letter, thread_key=external_id
        )
        unit.add(case)
        await unit.flush()
        message = await unit.get(Message, (await town.message(house, external_id)).id)
        assert message
        message.case_id = case.id
        return case.id or 0


async def _own(house: House, account: Account, external_id: str, **more: Any) -> Message:
    await _store(house, account, town.letter(external_id, **more))
    await read_waiting(house)
    return await town.message(house, external_id)


async def test_own_items_join_the_case_they_answer_and_want_none(any_house: House) -> None:
    town.numbers(any_house)
    account = await town.account(any_house, "numbers", external_id="official")
    first = await _case(any_house, account, "m1", "t1")
    by_flag = await _own(any_house, account, "o1", own=True, parent="m1", thread="elsewhere")
    by_author = await _own(any_house, account, "o2", author_id="official", thread="t1")
    assert [(m.is_own, m.needs_case, m.case_id) for m in (by_flag, by_author)] == [(True, False, first)] * 2
    second = await _case(any_house, account, "m2", "t1")
    between = await _own(any_house, account, "o3", own=True, thread="t1")
    assert (between.is_own, between.case_id) == (True, None), "a thread with two cases belongs to neither"
    to_second = await _own(any_house, account, "o4", own=True, thread="t1", parent="m2")
    assert to_second.case_id == second
    citizen = await _own(any_house, account, "c1", thread="t1", author_id="somebody")
    assert (citizen.is_own, citizen.needs_case) == (False, True)


async def test_what_a_delivery_became_is_recognised_by_its_remote_id(any_house: House) -> None:
    town.numbers(any_house)
    account = await town.account(any_house, "numbers")
    other = await town.account(any_house, "numbers", name="另一个")
    async with unit_of_work(any_house.ctx) as unit:
        unit.add(
            Delivery(
                kind=DeliveryKind.reply,
                account_id=account.id or 0,
                case_id=77,
                text="已修好",
                content_hash="-",
                approved_hash="-",
                scheduled_at=clock.now(),
                remote_id="r1",
            )
        )
        case = Case(id=77, number="77", title="", account_id=account.id or 0, kind=MessageKind.letter, thread_key="77")
        unit.add(case)
    ours = await _own(any_house, account, "r1", author_id="anyone")
    assert (ours.is_own, ours.needs_case, ours.case_id) == (True, False, 77)
    await _store(any_house, other, town.letter("r1"))
    await read_waiting(any_house)
    assert [m.is_own for m in await town.all_rows(any_house, Message)] == [True, False]


# --- quarantine -------------------------------------------------------------------------------------------------------


async def test_quarantine_is_seen_replayed_after_a_repair_and_ignored_with_a_reason(any_house: House) -> None:
    account = await town.account(any_house, "numbers", name="号")
    await _store(any_house, account, *[town.letter(n) for n in range(3)])
    await read_waiting(any_house)  # the platform is not there yet: all three wait aside
    actor = await town.person(any_house, Role.dispatcher)
    async with reading(any_house.ctx) as unit:
        held = await quarantine.held(unit, actor, limit=2)
        rest = await quarantine.held(unit, actor, before=held[-1].id)
    assert [one.external_id for one in held + rest] == ["2", "1", "0"]
    assert all("numbers" in one.why and one.account == "号" for one in held)
    town.numbers(any_house)
    async with unit_of_work(any_house.ctx) as unit:
        await quarantine.replay(unit, actor, held[0].id)
        with pytest.raises(Stale):
            await quarantine.replay(unit, actor, held[0].id)
    assert await read_waiting(any_house) == 1
    assert (await town.message(any_house, "2")).text == "路灯坏了"
    async with unit_of_work(any_house.ctx) as unit:
        with pytest.raises(Invalid):
            await quarantine.ignore(unit, actor, held[1].id, "  ")
        await quarantine.ignore(unit, actor, held[1].id, "测试数据")
        assert await quarantine.replay_all(unit, actor) == 1
        assert await quarantine.replay_all(unit, actor) == 0
    assert await read_waiting(any_house) == 1
    assert (await town.arrival(any_house, "1")).state is ArrivalState.ignored
    what = [entry.what for entry in await town.all_rows(any_house, AuditEntry)]
    assert what == ["quarantine_replayed", "quarantine_ignored", "quarantine_replayed"]


async def test_quarantine_is_not_for_everybody(house: House) -> None:
    actor = await town.person(house, Role.handler)
    boss = await town.person(house, Role.dispatcher, username="d")
    async with unit_of_work(house.ctx) as unit:
        for call in (
            quarantine.held(unit, actor),
            quarantine.replay(unit, actor, 1),
            quarantine.replay_all(unit, actor),
            quarantine.ignore(unit, actor, 1, "不看"),
        ):
            with pytest.raises(NotAllowed):
                await call
        with pytest.raises(NotFound):
            await quarantine.replay(unit, boss, 1)


async def test_late_reading_keeps_when_it_came(house: House) -> None:
    account = await town.account(house)
    start = datetime(2026, 11, 20, tzinfo=UTC)
    with clock.frozen(start) as move:
        await _store(house, account, town.letter(1))
        move(start + timedelta(hours=3))
        await read_waiting(house)
    assert (await town.message(house, "1")).received_at == start


@pytest.mark.parametrize(
    "raw", ['{"id": 1882617574650281984, "text": "请打 13712345678"}', "<li>请打 13712345678</li>"]
)
def test_what_cannot_be_read_is_shown_without_peoples_numbers(raw: str) -> None:
    shown = legible(raw)
    assert "13712345678" not in shown
    assert "请打 137****5678" in shown
    assert ("1882617574650281984" in raw) == ("1882617574650281984" in shown)
    assert "1371234" not in legible("长" * 3_995 + "13712345678")
