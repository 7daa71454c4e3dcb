"""kill -9 of real worker processes in the middle of sending: nothing twice, nothing lost, all settled in a minute."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col, func, select

from hub import clock
from hub.db import Context, make_engine
from hub.models import Delivery, DeliveryState, FigureReading, FigureRound, VideoJourney
from hub.settings import Settings
from tests.filming import MB, kept_video
from tests.sims.sandbox import Control
from tests.workflows.delivery.office import Office, open_office

CODE = (
    "import sys; from pathlib import Path; from hub.settings import load; from workflows.worker import run_worker;"
    "run_worker(load(Path(sys.argv[1]), db_url=sys.argv[2], log_level='ERROR'))"
)
ROOT = Path(__file__).resolve().parents[3]
OPEN = [DeliveryState.waiting, DeliveryState.sending]


def start(data: Path, db_url: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", CODE, str(data), db_url], cwd=ROOT, env=environment)


async def unsettled(office: Office) -> int:
    """Deliveries that are on their way, or unknown without anybody having been asked."""
    quiet = (col(Delivery.state) == DeliveryState.unknown) & (col(Delivery.held_reason) == "")
    async with office.read() as unit:
        return await unit.one(select(func.count()).where(col(Delivery.state).in_(OPEN) | quiet))


@pytest.mark.faults
@pytest.mark.parametrize("lossy", [False, True])
async def test_killed_again_and_again(tmp_path: Path, db_url: str, sandbox: Control, lossy: bool) -> None:
    dice = random.Random(7)
    settings = Settings(data=tmp_path, db_url=db_url, redis_url="unix:///nowhere/at/all.sock")
    office = await open_office(Context(settings, make_engine(db_url)), sandbox)
    accounts = [await office.connect(f"杀{number}") for number in range(6)]
    sandbox.fault("delay", operation="publish", seconds=0.3)
    sandbox.fault("delay", operation="publish", when="after", seconds=0.3)
    if lossy:
        sandbox.fault("drop", operation="publish", account="杀1")
        sandbox.fault("error_after", operation="publish", account="杀2")
    ids = [key for number in range(6) for key in await office.approved(f"第{number}批", accounts)]
    for _ in range(4):
        process = start(tmp_path, db_url)
        until = time.monotonic() + 30
        seen = len(office.texts())
        while len(office.texts()) < seen + 2 and time.monotonic() < until:
            await asyncio.sleep(0.05)
        await asyncio.sleep(dice.random())
        process.kill()
        process.wait()
    process = start(tmp_path, db_url)
    try:
        until = time.monotonic() + 75
        while await unsettled(office):
            assert time.monotonic() < until, Counter(await office.states(ids))
            await asyncio.sleep(0.5)
    finally:
        process.terminate()
        process.wait()
    accepted = office.sandbox.accepted()
    twice = [what for what, count in Counter((i["account"], i["text"]) for i in accepted).items() if count > 1]
    assert not twice
    there = {item["id"] for item in accepted}
    settled = [await office.delivery(key) for key in ids]
    assert {delivery.state for delivery in settled} == {DeliveryState.sent}
    assert {delivery.remote_id for delivery in settled} == there
    assert len(accepted) == len(ids)
    await office.ctx.close()


@pytest.mark.faults
async def test_a_video_goes_on_where_a_killed_worker_left_it(tmp_path: Path, db_url: str, sandbox: Control) -> None:
    """Killed four times in the middle of uploads: what was answered stays, one post each, the right film."""
    settings = Settings(data=tmp_path, db_url=db_url, redis_url="unix:///nowhere/at/all.sock")
    office = await open_office(Context(settings, make_engine(db_url)), sandbox)
    accounts = [office.accounts[0], await office.connect("杀片")]
    sandbox.fault("delay", operation="video", seconds=0.15)
    video = await kept_video(office.ctx, office["press"], size=24 * MB)
    ids = await office.approved("带视频的通告", accounts, video=video)

    def taken() -> int:
        return sum(one["outcome"] == "piece" for one in sandbox.attempts())

    kills = 0
    for _ in range(4):
        process = start(tmp_path, db_url)
        until, seen = time.monotonic() + 40, taken()
        while taken() < seen + 3 and time.monotonic() < until:
            await asyncio.sleep(0.05)
        process.kill()
        process.wait()
        kills += 1
        # The dead hold it no longer than their lease: the test need not wait for that.
        async with office.work() as unit:
            await unit.run(update(VideoJourney).values(lease_until=None))
    assert office.texts() == [], "nothing leaves without its video"
    process = start(tmp_path, db_url)
    until = time.monotonic() + 60
    while await office.states(ids) != ["sent", "sent"] and time.monotonic() < until:
        await asyncio.sleep(0.2)
    process.terminate()
    process.wait()
    assert await office.states(ids) == ["sent", "sent"]
    assert office.texts() == ["带视频的通告"] * 2
    films = [sandbox.item(item["id"])["video"]["sha256"] for item in sandbox.accepted()]
    assert films == [video.sha256] * 2
    # Twelve pieces each; a kill costs the piece on the wire of each account, no more.
    assert 24 <= taken() <= 24 + 2 * kills
    await office.ctx.close()


@pytest.mark.faults
async def test_figures_a_killed_worker_had_asked_for_are_read_again_and_kept_once(
    tmp_path: Path, db_url: str, sandbox: Control
) -> None:
    settings = Settings(data=tmp_path, db_url=db_url, redis_url="unix:///nowhere/at/all.sock")
    office = await open_office(Context(settings, make_engine(db_url)), sandbox)
    (one,) = await office.approved("已经发出的通告")
    await office.sweep()
    async with office.work() as unit:
        sent_at = clock.now() - timedelta(hours=2)
        await unit.run(update(Delivery).values(sent_at=sent_at, figures_at=sent_at + timedelta(hours=1)))

    async def kept() -> int:
        async with office.read() as unit:
            return await unit.one(select(func.count()).select_from(FigureReading))

    async def is_asking() -> bool:
        async with office.read() as unit:
            turn = await unit.first(select(FigureRound))
            return turn is not None and turn.lease_until is not None

    fault = sandbox.fault("delay", operation="figures", when="after", seconds=4)
    process, until = start(tmp_path, db_url), time.monotonic() + 30
    while not await is_asking() and time.monotonic() < until:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    process.kill()
    process.wait()
    assert (await kept(), (await office.delivery(one)).figures_at) == (0, sent_at + timedelta(hours=1))
    sandbox.lift(fault)
    async with office.work() as unit:  # the dead hold it no longer than their lease: no need to wait for that
        await unit.run(update(FigureRound).values(lease_until=None))
    process, until = start(tmp_path, db_url), time.monotonic() + 30
    while not await kept() and time.monotonic() < until:
        await asyncio.sleep(0.1)
    process.terminate()
    process.wait()
    assert (await kept(), (await office.delivery(one)).figures_at) == (1, sent_at + timedelta(hours=6))
    await office.ctx.close()
