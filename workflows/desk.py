"""The desk of one worker process: runs the declared jobs when they are rung for, and all of them on their timer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub import clock, log
from hub.db import Bell
from workflows.house import House

_log = log.get(__name__)
Work = Callable[[House], Awaitable[object]]
AFTER_TROUBLE = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work. ``every``: seconds between two runs without a ring; 0: the hub's sweep interval.

    ``at_once``: how many runs of it may overlap in one process; only for work that leases what it takes.
    """

    name: str
    work: Work
    every: float = 0.0
    at_once: int = 1


@dataclass(slots=True)
class Trace:
    """How a job has been doing in this process."""

    ran_at: datetime | None = None
    seconds: float = 0.0
    runs: int = 0
    troubles: int = 0
    error: str = ""


@dataclass
class Desk:
    """Runs jobs, none twice at the same time unless it allows it; a ring during a run makes it run once more."""

    house: House
    jobs: Sequence[Job]
    traces: dict[str, Trace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._jobs: Mapping[str, Job] = {job.name: job for job in self.jobs}
        self._bells = {job.name: asyncio.Event() for job in self.jobs}
        self._running: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()
        self.traces.update({job.name: Trace() for job in self.jobs})

    def poke(self, name: str) -> bool:
        """Run it at once; False for a name nobody declared."""
        bell = self._bells.get(name)
        if bell is None:
            return False
        bell.set()
        return True

    async def run(self, stop: asyncio.Event) -> None:
        """Every job on its timer and on its bell, until ``stop``."""
        loops = [asyncio.create_task(self._keep(job), name=f"desk-{job.name}") for job in self.jobs]
        await stop.wait()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)

    async def close(self, patience: float) -> None:
        """Wait for running work, then cancel it: everything is claimed by rows and found again."""
        if self._running:
            await asyncio.wait(self._running, timeout=patience)
        for task in [*self._running]:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _keep(self, job: Job) -> None:
        bell = self._bells[job.name]
        every = job.every or float(self.house.ctx.settings.sweep_seconds)
        while True:
            bell.clear()
            task = asyncio.create_task(self._once(job), name=f"job-{job.name}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            self._counts[job.name] += 1
            if self._counts[job.name] >= job.at_once:
                await asyncio.wait([each for each in self._running if each.get_name() == f"job-{job.name}"],
                                   return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            await _rung(bell, every)

    async def _once(self, job: Job) -> None:
        trace, began = self.traces[job.name], asyncio.get_running_loop().time()
        try:
            await job.work(self.house)
            trace.error = ""
        except Exception as error:  # noqa: BLE001 -- whatever one run breaks, the next sweep finds the same rows
            trace.troubles += 1
            trace.error = type(error).__name__
            _log.exception("job_failed", job=job.name)
            await asyncio.sleep(AFTER_TROUBLE)
        finally:
            self._counts[job.name] -= 1
            trace.runs += 1
            trace.ran_at = clock.now()
            trace.seconds = round(asyncio.get_running_loop().time() - began, 3)


class DeskBell(Bell):
    """The bell inside a worker: what one job leaves for another is at hand at once, with or without a queue."""

    def __init__(self) -> None:
        self.ear: Callable[[str], object] = lambda name: None

    async def ring(self, job: str, *args: str) -> None:
        """Pass it to the desk."""
        self.ear(job)


async def _rung(bell: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
