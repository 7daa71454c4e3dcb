"""The rules and the learnt router in force, compiled once per change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import log
from hub.db import Unit
from hub.models import Router, RoutingRule
from nlp import offices, plans
from nlp.plans import BadRule, Rule
from nlp.watch import Matcher
from workflows.cases.routing import Guide, OfficeRule

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class _Made:
    stamp: tuple[tuple[Any, ...], ...]
    guide: Guide


# One per database this process works on.
_made: WeakKeyDictionary[Any, _Made] = WeakKeyDictionary()


async def guide_in_force(unit: Unit) -> Guide:
    """What holds now; read and compiled again only when a rule or the router changed."""
    stamp = await _stamp(unit)
    engine = unit.ctx.engine.sync_engine
    known = _made.get(engine)
    if known is None or known.stamp != stamp:
        active = select(RoutingRule).where(col(RoutingRule.is_active))
        rules = await unit.all(active.order_by(col(RoutingRule.position), col(RoutingRule.id)))
        guide = await asyncio.to_thread(guide_of, rules, await _learnt(unit))
        known = _made[engine] = _Made(stamp, guide)
    return known.guide


async def _stamp(unit: Unit) -> tuple[tuple[Any, ...], ...]:
    asked = (col(RoutingRule.id), col(RoutingRule.version), col(RoutingRule.changed_at))
    rules = columns(*asked).where(col(RoutingRule.is_active)).order_by(col(RoutingRule.id))
    routers = columns(col(Router.id), col(Router.made_at)).where(col(Router.is_current)).order_by(col(Router.id))
    return (*map(tuple, await unit.rows(rules)), *map(tuple, await unit.rows(routers)))


def guide_of(rules: Sequence[RoutingRule], learnt: offices.Learnt | None) -> Guide:
    """Rules in the order given; one whose keywords can no longer be read is left out."""
    kept, keywords = [], {}
    for rule in rules:
        try:
            if rule.keywords.strip():
                keywords[rule.id or 0] = plans.parse(rule.keywords)
        except BadRule:
            _log.warning("routing rule left out", rule=rule.id)
            continue
        kept.append(as_rule(rule))
    return Guide(tuple(kept), Matcher(keywords), learnt)


def as_rule(rule: RoutingRule) -> OfficeRule:
    """From its row."""
    return OfficeRule(
        rule.id or 0, rule.name, rule.department_id, rule.topic, plans.form(rule.place), rule.account_id,
        has_keywords=bool(rule.keywords.strip()), may_dispatch=rule.may_dispatch,
    )  # fmt: skip


def keywords_of(rule: RoutingRule) -> Rule | None:
    """The keywords read; None when none are given. BadRule when they cannot be read."""
    return plans.parse(rule.keywords) if rule.keywords.strip() else None


async def _learnt(unit: Unit) -> offices.Learnt | None:
    """The current router; one that cannot be read is as good as none."""
    row = await unit.first(select(Router).where(col(Router.is_current)).order_by(col(Router.id).desc()).limit(1))
    if row is None:
        return None
    try:
        return offices.load(row.data)
    except (ValueError, KeyError, TypeError, OSError) as error:
        _log.warning("router left out", router=row.id, error=type(error).__name__)
        return None
