"""What people decide: pause and lift, missed and late, cancel, retry, and outcomes nobody can tell."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select

from hub import clock
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.models import AuditEntry, Delivery, DeliveryState, PostState
from hub.policy.sending import sending
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import engine, lists, service

S = DeliveryState


async def test_a_pause_holds_everything_and_a_lift_asks_one_by_one(any_office: Office, hands: Hands) -> None:
    office = any_office
    (soon,) = await office.approved("快到点", after=30)
    (later,) = await office.approved("还早", after=3600)
    async with office.work() as unit:
        pause = await service.pause(unit, office["press"], "突发事件，核实中")
    assert await office.states([soon, later]) == ["held", "held"]
    assert "突发事件" in (await office.delivery(soon)).held_reason
    (during,) = await office.approved("暂停期间批准", after=1)
    hands.on(60)
    await office.sweep()
    assert office.texts() == []
    assert await office.states([soon, during]) == ["held", "held"]
    async with office.work() as unit:
        assert await service.lift(unit, office["press"], pause.id or 0, "已核实") == 1
    await office.sweep()
    assert await office.states([soon, later, during]) == ["held", "waiting", "held"]
    async with office.read() as unit:
        asked = await lists.held(unit, office["press"])
    assert {view.delivery.id for view in asked} == {soon, during}
    assert all(view.may == ("send_now", "reschedule", "cancel") for view in asked)
    async with office.work() as unit:
        await service.send_now(unit, office["press"], soon)
        await service.cancel(unit, office["press"], during, "已过时")
    await office.sweep()
    assert office.texts() == ["快到点"]
    assert await office.states([soon, later, during]) == ["sent", "waiting", "cancelled"]


async def test_no_sending_begins_after_the_pause_is_committed(office: Office) -> None:
    accounts = [await office.connect(f"连发{number}") for number in range(4)]
    ids = [key for number in range(10) for key in await office.approved(f"连发{number}", accounts)]
    running = asyncio.create_task(office.sweep())
    while len(office.texts()) < 3:
        await asyncio.sleep(0.02)
    async with office.work() as unit:
        await service.pause(unit, office["press"], "停")
    async with office.read() as unit:
        on_the_wire = await unit.all(select(Delivery.id).where(Delivery.state == S.sending))
    tried = {key: (await office.delivery(key)).attempts for key in ids}
    await running
    assert {key: (await office.delivery(key)).attempts for key in ids} == tried
    assert len(office.texts()) <= sum(tried.values())
    assert len(office.texts()) < len(ids)
    assert len(on_the_wire) <= len(accounts)


async def test_a_paused_account_leaves_others_alone(office: Office) -> None:
    other = await office.connect("江北发布")
    async with office.work() as unit:
        await service.pause(unit, office["press"], "账号被盗", office.accounts[0])
    (stopped,) = await office.approved("甲")
    (free,) = await office.approved("乙", accounts=[other])
    await office.sweep()
    assert await office.states([stopped, free]) == ["held", "sent"]


async def test_two_pauses_must_both_be_lifted(office: Office, hands: Hands) -> None:
    (one,) = await office.approved(after=3600)
    async with office.work() as unit:
        wide = await service.pause(unit, office["press"], "全停")
        narrow = await service.pause(unit, office["press"], "单停", office.accounts[0])
    async with office.work() as unit:
        await service.lift(unit, office["press"], wide.id or 0, "好了")
    assert await office.states([one]) == ["held"]
    async with office.work() as unit:
        await service.lift(unit, office["press"], narrow.id or 0, "也好了")
        assert not await service.pauses(unit)
    assert await office.states([one]) == ["waiting"]
    hands.on(3601)
    await office.sweep()
    assert await office.states([one]) == ["sent"]


async def test_a_pause_needs_a_right_a_reason_and_is_on_record(office: Office) -> None:
    async with office.work() as unit:
        with pytest.raises(NotAllowed):
            await service.pause(unit, office["clerk"], "想停")
        with pytest.raises(Invalid):
            await service.pause(unit, office["press"], "  ")
        await service.pause(unit, office["press"], "有理由")
        with pytest.raises(Refused, match="已处于暂停"):
            await service.pause(unit, office["press"], "再停一次")
    async with office.read() as unit:
        (entry,) = await unit.all(select(AuditEntry).where(AuditEntry.what == "sending.pause"))
    assert entry.by_name == "press"
    assert entry.data == {"reason": "有理由"}


async def test_after_downtime_old_posts_are_missed_and_the_rest_drips(office: Office, hands: Hands) -> None:
    short = [
        key
        for number in range(4)
        for key in await office.approved(f"时效短{number}", after=60, latest_at=clock.now() + timedelta(minutes=20))
    ]
    late = clock.now() + timedelta(hours=6)
    long = [key for n in range(15) for key in await office.approved(f"可晚发{n}", after=61 + n, latest_at=late)]
    default = await office.approved("默认时效", after=62)
    hands.on(3 * 3600)
    for minute in range(1, 4):
        await office.sweep()
        assert len(office.texts()) == min(6 * minute, 15)
        hands.on(30)
        await office.sweep()
        assert len(office.texts()) == min(6 * minute, 15), "half a minute later nothing more"
        hands.on(31)
    assert set(await office.states(short + default)) == {"missed"}
    assert set(await office.states(long)) == {"sent"}
    assert office.texts() == [f"可晚发{n}" for n in range(15)]
    async with office.read() as unit:
        listed = await lists.needing_person(unit, office["press"])
    assert {view.delivery.id for view in listed} == {*short, *default}


async def test_what_is_on_time_does_not_wait_behind_the_drip(office: Office, hands: Hands) -> None:
    late = clock.now() + timedelta(hours=6)
    for number in range(12):
        await office.approved(f"积压{number}", after=1 + number, latest_at=late)
    (fresh,) = await office.approved("准点", after=3600)
    hands.on(3600)
    await office.sweep()
    assert await office.states([fresh]) == ["sent"]
    assert len(office.texts()) == 7


async def test_a_missed_one_is_sent_only_when_a_person_says_so(office: Office, hands: Hands) -> None:
    (one,) = await office.approved(after=60)
    hands.on(3600)
    await office.sweep()
    assert await office.states([one]) == ["missed"]
    async with office.work() as unit:
        await service.send_now(unit, office["press"], one)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert (await office.post_of(one)).state is PostState.done


async def test_a_failed_one_is_tried_again_by_hand(office: Office, hands: Hands) -> None:
    fault = office.sandbox.fault("refuse", operation="publish", code=20018)
    (one,) = await office.approved()
    await office.sweep()
    office.sandbox.lift(fault)
    hands.on(1)
    await office.sweep()
    assert await office.states([one]) == ["failed"], "a failed one waits for a person"
    async with office.work() as unit:
        await service.retry(unit, office["press"], one)
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert await office.attempts(one) == ["refused", "done"]


async def parked(office: Office, hands: Hands, when: str) -> int:
    """A delivery whose outcome nobody can tell."""
    office.sandbox.fault("list_off")
    office.sandbox.fault("drop", operation="publish", when=when, count=1)
    (one,) = await office.approved()
    for _ in range(13):
        await office.sweep()
        hands.on(5)
    await office.sweep()
    async with office.read() as unit:
        view = (await lists.detail(unit, office["press"], one)).view
    assert view.delivery.state is S.unknown
    assert view.may == ("settle_by_hand",)
    assert "已发出" in view.next_step
    return one


async def test_a_person_says_it_was_sent(office: Office, hands: Hands) -> None:
    one = await parked(office, hands, "after")
    (there,) = office.sandbox.accepted()
    async with office.work() as unit:
        await service.settle_by_hand(unit, office["press"], one, True, there["id"], "在平台上看到了")
    delivery = await office.delivery(one)
    assert (delivery.state, delivery.remote_id) == (S.sent, there["id"])
    assert (await office.attempts(one))[-1] == "by_hand"
    assert (await office.post_of(one)).state is PostState.done
    (second,) = await office.approved()
    async with office.work() as unit:
        await unit.claim(Delivery, col(Delivery.id) == second, state=S.unknown)
        with pytest.raises(Refused, match="不能重复认领"):
            await service.settle_by_hand(unit, office["press"], second, True, there["id"], "同一条")


async def test_a_person_says_it_was_not_sent(office: Office, hands: Hands) -> None:
    one = await parked(office, hands, "before")
    async with office.work() as unit:
        await service.settle_by_hand(unit, office["press"], one, False, "", "平台上没有")
    await office.sweep()
    assert await office.states([one]) == ["sent"]
    assert len(office.texts()) == 1
    with pytest.raises(Refused):
        async with office.work() as unit:
            await service.settle_by_hand(unit, office["press"], one, False, "", "再来一次")


async def test_rights_sight_and_reasons(office: Office) -> None:
    (one,) = await office.approved(after=60)
    async with office.work() as unit:
        with pytest.raises(NotAllowed):
            await service.cancel(unit, office["clerk"], one, "不该能")
        with pytest.raises(Invalid):
            await service.cancel(unit, office["press"], one, "")
        with pytest.raises(NotFound):
            await service.cancel(unit, office["press"], 999, "没有这条")
    async with office.read() as unit:
        with pytest.raises(NotFound):
            await lists.detail(unit, office["clerk"], one)
        assert await lists.needing_person(unit, office["clerk"]) == []


async def test_what_left_cannot_be_cancelled_or_moved(office: Office) -> None:
    (one,) = await office.approved()
    await office.sweep()
    async with office.work() as unit:
        with pytest.raises(Refused, match="已发出"):
            await service.cancel(unit, office["press"], one, "太迟")
        with pytest.raises(Refused, match="已发出"):
            await service.send_now(unit, office["press"], one)


async def test_a_persons_wish_does_not_break_a_rate_limit(office: Office) -> None:
    office.sandbox.fault("rate_limit", seconds=600)
    (one,) = await office.approved()
    await office.sweep()
    async with office.work() as unit:
        with pytest.raises(Refused, match="限流"):
            await service.send_now(unit, office["press"], one)


async def test_one_delivery_is_not_moved_far_from_what_was_approved(office: Office, hands: Hands) -> None:
    (one,) = await office.approved(after=60)
    async with office.work() as unit:
        with pytest.raises(Refused, match="7 天"):
            await service.reschedule(unit, office["press"], one, clock.now() + timedelta(days=8))
        await service.reschedule(unit, office["press"], one, clock.now() + timedelta(days=3))
    hands.on(3 * 86400 + 1)
    await office.sweep()
    assert await office.states([one]) == ["sent"]


async def test_a_take_down_is_noticed(office: Office, hands: Hands) -> None:
    (one,) = await office.approved()
    (other,) = await office.approved()
    await office.sweep()
    office.sandbox.take_down((await office.delivery(one)).remote_id)
    hands.on(sending().watch[0].total_seconds() + 1)
    assert await engine_watch(office) == 1
    assert await office.states([one, other]) == ["removed", "sent"]
    hands.on(1)
    assert await engine_watch(office) == 0
    assert (await office.delivery(other)).watch_at is not None
    hands.on(sending().watch[-1].total_seconds())
    await engine_watch(office)
    assert (await office.delivery(other)).watch_at is None


async def engine_watch(office: Office) -> int:
    from workflows.delivery.watch import watch_removed

    return await watch_removed(office.house)


async def test_figures_count_states_and_what_should_have_left(office: Office, hands: Hands) -> None:
    (sent,) = await office.approved()
    await office.sweep()
    (due,) = await office.approved(after=10)
    hands.on(20)
    async with office.read() as unit:
        figures = await lists.figures(unit)
    assert figures.by_state["sent"] == 1
    assert figures.by_state["waiting"] == 1
    assert figures.by_state["failed"] == 0
    assert figures.oldest_due_at == (await office.delivery(due)).attempt_at
    assert await engine.send(office.house, sent) is None
