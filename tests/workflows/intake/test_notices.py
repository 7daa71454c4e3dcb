"""What platforms tell about our own affairs makes us look at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.base import Accept, Notice, NoticeKind
from hub import clock
from hub.db import reading, unit_of_work
from hub.models import Account, Attempt, AttemptResult, CircuitState, Delivery, DeliveryKind, DeliveryState, Post, Role
from tests.workflows.intake import town
from workflows.delivery.answers import PENDING
from workflows.house import House
from workflows.intake.push import receive_push

LATER = timedelta(hours=5)


@pytest.fixture
async def account(any_house: House) -> Account:
    town.numbers(any_house)
    return await town.account(any_house, "numbers")


async def _told(house: House, account: Account, *notices: Notice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform tells by a push that carries nothing else."""

    async def receive(*given: Any) -> Accept:
        return Accept((), notices=notices)

    monkeypatch.setattr(house.platforms["numbers"], "receive", receive)
    answer = await receive_push(house, account.id or 0, "POST", {}, {}, b"{}")
    assert isinstance(answer, Accept)


async def _delivery(house: House, account: Account, state: DeliveryState, **given: Any) -> Delivery:
    async with unit_of_work(house.ctx) as unit:
        row = Delivery(
            kind=DeliveryKind.post, account_id=account.id or 0, text="通告", content_hash="h", approved_hash="h",
            state=state, scheduled_at=clock.now(), attempts=1, **given,
        )  # fmt: skip
        unit.add(row)
    return row


async def _now(house: House, row: Delivery) -> Delivery:
    async with reading(house.ctx) as unit:
        found = await unit.get(Delivery, row.id)
    assert found is not None
    return found


async def test_a_job_that_ended_is_asked_about_at_once(
    any_house: House, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    for job in ("job-1", "job-2"):
        row = await _delivery(
            any_house, account, DeliveryState.unknown, attempt_at=clock.now() + LATER, error_kind=PENDING
        )
        async with unit_of_work(any_house.ctx) as unit:
            unit.add(Attempt(
                delivery_id=row.id or 0, number=1, key=job, content_hash="h", result=AttemptResult.unknown,
                error_kind=PENDING, error=job,
            ))  # fmt: skip
        rows.append(row)
    notice = Notice(NoticeKind.job_ended, "job-1")
    await _told(any_house, account, notice, Notice(NoticeKind.job_ended, "nobody's"), monkeypatch=monkeypatch)
    first, second = [await _now(any_house, row) for row in rows]
    assert first.attempt_at is not None
    assert first.attempt_at <= clock.now()
    assert second.attempt_at is not None
    assert second.attempt_at > clock.now()
    assert ("sweep_deliveries", ()) in any_house.ctx.bell.rung  # type: ignore[attr-defined]


async def test_an_item_that_is_gone_is_looked_at_now(
    any_house: House, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await _delivery(
        any_house, account, DeliveryState.sent, remote_id="9", sent_at=clock.now(), watch_at=clock.now() + LATER
    )
    await _told(any_house, account, Notice(NoticeKind.removed, "9"), monkeypatch=monkeypatch)
    watch_at = (await _now(any_house, row)).watch_at
    assert watch_at is not None
    assert watch_at <= clock.now()


async def test_what_did_not_arrive_counts_as_failed_with_the_reason(
    any_house: House, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = await town.person(any_house, Role.press_officer)
    async with unit_of_work(any_house.ctx) as unit:
        post = Post(title="通告", body="通告", department_id=author.department_id, author_id=author.user_id or 0)
        unit.add(post)
    sent = {"remote_id": "<m1@hub>", "sent_at": clock.now(), "post_id": post.id}
    row = await _delivery(any_house, account, DeliveryState.sent, **sent)
    notice = Notice(NoticeKind.bounced, "<m1@hub>", "550 no such user")
    await _told(any_house, account, notice, notice, monkeypatch=monkeypatch)
    after = await _now(any_house, row)
    assert (after.state, after.error) == (DeliveryState.failed, "没有送达：550 no such user")


async def test_withdrawn_access_opens_the_circuit(
    any_house: House, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _told(any_house, account, Notice(NoticeKind.revoked), monkeypatch=monkeypatch)
    async with reading(any_house.ctx) as unit:
        found = await unit.get(Account, account.id)
    assert found is not None
    assert (found.circuit, found.circuit_kind, found.probe_at) == (CircuitState.open, "revoked", None)
