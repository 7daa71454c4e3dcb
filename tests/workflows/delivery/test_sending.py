"""Sending over the pretend platform: its own table of accepted items is the judge."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from hub import clock
from hub.models import Account, Delivery, DeliveryState, PostState
from hub.policy.sending import sending
from tests.drawing import drawn
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import door, engine
from workflows.delivery import sending as sends
from workflows.pictures import store
from workflows.pictures.placed import Placed
from workflows.pictures.ready import ready


async def test_a_post_leaves_once_and_is_recorded(any_office: Office) -> None:
    office = any_office
    (one,) = await office.approved("明日起恢复供水。")
    await office.sweep()
    await office.sweep()
    (there,) = office.sandbox.accepted()
    delivery = await office.delivery(one)
    assert (delivery.state, delivery.remote_id) == (DeliveryState.sent, there["id"])
    assert there["text"] == "明日起恢复供水。"
    assert await office.attempts(one) == ["done"]
    assert (await office.post_of(one)).state is PostState.done


async def test_nothing_leaves_before_its_time(office: Office, hands: Hands) -> None:
    (one,) = await office.approved(after=60)
    await office.sweep()
    assert office.texts() == []
    hands.on(59.9)
    await office.sweep()
    assert office.texts() == []
    hands.on(0.2)
    await office.sweep()
    assert len(office.texts()) == 1
    assert await office.states([one]) == ["sent"]


async def test_nothing_is_published_on_an_account_that_is_switched_off(office: Office) -> None:
    (one,) = await office.approved()
    async with office.work() as unit:
        await unit.run(update(Account).values(is_active=False))
    await office.sweep()
    delivery = await office.delivery(one)
    assert (delivery.state, office.texts()) == (DeliveryState.held, [])
    assert delivery.held_reason == "账号已停用；启用后请决定立即发布、改期或作废"


async def test_order_is_kept_within_an_account(office: Office, hands: Hands) -> None:
    for number in range(5):
        await office.approved(f"第{number}号", after=number + 1)
    hands.on(10)
    await office.sweep()
    assert office.texts() == [f"第{number}号" for number in range(5)]


async def test_a_later_one_does_not_pass_while_an_earlier_is_due(office: Office, hands: Hands) -> None:
    (first,) = await office.approved("先", after=1)
    (second,) = await office.approved("后", after=2)
    hands.on(3)
    assert await engine.send(office.house, second) is None
    assert office.texts() == []
    assert await engine.send(office.house, first) is DeliveryState.sent
    assert await engine.send(office.house, second) is DeliveryState.sent
    assert office.texts() == ["先", "后"]


async def test_an_answer_that_gets_lost_is_read_back_not_sent_again(any_office: Office, hands: Hands) -> None:
    office = any_office
    office.sandbox.fault("drop", operation="publish", count=1)
    (one,) = await office.approved()
    await office.sweep()
    assert await office.states([one]) == ["unknown"]
    hands.on(1)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1
    assert (await office.delivery(one)).remote_id == office.sandbox.accepted()[0]["id"]
    assert await office.attempts(one) == ["found"]


async def test_an_error_after_acceptance_is_read_back(office: Office, hands: Hands) -> None:
    office.sandbox.fault("error_after", operation="publish", count=1)
    (one,) = await office.approved()
    await office.sweep()
    hands.on(1)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1


async def test_surely_absent_is_sent_again_but_not_before_it_is_sure(office: Office, hands: Hands) -> None:
    office.sandbox.fault("drop", operation="publish", when="before", count=1)
    (one,) = await office.approved()
    await office.sweep()
    for _ in range(7):
        hands.on(5)
        await office.sweep()
        assert office.texts() == [], "an answer may be late: absence is proven only after the longest call"
    hands.on(sending().absent_after.total_seconds() - 34)
    await office.sweep()
    await office.sweep()
    assert len(office.texts()) == 1
    assert await office.states([one]) == ["sent"]
    assert await office.attempts(one) == ["absent", "done"]


async def test_a_lagging_list_does_not_make_us_send_twice(office: Office, hands: Hands) -> None:
    lag = office.sandbox.fault("list_lag", seconds=3600)
    office.sandbox.fault("drop", operation="publish", count=1)
    (one,) = await office.approved()
    await office.sweep()
    hands.on(20)
    await office.sweep()
    assert await office.states([one]) == ["unknown"]
    office.sandbox.lift(lag)
    hands.on(10)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1


async def test_without_a_list_a_person_is_asked_and_a_late_find_still_settles(office: Office, hands: Hands) -> None:
    off = office.sandbox.fault("list_off")
    office.sandbox.fault("drop", operation="publish", count=1)
    (one,) = await office.approved()
    for _ in range(13):
        await office.sweep()
        hands.on(5)
    await office.sweep()
    delivery = await office.delivery(one)
    assert delivery.state is DeliveryState.unknown
    assert "列表读不到" in delivery.held_reason
    office.sandbox.lift(off)
    hands.on(sending().slow_look.total_seconds() + 5)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1


async def test_once_parked_absence_never_sends_by_itself(office: Office, hands: Hands) -> None:
    off = office.sandbox.fault("list_off")
    office.sandbox.fault("drop", operation="publish", when="before", count=1)
    (one,) = await office.approved()
    for _ in range(13):
        await office.sweep()
        hands.on(5)
    await office.sweep()
    assert (await office.delivery(one)).held_reason
    office.sandbox.lift(off)
    for _ in range(3):
        hands.on(sending().slow_look.total_seconds() + 5)
        await office.sweep()
    assert await office.states([one]) == ["unknown"]
    assert "没有这一条" in (await office.delivery(one)).held_reason
    assert office.texts() == []


async def test_where_keys_are_honoured_nobody_need_be_asked(office: Office, hands: Hands) -> None:
    account = await office.connect("守约账号", honours_key=True)
    office.sandbox.fault("honour_key")
    office.sandbox.fault("list_off")
    office.sandbox.fault("drop", operation="publish", count=1)
    (one,) = await office.approved(accounts=[account])
    for _ in range(13):
        await office.sweep()
        hands.on(5)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1


async def test_a_process_that_dies_in_the_call_leaves_an_unknown_that_is_read_back(
    any_office: Office, hands: Hands
) -> None:
    office = any_office
    (one,) = await office.approved("断电前已发出")
    async with office.work() as unit:
        ticket = await door.begin(unit, one)
    assert ticket is not None
    account = office.house.ref(ticket.account)
    from workflows.delivery.outbox import outgoing

    await office.house.connector(ticket.account).publish(account, outgoing(ticket.delivery))  # and here the power fails
    await office.sweep()
    assert await office.states([one]) == ["sending"]
    hands.on(sending().lease.total_seconds() + 1)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1


async def test_a_process_that_dies_before_the_call_is_made_good(office: Office, hands: Hands) -> None:
    (one,) = await office.approved()
    async with office.work() as unit:
        assert await door.begin(unit, one)
    hands.on(sending().absent_after.total_seconds() + 1)
    await office.sweep()
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1


async def test_a_dead_one_holds_the_next_back_for_seconds_only(office: Office, hands: Hands) -> None:
    (dead,) = await office.approved("甲")
    (alive,) = await office.approved("乙", after=1)
    async with office.work() as unit:
        assert await door.begin(unit, dead)
    hands.on(2)
    assert await engine.send(office.house, alive) is None
    hands.on(sending().order_patience.total_seconds())
    assert await engine.send(office.house, alive) is DeliveryState.sent


async def test_a_refusal_names_its_reason_and_the_next_step(office: Office) -> None:
    from workflows.delivery.states import next_step

    office.sandbox.fault("refuse", operation="publish", code=20018)
    (one,) = await office.approved()
    await office.sweep()
    delivery = await office.delivery(one)
    assert delivery.state is DeliveryState.failed
    assert delivery.error_kind == "content_rejected"
    assert "不允许的网址" in delivery.error
    assert "重新送审" in next_step(delivery.error_kind)
    assert (await office.post_of(one)).state is PostState.approved


async def test_a_rate_limit_holds_the_account_and_nobody_else(office: Office, hands: Hands) -> None:
    other = await office.connect("江北发布")
    office.sandbox.fault("rate_limit", account="临江发布", seconds=600)
    (first,) = await office.approved("受限一")
    (second,) = await office.approved("受限二")
    (free,) = await office.approved("不受限", accounts=[other])
    await office.sweep()
    assert await office.states([first, second, free]) == ["waiting", "waiting", "sent"]
    until = (await office.delivery(first)).attempt_at
    assert until is not None
    assert until > clock.now() + timedelta(seconds=500)
    tried = len(office.sandbox.attempts())
    office.sandbox.lift()
    for _ in range(9):
        hands.on(60)
        await office.sweep()
    assert len(office.sandbox.attempts()) == tried, "no attempt before the time the platform named"
    (late,) = await office.approved("受限三")
    await office.sweep()
    assert await office.states([late]) == ["waiting"]
    hands.on(90)
    await office.sweep()
    await office.sweep()
    assert await office.states([first, second, late]) == ["sent", "sent", "sent"]


async def test_a_busy_platform_is_tried_again_later_and_at_last_given_to_a_person(office: Office, hands: Hands) -> None:
    from connectors.http import Http
    from connectors.sandbox.client import SandboxConnector

    account = await office.connect("断网账号")
    async with office.work() as unit:
        from hub.models import Account

        row = await unit.get(Account, account)
        row.base_url = "http://127.0.0.1:1"  # nobody listens there: refused before the first byte
    office.house.platforms = {"sandbox": SandboxConnector(Http(live=False, connect=1.0))}
    (one,) = await office.approved(accounts=[account], latest_at=clock.now() + timedelta(days=1))
    await office.sweep()
    assert await office.states([one]) == ["waiting"]
    for _ in range(sending().tries):
        hands.on(901)
        async with office.work() as unit:  # the outage lasts; lateness is another test's matter
            await unit.claim(Delivery, col(Delivery.id) == one, scheduled_at=clock.now())
        await office.sweep()
    delivery = await office.delivery(one)
    assert delivery.state is DeliveryState.failed
    assert delivery.attempts == sending().tries


async def test_same_text_twice_is_two_items_even_when_both_answers_get_lost(office: Office, hands: Hands) -> None:
    office.sandbox.fault("drop", operation="publish", count=2)
    (first,) = await office.approved("同一句话")
    (second,) = await office.approved("同一句话", after=1)
    await office.sweep()
    hands.on(2)
    await office.sweep()
    for _ in range(12):
        hands.on(5)
        await office.sweep()
    assert await office.states([first, second]) == ["sent", "sent"]
    there = {item["id"] for item in office.sandbox.accepted()}
    ours = {(await office.delivery(key)).remote_id for key in (first, second)}
    assert len(there) == 2
    assert ours == there


async def test_one_item_never_settles_two(office: Office, hands: Hands) -> None:
    office.sandbox.fault("drop", operation="publish", count=1)
    (first,) = await office.approved("同一句话")
    await office.sweep()
    office.sandbox.lift()
    office.sandbox.fault("drop", operation="publish", when="before", count=1)
    (second,) = await office.approved("同一句话", after=1)
    hands.on(2)
    await office.sweep()
    assert len(office.texts()) == 1
    for _ in range(12):
        hands.on(5)
        await office.sweep()
    assert await office.states([first, second]) == ["sent", "sent"]
    assert len(office.texts()) == 2
    assert len({(await office.delivery(key)).remote_id for key in (first, second)}) == 2


async def test_a_duplicate_refusal_after_an_unknown_is_evidence(office: Office, hands: Hands) -> None:
    office.sandbox.fault("reject_duplicates")
    office.sandbox.fault("drop", operation="publish", count=1)
    lag = office.sandbox.fault("list_lag", seconds=3600)
    (one,) = await office.approved("只此一条")
    await office.sweep()
    hands.on(41)
    await office.sweep()  # the list lies: "absent"; the second try is refused as a duplicate
    office.sandbox.lift(lag)
    hands.on(2)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1


async def test_a_duplicate_of_something_else_fails_with_a_reason(office: Office, hands: Hands) -> None:
    (first,) = await office.approved("重复的话")
    await office.sweep()
    office.sandbox.fault("reject_duplicates")
    (second,) = await office.approved("重复的话", after=1)
    hands.on(2)
    for _ in range(12):
        await office.sweep()
        hands.on(5)
    delivery = await office.delivery(second)
    assert await office.states([first, second]) == ["sent", "failed"]
    assert delivery.error_kind == "duplicate"
    assert len(office.texts()) == 1


async def test_a_row_altered_behind_our_back_does_not_leave(office: Office, hands: Hands) -> None:
    (one,) = await office.approved("原文", after=5)
    async with office.work() as unit:
        await unit.claim(Delivery, col(Delivery.id) == one, text="改过的文字")
    hands.on(6)
    await office.sweep()
    delivery = await office.delivery(one)
    assert (delivery.state, delivery.error_kind) == (DeliveryState.failed, "tampered")
    assert office.texts() == []


@pytest.mark.parametrize("kind", ["drop", "error_after"])
async def test_a_platform_that_never_answers_well_still_has_each_text_once(
    office: Office, hands: Hands, kind: str
) -> None:
    office.sandbox.fault(kind, operation="publish")
    ids = [key for number in range(6) for key in await office.approved(f"逐条{number}")]
    for _ in range(4):
        await office.sweep()
        hands.on(6)
    await office.sweep()
    assert set(await office.states(ids)) == {"sent"}
    assert sorted(office.texts()) == sorted(f"逐条{number}" for number in range(6))


async def test_pictures_that_take_longer_than_a_lease_are_ready_before_the_sending_begins(
    office: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office.work() as unit:
        put = await store.put(unit, office["press"], "a.png", await store.cleaned(drawn(400, 300, "PNG")))
    (one,) = await office.approved("附停水范围图", pictures=(Placed(put.id or 0, "范围图"),))

    async def slow(*given: Any) -> Any:
        hands.on(sending().lease.total_seconds() + 5)
        return await ready(*given)

    monkeypatch.setattr(sends, "ready", slow)
    assert await engine.send(office.house, one) is DeliveryState.sent
    assert office.texts() == ["附停水范围图"]
    assert await office.attempts(one) == ["done"]


async def test_nothing_is_called_when_the_call_could_outlive_the_lease(
    office: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a machine slept between the begin and the call."""
    (one,) = await office.approved()
    spare = sending().lease - sending().longest_call
    look = sends._looked_at

    def asleep(*given: Any) -> Any:
        hands.on(spare.total_seconds() + 1)
        return look(*given)

    with monkeypatch.context() as patched:
        patched.setattr(sends, "_looked_at", asleep)
        assert await engine.send(office.house, one) is DeliveryState.waiting
    assert office.texts() == []
    hands.on(60)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1
