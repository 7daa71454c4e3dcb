"""What plans hit, as far as a person may see it: lists, counts by day, rows for a file. Alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, true
from sqlalchemy import select as columns
from sqlalchemy import text as sql
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from hub import audit, clock, feed
from hub.clock import at_local, local
from hub.db import Unit
from hub.errors import NotAllowed
from hub.i18n import _
from hub.models import Account, Case, CaseState, Department, Message, MessageKind, PlanAlert, PlanHit, WatchPlan
from hub.queries import keyset, visible
from hub.rights import Actor, May
from nlp import mask
from workflows.watching.pieces import Piece, of_message

MOST_EXPORTED = 20_000
# Under a name of its own: what a person may see asks the cases, too.
_Case: Any = aliased(Case)


@dataclass(frozen=True, slots=True)
class HitRow:
    """One message a plan hit, masked, its words apart."""

    message_id: int
    at: datetime
    words: list[str]
    title: list[Piece]
    text: list[Piece]
    kind: MessageKind
    account: str
    author_name: str
    sentiment: str
    emotion: str
    topic: str
    subtopic: str
    is_sensitive: bool
    url: str
    number: str
    state: CaseState | None
    department: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some hits, the newest first, and where the next ones begin; ``after`` empty: these were the last."""

    rows: list[HitRow]
    after: str = ""


@dataclass(frozen=True, slots=True)
class PlanOfMessage:
    """A plan a message hit, with the words that stand in it."""

    plan_id: int
    name: str
    words: list[str]
    is_active: bool


async def plans_of(unit: Unit, actor: Actor, message_id: int) -> list[PlanOfMessage]:
    """The plans one message hit, by name, as far as the person may see hits. Personal numbers are hidden."""
    asked = (
        select(WatchPlan, PlanHit)
        .join(PlanHit, col(PlanHit.plan_id) == col(WatchPlan.id))
        .where(col(PlanHit.message_id) == message_id, visible.hits(actor))
        .order_by(col(WatchPlan.name))
    )
    found = (await unit.session.exec(asked)).all()
    return [PlanOfMessage(plan.id or 0, plan.name, list(map(mask, hit.words)), plan.is_active) for plan, hit in found]


async def newest(
    unit: Unit, actor: Actor, plan_id: int, *, after: str = "", day: date | None = None, limit: int = 30
) -> Page:
    """Hits of a plan the person may see, of one day or of all. Invalid when ``after`` is no mark of a page."""
    found = await _rows(unit, actor, plan_id, _behind(after) if after else true(), day, limit + 1)
    rows = [_shown(row) for row in found[:limit]]
    if len(found) <= limit:
        return Page(rows)
    last: PlanHit = found[limit - 1][0]
    return Page(rows, f"{last.at.isoformat()}~{last.id}")


async def exported(unit: Unit, actor: Actor, plan: WatchPlan) -> list[HitRow]:
    """Hits for a file, the newest first, masked like the page; one more than MOST_EXPORTED, which the file holds, where
    there are more. The export is written into the audit log."""
    found = await _rows(unit, actor, plan.id or 0, true(), None, MOST_EXPORTED + 1)
    rows = min(len(found), MOST_EXPORTED)
    await audit.record(unit, actor, "plan.export", f"plan/{plan.id}", name=plan.name, rows=rows)
    return [_shown(row, 2000) for row in found]


async def _rows(
    unit: Unit, actor: Actor, plan_id: int, where: ColumnElement[bool], day: date | None, limit: int
) -> Sequence[Any]:
    asked: tuple[Any, ...] = (PlanHit, Message, Account.name, _Case.number, _Case.state, Department.short_name)
    wanted: Any = (
        columns(*asked)
        .join(Message, col(Message.id) == col(PlanHit.message_id))
        .join(Account, col(Account.id) == col(Message.account_id))
        .outerjoin(_Case, col(_Case.id) == col(Message.case_id))
        .outerjoin(Department, col(Department.id) == col(_Case.department_id))
        .where(col(PlanHit.plan_id) == plan_id, visible.hits(actor), where)
    )
    if day is not None:
        wanted = wanted.where(col(PlanHit.at) >= at_local(day), col(PlanHit.at) < at_local(day + timedelta(days=1)))
    newest_first = wanted.order_by(col(PlanHit.at).desc(), col(PlanHit.id).desc())
    found: Sequence[Any] = (await unit.session.exec(newest_first.limit(limit))).all()
    return found


def _behind(mark: str) -> ColumnElement[bool]:
    return keyset.older(mark, col(PlanHit.at), col(PlanHit.id))


def _shown(row: Any, length: int = 140) -> HitRow:
    hit, message, account, number, state, department = row
    title, text = of_message(message, hit.words, length)
    return HitRow(
        message_id=message.id or 0, at=hit.at, words=list(map(mask, hit.words)), title=title, text=text,
        kind=message.kind, account=account, author_name=message.author_name, sentiment=message.sentiment,
        emotion=message.emotion,
        topic=message.topic, subtopic=message.subtopic,
        is_sensitive=message.is_sensitive, url=message.url, number=number or "", state=state,
        department=department or "",
    )  # fmt: skip


async def by_day(unit: Unit, actor: Actor, plan_id: int, days: int) -> list[tuple[date, int]]:
    """How many hits on each of the last ``days`` days of the office, today last."""
    first = clock.today() - timedelta(days=days - 1)
    shift = "strftime('%Y-%m-%d', planhit.at, '+8 hours')"
    if not unit.ctx.is_sqlite:
        shift = "to_char(planhit.at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')"
    wanted = columns(sql(f"{shift} AS day"), func.count(col(PlanHit.id))).select_from(PlanHit)
    mine = (col(PlanHit.plan_id) == plan_id, col(PlanHit.at) >= at_local(first), visible.hits(actor))
    counted = {row[0]: row[1] for row in await unit.rows(wanted.where(*mine).group_by(sql("day")))}
    span = [first + timedelta(days=n) for n in range(days)]
    return [(day, counted.get(day.isoformat(), 0)) for day in span]


async def counts(unit: Unit, actor: Actor, since: datetime) -> Counter[int]:
    """Hits by plan since a moment."""
    found = await _of_each(unit, actor, func.count(col(PlanHit.id)), col(PlanHit.at) >= since)
    return Counter({row[0]: row[1] for row in found})


async def newest_by_plan(unit: Unit, actor: Actor) -> dict[int, datetime]:
    """When each plan hit last."""
    found = await _of_each(unit, actor, func.max(col(PlanHit.at)), true())
    return {row[0]: row[1] for row in found if row[1] is not None}


async def _of_each(unit: Unit, actor: Actor, what: Any, where: ColumnElement[bool]) -> Sequence[Any]:
    """A figure of each plan's hits. Who may see all is answered plan by plan, as the index stands: of three million
    hits those of a week are counted in 0.24 s instead of 1.3, the last is found in 0.03 instead of 3. For the others
    the few messages they may see lead the way."""
    if not actor.can(May.read_messages):
        grouped = columns(col(PlanHit.plan_id), what).where(visible.hits(actor), where)
        return await unit.rows(grouped.group_by(col(PlanHit.plan_id)))
    mine = columns(what).where(col(PlanHit.plan_id) == col(WatchPlan.id), visible.hits(actor), where)
    return await unit.rows(columns(col(WatchPlan.id), mine.correlate(WatchPlan).scalar_subquery()))


async def alerts(unit: Unit, actor: Actor, plan_id: int | None = None) -> Sequence[PlanAlert]:
    """Alarms nobody has answered yet, newest first; for those who watch, nobody else."""
    if not actor.can(May.read_opinion):
        return []
    mine = [col(PlanAlert.plan_id) == plan_id] if plan_id is not None else []
    wanted = select(PlanAlert).where(col(PlanAlert.seen_at).is_(None), *mine)
    return await unit.all(wanted.order_by(col(PlanAlert.id).desc()).limit(50))


async def answer_alerts(unit: Unit, actor: Actor, plan: WatchPlan) -> int:
    """Somebody has seen the alarms of a plan; how many were open. Safe to run twice."""
    if not actor.can(May.watch_plans):
        raise NotAllowed(_("没有设置监测方案的权限"))
    mine = (col(PlanAlert.plan_id) == plan.id, col(PlanAlert.seen_at).is_(None))
    open_ = [row[0] for row in await unit.rows(columns(col(PlanAlert.id)).where(*mine))]
    done = 0
    for number in open_:
        seen = {"seen_at": clock.now(), "seen_by_id": actor.user_id, "seen_by_name": actor.name}
        free = col(PlanAlert.seen_at).is_(None)
        done += await unit.claim(PlanAlert, col(PlanAlert.id) == number, free, **seen)
    if done:
        await audit.record(unit, actor, "plan.seen", f"plan/{plan.id}", name=plan.name, alerts=done)
        feed.tell(unit, "plans", plan.id)
    return done


def day_of(moment: datetime) -> date:
    """The office's day of a moment."""
    return local(moment).date()
