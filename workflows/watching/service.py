"""Plans as rows: made, changed, switched on and off, found; who may, and what the audit log keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func
from sqlmodel import col, select

from hub import audit, clock, feed
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from hub.i18n import _, sentences
from hub.models import PlanMode, WatchPlan
from hub.rights import Actor, May
from workflows.naming import named
from workflows.watching import words
from workflows.watching.drafts import LONGEST_ALERT, MOST_ALERT, Draft, read

MOST_PLANS = 500


async def plans(unit: Unit, actor: Actor) -> Sequence[WatchPlan]:
    """All plans, active ones first, by name. NotAllowed without the right to read opinion."""
    if not actor.can(May.read_opinion):
        raise NotAllowed(_("没有查看监测方案的权限"))
    return await unit.all(select(WatchPlan).order_by(col(WatchPlan.is_active).desc(), col(WatchPlan.name)))


async def find(unit: Unit, actor: Actor, plan_id: int) -> WatchPlan:
    """One plan; NotFound."""
    plan = await unit.get(WatchPlan, plan_id) if actor.can(May.read_opinion) else None
    if plan is None:
        raise NotFound(_("没有这个监测方案"))
    return plan


def explained(plan: WatchPlan) -> str:
    """What a stored plan means, in one sentence; the trouble in words, should a newer grammar refuse it."""
    reading = read(Draft.of(plan))
    return words.explain(reading.rule) if reading.rule is not None else sentences(reading.problems.values())


async def create(unit: Unit, actor: Actor, draft: Draft) -> WatchPlan:
    """A new plan, in force at once for what comes in from now on. Invalid by field."""
    _refuse_stranger(actor)
    draft = await _checked(unit, draft, None)
    if await _is_full(unit):
        raise Invalid({"name": _("最多 %(n)s 个方案，请先合并或停用一些", n=MOST_PLANS)})
    plan = WatchPlan(owner_id=actor.user_id, owner_name=actor.name, **draft.columns())
    unit.add(plan)
    await unit.flush()
    await _note(unit, actor, "plan.create", plan)
    return plan


async def change(unit: Unit, actor: Actor, plan_id: int, draft: Draft, *, version: int) -> WatchPlan:
    """New words or thresholds. What it hit before stays. Invalid by field, Stale when somebody was faster."""
    _refuse_stranger(actor)
    plan = await find(unit, actor, plan_id)
    draft = await _checked(unit, draft, plan_id)
    if plan.version != version or not await unit.compare_and_set(plan, **draft.columns(), changed_at=clock.now()):
        raise Stale([_("这个方案刚被他人修改，请刷新后再改")])
    await _note(unit, actor, "plan.change", plan)
    return plan


async def set_active(unit: Unit, actor: Actor, plan_id: int, active: bool) -> WatchPlan:
    """On or off. Off, nothing new is hit; what it hit stays. Safe to run twice. Refused when too many are on."""
    _refuse_stranger(actor)
    plan = await find(unit, actor, plan_id)
    if plan.is_active == active:
        return plan
    if active and await _is_full(unit):
        raise Refused([_("最多 %(n)s 个方案，请先合并或停用一些", n=MOST_PLANS)])
    if not await unit.compare_and_set(plan, is_active=active, changed_at=clock.now()):
        raise Stale([_("这个方案刚被他人修改，请刷新后再改")])
    await _note(unit, actor, "plan.activate" if active else "plan.deactivate", plan)
    return plan


async def _is_full(unit: Unit) -> bool:
    """Only plans in force count: none is ever deleted."""
    in_force = select(func.count(col(WatchPlan.id))).where(col(WatchPlan.is_active))
    return await unit.one(in_force) >= MOST_PLANS


def _refuse_stranger(actor: Actor) -> None:
    if not actor.can(May.watch_plans):
        raise NotAllowed(_("没有设置监测方案的权限"))


async def _checked(unit: Unit, draft: Draft, plan_id: int | None) -> Draft:
    problems = dict(read(draft).problems)
    name = named(draft.name)
    if not name or len(name) > 100:
        problems["name"] = _("请给方案起个名字，最多 %(n)s 个字", n=100)
    same = select(col(WatchPlan.id)).where(WatchPlan.name == name, col(WatchPlan.id) != (plan_id or 0))
    if name and await unit.first(same) is not None:
        problems["name"] = _("已有同名的方案")
    if not 0 <= draft.alert_count <= MOST_ALERT:
        problems["alert_count"] = _("请填写 0 到 %(n)s 之间的数", n=MOST_ALERT)
    if not 1 <= draft.alert_minutes <= LONGEST_ALERT:
        problems["alert_minutes"] = _("请填写 1 到 %(n)s 之间的数", n=LONGEST_ALERT)
    if problems:
        raise Invalid(problems)
    return replace(draft, name=name)


async def _note(unit: Unit, actor: Actor, what: str, plan: WatchPlan) -> None:
    said = plan.expression if plan.mode is PlanMode.expert else plan.classes
    alarm = f"{plan.alert_count}/{plan.alert_minutes}" if plan.alert_count else ""
    await audit.record(unit, actor, what, f"plan/{plan.id}", name=plan.name, rule=said, stop=plan.stop, alarm=alarm)
    feed.tell(unit, "plans", plan.id)
