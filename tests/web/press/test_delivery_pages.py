"""What needs a person: the reason, the next step, and the buttons that do it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from hub import clock
from hub.models import AuditEntry, Delivery, DeliveryState
from tests.web.press.conftest import Browse
from tests.workflows.delivery.office import Hands, Office

S = DeliveryState


async def put(office: Office, key: int, **values: object) -> None:
    async with office.work() as unit:
        delivery = await unit.get(Delivery, key)
        for name, value in values.items():
            setattr(delivery, name, value)


async def test_a_refusal_of_the_platform_shows_its_reason_and_next_step_and_is_tried_again(
    office: Office, browse: Browse
) -> None:
    (one,) = await office.approved("需要权限")
    fault = {"account": office.uids[office.accounts[0]], "operation": "publish", "code": 10014, "count": 1}
    office.sandbox.fault("refuse", **fault)
    await office.sweep()
    async with browse("press") as page:
        listed = (await page.get("/deliveries")).text
        assert "失败" in listed
        assert "没有这项接口权限" in listed
        assert "请管理员向平台申请" in listed
        post = (await page.get(f"/posts/{(await office.post_of(one)).id}")).text
        assert "没有这项接口权限" in post
        answer = await page.post(f"/deliveries/{one}", data={"do": "retry", "next": "/deliveries?group=failed"})
        assert answer.headers["location"] == "/deliveries?group=failed"
        await office.sweep()
        shown = (await page.get(f"/deliveries/{one}")).text
    assert await office.states([one]) == ["sent"]
    assert "平台拒绝" in shown
    assert "平台已受理" in shown


async def test_what_nobody_can_tell_is_settled_by_one_click(office: Office, browse: Browse) -> None:
    (there,) = await office.approved("其实发出了", after=3600)
    (absent,) = await office.approved("其实没发", after=3600)
    for key in (there, absent):
        parked = {
            "state": S.unknown,
            "held_reason": "平台没有列表可查",
            "unknown_since": clock.now(),
            "attempt_at": None,
        }
        await put(office, key, **parked)
    async with browse("press") as page:
        listed = (await page.get("/deliveries?group=unknown")).text
        assert "平台没有列表可查" in listed
        assert "平台上有，已发出" in listed
        assert office.sandbox.base_url in listed
        link = "http://platform.example/item/77001"
        await page.post(f"/deliveries/{there}", data={"do": "was_sent", "remote_id": link})
        await page.post(f"/deliveries/{absent}", data={"do": "not_sent"})
        assert f'href="{link}"' in (await page.get(f"/deliveries/{there}")).text
    assert await office.states([there, absent]) == ["sent", "waiting"]
    assert (await office.delivery(there)).remote_id == "77001"


@pytest.mark.parametrize("act", ["retry", "send_now", "cancel", "was_sent", "reschedule", "", "drop table"])
async def test_nothing_is_done_to_what_is_out(office: Office, browse: Browse, act: str) -> None:
    (one,) = await office.approved("已经发出")
    await office.sweep()
    before = await office.delivery(one)
    async with browse("press") as page:
        when = f"{clock.local(clock.now() + timedelta(hours=2)):%Y-%m-%dT%H:%M}"
        data = {"do": act, "reason": "试试", "scheduled_at": when}
        answer = await page.post(f"/deliveries/{one}", data=data)
    assert answer.status_code in (409, 422)
    assert (await office.delivery(one)).version == before.version


async def test_missed_ones_are_listed_and_given_another_time_or_up(
    office: Office, browse: Browse, hands: Hands
) -> None:
    (first,) = await office.approved("错过一", after=60)
    (second,) = await office.approved("错过二", after=61)
    hands.on(7200)
    await office.sweep()
    assert await office.states([first, second]) == ["missed", "missed"]
    async with browse("press") as page:
        listed = (await page.get("/deliveries?group=missed")).text
        assert listed.count("已过最晚发布时间") == 2
        assert "请决定：立即发布、改期或作废。" in listed
        when = f"{clock.local(clock.now() + timedelta(hours=2)):%Y-%m-%dT%H:%M}"
        moved = await page.post(f"/deliveries/{first}", data={"do": "reschedule", "scheduled_at": when})
        assert moved.status_code == 303
        unsaid = await page.post(f"/deliveries/{second}", data={"do": "cancel", "reason": ""})
        assert unsaid.status_code == 422
        assert "请填写理由" in unsaid.text
        far = await page.post(f"/deliveries/{second}", data={"do": "reschedule", "scheduled_at": "9999-12-31T23:00"})
        assert far.status_code == 409
        none = await page.post(f"/deliveries/{second}", data={"do": "reschedule"})
        assert none.status_code == 422
        await page.post(f"/deliveries/{second}", data={"do": "cancel", "reason": "过时了"})
    assert await office.states([first, second]) == ["waiting", "cancelled"]


async def test_who_may_not_decide_reads_but_has_no_buttons(office: Office, browse: Browse) -> None:
    (one,) = await office.approved(after=3600)
    await put(office, one, state=S.failed, error="拒绝", error_kind="permission")
    async with browse("review") as page:
        shown = (await page.get(f"/deliveries/{one}")).text
        answer = await page.post(f"/deliveries/{one}", data={"do": "retry"})
    assert "拒绝" in shown
    assert 'name="do"' not in shown
    assert answer.status_code == 403
    async with browse("clerk") as page:
        assert (await page.get(f"/deliveries/{one}")).status_code == 404


async def test_receipts_of_one_account(office: Office, browse: Browse) -> None:
    other = await office.connect("江北发布")
    await office.approved("两边都发", [office.accounts[0], other])
    await office.sweep()
    async with browse("press") as page:
        every = (await page.get("/deliveries?group=sent")).text
        one = (await page.get(f"/deliveries?group=sent&account={other}")).text
        strange = await page.get("/deliveries?group=x&account=y&before=z")
    assert every.count('class="decide"') == 2
    assert one.count('class="decide"') == 1
    assert strange.status_code == 200


async def test_the_way_back_leads_nowhere_else(office: Office, browse: Browse) -> None:
    (one,) = await office.approved(after=3600)
    async with browse("press") as page:
        data = {"do": "cancel", "reason": "不发了", "next": "https://evil.example/"}
        answer = await page.post(f"/deliveries/{one}", data=data)
    assert answer.headers["location"] == "/"
    async with office.read() as unit:
        kept = await unit.all(select(AuditEntry).where(AuditEntry.what == "delivery.cancel"))
    assert len(kept) == 1


async def test_what_a_platform_took_down_waits_until_somebody_says_what_was_done(
    office: Office, browse: Browse
) -> None:
    (gone,) = await office.approved("被下线的", after=3600)
    await put(office, gone, state=S.removed, error="平台上已找不到这一条", attempt_at=None)
    async with browse("press") as page:
        listed = (await page.get("/deliveries")).text
        assert "平台下线" in listed
        assert "处理后在这里记一笔" in listed
        empty = await page.post(f"/deliveries/{gone}", data={"do": "seen", "reason": ""})
        assert empty.status_code == 422
        done = await page.post(f"/deliveries/{gone}", data={"do": "seen", "reason": "已更正重发"})
        assert done.status_code == 303
        assert "已处理：已更正重发" in (await page.get(f"/deliveries/{gone}")).text
        assert "被下线的" not in (await page.get("/deliveries")).text
        again = await page.post(f"/deliveries/{gone}", data={"do": "seen", "reason": "再来"})
        assert again.status_code in (409, 422)
    async with office.work() as unit:
        kept = await unit.all(select(AuditEntry).where(AuditEntry.what == "delivery.removal"))
    assert len(kept) == 1
