"""Platforms that call: heard by one process, read at once, left to others at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlmodel import col

from connectors.base import AccountRef, ConnectorError, ErrorKind, Page
from hub import clock
from hub.db import unit_of_work
from hub.models import Account, Stream
from tests.workflows.intake import town
from workflows.house import House
from workflows.intake import listening, pulling, streams
from workflows.intake.listening import Listeners


class Calling(town.Numbers):
    """Numbers that call: ``ring`` wakes who listens; ``trouble_waiting`` breaks the line once."""

    waits: Sequence[str] = ("numbers",)

    def __init__(self, last: int = 0) -> None:
        super().__init__(last)
        self.bell = asyncio.Event()
        self.listening = 0
        self.most = 0
        self.breaks: list[BaseException] = []
        self.cursors: list[Mapping[str, Any]] = []

    async def wait(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> None:
        self.listening += 1
        self.cursors.append(cursor)
        self.most = max(self.most, self.listening)
        try:
            if self.breaks:
                raise self.breaks.pop()
            await self.bell.wait()
            self.bell.clear()
        finally:
            self.listening -= 1

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        return await super().pull(account, stream, cursor)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
async def calling(any_house: House) -> Calling:
    platform = Calling(5)
    any_house.platforms = {**any_house.platforms, "numbers": platform}
    await town.account(any_house, "numbers")
    await streams.make_missing(any_house)
    assert await pulling.pull_due(any_house) == 5
    return platform


async def test_what_is_heard_is_read_at_once(any_house: House, calling: Calling) -> None:
    woken: list[str] = []
    one, other = Listeners(any_house, woken.append), Listeners(any_house, woken.append)
    await one.look()
    await other.look()
    await _until(lambda: calling.listening == 1)
    assert (one.running, other.running) == (1, 0), "one listener over all processes"
    assert await pulling.pull_due(any_house) == 0, "not due yet"
    calling.last = 7
    calling.bell.set()
    await _until(lambda: woken)
    assert await pulling.pull_due(any_house) == 2
    await one.close()
    assert calling.listening == 0
    await other.look()
    await _until(lambda: calling.listening == 1)
    assert other.running == 1, "left to others at once"
    await other.close()


async def test_the_platform_is_told_how_far_was_read_once_that_is_known(
    any_house: House, calling: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "BREATH", 0.02)
    monkeypatch.setattr(listening, "LOOK_AGAIN", 0.02)
    woken: list[str] = []
    listeners = Listeners(any_house, woken.append)
    await listeners.look()
    await _until(lambda: calling.listening == 1)
    calling.last = 7
    calling.bell.set()
    await _until(lambda: woken)
    await asyncio.sleep(0.2)
    assert calling.cursors == [{"after": 5}], "what was heard of is not read yet"
    assert await pulling.pull_due(any_house) == 2
    await _until(lambda: calling.listening == 1)
    assert calling.cursors[-1] == {"after": 7}
    calling.trouble[7] = ConnectorError(ErrorKind.transient, "断了")
    calling.bell.set()
    await _until(lambda: len(woken) == 2)
    await pulling.pull_due(any_house)
    await _until(lambda: calling.listening == 1)
    assert calling.cursors[-1] == {}, "what cannot be read would be told of again and again"
    await listeners.close()


async def test_a_line_that_breaks_is_tried_again(
    any_house: House, calling: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "FIRST_BACK_OFF", 0.02)
    calling.breaks = [ConnectorError(ErrorKind.transient, "断了"), KeyError("x"), TimeoutError()]
    woken: list[str] = []
    listeners = Listeners(any_house, woken.append)
    await listeners.look()
    await _until(lambda: not calling.breaks and calling.listening == 1)
    assert not woken, "nothing was heard on a line that broke"
    calling.bell.set()
    await _until(lambda: woken)
    assert woken == ["pull_due"]
    await listeners.close()


async def test_nobody_listens_on_accounts_that_are_off(any_house: House, calling: Calling) -> None:
    listeners = Listeners(any_house, lambda name: None)
    await listeners.look()
    await _until(lambda: calling.listening == 1)
    async with unit_of_work(any_house.ctx) as unit:
        await unit.claim(Account, col(Account.platform) == "numbers", is_active=False)
    await listeners.look()
    await _until(lambda: calling.listening == 0)
    assert listeners.running == 0
    await listeners.close()


async def test_a_listener_that_died_is_replaced_when_its_lease_ends(any_house: House, calling: Calling) -> None:
    async with unit_of_work(any_house.ctx) as unit:
        await unit.claim(
            Stream, col(Stream.name) == "numbers", listener="gone", listen_until=clock.now() + listening.LEASE
        )
    listeners = Listeners(any_house, lambda name: None)
    await listeners.look()
    assert listeners.running == 0
    with clock.frozen(clock.now() + listening.LEASE * 2):
        await listeners.look()
        assert listeners.running == 1
        await listeners.close()


async def test_the_number_is_bounded_and_ends_with_the_worker(any_house: House, calling: Calling) -> None:
    for n in range(4):
        await town.account(any_house, "numbers", name=f"号{n}")
    await streams.make_missing(any_house)
    listeners, stop = Listeners(any_house, lambda name: None, at_once=3), asyncio.Event()
    running = asyncio.create_task(listeners.run(stop))
    await _until(lambda: calling.listening == 3)
    stop.set()
    await running
    assert (calling.listening, listeners.running) == (0, 0)
    assert {row.listener for row in await town.all_rows(any_house, Stream)} == {""}


async def test_heard_while_it_is_read_it_is_read_once_more(any_house: House, calling: Calling) -> None:
    """The reading under way began before: its next time must not swallow the call."""
    [stream] = await town.all_rows(any_house, Stream)
    with clock.frozen(stream.due_at):
        leased = await streams.lease(any_house, stream.id)
        assert leased is not None
        listeners = Listeners(any_house, lambda name: None)
        hearing = asyncio.create_task(listeners._make_due(stream.id))
        await asyncio.sleep(0.2)
        assert not hearing.done()
        async with unit_of_work(any_house.ctx) as unit:
            await streams.release(unit, stream.id, leased.lease_until, due_at=clock.now() + streams.LEASE)
        await hearing
        assert await streams.due(any_house) == [stream.id]


def test_the_pause_grows_and_ends() -> None:
    assert listening.back_off(0) == listening.BREATH
    assert 4 <= listening.back_off(1) <= 6
    assert listening.back_off(50) <= listening.LONGEST_BACK_OFF * 1.2
