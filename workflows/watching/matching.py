"""Plans in the tagging pass: compiled once per change, matched outside any transaction, hits written in its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, or_, update
from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import clock, feed
from hub.db import Unit
from hub.insert import insert
from hub.models import Message, PlanAlert, PlanHit, WatchPlan
from nlp.base import Text
from nlp.plans import Rule
from nlp.watch import Hit, Matcher
from workflows.tagging.markup import without_markup
from workflows.watching.drafts import Draft, read

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Compiled:
    """All active plans as one matcher; ``stamp`` says of which versions it was made."""

    stamp: tuple[tuple[int, int, datetime], ...]
    matcher: Matcher


# One per database this process works on: an engine has a life of its own, a number in a row has not.
_compiled: WeakKeyDictionary[Any, Compiled] = WeakKeyDictionary()

Hits = Mapping[int, Sequence[Hit]]


async def in_force(unit: Unit) -> Matcher:
    """The active plans; read and compiled again only when one of them changed."""
    asked = (col(WatchPlan.id), col(WatchPlan.version), col(WatchPlan.changed_at))
    active = columns(*asked).where(col(WatchPlan.is_active))
    stamp = tuple((row[0], row[1], row[2]) for row in await unit.rows(active.order_by(col(WatchPlan.id))))
    engine = unit.ctx.engine.sync_engine
    known = _compiled.get(engine)
    if known is None or known.stamp != stamp:
        wanted = select(WatchPlan).where(col(WatchPlan.is_active)).order_by(col(WatchPlan.id))
        rules = rules_of(await unit.all(wanted)) if stamp else {}
        known = _compiled[engine] = Compiled(stamp, await asyncio.to_thread(Matcher, rules))
    return known.matcher


def rules_of(plans: Sequence[WatchPlan]) -> dict[int, Rule]:
    """Rules by plan; one that can no longer be read hits nothing."""
    found = {plan.id or 0: read(Draft.of(plan)).rule for plan in plans}
    return {number: rule for number, rule in found.items() if rule is not None}


async def find(matcher: Matcher, messages: Sequence[Message]) -> dict[int, list[Hit]]:
    """Hits by message id, looked for in a thread. What the office wrote itself is nobody's voice and is left out."""
    given = {one.id or 0: text_of(one.title, one.text) for one in messages if not one.is_own}
    if not len(matcher) or not given:
        return {}
    found = await asyncio.to_thread(matcher.match_all, list(given.values()))
    return {number: hits for number, hits in zip(given, found, strict=True) if hits}


async def note(unit: Unit, messages: Sequence[Message], hits: Hits) -> int:
    """Write the hits of these messages and raise the alarms they complete; how many were new. Safe to run twice."""
    fresh = await write(unit, rows_of(messages, hits))
    if fresh:
        await _alarm(unit, sorted(fresh), clock.now())
        for plan_id in fresh:
            feed.tell(unit, "plans", plan_id)
    return sum(fresh.values())


def text_of(title: str, text: str) -> Text:
    """What plans are matched against: what is said, without markup."""
    return Text(without_markup(text), without_markup(title))


def rows_of(messages: Sequence[Message], hits: Hits) -> list[dict[str, Any]]:
    """Hits as columns; ``at`` is when the message was written."""
    now = clock.now()
    return [
        {"plan_id": hit.key, "message_id": one.id, "at": one.created_at, "found_at": now, "words": list(hit.words)}
        for one in messages
        for hit in hits.get(one.id or 0, ())
    ]


async def write(unit: Unit, rows: list[dict[str, Any]]) -> Counter[int]:
    """New hits by plan; what is known stays as it is."""
    fresh: Counter[int] = Counter()
    rows.sort(key=lambda row: (row["message_id"], row["plan_id"]))
    for start in range(0, len(rows), _CHUNK):
        statement = insert(unit, PlanHit).on_conflict_do_nothing().returning(PlanHit.plan_id)
        fresh.update(row[0] for row in (await unit.run(statement, rows[start : start + _CHUNK])).all())
    return fresh


async def _alarm(unit: Unit, plan_ids: Sequence[int], now: datetime) -> None:
    """An alarm for each of these plans that has enough hits; then none again for as long as it counts."""
    watched = select(WatchPlan).where(col(WatchPlan.id).in_(plan_ids), col(WatchPlan.alert_count) > 0)
    for plan in await unit.all(watched.order_by(col(WatchPlan.id))):
        since = now - timedelta(minutes=plan.alert_minutes)
        recent = select(func.count(col(PlanHit.id))).where(PlanHit.plan_id == plan.id, col(PlanHit.at) > since)
        count = await unit.one(recent)
        if count >= plan.alert_count and await _claim(unit, plan.id or 0, since, now):
            unit.add(PlanAlert(plan_id=plan.id or 0, at=now, hits=count, minutes=plan.alert_minutes))


async def _claim(unit: Unit, plan_id: int, since: datetime, now: datetime) -> bool:
    quiet = or_(col(WatchPlan.alerted_at).is_(None), col(WatchPlan.alerted_at) <= since)
    statement = update(WatchPlan).where(col(WatchPlan.id) == plan_id, quiet).values(alerted_at=now)
    return (await unit.run(statement)).rowcount == 1
