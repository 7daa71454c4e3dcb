"""What people do by hand: handed over through the door, reminded, ended with a link or a reason; pauses hold it too."""

from __future__ import annotations

import asyncio
import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import col, select

from connectors.manual.client import ManualConnector
from hub import clock
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.models import Account, Attempt, AttemptResult, AuditEntry, Delivery, DeliveryState, PostEvent, PostState
from hub.policy.sending import sending
from tests.drawing import drawn
from tests.insist import insist
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import byhand, door, handwork, lists, service
from workflows.pictures import store
from workflows.pictures.placed import Placed
from workflows.publishing.content import Draft, Option
from workflows.publishing.service import approve, create, save, submit

S = DeliveryState
LINK = "复制打开抖音 https://www.douyin.com/video/7301234567890123456 看看"


async def douyin(office: Office, **options: str) -> int:
    """An account that is kept by hand."""
    office.house.platforms = {**office.house.platforms, "manual": ManualConnector()}
    async with office.work() as unit:
        account = Account(platform="manual", name="临江发布（抖音）", options={"site": "douyin"} | options)
        unit.add(account)
        await unit.flush()
    return account.id or 0


async def test_a_post_waits_for_its_author_and_is_sent_with_the_link_that_is_brought_back(
    any_office: Office, hands: Hands
) -> None:
    office = any_office
    account = await douyin(office)
    (one,) = await office.approved("周末停水", [account])
    await office.sweep()
    task = await office.delivery(one)
    assert (task.state, task.assignee_id, task.latest_at) == (S.by_hand, office["press"].user_id, None)
    assert len(task.steps) >= 4
    assert (await office.post_of(one)).state is PostState.approved
    async with office.read() as unit:
        (listed,) = await handwork.tasks(office.house, unit, office["press"], mine=True)
        assert await handwork.tasks(office.house, unit, office["review"], mine=True) == []
        assert (listed.site, listed.late, listed.is_open) == ("抖音", False, True)
    hands.on(120)
    async with office.work() as unit:
        await byhand.finish(office.house, unit, office["press"], one, link=LINK)
    done = await office.delivery(one)
    assert (done.state, done.remote_id) == (S.sent, "7301234567890123456")
    assert done.remote_url == "https://www.douyin.com/video/7301234567890123456"
    assert done.sent_at == clock.now()
    assert (await office.post_of(one)).state is PostState.done
    async with office.read() as unit:
        (attempt,) = await unit.all(select(Attempt).where(Attempt.delivery_id == one))
        assert (attempt.result, attempt.by_id) == (AttemptResult.by_hand, office["press"].user_id)
        told = await unit.all(select(PostEvent.what).where(PostEvent.post_id == done.post_id))
        assert [what for what in told if what in ("by_hand", "sent")] == ["by_hand", "sent"]
        assert await unit.first(select(AuditEntry).where(AuditEntry.what == "delivery.by_hand"))
        (ended,) = await handwork.done(office.house, unit, office["press"], mine=True)
        assert ended.delivery.id == one


async def test_of_two_who_bring_it_back_at_once_one_is_told_so(any_office: Office) -> None:
    office = any_office
    (one,) = await office.approved("周末停水", [await douyin(office)])
    await office.sweep()

    async def finish() -> None:
        async with office.work() as unit:
            await byhand.finish(office.house, unit, office["press"], one, link=LINK)

    came = await asyncio.gather(finish(), finish(), return_exceptions=True)
    (refused,) = [error for error in came if error is not None]
    assert isinstance(refused, Refused)
    assert "已发出" in refused.reasons[0]
    async with office.read() as unit:
        assert len(await unit.all(select(AuditEntry).where(AuditEntry.what == "delivery.by_hand"))) == 1


async def test_a_link_is_checked_and_stands_for_one_sending_only(office: Office) -> None:
    account = await douyin(office)
    first, second = [(await office.approved(text, [account]))[0] for text in ("甲", "乙")]
    await office.sweep()
    await office.sweep()
    for link, why in (("", "请贴上"), ("发了", "没有找到网址"), ("https://www.kuaishou.com/f/x12345678", "不是抖音")):
        with pytest.raises(Invalid) as refused:
            async with office.work() as unit:
                await byhand.finish(office.house, unit, office["press"], first, link=link)
        assert why in refused.value.problems["link"]
    async with office.work() as unit:
        await byhand.finish(office.house, unit, office["press"], first, link=LINK)
    with pytest.raises(Refused):
        async with office.work() as unit:
            await byhand.finish(office.house, unit, office["press"], second, link=LINK)
    with pytest.raises(Refused):
        async with office.work() as unit:
            await byhand.finish(office.house, unit, office["press"], first, link=LINK)
    async with office.work() as unit:
        await byhand.finish(office.house, unit, office["press"], second, link="", without="图文没有链接")
    assert await office.states([first, second]) == ["sent", "sent"]


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        (
            "https://www.douyin.com/video/7300000000000000000<script>",
            "https://www.douyin.com/video/7300000000000000000",
        ),
        (
            "https://www.douyin.com/video/7300000000000000000%3Cscript%3E",
            "https://www.douyin.com/video/7300000000000000000",
        ),
        (
            "看 https://www.douyin.com/note/7300000000000000000/?a=1#x",
            "https://www.douyin.com/note/7300000000000000000/?a=1",
        ),
    ],
)
async def test_of_a_link_only_the_address_of_the_item_is_kept(office: Office, pasted: str, kept: str) -> None:
    (one,) = await office.approved("周末停水", [await douyin(office)])
    await office.sweep()
    async with office.work() as unit:
        await byhand.finish(office.house, unit, office["press"], one, link=pasted)
    done = await office.delivery(one)
    assert (done.remote_id, done.remote_url) == ("7300000000000000000", kept)


async def test_time_reminds_at_half_an_hour_at_the_end_of_the_day_and_every_morning(
    office: Office, hands: Hands
) -> None:
    day = clock.local(clock.now()).date() + timedelta(days=1)
    hands.move(clock.at_local(day, 9, 0))
    account = await douyin(office)
    (one,) = await office.approved("早安", [account])
    await office.sweep()
    wanted = [(day, 9, 30), (day, 17, 30), (day + timedelta(days=1), 9, 0), (day + timedelta(days=2), 9, 0)]
    for count, (on, hour, minute) in enumerate(wanted, 1):
        at = clock.at_local(on, hour, minute)
        assert (await office.delivery(one)).attempt_at == at
        hands.move(at - timedelta(seconds=1))
        await office.sweep()
        assert (await office.delivery(one)).reminders == count - 1
        hands.move(at)
        await office.sweep()
        assert (await office.delivery(one)).reminders == count
    async with office.read() as unit:
        (listed,) = await handwork.tasks(office.house, unit, office["press"], mine=True)
    assert listed.late


async def test_past_its_own_latest_time_it_is_missed_and_can_still_be_recorded(office: Office, hands: Hands) -> None:
    account = await douyin(office)
    latest = clock.now() + timedelta(minutes=20)
    (one,) = await office.approved("限时", [account], latest_at=latest)
    await office.sweep()
    hands.on(20 * 60 + 2)
    await office.sweep()
    missed = await office.delivery(one)
    assert (missed.state, missed.reminders) == (S.missed, 0)
    async with office.read() as unit:
        pack = await handwork.pack(office.house, unit, office["press"], one)
    assert pack.ends
    assert not pack.task.is_open
    async with office.work() as unit:
        await byhand.finish(office.house, unit, office["press"], one, link=LINK)
    assert (await office.delivery(one)).state is S.sent


async def test_a_pause_keeps_it_from_being_done_and_a_person_lets_it_go_on(office: Office, hands: Hands) -> None:
    account = await douyin(office)
    (one,) = await office.approved("通告", [account])
    await office.sweep()
    async with office.work() as unit:
        pause = await service.pause(unit, office["press"], "突发事件", account)
    held = await office.delivery(one)
    assert (held.state, held.attempt_at) == (S.held, None)
    async with office.read() as unit:
        pack = await handwork.pack(office.house, unit, office["press"], one)
        assert not pack.task.is_open
        assert "突发事件" in pack.task.delivery.held_reason
    async with office.work() as unit:
        await service.lift(unit, office["press"], pause.id or 0, "已核实")
    async with office.work() as unit:
        await service.send_now(unit, office["press"], one)
    await office.sweep()
    assert (await office.delivery(one)).state is S.by_hand


async def test_not_done_says_why_and_can_be_tried_again(office: Office) -> None:
    account = await douyin(office)
    (one,) = await office.approved("通告", [account])
    await office.sweep()
    with pytest.raises(Invalid):
        async with office.work() as unit:
            await byhand.give_up(unit, office["press"], one, " ")
    async with office.work() as unit:
        await byhand.give_up(unit, office["press"], one, "号被平台限流")
    failed = await office.delivery(one)
    assert failed.state is S.failed
    assert "号被平台限流" in failed.error
    async with office.read() as unit:
        view = (await lists.detail(unit, office["press"], one)).view
    assert view.may == ("retry", "reschedule", "cancel")
    assert "负责人" in view.next_step
    async with office.work() as unit:
        await service.retry(unit, office["press"], one)
    await office.sweep()
    again = await office.delivery(one)
    assert (again.state, again.attempts, again.error) == (S.by_hand, 2, "")


async def test_whose_work_it_is(office: Office) -> None:
    account = await douyin(office, assignee="clerk")
    async with office.read() as unit:
        known = dict(await byhand.hands(unit))
    (one,) = await office.approved("账号的人", [account])
    other = office["review"].user_id or 0
    chosen = Draft("通告", "稿件选的人", {account: ""}, clock.now(), options={account: Option(assignee_id=other)})
    async with office.work() as unit:
        post = await create(unit, office["press"], chosen)
        handing_in = partial(submit, office.house, unit, office["press"], post.id or 0, version=post.version)
        post = await insist(handing_in)
        await approve(office.house, unit, office["review"], post.id or 0, content_hash=post.content_hash)
    (two,) = await office.ids(post)
    await office.sweep()
    await office.sweep()
    named = (await office.delivery(one)).assignee_id
    assert named is not None
    assert known[named]
    assert (await office.delivery(two or 0)).assignee_id == other
    async with office.work() as unit:
        await byhand.hand_to(unit, office["press"], two or 0, named)
    assert (await office.delivery(two or 0)).assignee_id == named


async def test_who_it_is_given_to_sees_and_ends_it_and_nobody_else(office: Office) -> None:
    account = await douyin(office)
    (one,) = await office.approved("通告", [account])
    await office.sweep()
    stranger = office["clerk"]
    with pytest.raises(NotFound):
        async with office.read() as unit:
            await handwork.pack(office.house, unit, stranger, one)
    with pytest.raises(NotAllowed):
        async with office.work() as unit:
            await byhand.finish(office.house, unit, office["review"], one, link=LINK)
    async with office.work() as unit:
        await byhand.hand_to(unit, office["press"], one, stranger.user_id or 0)
    async with office.work() as unit:
        assert (await handwork.pack(office.house, unit, stranger, one)).may
        await byhand.finish(office.house, unit, stranger, one, link=LINK)
    assert (await office.delivery(one)).state is S.sent


async def test_changing_the_post_takes_the_task_away(office: Office) -> None:
    account = await douyin(office)
    (one,) = await office.approved("第一稿", [account])
    await office.sweep()
    post = await office.post_of(one)
    async with office.work() as unit:
        changed = Draft("通告", "第二稿", {account: ""}, post.scheduled_at)
        await save(unit, office["press"], post.id or 0, version=post.version, draft=changed)
    assert (await office.delivery(one)).state is S.cancelled
    with pytest.raises(Refused):
        async with office.work() as unit:
            await byhand.finish(office.house, unit, office["press"], one, link=LINK)


async def test_a_process_that_died_while_handing_over_has_sent_nothing(office: Office, hands: Hands) -> None:
    account = await douyin(office)
    (one,) = await office.approved("通告", [account])
    async with office.work() as unit:
        assert await door.begin(unit, one)
    hands.on(sending().lease.total_seconds() + 1)
    await office.sweep()
    await office.sweep()
    assert (await office.delivery(one)).state is S.by_hand
    async with office.read() as unit:
        results = await unit.all(select(Attempt.result).where(Attempt.delivery_id == one).order_by(col(Attempt.number)))
    assert list(results) == [AttemptResult.absent, AttemptResult.open]


async def test_the_pack_has_text_pictures_and_covers_in_every_size(office: Office) -> None:
    account = await douyin(office)
    async with office.work() as unit:
        put = await store.put(unit, office["press"], "a.png", await store.cleaned(drawn(1600, 900, "PNG")))
    draft = Draft("停水通告", "正文", {account: ""}, clock.now(), pictures=(Placed(put.id or 0, "范围图", "top"),))
    async with office.work() as unit:
        post = await create(unit, office["press"], draft)
        handing_in = partial(submit, office.house, unit, office["press"], post.id or 0, version=post.version)
        post = await insist(handing_in)
        await approve(office.house, unit, office["review"], post.id or 0, content_hash=post.content_hash)
    (one,) = await office.ids(post)
    await office.sweep()
    async with office.read() as unit:
        pack = await handwork.pack(office.house, unit, office["press"], one or 0)
        data = await handwork.zipped(unit, pack)
    assert pack.task.delivery.title == "停水通告"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["text.txt", "pictures/1.png", "covers/1080x1920.jpg", "covers/1080x1440.jpg"]
        assert archive.read("text.txt").decode("utf-8-sig").split("\r\n") == ["停水通告", "", "正文"]
    async with office.read() as unit:
        assert await unit.first(select(Delivery.id).where(Delivery.id == one, Delivery.state == S.by_hand)) == one


async def test_another_hand_can_be_chosen_after_the_approval_without_a_new_review(office: Office) -> None:
    account = await douyin(office)
    (one,) = await office.approved("通告", [account], after=3600)
    post, clerk = await office.post_of(one), office["clerk"].user_id
    async with office.work() as unit:
        same = Draft("通告", post.body, {account: ""}, post.scheduled_at)
        chosen = replace(same, options={account: Option(title="通告", assignee_id=clerk)})
        await save(unit, office["press"], post.id or 0, version=post.version, draft=chosen)
    assert (await office.post_of(one)).state is PostState.approved
    assert (await office.delivery(one)).assignee_id == clerk
