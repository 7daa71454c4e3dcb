"""An account that keeps failing is left alone; what was to leave waits with the reason until it is mended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlmodel import col, select

from connectors.base import ConnectorError, ErrorKind
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.errors import NotAllowed
from hub.models import Account, AuditEntry, CircuitState, Delivery, DeliveryState, Role, Stream
from hub.rights import system
from tests.sims.sandbox import Control
from tests.sims.toll import Toll
from tests.workflows import tollhouse
from tests.workflows.delivery.office import open_office
from tests.workflows.intake import town
from workflows import circuits
from workflows.intake import pulling
from workflows.metering import BUDGET
from workflows.tending import tend_accounts

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


async def test_six_failures_in_a_row_open_it_and_a_good_probe_closes_it(any_ctx: Context) -> None:
    with clock.frozen(NOW) as move:
        async with tollhouse.opened(any_ctx) as (house, toll, number):
            toll.is_down = True
            toll.mention("路灯坏了")
            for _ in range(circuits.IN_A_ROW):
                assert (await tollhouse.account_of(house, number)).circuit is CircuitState.closed
                await pulling.pull_due(house)
                move((await tollhouse.stream_of(house, number)).due_at)
            account = await tollhouse.account_of(house, number)
            assert (account.circuit, account.circuit_kind) == (CircuitState.open, "transient")
            assert account.circuit_reason == "平台没有响应"
            calls = len(toll.calls)
            move(clock.now() + timedelta(seconds=30))
            assert await pulling.pull_due(house) == 0
            gaps = []
            for _ in range(4):
                at = (await tollhouse.account_of(house, number)).probe_at
                assert at is not None
                gaps.append(at - clock.now())
                move(at)
                assert await tend_accounts(house) == 0
            assert all(after > 1.5 * before for before, after in pairwise(gaps[1:])), "longer each time"
            assert len(toll.calls) == calls
            toll.is_down = False
            move((await tollhouse.account_of(house, number)).probe_at or NOW)
            assert await tend_accounts(house) == 1
            assert (await tollhouse.account_of(house, number)).circuit is CircuitState.closed
            assert await pulling.pull_due(house) == 1, "read at once, not after the back-off"
            account = await tollhouse.account_of(house, number)
            assert (account.failures, account.trips) == (0, 0)


async def test_one_stream_that_works_keeps_the_account_going(ctx: Context) -> None:
    """Failures count in a row over the whole account: another stream that goes well begins the count anew."""
    async with tollhouse.opened(ctx) as (_house, _toll, number):
        broken = ConnectorError(ErrorKind.transient, "没有响应")
        for _ in range(20):
            async with unit_of_work(ctx) as unit:
                assert not await circuits.note(unit, number, broken)
                assert not await circuits.note(unit, number, broken)
                await circuits.went_well(unit, number)


@pytest.mark.parametrize(
    ("kind", "code", "opens"),
    [
        (ErrorKind.auth_human, "", True), (ErrorKind.account_risk, "", True), (ErrorKind.auth_expired, "", True),
        (ErrorKind.quota_day, BUDGET, False), (ErrorKind.rate_limited, "", False),
        (ErrorKind.content_rejected, "", False), (ErrorKind.permission, "address", False),
    ],
)  # fmt: skip
async def test_what_a_person_must_mend_opens_it_at_once(ctx: Context, kind: ErrorKind, code: str, opens: bool) -> None:
    async with tollhouse.opened(ctx) as (house, _, number):
        async with unit_of_work(ctx) as unit:
            assert await circuits.note(unit, number, ConnectorError(kind, "平台说了原因", code=code)) is opens
        account = await tollhouse.account_of(house, number)
        assert (account.circuit is CircuitState.open) is opens
        assert (account.probe_at is None) is (not opens or kind is ErrorKind.account_risk)


async def test_a_person_closes_it_and_it_is_written_down(ctx: Context) -> None:
    async with tollhouse.opened(ctx) as (house, toll, number):
        async with unit_of_work(ctx) as unit:
            await circuits.note(unit, number, ConnectorError(ErrorKind.account_risk, "账号异常，请登录平台处理"))
        toll.mention("路灯坏了")
        assert await pulling.pull_due(house) == 0
        assert await tend_accounts(house) == 0, "nothing but a person mends it"
        handler = await town.person(house, Role.handler)
        with pytest.raises(NotAllowed):
            async with unit_of_work(ctx) as unit:
                await circuits.close(unit, handler, number)
        async with unit_of_work(ctx) as unit:
            await circuits.close(unit, system("王敏"), number)
        assert await pulling.pull_due(house) == 1
        async with reading(ctx) as unit:
            entries = await unit.all(select(AuditEntry).where(col(AuditEntry.what).like("account.circuit%")))
        assert [(entry.what, entry.data["kind"]) for entry in entries] == [
            ("account.circuit_open", "account_risk"), ("account.circuit_close", "account_risk"),
        ]  # fmt: skip


async def test_what_is_to_leave_waits_with_the_reason_and_goes_on_by_itself(ctx: Context, sandbox: Control) -> None:
    office = await open_office(ctx, sandbox)
    (one, two) = [*await office.approved(), *await office.approved()]
    account = office.accounts[0]
    async with unit_of_work(ctx) as unit:
        await circuits.note(unit, account, ConnectorError(ErrorKind.account_risk, "账号异常，请登录平台处理"))
    await office.sweep()
    assert office.texts() == []
    for number in (one, two):
        delivery = await office.delivery(number)
        assert (delivery.state, delivery.error_kind, delivery.attempts) == (DeliveryState.waiting, circuits.HELD, 0)
        assert delivery.error == "账号已自动停用，暂不发送：账号异常，请登录平台处理"
    async with unit_of_work(ctx) as unit:
        await circuits.close(unit, system("王敏"), account)
    await office.sweep()
    assert await office.states([one, two]) == ["sent", "sent"]
    assert len(office.texts()) == 2


async def test_the_one_that_finds_the_access_ended_waits_like_the_others(ctx: Context, sandbox: Control) -> None:
    """It is no failure of the text: when the access is given anew, it goes out by itself."""
    office = await open_office(ctx, sandbox)
    (one,) = await office.approved()
    there = office.sandbox.account("临江发布")
    await _seal(office.ctx, office.accounts[0], {"token": "nobody-knows", "app_secret": there["app_secret"]})
    await office.sweep()
    assert (await office.delivery(one)).state is DeliveryState.waiting
    assert (await tollhouse.account_of(office.house, office.accounts[0])).circuit is CircuitState.open
    await _seal(office.ctx, office.accounts[0], {"token": there["token"], "app_secret": there["app_secret"]})
    async with unit_of_work(ctx) as unit:
        await circuits.close(unit, system("王敏"), office.accounts[0])
    await office.sweep()
    assert await office.states([one]) == ["sent"]


async def _seal(ctx: Context, account: int, secrets: dict[str, str]) -> None:
    async with unit_of_work(ctx) as unit:
        await unit.claim(Account, col(Account.id) == account, sealed=ctx.vault.seal(secrets))


async def test_our_own_budget_is_not_the_accounts_fault(ctx: Context) -> None:
    """A delivery refused for want of budget waits until the window begins anew; nothing else of the account does."""
    with clock.frozen(NOW):
        async with tollhouse.opened(ctx, Toll(daily=3)) as (house, toll, number):
            for _ in range(8):
                await pulling.pull_due(house)
                async with unit_of_work(ctx) as unit:
                    await unit.claim(Stream, col(Stream.account_id) == number, due_at=clock.now())
            assert toll.refused == 0
            assert len(toll.calls) == 2, "a third of three is kept for people"
            stream = await tollhouse.stream_of(house, number)
            assert (stream.error_kind, stream.failures) == ("quota_day", 0)
            assert "供系统读取的 2 次已用完" in stream.error
            assert (await tollhouse.account_of(house, number)).circuit is CircuitState.closed
            async with reading(ctx) as unit:
                assert await unit.all(select(Delivery)) == []
