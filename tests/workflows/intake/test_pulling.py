"""Pulling: page by page, items and cursor together, whatever breaks in between."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from connectors.base import ConnectorError, ErrorKind
from hub import clock
from hub.db import unit_of_work
from hub.models import Account, Arrival, Message, Stream
from tests.sims.sandbox import Control
from tests.workflows.intake import town
from workflows.house import House
from workflows.intake import jobs, pulling, streams

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


async def _stream(house: House) -> Stream:
    [row] = await town.all_rows(house, Stream)
    return row


async def _ids(house: House) -> list[int]:
    return sorted(int(row.external_id) for row in await town.all_rows(house, Arrival))


async def test_all_pages_arrive_and_the_next_time_follows_the_platform(any_house: House) -> None:
    platform = town.numbers(any_house, 25)
    await town.account(any_house, "numbers")
    with clock.frozen(NOW) as move:
        assert await jobs.pull_due(any_house) == 25
        assert await jobs.pull_due(any_house) == 0, "not due again yet"
        assert platform.asked == [0, 10, 20]
        stream = await _stream(any_house)
        assert (stream.cursor, stream.lease_until, stream.pulled_at) == ({"after": 25}, None, NOW)
        assert timedelta(seconds=50) < stream.due_at - NOW < timedelta(seconds=70)
        platform.last = 27
        move(NOW + timedelta(seconds=70))
        assert await jobs.pull_due(any_house) == 2
    assert await _ids(any_house) == list(range(1, 28))


async def test_a_failing_platform_leaves_words_and_waits_longer_each_time(house: House) -> None:
    platform = town.numbers(house, 15)
    await town.account(house, "numbers")
    with clock.frozen(NOW) as move:
        waits = []
        for _ in range(4):
            platform.trouble[10] = ConnectorError(ErrorKind.transient, "平台暂时没有响应")
            await jobs.pull_due(house)
            stream = await _stream(house)
            assert (stream.error, stream.error_kind, stream.lease_until) == ("平台暂时没有响应", "transient", None)
            waits.append((stream.due_at - clock.now()).total_seconds())
            move(stream.due_at)
        assert stream.failures == 4
        assert [round(wait / 15 / 2**n) for n, wait in enumerate(waits)] == [1, 1, 1, 1]
        assert await _ids(house) == list(range(1, 11)), "the page before the failure is kept"
        assert await jobs.pull_due(house) == 5
    stream = await _stream(house)
    assert (stream.failures, stream.error, stream.cursor) == (0, "", {"after": 15})


def test_what_the_platform_says_about_waiting_is_kept_to() -> None:
    limited = ConnectorError(ErrorKind.rate_limited, "太快了", retry_at=NOW + timedelta(hours=2))
    assert pulling.wait_after(limited, 1, NOW) == NOW + timedelta(hours=2)
    signed_out = ConnectorError(ErrorKind.auth_human, "请重新授权")
    assert pulling.wait_after(signed_out, 1, NOW) > NOW + timedelta(minutes=13)
    away = ConnectorError(ErrorKind.transient, "没有响应")
    assert pulling.wait_after(away, 10_000, NOW) <= NOW + timedelta(minutes=33)


async def test_a_fault_of_the_connector_is_a_word_on_the_stream(house: House) -> None:
    platform = town.numbers(house, 15)
    await town.account(house, "numbers")
    platform.trouble[0] = KeyError("id")
    assert await jobs.pull_due(house) == 0
    stream = await _stream(house)
    assert (stream.error_kind, stream.failures) == ("bug", 1)
    assert "KeyError" in stream.error


async def test_killed_while_the_platform_is_asked_somebody_else_goes_on(any_house: House) -> None:
    platform = town.numbers(any_house, 35)
    await town.account(any_house, "numbers")
    platform.trouble[20] = asyncio.CancelledError()
    with clock.frozen(NOW) as move:
        with pytest.raises(asyncio.CancelledError):
            await jobs.pull_due(any_house)
        assert (await _stream(any_house)).cursor == {"after": 20}
        assert await jobs.pull_due(any_house) == 0, "still leased"
        move(NOW + streams.LEASE + timedelta(seconds=1))
        assert await jobs.pull_due(any_house) == 15
    assert await _ids(any_house) == list(range(1, 36))


class _Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("page", [1, 2, 3])
async def test_killed_before_or_after_any_commit_nothing_is_lost_or_doubled(any_house: House, page: int) -> None:
    """A commit that does not happen takes items and cursor back; one that happened keeps both."""
    town.numbers(any_house, 25)
    await town.account(any_house, "numbers")
    with clock.frozen(NOW):
        await streams.make_missing(any_house)
        [due] = await streams.due(any_house)
    commits: list[int] = []

    def die(_connection: object) -> None:
        commits.append(1)
        if len(commits) == page + 1:  # the first one is the lease
            raise _Killed

    event.listen(any_house.ctx.engine.sync_engine, "commit", die)
    with clock.frozen(NOW) as move:
        with contextlib.suppress(_Killed):
            await pulling.pull_stream(any_house, due)
        event.remove(any_house.ctx.engine.sync_engine, "commit", die)
        assert await _ids(any_house) == list(range(1, 10 * (page - 1) + 1))
        assert (await _stream(any_house)).cursor == ({} if page == 1 else {"after": 10 * (page - 1)})
        move(NOW + streams.LEASE + timedelta(seconds=1))
        await jobs.pull_due(any_house)
    assert await _ids(any_house) == list(range(1, 26))


async def test_killed_right_after_a_commit_the_cursor_stands(house: House) -> None:
    town.numbers(house, 25)
    await town.account(house, "numbers")

    class Deaf:
        async def ring(self, job: str, *args: str) -> None:
            raise _Killed

    bell, house.ctx.bell = house.ctx.bell, Deaf()
    with clock.frozen(NOW) as move:
        with pytest.raises(_Killed):
            await jobs.pull_due(house)
        house.ctx.bell = bell
        assert await _ids(house) == list(range(1, 11))
        move(NOW + streams.LEASE + timedelta(seconds=1))
        assert await jobs.pull_due(house) == 15


async def test_a_reader_that_lost_its_lease_does_not_move_the_cursor(house: House) -> None:
    platform = town.numbers(house, 35)
    await town.account(house, "numbers")
    with clock.frozen(NOW) as move:
        await streams.make_missing(house)
        [due] = await streams.due(house)
        slow = await streams.lease(house, due)
        assert slow is not None
        assert await streams.lease(house, due) is None
        move(NOW + streams.LEASE + timedelta(seconds=1))
        assert await pulling.pull_stream(house, due) == 35
        page = await platform.pull(slow.account, slow.name, {})
        assert await pulling._keep(house, slow, page, None) == (0, None)
    assert (await _stream(house)).cursor == {"after": 35}


async def test_many_workers_at_once_store_each_item_once(any_house: House) -> None:
    town.numbers(any_house, 95)
    for n in range(4):
        await town.account(any_house, "numbers", name=f"号{n}")
    new = await asyncio.gather(*[jobs.pull_due(any_house) for _ in range(4)])
    assert sum(new) == 4 * 95 == await town.count(any_house, Arrival)
    assert await town.count(any_house, Stream) == 4


async def test_accounts_switched_off_are_left_alone(house: House) -> None:
    platform = town.numbers(house, 5)
    account = await town.account(house, "numbers")
    await streams.make_missing(house)
    [due] = await streams.due(house)
    async with unit_of_work(house.ctx) as unit:
        row = await unit.get(Account, account.id)
        assert row
        row.is_active = False
    assert await jobs.pull_due(house) == 0
    assert await pulling.pull_stream(house, due) == 0
    assert platform.asked == []


async def test_a_long_way_is_gone_in_stages(house: House) -> None:
    """More pages than one turn takes: the stream stays due and the next turn goes on."""
    town.numbers(house, 10 * pulling.PAGES + 30)
    await town.account(house, "numbers")
    with clock.frozen(NOW):
        assert await jobs.pull_due(house) == 10 * pulling.PAGES
        assert await jobs.pull_due(house) == 30


async def test_25_mentions_of_a_real_platform_arrive_as_25(house: House, sandbox: Control) -> None:
    created = sandbox.account("临江发布")
    ids = sandbox.mentions(created["uid"], "路灯坏了 {n}", count=25, author="小明")
    sandbox.posts(created["uid"], "今日天气")
    await town.account(
        house, "sandbox", name="临江发布", external_id=created["uid"], base_url=sandbox.base_url,
        sealed=house.ctx.vault.seal({"token": created["token"], "app_secret": created["app_secret"]}),
        options={"page_size": 10, "pull_every": 0},
    )  # fmt: skip
    assert await jobs.pull_due(house) == 25
    assert await jobs.read_arrivals(house) == 25
    messages = await town.all_rows(house, Message)
    assert sorted(message.external_id for message in messages) == sorted(ids)
    assert {message.author_name for message in messages} == {"小明"}
    [later] = sandbox.mentions(created["uid"], "又坏了", count=1)
    assert await jobs.pull_due(house) == 1
    assert later in {row.external_id for row in await town.all_rows(house, Arrival)}
    assert {row.error for row in await town.all_rows(house, Stream)} == {""}
