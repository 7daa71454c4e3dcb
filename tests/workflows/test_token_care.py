"""Access that ends: renewed in time, renewed once when calls find it ended, and a person told when none can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import ConnectorError, ErrorKind, Purpose
from hub import clock
from hub.crypto import Vault
from hub.db import Context
from hub.models import Account, CircuitState
from tests.sims.toll import Toll
from tests.workflows import tollhouse
from workflows import tokens
from workflows.house import House
from workflows.intake import pulling
from workflows.tending import tend_accounts
from workflows.tokens import Life, Line, life_of, renew_at

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


async def test_a_call_that_finds_its_access_ended_is_repeated_once_with_new_secrets(any_ctx: Context) -> None:
    async with tollhouse.opened(any_ctx, Toll(lasts=timedelta(hours=2))) as (house, toll, number):
        toll.mention("路灯坏了")
        toll.end_tokens()
        before = await tollhouse.account_of(house, number)
        assert await pulling.pull_due(house) == 1
        after = await tollhouse.account_of(house, number)
        assert toll.refreshes == 1
        assert after.sealed != before.sealed
        assert "token-" not in after.sealed, "new secrets are sealed at once"
        assert (after.is_renewable, after.renew_lease, after.circuit) == (True, None, CircuitState.closed)
        assert after.expires_at is not None
        assert after.renew_at is not None
        assert after.renew_at < after.expires_at
        assert house.ref(after).secrets["app_secret"] == "secret-of-app", "what was not renewed stays"
        assert (await tollhouse.stream_of(house, number)).error == ""


async def test_many_calls_that_fail_together_renew_once(any_db_url: str, make_ctx: Callable[[str], Context]) -> None:
    """Twelve calls in three processes."""
    contexts = [make_ctx(any_db_url) for _ in range(3)]
    try:
        async with tollhouse.opened(contexts[0]) as (house, toll, number):
            houses = [house, *(tollhouse.open_toll_house(ctx) for ctx in contexts[1:])]
            toll.slow = 0.3
            toll.end_tokens()
            account = await tollhouse.account_of(house, number)
            lines = [Line(one, one.ref(account)) for one in houses for _ in range(4)]
            healths = await asyncio.gather(*[line.call(line.house.platforms["toll"].check) for line in lines])
            assert all(health.ok for health in healths)
            assert toll.refreshes == 1
    finally:
        for ctx in contexts:
            await ctx.close()


async def test_access_is_renewed_before_it_ends(ctx: Context) -> None:
    with clock.frozen(NOW) as move:
        async with tollhouse.opened(ctx, Toll(lasts=timedelta(hours=2))) as (house, toll, number):
            await tollhouse.change(house, number, **tokens.renewed_values(NOW + timedelta(hours=2), None, NOW))
            assert await tend_accounts(house) == 1, "tried at once, to know whether it can be done at all"
            assert await tend_accounts(house) == 0
            due = (await tollhouse.account_of(house, number)).renew_at
            assert due == NOW + timedelta(hours=2) * 0.85
            move(due)
            assert await tend_accounts(house) == 1
            assert toll.refreshes == 2
            assert life_of(await tollhouse.account_of(house, number), clock.now()) is Life.fine


async def test_whoever_must_grant_access_again_is_warned_while_the_last_token_lives(ctx: Context) -> None:
    with clock.frozen(NOW) as move:
        async with tollhouse.opened(ctx, Toll(lasts=timedelta(days=15), is_last=True)) as (house, toll, number):
            await tollhouse.change(house, number, **tokens.renewed_values(NOW + timedelta(hours=1), None, NOW))
            assert await tend_accounts(house) == 1
            account = await tollhouse.account_of(house, number)
            assert (account.is_renewable, account.renew_at) == (False, None)
            move(NOW + timedelta(days=9))
            assert life_of(account, clock.now()) is Life.soon
            toll.end_tokens()
            await pulling.pull_due(house)
            assert toll.refreshes == 2, "it is tried all the same when the token has ended"


async def test_what_no_program_can_renew_is_a_persons_matter(ctx: Context) -> None:
    async with tollhouse.opened(ctx) as (house, toll, number):
        await tollhouse.change(house, number, sealed=ctx.vault.seal({"token": toll.grant()}))
        until = clock.now() + timedelta(days=90)
        await tollhouse.change(house, number, **tokens.renewed_values(until, None, clock.now()))
        assert await tend_accounts(house) == 0
        account = await tollhouse.account_of(house, number)
        assert (account.is_renewable, account.renew_at, account.expires_at) == (False, None, until)
        toll.end_tokens()
        await pulling.pull_due(house)
        account = await tollhouse.account_of(house, number)
        assert (account.circuit, account.circuit_reason) == (CircuitState.open, "授权已失效，需要管理员重新授权")
        assert life_of(account, clock.now()) is Life.dead


async def test_a_withdrawn_grant_opens_the_circuit_with_the_platforms_words(ctx: Context) -> None:
    async with tollhouse.opened(ctx) as (house, toll, number):
        toll.end_tokens()
        toll.is_revoked = True
        await pulling.pull_due(house)
        account = await tollhouse.account_of(house, number)
        assert account.circuit is CircuitState.open
        assert account.circuit_reason == "平台不再承认这个应用的授权，请重新授权"
        assert account.renew_error == account.circuit_reason
        calls = len(toll.calls)
        await pulling.pull_due(house)
        assert len(toll.calls) == calls, "nothing is asked any more"


async def test_secrets_given_by_a_person_meanwhile_stay(ctx: Context) -> None:
    async with tollhouse.opened(ctx) as (house, toll, number):
        toll.slow = 0.4
        toll.end_tokens()
        ref = house.ref(await tollhouse.account_of(house, number), Purpose.people)
        line = Line(house, ref)
        calling = asyncio.create_task(line.call(house.platforms["toll"].check))
        await _until_asked(house, number)
        typed = {"token": toll.grant(), "app_secret": "secret-of-app"}
        await tollhouse.change(house, number, sealed=ctx.vault.seal(typed))
        assert (await calling).ok
        assert house.ref(await tollhouse.account_of(house, number)).secrets == typed


async def _until_asked(house: House, number: int) -> None:
    """A refresher is at work."""
    async with asyncio.timeout(5):
        while (await tollhouse.account_of(house, number)).renew_lease is None:
            await asyncio.sleep(0.01)


async def _amid_a_refresh(house: House, toll: Toll, number: int) -> tuple[Account, asyncio.Task[Any]]:
    """The account as it was, and the call that waits for its new secrets."""
    toll.slow = 0.4
    toll.end_tokens()
    before = await tollhouse.account_of(house, number)
    calling = asyncio.create_task(Line(house, house.ref(before)).call(house.platforms["toll"].check))
    await _until_asked(house, number)
    return before, calling


async def test_a_new_key_in_the_middle_of_it_loses_nothing(any_ctx: Context) -> None:
    """What was asked with may be used up: the new secrets are kept, though what they replace was sealed anew."""
    async with tollhouse.opened(any_ctx) as (house, toll, number):
        before, calling = await _amid_a_refresh(house, toll, number)
        await tollhouse.change(house, number, sealed=any_ctx.vault.renew(before.sealed))
        assert (await calling).ok
        after = await tollhouse.account_of(house, number)
        assert house.ref(after).secrets["token"] != house.ref(before).secrets["token"]
        assert (after.renew_lease, after.is_renewable) == (None, True)


async def test_whoever_gives_up_waiting_loses_nothing(any_ctx: Context) -> None:
    async with tollhouse.opened(any_ctx) as (house, toll, number):
        _, calling = await _amid_a_refresh(house, toll, number)
        calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling
        async with asyncio.timeout(5):
            while (after := await tollhouse.account_of(house, number)).renew_lease is not None:
                await asyncio.sleep(0.01)
        assert toll.refreshes == 1
        assert (await house.platforms["toll"].check(house.ref(after))).ok


async def test_what_was_wrong_with_earlier_secrets_is_not_said_of_new_ones(any_ctx: Context) -> None:
    async with tollhouse.opened(any_ctx) as (house, toll, number):
        toll.slow, toll.is_revoked = 0.4, True
        toll.end_tokens()
        ref = house.ref(await tollhouse.account_of(house, number))
        calling = asyncio.create_task(Line(house, ref).call(house.platforms["toll"].check))
        await _until_asked(house, number)
        typed = any_ctx.vault.seal({"token": toll.grant(), "app_secret": "secret-of-app"})
        until = clock.now() + timedelta(days=30)
        values = tokens.renewed_values(until, True, clock.now())
        await tollhouse.change(house, number, sealed=typed, **values)
        with pytest.raises(ConnectorError):
            await calling
        after = await tollhouse.account_of(house, number)
        assert (after.sealed, after.renew_error, after.renew_at) == (typed, "", values["renew_at"])


async def test_an_account_no_key_opens_does_not_stop_the_round(ctx: Context) -> None:
    async with tollhouse.opened(ctx, Toll(lasts=timedelta(hours=2))) as (house, toll, number):
        lost = await tollhouse.connect(house, toll, "打不开的号")
        now = clock.now()
        due = tokens.renewed_values(now + timedelta(hours=1), None, now)
        broken = {"circuit": CircuitState.open, "circuit_kind": "transient", "probe_at": now}
        await tollhouse.change(house, lost, sealed=Vault(b"another key").seal({"token": "x"}), **due, **broken)
        await tollhouse.change(house, number, **due, **broken)
        assert await tend_accounts(house) == 2, "renewed, and tried"
        assert (await tollhouse.account_of(house, number)).circuit is CircuitState.closed
        there = await tollhouse.account_of(house, lost)
        assert (there.circuit, there.renew_failures) == (CircuitState.open, 1)


async def test_a_refresher_that_died_is_replaced(ctx: Context) -> None:
    async with tollhouse.opened(ctx) as (house, toll, number):
        toll.end_tokens()
        line = Line(house, house.ref(await tollhouse.account_of(house, number)))
        await tollhouse.change(house, number, renew_lease=clock.now() - timedelta(seconds=1))
        assert (await line.call(house.platforms["toll"].check)).ok


async def test_waiting_for_a_refresher_has_an_end(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LONGEST_CALL", -2.5)
    async with tollhouse.opened(ctx) as (house, toll, number):
        toll.end_tokens()
        line = Line(house, house.ref(await tollhouse.account_of(house, number)))
        await tollhouse.change(house, number, renew_lease=clock.now() + timedelta(minutes=1))
        with pytest.raises(ConnectorError) as refused:
            await line.call(house.platforms["toll"].check)
        assert refused.value.kind is ErrorKind.transient
        assert toll.refreshes == 0


@pytest.mark.parametrize(
    ("days", "is_renewable", "failures", "life"),
    [
        (30, False, 0, Life.fine), (7, False, 0, Life.soon), (3, False, 0, Life.sooner), (0, False, 0, Life.dead),
        (1, True, 0, Life.fine), (1, True, 3, Life.sooner), (None, None, 0, Life.unknown), (5, None, 0, Life.soon),
    ],
)  # fmt: skip
def test_a_person_is_warned_seven_and_three_days_before(
    days: int | None, is_renewable: bool | None, failures: int, life: Life
) -> None:
    until = None if days is None else NOW + timedelta(days=days)
    account = Account(platform="toll", name="号", expires_at=until, is_renewable=is_renewable, renew_failures=failures)
    assert life_of(account, NOW) is life


def test_when_the_refresher_is_due() -> None:
    assert renew_at(None, None, NOW) is None
    assert renew_at(NOW + timedelta(days=90), False, NOW) is None
    assert renew_at(NOW + timedelta(days=90), None, NOW) == NOW
    assert renew_at(NOW + timedelta(days=15), True, NOW) == NOW + timedelta(days=14)
    assert renew_at(NOW - timedelta(days=1), True, NOW) == NOW
