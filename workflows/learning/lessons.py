"""Lessons as rows: asked for by a person or by the night, leased by one worker, finished in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from hub import audit, clock, feed, log
from hub.db import Unit, reading, unit_of_work
from hub.errors import NotAllowed, Refused
from hub.i18n import N_, _, written
from hub.models import LearnRun, LearnState, LearntModel, LiveModel
from hub.rights import Actor, May, system
from nlp.lesson import TASKS
from nlp.version import shipped
from workflows.house import House
from workflows.learning import live, teaching
from workflows.learning.examples import Lesson, fresh, gather, is_taken_back

LEASE = timedelta(minutes=3)
TRIES = 3
Guard = tuple[str, str, str]  # title, text, label


@dataclass(frozen=True, slots=True)
class Extra:
    """What a command adds to lessons: more guard per task; ``base``: a folder to learn anew from, for these tasks."""

    guards: Mapping[str, Sequence[Guard]] = field(default_factory=dict)
    base: Path | None = None
    tasks: frozenset[str] = frozenset()

    def base_of(self, task: str) -> Path | None:
        """The folder, where the task can be learnt anew from it."""
        return self.base if task in self.tasks else None


NOTHING_MORE = Extra()
_OPEN = (LearnState.waiting, LearnState.running)
_log = log.get(__name__)
LEARNER = N_("自动学习")


async def ask(unit: Unit, actor: Actor) -> LearnRun:
    """Have a lesson begin soon. Refused while one is under way; NotAllowed without the right."""
    if not actor.can(May.teach_analyser):
        raise NotAllowed(_("没有管理学习的权限"))
    if await under_way(unit) is not None:
        raise Refused([_("正在学习，请等这一次结束")])
    run = LearnRun(by_id=actor.user_id, by_name=actor.name)
    unit.add(run)
    await unit.flush()
    await audit.record(unit, actor, "model.learn", f"lesson:{run.id}")
    unit.later("learn_waiting")
    feed.tell(unit, "learning")
    return run


async def under_way(unit: Unit) -> LearnRun | None:
    """The lesson that waits or runs."""
    return await unit.first(select(LearnRun).where(col(LearnRun.state).in_(_OPEN)).order_by(col(LearnRun.id)).limit(1))


async def begin_night(house: House) -> bool:
    """At night, when there is something new to learn from, leave a lesson for this night; one, however often asked."""
    if not clock.is_night():
        return False
    async with reading(house.ctx) as unit:
        if not await _is_due(unit, clock.today()):
            return False
    try:
        async with unit_of_work(house.ctx) as unit:
            unit.add(LearnRun(by_name=system(LEARNER).name, night=clock.today()))
            unit.later("learn_waiting")
            feed.tell(unit, "learning")
    except IntegrityError:  # another worker was first
        return False
    return True


async def _is_due(unit: Unit, night: date) -> bool:
    tonight = select(col(LearnRun.id)).where(col(LearnRun.night) == night)
    if await unit.first(tonight) is not None or await under_way(unit) is not None:
        return False
    last = await unit.first(
        select(LearnRun).where(col(LearnRun.state) == LearnState.done).order_by(col(LearnRun.id).desc()).limit(1)
    )
    new = await fresh(unit, int(last.notes.get("newest", "0")) if last else 0, last.started_at if last else None)
    return new > 0 or await _is_outdated(unit)


async def _is_outdated(unit: Unit) -> bool:
    """Whether what is in force was learnt on an older shipped model, and nothing has been learnt on this one yet."""
    for one in await live.in_force(unit):
        newest = select(LearntModel.base).where(col(LearntModel.task) == one.task).order_by(col(LearntModel.id).desc())
        if not one.fits and await unit.first(newest.limit(1)) != shipped(one.task):
            return True
    return False


async def learn_waiting(house: House) -> int:
    """Take the lesson that waits, or one whose worker died, and go through it; how many versions were made.

    Safe to run twice and to be killed at any moment: versions, what is in force and the end of the lesson are written
    in one transaction per task and held unique by (lesson, task), so a lesson begun again makes only what is missing.
    """
    run = await _lease(house)
    return await _go_through(house, run, NOTHING_MORE) if run is not None else 0


async def learn_now(house: House, name: str, extra: Extra) -> LearnRun:
    """A lesson of one's own process, for the command: begun and gone through here, with what is given beside.

    Refused while another lesson is under way."""
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        if await under_way(unit) is not None:
            raise Refused([_("正在学习，请等这一次结束")])
        run = LearnRun(by_name=name, state=LearnState.running, started_at=now, lease_until=now + LEASE, tries=1)
        unit.add(run)
    await _go_through(house, run, extra)
    async with reading(house.ctx) as unit:
        return await unit.get(LearnRun, run.id) or run


async def made_by(unit: Unit, run: LearnRun) -> Sequence[LearntModel]:
    """The versions a lesson made, in the order of tasks."""
    return await unit.all(select(LearntModel).where(col(LearntModel.run_id) == run.id).order_by(col(LearntModel.id)))


async def _go_through(house: House, run: LearnRun, extra: Extra) -> int:
    try:
        made = sum([await _learn(house, run, n, task, extra) for n, task in enumerate(TASKS)])
        await _end(house, run)
        return made
    except teaching.Failed as error:
        _log.error("lesson_failed", lesson=run.id, why=str(error))
        await _fail(house, run, str(error))
        return 0


async def _lease(house: House) -> LearnRun | None:
    now = clock.now()
    free = or_(col(LearnRun.lease_until).is_(None), col(LearnRun.lease_until) < now)
    async with reading(house.ctx) as unit:
        found = await unit.first(
            select(LearnRun).where(col(LearnRun.state).in_(_OPEN), free).order_by(col(LearnRun.id)).limit(1)
        )
    if found is None:
        return None
    if found.tries >= TRIES:
        await _fail(house, found, "tries")
        return None
    async with unit_of_work(house.ctx) as unit:
        values = {
            "state": LearnState.running, "lease_until": now + LEASE, "tries": found.tries + 1,
            "started_at": found.started_at or now,
        }  # fmt: skip
        mine = (col(LearnRun.id) == found.id, col(LearnRun.tries) == found.tries, col(LearnRun.state).in_(_OPEN), free)
        return await unit.get(LearnRun, found.id) if await unit.claim(LearnRun, *mine, **values) else None


async def _learn(house: House, run: LearnRun, number: int, task: str, extra: Extra) -> int:
    """One task of a lesson; nothing when it was done before the worker died."""
    async with reading(house.ctx) as unit:
        done = select(col(LearntModel.id)).where(col(LearntModel.run_id) == run.id, col(LearntModel.task) == task)
        if await unit.first(done) is not None:
            return 0
        what = await gather(unit, task)
        idle = await _idle(unit, what, anew=extra.base_of(task) is not None)
        known = await _known(unit, task)
    if idle:
        if idle[0] == "right":
            await _unlearn(house, task)
        await _note(house, run, task, number + 1, len(TASKS), why=idle, newest=what.newest)
        return 0

    async def heard(done: int, total: int) -> None:
        await _note(house, run, task, number * total + done, len(TASKS) * total)

    said = await teaching.teach(what, heard, extra.guards.get(task, ()), extra.base_of(task), known)
    if not said["layer"]:
        await _unlearn(house, task)
        await _note(house, run, task, number + 1, len(TASKS), why=said["report"]["why"][0], newest=what.newest)
        return 0
    await keep(house, run, what, said)
    return 1


async def _known(unit: Unit, task: str) -> teaching.Known:
    """What is in force and was learnt on today's shipped model."""
    now = await _in_force(unit, task)
    if now is None or not live.usable(now) or not live.is_whole(now):
        return teaching.UNKNOWN
    return teaching.Known(now.data, now.report.get("newest", 0))


async def _in_force(unit: Unit, task: str) -> LearntModel | None:
    held = await unit.get(LiveModel, task)
    return await unit.get(LearntModel, held.learnt_id) if held and held.learnt_id else None


async def _unlearn(house: House, task: str) -> None:
    """Too little is left to learn from: what is in force goes, too, where people have taken back what it learnt."""
    async with unit_of_work(house.ctx) as unit:
        held, now = await unit.get(LiveModel, task), await _in_force(unit, task)
        if held is None or now is None or held.is_held:
            return
        lesson = await unit.get(LearnRun, now.run_id)
        if await is_taken_back(unit, task, now.report.get("newest", 0), lesson.started_at if lesson else None):
            reason = written("学过的修正被撤回，剩下的不够再学")
            await live.put_in_force(unit, system(LEARNER), task, None, reason=reason, held=False)


async def _idle(unit: Unit, what: Lesson, *, anew: bool = False) -> list[Any]:
    """Why there is nothing to learn, as a code with a number; empty: there is. ``anew``: from scratch, too."""
    if not what.corrections:
        return ["right", what.confirmations]
    if anew:
        return []
    last = await unit.first(
        select(LearntModel).where(col(LearntModel.task) == what.task).order_by(col(LearntModel.number).desc()).limit(1)
    )
    known = (last.base, last.corrections, last.confirmations, last.report.get("newest")) if last else None
    same = known == (shipped(what.task), what.corrections, what.confirmations, what.newest)
    return ["same", last.number] if last and same else []


async def _note(
    house: House, run: LearnRun, task: str, done: int, total: int, *, why: Sequence[Any] = (), newest: int = 0
) -> None:
    """How far it is; the lease goes on. Failed when the lesson is not ours any more."""
    async with unit_of_work(house.ctx) as unit:
        row = await unit.get(LearnRun, run.id)
        if row is None or row.tries != run.tries or row.state != LearnState.running:
            raise teaching.Failed("lease")
        row.step, row.done, row.total, row.lease_until = task, done, total, clock.now() + LEASE
        row.notes = {**row.notes, **({task: f"{why[0]}:{why[1]}"} if why else {}), **_newest(row, newest)}
        feed.tell(unit, "learning")


def _newest(row: LearnRun, newest: int) -> dict[str, str]:
    return {"newest": str(max(newest, int(row.notes.get("newest", "0"))))}


async def keep(house: House, run: LearnRun, what: Lesson, said: dict[str, Any]) -> LearntModel:
    """Store the version and, when it is accepted and nobody holds the task, put it in force: all or nothing."""
    async with unit_of_work(house.ctx) as unit:
        row = await unit.get(LearnRun, run.id)
        if row is None or row.tries != run.tries:
            raise teaching.Failed("lease")
        last = await unit.first(select(func.max(LearntModel.number)).where(col(LearntModel.task) == what.task))
        data: bytes = said["layer"] if said["accepted"] else b""
        made = LearntModel(
            task=what.task, number=(last or 0) + 1, run_id=run.id or 0, is_accepted=said["accepted"],
            base=shipped(what.task),
            digest=hashlib.sha256(data).hexdigest() if data else "", data=data, corrections=what.corrections,
            confirmations=what.confirmations,
            report={**said["report"], "newest": what.newest},
        )  # fmt: skip
        unit.add(made)
        await unit.flush()
        row.notes = {**row.notes, **_newest(row, what.newest)}
        await _activate(unit, made)
        feed.tell(unit, "learning")
    return made


async def _activate(unit: Unit, made: LearntModel) -> None:
    held, now = await unit.get(LiveModel, made.task), await _in_force(unit, made.task)
    # What a person chose is kept, unless a new shipped model has made it useless: then nothing is left to keep.
    is_kept = held is not None and held.is_held and (now is None or now.base == made.base)
    if made.is_accepted and not is_kept and not (now and _is_better(now, made)):
        await live.put_in_force(unit, system(LEARNER), made.task, made, reason=written("核对通过"), held=False)


def _is_better(now: LearntModel, made: LearntModel) -> bool:
    """Whether a model made anew is in force that does better on the office's examples than a new layer."""
    if not is_anew(now.report) or is_anew(made.report) or now.base != made.base:
        return False
    before, after = (one.report["office"]["after"]["macro_f1"] for one in (now, made))
    return bool(before > after)


def is_anew(report: Mapping[str, Any]) -> bool:
    """Whether a version is a model of its own, made from base files and corrections, not a layer."""
    return "anew" in report and not report["anew"]["why"]


async def _end(house: House, run: LearnRun) -> None:
    async with unit_of_work(house.ctx) as unit:
        mine = (col(LearnRun.id) == run.id, col(LearnRun.tries) == run.tries, col(LearnRun.state) == LearnState.running)
        values = {"state": LearnState.done, "finished_at": clock.now(), "lease_until": None, "step": ""}
        await unit.claim(LearnRun, *mine, **values)
        feed.tell(unit, "learning")


async def _fail(house: House, run: LearnRun, why: str) -> None:
    async with unit_of_work(house.ctx) as unit:
        mine = (col(LearnRun.id) == run.id, col(LearnRun.tries) == run.tries, col(LearnRun.state).in_(_OPEN))
        values = {"state": LearnState.failed, "finished_at": clock.now(), "lease_until": None, "error": why[:200]}
        await unit.claim(LearnRun, *mine, **values)
        feed.tell(unit, "learning")
