"""Learning from the office's own dispatches every night: rows are read, learnt from in a thread; live when no worse."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
from hub.models import Case, CaseState, Department, Message, Router, Tagging
from hub.policy import packs
from hub.policy.packs import Policy
from hub.queries import search
from hub.rights import Actor, May
from nlp import offices
from nlp.base import Label, Place
from nlp.offices import Matter
from workflows.cases.routing import Beside, Candidate, beside_of, by_signs_of, gate_of, matter_of, stored_places
from workflows.house import House
from workflows.tagging.markup import spoken

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
        learnt = await asyncio.to_thread(offices.learn, matters, labels, gate_of(_policy(house)))
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
    """The router in force; one learnt by another version of the hub cannot be read and is not."""
    row = await unit.first(select(Router).where(col(Router.is_current)).order_by(col(Router.id).desc()).limit(1))
    return row if row is not None and row.scores.get("format") == offices.FORMAT else None


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
    """Whether that was tonight's lesson; one of another version of the hub cannot be read and is learnt anew."""
    return bool(row.scores) and row.made_at >= tonight and row.scores.get("format") == offices.FORMAT


def _policy(house: House) -> Policy:
    return packs.in_force(house.ctx.settings.data)


@dataclass(frozen=True, slots=True)
class _Example:
    """A matter as it stands in the rows, and where it is now."""

    topic: Label
    places: list[Place]
    whole: str
    beside: Beside
    department_id: int


async def _examples(house: House) -> tuple[list[Matter], list[int], float]:
    """Matters a department took on (signed), oldest first, with where they are; and how often signs alone would have
    named that department."""
    async with reading(house.ctx) as unit:
        rows = list(reversed(await _taken(unit)))
        tokens = await search.tokens_of(unit, [row.first_message_id for row in rows])
        active = select(Department).where(col(Department.is_active)).order_by(col(Department.id))
        candidates = [Candidate.of(one) for one in await unit.all(active)]
    examples = [_example(row, tokens.get(row.first_message_id, "")) for row in rows]
    matters, right = await asyncio.to_thread(_with_signs, examples, candidates, _policy(house))
    return matters, [one.department_id for one in examples], round(right / len(examples), 4) if examples else 0.0


def _with_signs(
    examples: Sequence[_Example], candidates: Sequence[Candidate], policy: Policy
) -> tuple[list[Matter], int]:
    matters, right = [], 0
    for one in examples:
        signs = by_signs_of(candidates, one.topic, one.places, one.whole)
        matters.append(matter_of(one.topic, one.whole, one.beside, signs, policy))
        right += bool(signs) and signs[0].department_id == one.department_id
    return matters, right


def _example(row: Any, tokens: str) -> _Example:
    topic = Label(row.topic, row.topic_p, row.topic_second, row.topic_second_p, tuple(row.topic_words))
    whole = spoken(row.title, row.text)
    beside = beside_of(row.account_id, row.place, tokens, row.keywords, row.request, row.sentiment)
    return _Example(topic, stored_places(row.places), whole, beside, row.department_id)


async def _taken(unit: Unit) -> list[Any]:
    asked = (
        col(Case.first_message_id), col(Case.department_id), col(Message.title), col(Message.text), col(Message.place),
        col(Message.account_id), col(Tagging.topic), col(Tagging.topic_p), col(Tagging.topic_second),
        col(Tagging.topic_second_p), col(Tagging.topic_words), col(Tagging.places), col(Tagging.keywords),
        col(Tagging.request), col(Tagging.sentiment),
    )  # fmt: skip
    wanted: Any = columns(*asked).join(Message, col(Message.id) == col(Case.first_message_id))
    wanted = wanted.join(Tagging, col(Tagging.message_id) == col(Message.id))
    decided = (
        col(Case.signed_at).is_not(None), col(Case.department_id).is_not(None), col(Case.state).not_in(_NOT_DECIDED),
        col(Tagging.is_current),
    )  # fmt: skip
    return list(await unit.rows(wanted.where(*decided).order_by(col(Case.id).desc()).limit(offices.MOST)))


async def _end(
    house: House, number: int, cases: int, learnt: offices.Learnt | None, scores: dict[str, Any]
) -> None:  # fmt: skip
    values: dict[str, Any] = {"cases": cases, "scores": scores | {"format": offices.FORMAT}}
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
