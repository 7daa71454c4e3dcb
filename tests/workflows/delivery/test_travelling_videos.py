"""Videos travel ahead of their post: step by step, resumed, never twice; the door waits for them, people learn why."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from connectors.base import ByHand, ConnectorError, ErrorKind, Uploaded, Uploading
from connectors.sandbox.client import SandboxConnector
from hub import clock
from hub.models import CircuitState, Delivery, DeliveryState, Post, PostState, VideoJourney
from hub.policy.sending import sending
from tests.filming import MB, kept_video
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import lists, text_hash
from workflows.delivery import service as sender
from workflows.delivery.progress import progress
from workflows.delivery.uploading import upload_videos
from workflows.publishing import service
from workflows.publishing.content import Draft, Option, content_hash
from workflows.videos import store
from workflows.videos.placed import PlacedVideo

S = DeliveryState


async def approved(office: Office, *, after: float = 0.0, seed: int = 1, **given: Any) -> int:
    """The delivery of an approved post with a video of three pieces."""
    video = await kept_video(office.ctx, office["press"], seed=seed)
    (number,) = await office.approved(after=after, video=video, **given)
    return number


async def journey(office: Office, delivery_id: int) -> VideoJourney:
    async with office.read() as unit:
        found = await unit.get(VideoJourney, delivery_id)
    assert found is not None
    return found


def pieces(office: Office) -> int:
    """How many pieces the platform took."""
    return sum(one["outcome"] == "piece" for one in office.sandbox.attempts())


# Identity -------------------------------------------------------------------------------------------------------------


def test_a_video_changes_the_identity_and_nothing_else_does() -> None:
    plain = Draft("题", "文", {1: "", 2: ""})
    video = PlacedVideo(1, "说明", "名.mp4", "a" * 64, "video/mp4", 5, 1.0, 2, 3)
    with_one = Draft("题", "文", {1: "", 2: ""}, video=video)
    without = {2: Option(without_video=True)}
    drafts = [
        plain, with_one, Draft("题", "文", {1: "", 2: ""}, video=video.described("别的")),
        Draft("题", "文", {1: "", 2: ""}, video=video, options=without),
    ]  # fmt: skip
    assert len({content_hash(one) for one in drafts}) == 4
    assert content_hash(Draft("题", "文", {1: "", 2: ""}, options=without)) == content_hash(plain)
    assert text_hash("文", account_id=1, video=None) == text_hash("文", account_id=1)
    assert text_hash("文", account_id=1, video=video.kept()) != text_hash("文", account_id=1)


# The usual road -------------------------------------------------------------------------------------------------------


async def test_it_travels_ahead_and_one_request_is_left(any_office: Office, hands: Hands) -> None:
    office = any_office
    number = await approved(office, after=7200)
    await upload_videos(office.house)
    assert pieces(office) == 0, "two hours are too early"
    hands.on(3700)
    await upload_videos(office.house)
    there = await journey(office, number)
    assert there.is_there
    assert (there.done, there.holder, there.lease_until) == (5 * MB, "", None)
    assert pieces(office) == 3
    assert office.texts() == []
    hands.on(3600)
    await office.sweep()
    assert await office.states([number]) == ["sent"]
    (item,) = office.sandbox.accepted()
    shown = office.sandbox.item(item["id"])["video"]
    delivery = await office.delivery(number)
    assert delivery.video
    assert (shown["sha256"], shown["description"]) == (delivery.video["sha256"], "大坝泄洪的现场")
    assert pieces(office) == 3


async def test_what_is_due_waits_for_its_video_and_leaves_with_its_last_step(office: Office, hands: Hands) -> None:
    number = await approved(office)
    await office.sweep()
    delivery = await office.delivery(number)
    assert (delivery.state, delivery.error_kind) == (S.waiting, "video")
    assert await office.attempts(number) == []
    async with office.read() as unit:
        (view,) = await lists.of_post(unit, office["press"], delivery.post_id or 0)
    assert "视频" in view.why
    assert "自动发出" in view.next_step
    await upload_videos(office.house)
    await office.sweep()
    delivery = await office.delivery(number)
    assert (delivery.state, delivery.error) == (S.sent, "")


async def test_others_of_the_account_do_not_wait_for_a_video(office: Office, hands: Hands) -> None:
    first = await approved(office)
    (second,) = await office.approved("第二条没有视频")
    await office.sweep()
    hands.on(1)
    await office.sweep()
    assert await office.states([first, second]) == ["waiting", "sent"]


async def test_a_video_that_does_not_arrive_in_time_is_missed_with_the_reason(office: Office, hands: Hands) -> None:
    office.sandbox.fault("refuse", operation="video", code=10001, status=503)
    number = await approved(office)
    await office.sweep()
    await upload_videos(office.house)
    hands.on(31 * 60)
    await office.sweep()
    delivery = await office.delivery(number)
    assert delivery.state is S.missed
    assert "视频没有传到平台" in delivery.error


# Steps that fail ------------------------------------------------------------------------------------------------------


async def test_a_connection_that_breaks_costs_one_piece(office: Office, hands: Hands) -> None:
    number = await approved(office, after=1800)
    calls: list[str] = []
    original = SandboxConnector.upload

    async def counting(self: Any, account: Any, out: Any, state: Any) -> Any:
        calls.append(state.get("next", "begin"))
        if len(calls) == 3:
            office.sandbox.fault("drop", operation="video", when="before", count=1)
        return await original(self, account, out, state)

    SandboxConnector.upload = counting  # type: ignore[method-assign]
    try:
        await upload_videos(office.house)
        broken = await journey(office, number)
        assert (broken.failures, broken.error_kind, broken.is_there) == (1, "transient", False)
        assert broken.state["next"] == "1"
        await upload_videos(office.house)
        assert len(calls) == 3, "not before its time"
        hands.on(4)
        await upload_videos(office.house)
    finally:
        SandboxConnector.upload = original  # type: ignore[method-assign]
    there = await journey(office, number)
    assert there.is_there
    assert (there.failures, there.error) == (0, "")
    assert calls == ["begin", "0", "1", "1", "2", "3"]


async def test_what_the_platform_has_forgotten_is_brought_anew(office: Office, hands: Hands) -> None:
    number = await approved(office, after=1800)
    original = SandboxConnector.upload

    async def forgetting(self: Any, account: Any, out: Any, state: Any) -> Any:
        if state.get("next") == "2" and not forgotten:
            forgotten.append(office.sandbox.forget_videos())
        return await original(self, account, out, state)

    forgotten: list[int] = []
    SandboxConnector.upload = forgetting  # type: ignore[method-assign]
    try:
        await upload_videos(office.house)
        assert (await journey(office, number)).state == {}
        hands.on(4)
        await upload_videos(office.house)
    finally:
        SandboxConnector.upload = original  # type: ignore[method-assign]
    assert (await journey(office, number)).is_there
    hands.on(1800)
    await office.sweep()
    assert await office.states([number]) == ["sent"]


async def test_what_will_be_forgotten_before_the_minute_is_brought_there_again(office: Office, hands: Hands) -> None:
    account = await office.connect("短记性", video_kept=1500)
    office.house.platforms["sandbox"]._http.clock = clock.now  # type: ignore[attr-defined]
    number = await approved(office, after=3500, accounts=[account])
    await upload_videos(office.house)
    first = await journey(office, number)
    assert first.until is not None
    hands.on(1200)
    await upload_videos(office.house)
    second = await journey(office, number)
    assert second.ref != first.ref
    hands.on(1200)
    await upload_videos(office.house)
    assert (await journey(office, number)).ref != second.ref
    hands.on(1101)
    await office.sweep()
    assert await office.states([number]) == ["sent"]


async def test_what_was_forgotten_when_the_post_leaves_is_brought_anew_but_not_for_ever(
    office: Office, hands: Hands
) -> None:
    number = await approved(office)
    await upload_videos(office.house)
    office.sandbox.forget_videos()
    await office.sweep()
    assert await office.states([number]) == ["waiting"]
    await upload_videos(office.house)
    await office.sweep()
    assert await office.states([number]) == ["sent"]
    assert len(office.texts()) == 1
    (other,) = await office.approved("另一条", video=await kept_video(office.ctx, office["press"], seed=3))
    for _ in range(4):
        await upload_videos(office.house)
        office.sandbox.forget_videos()
        await office.sweep()
        hands.on(16)
    delivery = await office.delivery(other)
    assert (delivery.state, delivery.error_kind) == (S.failed, "not_found")


async def test_a_video_the_platform_refuses_fails_the_delivery_before_its_minute(office: Office, hands: Hands) -> None:
    office.sandbox.fault("refuse", operation="video", code=20006)
    number = await approved(office, after=1800)
    await upload_videos(office.house)
    delivery = await office.delivery(number)
    assert (delivery.state, delivery.error_kind) == (S.failed, "content_rejected")
    assert delivery.error
    post = await office.post_of(number)
    assert post.state is PostState.approved
    office.sandbox.lift()
    async with office.work() as unit:
        await sender.retry(unit, office["press"], number)
    await upload_videos(office.house)
    await office.sweep()
    assert await office.states([number]) == ["sent"]


async def test_a_limit_of_the_platform_is_waited_for_and_never_counts(office: Office, hands: Hands) -> None:
    number = await approved(office, after=1800)
    office.sandbox.fault("rate_limit", operation="video", seconds=300)
    await upload_videos(office.house)
    waiting = await journey(office, number)
    assert (waiting.error_kind, waiting.failures) == ("rate_limited", 0)
    assert waiting.next_at > clock.now() + timedelta(seconds=250)
    assert (await office.delivery(number)).state is S.waiting


async def test_ended_access_opens_the_circuit_and_nothing_is_tried_meanwhile(office: Office, hands: Hands) -> None:
    number = await approved(office, after=1800)
    office.sandbox.fault("refuse", operation="video", code=21332, status=401, count=1)
    await upload_videos(office.house)
    async with office.read() as unit:
        account = await unit.get(type(await _account(unit, office)), office.accounts[0])
    assert account is not None
    assert account.circuit is CircuitState.open
    hands.on(700)
    await upload_videos(office.house)
    assert pieces(office) == 0
    assert (await office.delivery(number)).state is S.waiting


async def _account(unit: Any, office: Office) -> Any:
    from hub.models import Account

    return await unit.get(Account, office.accounts[0])


async def test_a_fault_of_our_own_is_tried_often_and_then_given_to_a_person(
    office: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await approved(office, after=1800)

    async def wrong(*_: Any) -> Any:
        raise KeyError("ours")

    monkeypatch.setattr(SandboxConnector, "upload", wrong)
    for _ in range(sending().tries + 1):
        await upload_videos(office.house)
        hands.on(185)
        if (await office.delivery(number)).state is not S.waiting:
            break
    assert (await journey(office, number)).failures <= sending().tries


# Stopping -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["pause", "cancel", "change"])
async def test_what_stops_a_delivery_stops_its_video(office: Office, hands: Hands, how: str) -> None:
    number = await approved(office, after=1800)
    original = SandboxConnector.upload

    async def stopping(self: Any, account: Any, out: Any, state: Any) -> Any:
        if state.get("next") == "1":
            await _stop(office, number, how)
        return await original(self, account, out, state)

    SandboxConnector.upload = stopping  # type: ignore[method-assign]
    try:
        await upload_videos(office.house)
    finally:
        SandboxConnector.upload = original  # type: ignore[method-assign]
    assert pieces(office) == 2, "the piece on the wire ends, no other begins"
    assert (await office.delivery(number)).state is (S.held if how == "pause" else S.cancelled)
    await upload_videos(office.house)
    assert pieces(office) == 2


async def _stop(office: Office, number: int, how: str) -> None:
    async with office.work() as unit:
        if how == "pause":
            await sender.pause(unit, office["press"], "演练")
        elif how == "cancel":
            await sender.cancel(unit, office["press"], number, "不发了")
        else:
            post = await unit.first(select(Post).where(col(Post.id) == (await unit.get(Delivery, number)).post_id))
            assert post is not None
            draft = Draft(post.title, post.body, {office.accounts[0]: ""}, post.scheduled_at)
            await service.save(unit, office["press"], post.id or 0, version=post.version, draft=draft)


async def test_another_video_after_the_approval_is_another_content(office: Office, hands: Hands) -> None:
    number = await approved(office, after=1800)
    other = await kept_video(office.ctx, office["press"], seed=2)
    post = await office.post_of(number)
    async with office.work() as unit:
        draft = Draft(post.title, post.body, {office.accounts[0]: ""}, post.scheduled_at, video=other)
        changed = await service.save(unit, office["press"], post.id or 0, version=post.version, draft=draft)
    assert changed.state is PostState.review
    assert (await office.delivery(number)).state is S.cancelled


# The file -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["altered", "gone", "shortened"])
@pytest.mark.parametrize("when", ["before", "between"])
async def test_a_file_that_is_not_what_was_approved_never_leaves(
    office: Office, hands: Hands, what: str, when: str
) -> None:
    number = await approved(office, after=1800)
    delivery = await office.delivery(number)
    path = store.path_of(office.ctx.settings, (delivery.video or {})["sha256"])

    def spoil() -> None:
        if what == "gone":
            path.unlink(missing_ok=True)
            return
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data if what == "altered" else data[:-1])

    original = SandboxConnector.upload

    async def spoiling(self: Any, account: Any, out: Any, state: Any) -> Any:
        if state.get("next") == "3":
            spoil()
        return await original(self, account, out, state)

    if when == "before":
        spoil()
    SandboxConnector.upload = spoiling  # type: ignore[method-assign]
    try:
        await upload_videos(office.house)
    finally:
        SandboxConnector.upload = original  # type: ignore[method-assign]
    delivery = await office.delivery(number)
    assert (delivery.state, delivery.error_kind) == (S.failed, "tampered")
    assert "视频" in delivery.error
    assert not (await journey(office, number)).is_there
    assert office.texts() == []


# Several at once ------------------------------------------------------------------------------------------------------


async def test_two_workers_bring_a_video_there_once(any_office: Office, hands: Hands) -> None:
    office = any_office
    number = await approved(office, after=1800)
    await asyncio.gather(*[upload_videos(office.house) for _ in range(4)])
    assert (await journey(office, number)).is_there
    assert pieces(office) == 3


async def test_a_lease_that_ran_out_lets_another_go_on_and_drops_the_late_answer(office: Office, hands: Hands) -> None:
    number = await approved(office, after=1800)
    async with office.work() as unit:
        gone = col(VideoJourney.delivery_id) == number
        held = clock.now() + sending().video_lease
        await unit.claim(VideoJourney, gone, holder="dead", lease_until=held)
    await upload_videos(office.house)
    assert pieces(office) == 0
    hands.on(sending().video_lease.total_seconds() + 1)
    await upload_videos(office.house)
    assert (await journey(office, number)).is_there


async def test_a_worker_told_to_stop_gives_the_journey_back(
    office: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await approved(office, after=1800)
    began = asyncio.Event()

    async def endless(*_: Any) -> Any:
        began.set()
        await asyncio.sleep(3600)

    monkeypatch.setattr(SandboxConnector, "upload", endless)
    task = asyncio.create_task(upload_videos(office.house))
    await began.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    back = await journey(office, number)
    assert (back.holder, back.lease_until) == ("", None)


# Progress and accounts without ----------------------------------------------------------------------------------------


def test_progress_never_says_more_than_the_platform_has() -> None:
    delivery = Delivery(video={"size": 100}, state=S.waiting, scheduled_at=clock.now())  # type: ignore[call-arg]
    assert progress(delivery, None) is None
    shown = progress(delivery, VideoJourney(delivery_id=1, done=100))
    assert shown is not None
    assert (shown.percent, shown.is_there) == (99, False)
    there = progress(delivery, VideoJourney(delivery_id=1, done=100, ref={"a": "b"}))
    assert there is not None
    assert (there.percent, there.is_there) == (100, True)


async def test_an_account_may_go_without_the_video(office: Office, hands: Hands) -> None:
    other = await office.connect("不带视频的号")
    video = await kept_video(office.ctx, office["press"])
    options = {other: Option(without_video=True)}
    with_it, without = await office.approved(
        accounts=[office.accounts[0], other], after=0, video=video, options=options
    )
    assert (await office.delivery(without)).video is None
    await office.sweep()
    assert await office.states([with_it, without]) == ["waiting", "sent"]


async def test_a_form_by_hand_of_a_platform_with_programs_brings_nothing_there(
    office: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some platforms take pictures by program and videos by a person."""
    usual = SandboxConnector.post_forms

    def forms(self: Any, account: Any) -> Any:
        return (*usual(self, account), replace(usual(self, account)[0], name="hand", by_hand=True))

    async def steps(_self: Any, _account: Any, out: Any) -> Any:
        return ByHand(("上传视频。",)) if out.form == "hand" else None

    monkeypatch.setattr(SandboxConnector, "post_forms", forms)
    monkeypatch.setattr(SandboxConnector, "publish", steps)
    video = await kept_video(office.ctx, office["press"])
    (number,) = await office.approved(video=video, options={office.accounts[0]: Option(form="hand")})
    await upload_videos(office.house)
    await office.sweep()
    assert pieces(office) == 0
    assert (await office.delivery(number)).state is S.by_hand


async def test_a_step_waits_where_the_platform_asks_to(
    office: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await approved(office, after=1800)
    asked: list[dict[str, str]] = []

    async def slow(_self: Any, _account: Any, out: Any, state: Any) -> Any:
        asked.append(dict(state))
        if len(asked) < 3:
            return Uploading({"n": str(len(asked))}, 0, clock.now() + timedelta(seconds=20))
        return Uploaded({"id": "7"})

    monkeypatch.setattr(SandboxConnector, "upload", slow)
    for _ in range(3):
        await upload_videos(office.house)
        await upload_videos(office.house)
        hands.on(21)
    assert asked == [{}, {"n": "1"}, {"n": "2"}]
    assert (await journey(office, number)).ref == {"id": "7"}


async def test_a_refusal_of_the_target_is_final(office: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await approved(office, after=1800)

    async def no(*_: Any) -> Any:
        raise ConnectorError(ErrorKind.target_refuses, "这个账号不能发视频", code="x")

    monkeypatch.setattr(SandboxConnector, "upload", no)
    await upload_videos(office.house)
    delivery = await office.delivery(number)
    assert (delivery.state, delivery.error) == (S.failed, "这个账号不能发视频")
