"""Learning from the office's own dispatches every night: rows are read, learnt from in a thread; live when no worse."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import audit, clock, feed, log
from hub.clock import at_local, local
from hub.db import Unit, reading, unit_of_work
from hub.errors import NotAllowed, Refused
from hub.i18n import _
from hub.models import Case, CaseState, Dispatch, Message, Router
from hub.queries import search
from hub.rights import Actor, May
from nlp import offices
from nlp.offices import Matter
from workflows.house import House

NIGHT_HOUR = 2
# A lesson begun this long ago without an end died with its process.
GIVEN_UP = timedelta(minutes=30)
KEPT = 30
NEVER = offices.NEVER
_LOCK = 7304
_NOT_DECIDED = (CaseState.new, CaseState.triaged, CaseState.dispatched, CaseState.void, CaseState.merged)
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one night's learning came to, for the page; ``why`` is empty when it went live."""

    row: Router
    why: str


async def learn_if_due(house: House) -> int:
    """Learn once a night, or when somebody asked; how many matters were learnt from. Safe to run anywhere, any time."""
    number = await _begin(house)
    if number is None:
        return 0
    matters, labels, signs = await _examples(house)
    try:
        learnt = await asyncio.to_thread(offices.learn, matters, labels)
    except offices.TooFew:
        await _end(house, number, len(labels), None, {"why": "few", "matters": len(labels)})
        return 0
    scores = learnt.scores.as_data() | {"signs": signs, "why": "" if learnt.scores.right >= signs else "worse"}
    await _end(house, number, len(labels), None if scores["why"] else learnt, scores)
    return len(labels)


async def ask(unit: Unit, actor: Actor) -> None:
    """Learn anew now. Refused while a lesson is under way."""
    if not actor.can(May.set_rules):
        raise NotAllowed(_("没有设置派单规则的权限"))
    if (last := await newest(unit)) is not None and _is_running(last):
        raise Refused([_("正在学习，请稍候")])
    unit.add(Router(made_at=clock.now() - GIVEN_UP, scores={"why": "asked"}))
    unit.later("learn_routing")
    await audit.record(unit, actor, "routing.learn", "router")


async def put_back(unit: Unit, actor: Actor) -> None:
    """Go by rules and signs alone again, until the next lesson that is no worse."""
    if not actor.can(May.set_rules):
        raise NotAllowed(_("没有设置派单规则的权限"))
    current = col(Router.is_current)
    await unit.run(update(Router).where(current).values(is_current=False))
    await audit.record(unit, actor, "routing.put_back", "router")
    feed.tell(unit, "rules")


async def current(unit: Unit) -> Router | None:
    """The router in force."""
    return await unit.first(select(Router).where(col(Router.is_current)).order_by(col(Router.id).desc()).limit(1))


async def newest(unit: Unit) -> Router | None:
    """The last lesson, in force or not."""
    return await unit.first(select(Router).order_by(col(Router.id).desc()).limit(1))


def _is_running(row: Router) -> bool:
    return not row.scores and row.made_at > clock.now() - GIVEN_UP


async def _begin(house: House) -> int | None:
    """A row for tonight's lesson; None when there has been one, or it is not night yet."""
    now = clock.now()
    tonight = at_local(local(now).date(), NIGHT_HOUR)
    async with unit_of_work(house.ctx) as unit:
        await unit.lock_chain(_LOCK)
        last = await newest(unit)
        asked = last is not None and last.scores.get("why") == "asked"
        if not asked and (now < tonight or (last is not None and (_is_running(last) or _is_of(last, tonight)))):
            return None
        row = last if asked and last is not None else Router()
        row.made_at, row.scores = now, {}
        unit.add(row)
        await unit.flush()
        feed.tell(unit, "rules")
        return row.id


def _is_of(row: Router, tonight: Any) -> bool:
    return bool(row.scores) and row.made_at >= tonight


async def _examples(house: House) -> tuple[list[Matter], list[int], float]:
    """Matters a department took on (signed), oldest first, with where they are; and how often signs alone, where they
    were what was suggested, named that department."""
    async with reading(house.ctx) as unit:
        rows = await _taken(unit)
        tokens = await search.tokens_of(unit, [row.first_message_id for row in rows])
        signs = await _signs(unit)
    matters = [
        Matter(tokens.get(row.first_message_id, ""), row.topic, row.place, str(row.account_id))
        for row in reversed(rows)
    ]
    return matters, [row.department_id for row in reversed(rows)], signs


async def _taken(unit: Unit) -> list[Any]:
    asked = (
        col(Case.first_message_id), col(Case.department_id), col(Message.topic), col(Message.place),
        col(Message.account_id),
    )  # fmt: skip
    wanted = columns(*asked).join(Message, col(Message.id) == col(Case.first_message_id))
    decided = (
        col(Case.signed_at).is_not(None), col(Case.department_id).is_not(None), col(Case.state).not_in(_NOT_DECIDED),
    )  # fmt: skip
    return list(await unit.rows(wanted.where(*decided).order_by(col(Case.id).desc()).limit(offices.MOST)))


async def _signs(unit: Unit) -> float:
    """The share of first dispatches suggested by signs that stayed where the signs said; 0 when there were none."""
    asked = (col(Dispatch.suggested_id), col(Case.department_id))
    wanted = columns(*asked).join(Case, col(Case.id) == col(Dispatch.case_id))
    of_signs = (col(Dispatch.is_first), col(Dispatch.basis) == "signs", col(Case.signed_at).is_not(None))
    rows = await unit.rows(wanted.where(*of_signs).order_by(col(Dispatch.id).desc()).limit(offices.MOST))
    return round(sum(one == other for one, other in rows) / len(rows), 4) if rows else 0.0


async def _end(
    house: House, number: int, cases: int, learnt: offices.Learnt | None, scores: dict[str, Any]
) -> None:  # fmt: skip
    values: dict[str, Any] = {"cases": cases, "scores": scores}
    if learnt is not None:
        values |= {"data": learnt.dump(), "departments": len(learnt.labels), "is_current": True}
    async with unit_of_work(house.ctx) as unit:
        if learnt is not None:
            await unit.run(update(Router).where(col(Router.is_current)).values(is_current=False))
        await unit.claim(Router, col(Router.id) == number, **values)
        old = select(col(Router.id)).order_by(col(Router.id).desc()).offset(KEPT)
        await unit.run(delete(Router).where(col(Router.id).in_(old), ~col(Router.is_current)))
        feed.tell(unit, "rules")
    _log.info("routing_learnt", cases=cases, live=learnt is not None, right=scores.get("right"))
