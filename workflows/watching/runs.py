"""A plan over what came in before it: asked for on a page, worked off by the worker, counted as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import col, select

from hub import audit, clock, feed
from hub.db import Unit, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, Refused
from hub.i18n import _
from hub.models import Message, PlanRun, RunState, WatchPlan
from hub.rights import Actor, May
from nlp.plans import Rule
from nlp.watch import Matcher
from workflows.house import House
from workflows.watching import matching
from workflows.watching.drafts import Draft, read

MOST_DAYS = 366
STEP = 2000
LEASE, BUDGET = timedelta(minutes=2), timedelta(seconds=30)
OPEN = (RunState.waiting, RunState.running)


async def start(unit: Unit, actor: Actor, plan: WatchPlan, days: int) -> PlanRun:
    """Look for hits of the plan in the last ``days`` days. Invalid days, Refused while one is under way."""
    if not actor.can(May.watch_plans):
        raise NotAllowed(_("没有设置监测方案的权限"))
    if not 1 <= days <= MOST_DAYS:
        raise Invalid({"days": _("请填写 1 到 %(n)s 之间的天数", n=MOST_DAYS)})
    if not plan.is_active:
        raise Refused([_("方案已停用，请先启用")])
    mine = (col(PlanRun.plan_id) == plan.id, col(PlanRun.state).in_(OPEN))
    if await unit.first(select(col(PlanRun.id)).where(*mine)) is not None:
        raise Refused([_("这个方案正在回溯，请等它完成")])
    since = clock.now() - timedelta(days=days)
    rows = select(func.count(col(Message.id)), func.max(col(Message.id))).where(col(Message.created_at) >= since)
    total, last = (await unit.rows(rows))[0]
    run = PlanRun(
        plan_id=plan.id or 0, plan_version=plan.version, days=days, since=since, until_id=last or 0, total=total,
        by_id=actor.user_id, by_name=actor.name,
    )  # fmt: skip
    unit.add(run)
    await unit.flush()
    unit.later("run_plans")
    await audit.record(unit, actor, "plan.run", f"plan/{plan.id}", name=plan.name, days=days)
    return run


async def newest(unit: Unit, plan_id: int) -> PlanRun | None:
    """The last run of a plan."""
    mine = select(PlanRun).where(col(PlanRun.plan_id) == plan_id).order_by(col(PlanRun.id).desc())
    return await unit.first(mine.limit(1))


async def run_waiting(house: House) -> int:
    """Work on open runs for about 30 seconds; how many messages were looked at. Safe to run twice, anywhere."""
    stop_at, seen = clock.now() + BUDGET, 0
    open_runs = select(col(PlanRun.id)).where(col(PlanRun.state).in_(OPEN)).order_by(col(PlanRun.id))
    async with reading(house.ctx) as unit:
        waiting = [row[0] for row in await unit.rows(open_runs)]
    for number in waiting:
        while clock.now() < stop_at and (step := await _step(house, number)):
            seen += step
    return seen


async def _step(house: House, run_id: int) -> int:
    """One batch in one transaction; 0 when the run is over or somebody else has it."""
    until = await _lease(house, run_id)
    if until is None:
        return 0
    async with reading(house.ctx) as unit:
        run, rule, messages = await _batch(unit, run_id)
    found = await matching.find(Matcher({run.plan_id: rule}), messages) if rule is not None else {}
    rows = matching.rows_of(messages, found)
    over = len(messages) < STEP
    async with unit_of_work(house.ctx) as unit:
        held = (col(PlanRun.id) == run_id, col(PlanRun.lease_until) == until)
        if await unit.claim(PlanRun, *held, **_counted(run, messages, len(rows), rule is None)):
            await matching.write(unit, rows)
            feed.tell(unit, "plans", run.plan_id)
    return 0 if over else len(messages)


async def _lease(house: House, run_id: int) -> datetime | None:
    """Until when the run is ours; None when it is over or somebody works on it."""
    now = clock.now()
    free = or_(col(PlanRun.lease_until).is_(None), col(PlanRun.lease_until) < now)
    mine = (col(PlanRun.id) == run_id, col(PlanRun.state).in_(OPEN), free)
    async with unit_of_work(house.ctx) as unit:
        got = await unit.claim(PlanRun, *mine, state=RunState.running, lease_until=now + LEASE)
    return now + LEASE if got else None


def _counted(run: PlanRun, messages: Sequence[Message], found: int, is_stopped: bool) -> dict[str, Any]:
    """The run's columns after this batch."""
    seen = run.seen + len(messages)
    values: dict[str, Any] = {"seen": seen, "found": run.found + found, "lease_until": None}
    if is_stopped:
        return values | {"state": RunState.stopped, "finished_at": clock.now()}
    if len(messages) < STEP:
        return values | {"state": RunState.done, "finished_at": clock.now(), "total": seen}
    return values | {"after_id": messages[-1].id}


async def _batch(unit: Unit, run_id: int) -> tuple[PlanRun, Rule | None, Sequence[Message]]:
    """The run, its plan's rule (None: changed or put off since) and the next messages in the order of their ids."""
    run = await unit.get(PlanRun, run_id)
    assert run is not None
    plan = await unit.get(WatchPlan, run.plan_id)
    holds = plan is not None and plan.is_active and plan.version == run.plan_version
    rule = read(Draft.of(plan)).rule if plan is not None and holds else None
    between = (col(Message.id) > run.after_id, col(Message.id) <= run.until_id, col(Message.created_at) >= run.since)
    wanted = select(Message).where(*between).order_by(col(Message.id)).limit(STEP)
    return run, rule, await unit.all(wanted) if rule is not None else []
