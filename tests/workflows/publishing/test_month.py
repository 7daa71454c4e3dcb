"""The shared calendar, its warnings and its counter."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import event

from hub import clock
from hub.models import Delivery, DeliveryKind, DeliveryState, Post, PostState, PostTarget
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import text_hash
from workflows.publishing import calendar, checks

S = DeliveryState


async def test_items_say_how_far_each_post_is_and_why_it_is_fixed(office: Office, hands: Hands) -> None:
    other = await office.connect("江北发布")
    office.sandbox.fault("refuse", account="江北发布", operation="publish", code=20018)
    await office.draft(scheduled_at=clock.now() + timedelta(hours=1))
    await office.submitted(scheduled_at=clock.now() + timedelta(hours=2))
    await office.approved("一半", [office.accounts[0], other], after=1)
    await office.approved("还早", after=3 * 3600)
    await office.draft()
    hands.on(2)
    await office.sweep()
    start = clock.now() - timedelta(days=1)
    async with office.read() as unit:
        found = await calendar.items(unit, office["press"], start, start + timedelta(days=30))
        loose = await calendar.unscheduled(unit, office["press"])
        mine = await calendar.in_review(unit, office["review"])
        nobody = await calendar.items(unit, office["clerk"], start, start + timedelta(days=30))
        one_account = await calendar.items(unit, office["press"], start, start + timedelta(days=30), account_id=other)
    assert [(item.words, item.tone, bool(item.why_fixed)) for item in found] == [
        ("已发出 1、失败 1", "bad", True),
        ("草稿", "quiet", False),
        ("待审核", "info", False),
        ("待发", "info", False),
    ]
    assert [mark.name for mark in found[0].marks] == ["临江发布", "江北发布"]
    assert [mark.state for mark in found[0].marks] == [S.sent, S.failed]
    assert len(loose) == 1
    assert [item.words for item in mine] == ["待审核"]
    assert nobody == []
    assert [item.id for item in one_account] == [found[0].id]


async def test_a_month_of_1000_posts_costs_few_statements_and_little_time(any_office: Office) -> None:
    office = any_office
    accounts = [office.accounts[0], await office.connect("二号"), await office.connect("三号")]
    start = clock.at_local(clock.today().replace(day=1))
    author = office["press"]
    async with office.work() as unit:
        posts = [
            Post(
                title=f"第{number}条", body="正文", state=PostState.done, department_id=author.department_id or 0,
                author_id=author.user_id or 0, scheduled_at=start + timedelta(minutes=40 * number),
            )
            for number in range(1000)
        ]  # fmt: skip
        unit.add(*posts)
        await unit.flush()
        targets = [PostTarget(post_id=post.id or 0, account_id=account) for post in posts for account in accounts]
        deliveries = [
            Delivery(
                kind=DeliveryKind.post, account_id=target.account_id, post_id=target.post_id, text="正文",
                content_hash=text_hash("正文", account_id=1), approved_hash="", state=S.sent, scheduled_at=start,
            )
            for target in targets
        ]  # fmt: skip
        unit.add(*deliveries)
        await unit.flush()
        for target, delivery in zip(targets, deliveries, strict=True):
            target.delivery_id = delivery.id
        unit.add(*targets)
    statements: list[str] = []
    event.listen(office.ctx.engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    best = 9.0
    for _ in range(4):  # the machine is shared: the best of a few, in this process's own time, is the cost of the work
        statements.clear()
        began = time.process_time()
        async with office.read() as unit:
            found = await calendar.items(unit, author, start, start + timedelta(days=31))
        best = min(best, time.process_time() - began)
    assert len(found) == 1000
    assert {len(item.marks) for item in found} == {3}
    assert found[0].words == "已发出"
    assert len(statements) <= 10
    assert best <= 0.3


async def test_warnings_of_close_times_and_same_words(office: Office) -> None:
    at = clock.now() + timedelta(hours=1)
    await office.approved("明天上午九点起，江北片区停水检修，请提前储水。", scheduled_at=at)
    close = await office.draft("完全不同的内容：周末图书馆开放时间调整", scheduled_at=at + timedelta(minutes=10))
    same = await office.draft("明天上午九点起，江北片区停水检修，请提前储水！", scheduled_at=at + timedelta(days=3))
    far = await office.draft("明天上午九点起，江北片区停水检修，请提前储水！", scheduled_at=at + timedelta(days=12))
    other = await office.connect("江北发布")
    elsewhere = await office.draft("别的账号", [other], scheduled_at=at)
    async with office.read() as unit:
        said = [await checks.warnings_of(unit, post) for post in (close, same, far, elsewhere)]
    assert [len(warnings) for warnings in said] == [1, 1, 0, 0]
    assert "间隔不足 15 分钟" in said[0][0]
    assert "几乎相同" in said[1][0]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("停水通知", "停水通知！", True), ("停水通知", "停电通知", False), ("", "", True), ("字", "字", True)],
)
def test_likeness(one: str, other: str, alike: bool) -> None:
    assert (checks.likeness(one, other) >= checks.SAME_TEXT) is alike


async def test_the_counter_counts_as_the_platform_does(office: Office) -> None:
    from hub.models import Account

    async with office.read() as unit:
        account = await unit.get(Account, office.accounts[0])
    measured = checks.measure(office.house, account, "政务ab")
    assert (measured.units, measured.limit, measured.left) == (3, 2000, 1997)
