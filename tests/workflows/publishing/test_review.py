"""Written by one, approved by another, bound to exactly this content: the doors that others left open are shut."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from hub import audit, clock
from hub.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from hub.models import Account, Delivery, Post, PostEvent, PostState
from hub.rights import system
from tests.workflows.delivery.office import Hands, Office
from workflows.publishing import detail, service
from workflows.publishing.content import Draft
from workflows.publishing.states import Move


def changed(post: Post, office: Office, **given: Any) -> Draft:
    """The post's own content with one thing changed."""
    values: dict[str, Any] = {
        "title": post.title, "body": post.body, "targets": {office.accounts[0]: ""},
        "scheduled_at": post.scheduled_at, "latest_at": post.latest_at,
    }  # fmt: skip
    return Draft(**(values | given))


async def save(office: Office, post: Post, **given: Any) -> Post:
    async with office.work() as unit:
        now = await unit.get(Post, post.id)
        return await service.save(
            unit, office["press"], post.id or 0, version=now.version, draft=changed(now, office, **given)
        )


async def sign(office: Office, post: Post, who: str = "review", **given: Any) -> Post:
    async with office.work() as unit:
        return await service.approve(
            office.house, unit, office[who], post.id or 0, content_hash=given.pop("content_hash", post.content_hash)
        )


async def test_nothing_of_a_draft_or_a_post_in_review_leaves(office: Office, hands: Hands) -> None:
    await office.draft(scheduled_at=clock.now() + timedelta(seconds=5))
    await office.submitted(scheduled_at=clock.now() + timedelta(seconds=5))
    hands.on(10)
    await office.sweep()
    assert office.texts() == []


async def test_the_author_cannot_approve_nor_can_who_changed_a_word(office: Office) -> None:
    async with office.work() as unit:
        draft = Draft("稿", "正文", {office.accounts[0]: ""})
        own = await service.create(unit, office["both"], draft)
        own = await service.submit(office.house, unit, office["both"], own.id or 0, version=own.version)
    with pytest.raises(Refused, match="由他人审核"):
        await sign(office, own, "both")
    post = await office.submitted()
    async with office.work() as unit:
        post = await service.save(
            unit, office["both"], post.id or 0, version=post.version, draft=changed(post, office, body="改一个字")
        )
    with pytest.raises(Refused, match="由他人审核"):
        await sign(office, post, "both")
    assert (await sign(office, post, "review")).state is PostState.approved


async def test_the_hub_itself_cannot_approve(office: Office) -> None:
    post = await office.submitted()
    async with office.work() as unit:
        with pytest.raises(Refused, match="具名人员"):
            await service.approve(office.house, unit, system(), post.id or 0, content_hash=post.content_hash)


async def test_approving_a_text_that_changed_meanwhile_is_refused(office: Office) -> None:
    post = await office.submitted("审核人看到的文字")
    seen = post.content_hash
    post = await save(office, post, body="作者在审核人背后换掉的文字")
    with pytest.raises(Stale):
        await sign(office, post, content_hash=seen)
    assert (await office.ids(post)) == []


@pytest.mark.parametrize(
    "given",
    [
        {"body": "换一句话"},
        {"body": "原文 "[:2] + "。"},
        {"targets": "own text"},
        {"targets": "another account"},
        {"targets": "more accounts"},
    ],
)
async def test_one_change_after_approval_puts_it_back_in_review_at_once(
    any_office: Office, given: dict[str, Any]
) -> None:
    office = any_office
    other = await office.connect("江北发布")
    (one,) = await office.approved("原文", after=5)
    post = await office.post_of(one)
    words = {
        "own text": {office.accounts[0]: "只给这个账号的文字"},
        "another account": {other: ""},
        "more accounts": {office.accounts[0]: "", other: ""},
    }
    if "targets" in given:
        given = {"targets": words[given["targets"]]}
    post = await save(office, post, **given)
    assert post.state is PostState.review
    assert await office.states([one]) == ["cancelled"]
    async with office.work() as unit:
        await unit.claim(Delivery, col(Delivery.id) == one, attempt_at=clock.now(), scheduled_at=clock.now())
    await office.sweep()
    assert office.texts() == []


async def test_after_a_change_it_goes_out_once_approved_anew_and_only_in_the_new_words(
    office: Office, hands: Hands
) -> None:
    (one,) = await office.approved("旧", after=60)
    post = await save(office, await office.post_of(one), body="新")
    await sign(office, post)
    hands.on(61)
    await office.sweep()
    assert office.texts() == ["新"]
    (_, second) = await office.ids(post)
    assert (await office.delivery(second or 0)).round == 2
    assert (await office.post_of(one)).state is PostState.done


async def test_a_title_or_the_same_words_again_keep_the_approval(office: Office) -> None:
    (one,) = await office.approved("原文", after=60)
    post = await save(office, await office.post_of(one), title="内部标题")
    assert post.state is PostState.approved
    assert await office.states([one]) == ["waiting"]


async def test_what_has_left_can_no_longer_be_changed(office: Office) -> None:
    (one,) = await office.approved("已发")
    await office.sweep()
    post = await office.post_of(one)
    with pytest.raises(Refused):
        await save(office, post, body="想改")
    async with office.work() as unit:
        with pytest.raises(Refused):
            await service.withdraw(unit, office["press"], post.id or 0, version=post.version, reason="想撤")


async def test_a_change_of_who_saved_first_wins(office: Office) -> None:
    post = await office.draft()
    async with office.work() as unit:
        await service.save(
            unit, office["press"], post.id or 0, version=post.version, draft=changed(post, office, body="先")
        )
    with pytest.raises(Stale):
        async with office.work() as unit:
            await service.save(
                unit, office["press"], post.id or 0, version=post.version, draft=changed(post, office, body="后")
            )


async def test_sent_back_with_a_reason_and_submitted_again(office: Office) -> None:
    post = await office.submitted("有错字")
    async with office.work() as unit:
        with pytest.raises(Refused, match="理由"):
            await service.send_back(unit, office["review"], post.id or 0, content_hash=post.content_hash, reason=" ")
        post = await service.send_back(
            unit, office["review"], post.id or 0, content_hash=post.content_hash, reason="第二段有错字"
        )
    assert (post.state, post.review_note) == (PostState.returned, "第二段有错字")
    post = await save(office, post, body="改好了")
    async with office.work() as unit:
        post = await service.submit(office.house, unit, office["press"], post.id or 0, version=post.version)
    assert (await sign(office, post)).state is PostState.approved


async def test_an_approval_can_be_taken_back_before_it_leaves(office: Office, hands: Hands) -> None:
    (one,) = await office.approved("先别发", after=60)
    post = await office.post_of(one)
    async with office.work() as unit:
        await service.send_back(unit, office["review"], post.id or 0, content_hash=post.content_hash, reason="口径有变")
    hands.on(61)
    await office.sweep()
    assert office.texts() == []
    assert await office.states([one]) == ["cancelled"]


async def test_withdrawn_does_not_leave_and_can_start_anew(office: Office, hands: Hands) -> None:
    (one,) = await office.approved("撤回的", after=60)
    post = await office.post_of(one)
    async with office.work() as unit:
        await service.withdraw(unit, office["press"], post.id or 0, version=post.version, reason="活动取消")
    hands.on(61)
    await office.sweep()
    assert office.texts() == []
    later = clock.now() + timedelta(hours=1)
    post = await save(office, await office.post_of(one), body="重新启用", scheduled_at=later)
    assert post.state is PostState.draft


async def test_submitting_says_every_reason_at_once(office: Office) -> None:
    quiet = await office.connect("停用账号")
    async with office.work() as unit:
        await unit.claim(Account, col(Account.id) == quiet, is_active=False)
    past = clock.now() - timedelta(hours=1)
    post = await office.draft("字" * 2001, [office.accounts[0], quiet], scheduled_at=past)
    async with office.work() as unit:
        with pytest.raises(Refused) as refused:
            await service.submit(office.house, unit, office["press"], post.id or 0, version=post.version)
    said = "\n".join(refused.value.reasons)
    assert "已经过去" in said
    assert "2001" in said
    assert "已停用" in said
    async with office.work() as unit:
        bare = await service.create(unit, office["press"], Draft("没有账号", "正文"))
        with pytest.raises(Refused, match="至少选择一个"):
            await service.submit(office.house, unit, office["press"], bare.id or 0, version=bare.version)


async def test_an_account_that_may_not_publish_is_named_before_review(office: Office) -> None:
    from connectors.base import Capability, Grant, Granted

    connector: Any = office.house.platforms["sandbox"]
    usual = connector.capabilities
    connector.capabilities = lambda account: {
        **usual(account), Capability.publish: Grant(Granted.needs, "需要在平台开通发布接口")
    }  # fmt: skip
    post = await office.draft()
    async with office.work() as unit:
        with pytest.raises(Refused, match="需要在平台开通发布接口"):
            await service.submit(office.house, unit, office["press"], post.id or 0, version=post.version)


async def test_bad_input_is_named_by_field(office: Office) -> None:
    async with office.work() as unit:
        with pytest.raises(Invalid) as nothing:
            await service.create(unit, office["press"], Draft())
        with pytest.raises(Invalid) as far:
            await service.create(unit, office["press"], Draft("题", "文", {999: ""}))
        with pytest.raises(NotAllowed):
            await service.create(unit, office["review"], Draft("题", "文"))
    assert set(nothing.value.problems) == {"title"}
    assert set(far.value.problems) == {"targets"}


async def test_hostile_text_is_kept_plain(office: Office) -> None:
    text = "<script>alert(1)</script>\x00 𠮷 \u202e反 \r\n第二行"
    post = await office.draft(text)
    assert post.body == "<script>alert(1)</script> 𠮷 \u202e反 \n第二行"


async def test_late_approval_is_refused_unless_it_is_to_go_out_at_once(office: Office, hands: Hands) -> None:
    post = await office.submitted(scheduled_at=clock.now() + timedelta(minutes=5))
    hands.on(3600)
    with pytest.raises(Refused, match="已经过去"):
        await sign(office, post)
    async with office.work() as unit:
        await service.approve(
            office.house, unit, office["review"], post.id or 0, content_hash=post.content_hash, at_once=True
        )
    await office.sweep()
    assert len(office.texts()) == 1


async def test_a_drag_moves_what_waits_in_the_same_transaction(any_office: Office, hands: Hands) -> None:
    office = any_office
    (one,) = await office.approved("改期", after=60)
    post = await office.post_of(one)
    later = clock.now() + timedelta(hours=2)
    async with office.work() as unit:
        moved = await service.reschedule(unit, office["press"], post.id or 0, version=post.version, scheduled_at=later)
    assert moved.kept_approval
    hands.on(61)
    await office.sweep()
    assert office.texts() == [], "nothing fires at the old time"
    hands.on(7200)
    await office.sweep()
    assert office.texts() == ["改期"]


async def test_an_approval_does_not_travel_far_without_a_reviewer(office: Office) -> None:
    (one,) = await office.approved("远期", after=3600)
    approved_at = (await office.delivery(one)).scheduled_at
    for days in (4, 7):  # small steps are no way round: the distance counts from the approved time
        post = await office.post_of(one)
        async with office.work() as unit:
            moved = await service.reschedule(
                unit, office["press"], post.id or 0, version=post.version,
                scheduled_at=approved_at + timedelta(days=days),
            )  # fmt: skip
        assert moved.kept_approval
    post = await office.post_of(one)
    async with office.work() as unit:
        moved = await service.reschedule(
            unit, office["press"], post.id or 0, version=post.version, scheduled_at=approved_at + timedelta(days=9)
        )
    assert not moved.kept_approval
    assert moved.post.state is PostState.review
    assert await office.states([one]) == ["cancelled"]


async def test_a_reviewer_may_move_it_anywhere(office: Office) -> None:
    (one,) = await office.approved("远期", after=3600)
    post = await office.post_of(one)
    async with office.work() as unit:
        moved = await service.reschedule(
            unit, office["review"], post.id or 0, version=post.version,
            scheduled_at=clock.now() + timedelta(days=30),
        )  # fmt: skip
    assert moved.kept_approval
    assert await office.states([one]) == ["waiting"]


async def test_moves_that_are_refused(office: Office, hands: Hands) -> None:
    (one,) = await office.approved("有时效", after=60, latest_at=clock.now() + timedelta(hours=1))
    post = await office.post_of(one)
    async with office.work() as unit:
        for when, why in ((-60, "已经过去"), (7200, "最晚发布时间")):
            with pytest.raises(Refused, match=why):
                await service.reschedule(
                    unit, office["press"], post.id or 0, version=post.version,
                    scheduled_at=clock.now() + timedelta(seconds=when),
                )  # fmt: skip
        with pytest.raises(NotFound):
            await service.reschedule(
                unit, office["clerk"], post.id or 0, version=post.version, scheduled_at=clock.now()
            )
    hands.on(61)
    await office.sweep()
    post = await office.post_of(one)
    async with office.work() as unit:
        with pytest.raises(Refused, match="已发出"):
            await service.reschedule(
                unit, office["press"], post.id or 0, version=post.version,
                scheduled_at=clock.now() + timedelta(seconds=60),
            )  # fmt: skip


async def test_a_drag_against_the_door(office: Office, hands: Hands) -> None:
    """Somebody drags while the sending begins: one of them wins, never both."""
    from workflows.delivery import door

    (one,) = await office.approved("争抢", after=1)
    post = await office.post_of(one)
    hands.on(2)
    async with office.work() as unit:
        assert await door.begin(unit, one)
    async with office.work() as unit:
        with pytest.raises(Refused):
            await service.reschedule(
                unit, office["press"], post.id or 0, version=post.version,
                scheduled_at=clock.now() + timedelta(hours=1),
            )  # fmt: skip


async def test_every_change_is_in_the_history_with_what_was_signed(office: Office) -> None:
    (one,) = await office.approved("全程留痕", after=0)
    await office.sweep()
    post = await office.post_of(one)
    async with office.read() as unit:
        events = await unit.all(select(PostEvent).where(PostEvent.post_id == post.id).order_by(col(PostEvent.id)))
        seen = await detail.view(unit, office["press"], post.id or 0)
        assert (await audit.verify(unit)).broken_at is None
    assert [event.what for event in events] == ["create", "submit", "sign", "approve", "sent"]
    assert [event.by_name for event in events] == ["press", "press", "review", "review", "系统"]
    signed = events[2]
    assert signed.data["body"] == "全程留痕"
    assert signed.content_hash == post.approved_hash == post.content_hash
    assert seen.targets[0].delivery is not None
    assert seen.reasons[Move.save]
    assert len(seen.events) == 5


async def test_two_accounts_one_refused_then_given_up(office: Office) -> None:
    other = await office.connect("江北发布")
    office.sandbox.fault("refuse", account="江北发布", operation="publish", code=20018)
    good, bad = await office.approved("两个账号", [office.accounts[0], other])
    await office.sweep()
    assert await office.states([good, bad]) == ["sent", "failed"]
    assert (await office.post_of(good)).state is PostState.approved
    from workflows.delivery import service as deliveries

    async with office.work() as unit:
        await deliveries.cancel(unit, office["press"], bad, "内容不适合该平台")
    assert (await office.post_of(good)).state is PostState.done
