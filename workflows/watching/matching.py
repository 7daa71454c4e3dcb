"""Plans in the tagging pass: compiled once per change, matched outside any transaction, hits written in its own."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import or_, update
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
# Messages written longer ago raise no alarm; so many hits are read to find the most in one stretch.
FRESH, MOST_READ = timedelta(hours=24), 5000


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
    fresh: dict[int, list[datetime]] = defaultdict(list)
    for plan_id, at in await write(unit, rows_of(messages, hits)):
        fresh[plan_id].append(at)
    if fresh:
        await _alarm(unit, fresh, clock.now())
        for plan_id in fresh:
            feed.tell(unit, "plans", plan_id)
    return sum(map(len, fresh.values()))


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


async def write(unit: Unit, rows: list[dict[str, Any]]) -> list[tuple[int, datetime]]:
    """New hits as (plan, when it was written); what is known stays as it is."""
    fresh: list[tuple[int, datetime]] = []
    rows.sort(key=lambda row: (row["message_id"], row["plan_id"]))
    for start in range(0, len(rows), _CHUNK):
        statement = insert(unit, PlanHit).on_conflict_do_nothing().returning(PlanHit.plan_id, PlanHit.at)
        fresh += [(row[0], row[1]) for row in (await unit.run(statement, rows[start : start + _CHUNK])).all()]
    return fresh


async def _alarm(unit: Unit, fresh: Mapping[int, Sequence[datetime]], now: datetime) -> None:
    """An alarm for each plan for which one of the new hits makes it enough; then none again for as long as it counts,
    but the number of an open one grows: it was raised by the first few of a burst. Where somebody has seen it, there
    is another when the burst is twice as large.

    The time counts up to when a message was written, not to when it was tagged: a platform that is read late, or a
    backlog, must not hide a burst. What is older than a day is history and raises no alarm.
    """
    watched = select(WatchPlan).where(col(WatchPlan.id).in_(sorted(fresh)), col(WatchPlan.alert_count) > 0)
    for plan in await unit.all(watched.order_by(col(WatchPlan.id))):
        length = timedelta(minutes=plan.alert_minutes)
        ends = [at for at in fresh[plan.id or 0] if at > now - FRESH]
        count = await _most(unit, plan, ends, length)
        if count < plan.alert_count:
            continue
        number, since = plan.id or 0, now - length
        if await _claim(unit, number, since, now) or await _has_doubled(unit, number, since, count, now):
            unit.add(PlanAlert(plan_id=number, at=now, hits=count, minutes=plan.alert_minutes))
        else:
            await _grow(unit, number, since, count)


async def _most(unit: Unit, plan: WatchPlan, ends: Sequence[datetime], length: timedelta) -> int:
    """The most hits within ``length`` before (and with) any of the given moments."""
    if not ends:
        return 0
    span = (col(PlanHit.plan_id) == plan.id, col(PlanHit.at) > min(ends) - length, col(PlanHit.at) <= max(ends))
    newest = (
        select(PlanHit.at).where(*span).order_by(col(PlanHit.at).desc()).limit(max(2 * plan.alert_count, MOST_READ))
    )
    moments = sorted(await unit.all(newest))
    return max(bisect_right(moments, end) - bisect_right(moments, end - length) for end in ends)


async def _grow(unit: Unit, plan_id: int, since: datetime, count: int) -> None:
    alert = col(PlanAlert.plan_id) == plan_id, col(PlanAlert.seen_at).is_(None), col(PlanAlert.at) > since
    await unit.run(update(PlanAlert).where(*alert, col(PlanAlert.hits) < count).values(hits=count))


async def _has_doubled(unit: Unit, plan_id: int, since: datetime, count: int, now: datetime) -> bool:
    """Whether the last alarm was answered and the burst is twice what it told; true for one of many at once."""
    wanted = select(PlanAlert).where(col(PlanAlert.plan_id) == plan_id, col(PlanAlert.at) > since)
    last = await unit.first(wanted.order_by(col(PlanAlert.id).desc()).limit(1))
    if last is None or last.seen_at is None or count < 2 * last.hits:
        return False
    mine = col(WatchPlan.id) == plan_id, col(WatchPlan.alerted_at) == last.at
    return (await unit.run(update(WatchPlan).where(*mine).values(alerted_at=now))).rowcount == 1


async def _claim(unit: Unit, plan_id: int, since: datetime, now: datetime) -> bool:
    quiet = or_(col(WatchPlan.alerted_at).is_(None), col(WatchPlan.alerted_at) <= since)
    statement = update(WatchPlan).where(col(WatchPlan.id) == plan_id, quiet).values(alerted_at=now)
    return (await unit.run(statement)).rowcount == 1
