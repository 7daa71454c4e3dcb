"""The worker process: timers over the rows are its truth, the queue only makes it prompt.

Side by side run the dispatcher of deliveries, the desk with every other job, the listeners to platforms that call, and
the listener at the queue. When the queue dies the listener is started again, slower and slower; nothing else notices.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from arq.worker import Worker, func
from redis.exceptions import RedisError
from sqlalchemy import delete
from sqlmodel import col

from hub import clock, log
from hub.db import unit_of_work
from hub.models import Heartbeat
from hub.settings import Settings
from workflows.bell import QUEUE, dumps, open_queue
from workflows.delivery.engine import Dispatcher
from workflows.desk import Desk, DeskBell
from workflows.house import House, open_house
from workflows.intake.listening import Listeners
from workflows.jobs import DELIVERY_RINGS, JOBS, NAMES
from workflows.tagging import office
from workflows.vitals import here

BEAT = 2.0
FORGOTTEN = timedelta(hours=1)
PATIENCE = 3.5
LISTEN_PATIENCE = 5.0
LONGEST_BACK_OFF = 5.0
AGAIN = 0.2
_log = log.get(__name__)


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; over within five seconds of it. Any number of these may run at once."""
    log.configure(settings.log_level, settings.log_format)
    logging.getLogger("arq").setLevel(logging.ERROR)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    office.configure(settings)
    bell = DeskBell()
    house = open_house(settings, bell)
    try:
        await work(house, bell, stop)
    finally:
        await house.close()


async def work(house: House, bell: DeskBell, stop: asyncio.Event) -> None:
    """Everything a worker does, until ``stop``; then what is running gets a moment to end."""
    dispatcher, desk = Dispatcher(house), Desk(house, JOBS)
    ear = ear_of(dispatcher, desk)
    bell.ear = ear
    _log.info("worker_started", jobs=len(NAMES))
    async with asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run(stop))
        group.create_task(desk.run(stop))
        group.create_task(Listeners(house, ear).run(stop))
        group.create_task(_listen(house.ctx.settings.queue, ear, stop))
        group.create_task(_beat(house, dispatcher, desk, stop))
    await asyncio.gather(dispatcher.close(PATIENCE), desk.close(PATIENCE))
    _log.info("worker_stopped")


def ear_of(dispatcher: Dispatcher, desk: Desk) -> Callable[[str], None]:
    """Where every ring ends: at the dispatcher or at the desk."""

    def hear(name: str) -> None:
        if name in DELIVERY_RINGS:
            dispatcher.wake()
        elif not desk.poke(name):
            _log.error("unknown_ring", job=name)

    return hear


async def _listen(url: str, ear: Callable[[str], None], stop: asyncio.Event) -> None:
    """Listen at the queue. arq's worker ends when the queue dies: it is started again with growing patience."""
    wait = 0.2
    while not stop.is_set():
        began = asyncio.get_running_loop().time()
        try:
            await _listen_once(url, ear, stop)
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            _log.warning("queue_away", error=type(error).__name__)
        lasted = asyncio.get_running_loop().time() - began
        wait = 0.2 if lasted > LONGEST_BACK_OFF else min(wait * 2, LONGEST_BACK_OFF)
        await _pause(wait, stop)


async def _listen_once(url: str, ear: Callable[[str], None], stop: asyncio.Event) -> None:
    queue = open_queue(url, LISTEN_PATIENCE)
    worker = Worker(
        functions=[func(_hearer(name, ear), name=name, keep_result=0) for name in NAMES],
        queue_name=QUEUE,
        redis_pool=queue,
        handle_signals=False,
        poll_delay=0.1,
        max_jobs=50,
        job_timeout=5,
        max_tries=1,
        job_serializer=dumps,
        job_deserializer=queue.job_deserializer,
        log_results=False,
    )
    listening = asyncio.create_task(worker.async_run())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([listening, stopped], return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()
    finally:
        tasks = [listening, stopped, *worker.tasks.values()]
        if worker.main_task is not None:
            tasks.append(worker.main_task)
        await _end(tasks)
        await queue.aclose(close_connection_pool=True)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel until all have ended: arq's main task goes on where a cancellation meets the queue's answer."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)


def _hearer(name: str, ear: Callable[[str], None]) -> Any:
    async def hear(_ctx: dict[Any, Any], *_args: str) -> None:
        ear(name)

    return hear


async def _beat(house: House, dispatcher: Dispatcher, desk: Desk, stop: asyncio.Event) -> None:
    """A sign of life every two seconds, with when each job last ran. A database that is away is tried again."""
    name = f"worker:{socket.gethostname()}:{os.getpid()}"[:100]
    while not stop.is_set():
        try:
            await _write_beat(house, name, _figures(dispatcher, desk))
        except Exception:  # noqa: BLE001 -- no sign of life is the sign; the work goes on
            _log.exception("heartbeat_failed")
        await _pause(BEAT, stop)


async def _write_beat(house: House, name: str, figures: dict[str, Any]) -> None:
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        row = await unit.get(Heartbeat, name)
        if row is None:
            unit.add(Heartbeat(name=name, kind="worker", at=now, data=figures))
            await unit.run(
                delete(Heartbeat).where(col(Heartbeat.kind) == "worker", col(Heartbeat.at) < now - FORGOTTEN)
            )
        else:
            row.at, row.data = now, figures


def _figures(dispatcher: Dispatcher, desk: Desk) -> dict[str, Any]:
    """Per job: when it last ran, how long it took, how often it failed."""
    jobs = {
        name: {
            "at": trace.ran_at.isoformat() if trace.ran_at else "",
            "seconds": trace.seconds,
            "troubles": trace.troubles,
            "error": trace.error,
        }
        for name, trace in desk.traces.items()
    }
    looked = dispatcher.looked_at
    deliveries = {
        "at": looked.isoformat() if looked else "",
        "handled": dispatcher.handled,
        "running": dispatcher.running,
    }
    return {**here(), "jobs": jobs, "deliveries": deliveries}


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
