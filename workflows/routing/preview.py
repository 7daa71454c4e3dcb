"""Where last month's messages would go if a rule were set: how many it takes, and where people sent those."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.i18n import _
from hub.models import Account, Case, CaseClass, Department, Message, RoutingRule, Tagging
from hub.policy.packs import Policy
from hub.queries import search, visible
from hub.rights import Actor
from nlp.base import Label, Place
from nlp.plans import form
from workflows.cases.facts import policy_of
from workflows.cases.newcases import class_of
from workflows.cases.routing import Beside, Candidate, Guide, Routed, beside_of, ruled, stored_places, unruled
from workflows.cases.suggested import basis
from workflows.routing.guide import guide_in_force, guide_of
from workflows.tagging.markup import spoken
from workflows.watching.pieces import Piece, of_message

DAYS, MOST_SEEN, SAMPLES = 30, 5000, 8
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Sample:
    """One message the rule takes; ``decided``: where people sent it in the end, empty when nobody has."""

    message_id: int
    at: datetime
    account: str
    title: list[Piece]
    text: list[Piece]
    decided: str
    is_other: bool


@dataclass(frozen=True, slots=True)
class Way:
    """How messages would go: ``basis``: rule, learnt, signs or "" (nobody suggested); ``alone``: dispatched by the hub,
    otherwise a person decides. ``before``, ``after``: how many without and with the rule."""

    basis: str
    alone: bool
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Preview:
    """``fits`` of ``seen`` messages; of these ``decided`` were sent somewhere by people, ``agreed`` to the rule's
    department (or one below it). ``earlier``: fits that an earlier rule takes first. ``unplaced``: messages that name
    the rule's place in a way not found as a place, where all else fits. ``others``: where people sent the rest, most
    frequent first (all, while no department is chosen: ``has_department``). ``departments``: to how many messages each
    would be suggested now, and with the rule. ``ways``: how all of them would go, now and with the rule, by the whole
    guide. ``has_learnt``: whether a learnt router is in force.
    """

    seen: int
    is_whole: bool
    since: datetime
    has_department: bool
    fits: int
    earlier: int
    unplaced: int
    decided: int
    agreed: int
    others: list[tuple[str, int]]
    departments: list[tuple[str, int, int]]
    ways: list[Way]
    has_learnt: bool
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class _Seen:
    """One message as the router sees it, and where its case is now. ``needs_person``: urgent or sensitive."""

    id: int
    at: datetime
    whole: str
    topic: Label
    places: list[Place]
    beside: Beside
    department_id: int | None
    needs_person: bool


@dataclass(frozen=True, slots=True)
class _Guides:
    """Without the rule, with it, the rule alone, and alone without its place."""

    before: Guide
    after: Guide
    alone: Guide
    anywhere: Guide


async def preview(unit: Unit, actor: Actor, draft: RoutingRule, others: Sequence[RoutingRule]) -> Preview:
    """``draft`` among the ``others`` in force (without its own old self), by position. Reads only. Every message is
    asked as a new one would be: rules first, then what was learnt, then signs; urgent and sensitive ones and those of
    which nothing is sure go to a person. The learnt router may have learnt from these very messages."""
    since = clock.now() - timedelta(days=DAYS)
    learnt = (await guide_in_force(unit)).learnt
    seen = await _messages(unit, actor, since, with_tokens=learnt is not None)
    whole, seen = len(seen) <= MOST_SEEN, seen[:MOST_SEEN]
    candidates, chosen = await _candidates(unit, draft)
    ordered = sorted([*others, draft], key=lambda rule: (rule.position, rule.id is None or rule.id == 0))
    anywhere = RoutingRule(**draft.model_dump() | {"place": ""})
    policy = policy_of(unit)

    def ask() -> list[tuple[Routed, Routed, Routed, Routed]]:
        guides = _Guides(*(guide_of(rules, learnt) for rules in (others, ordered, [draft], [anywhere])))
        return [_ask(one, candidates, policy, guides) for one in seen]

    asked = await asyncio.to_thread(ask)
    was, will, only, wide = ([each[n] for each in asked] for n in range(4))
    taken = [one for one, routed in zip(seen, will, strict=True) if _by(routed, draft.id or 0)]
    fits = sum(_by(routed, draft.id or 0) for routed in only)
    paths = {one.id or 0: (one.short_name, one.path) for one in await unit.all(select(Department))}
    paths[NOBODY] = (_("（还没选单位）"), "-")
    decided = [one for one in taken if one.department_id is not None]
    strayed = Counter(
        paths[one.department_id or 0][0]
        for one in decided
        if not _within(paths, one.department_id, draft.department_id)
    )
    return Preview(
        seen=len(seen), is_whole=whole, has_department=chosen, since=since if whole else seen[-1].at, fits=len(taken),
        earlier=fits - len(taken), unplaced=_unplaced(seen, only, wide, draft), decided=len(decided),
        agreed=len(decided) - strayed.total(), others=strayed.most_common(5),
        departments=_moved(was, will, paths), ways=_ways(seen, was, will), has_learnt=learnt is not None,
        samples=await _samples(unit, taken, dict(zip([one.id for one in seen], will, strict=True)), paths, draft),
    )  # fmt: skip


async def _candidates(unit: Unit, draft: RoutingRule) -> tuple[list[Candidate], bool]:
    """The departments, and whether the rule names one of them; the conditions can be tried before it does."""
    departments = await unit.all(select(Department).where(col(Department.is_active)).order_by(col(Department.id)))
    candidates = [Candidate.of(one) for one in departments]
    if any(one.id == draft.department_id for one in candidates):
        return candidates, True
    draft.department_id = NOBODY
    return [*candidates, Candidate(NOBODY, "", frozenset(), ())], False


def _ask(
    one: _Seen, candidates: Sequence[Candidate], policy: Policy, guides: _Guides
) -> tuple[Routed, Routed, Routed, Routed]:  # fmt: skip
    """What is learnt and signs are the same without and with the rule: asked once."""
    otherwise = unruled(candidates, one.topic, one.places, one.whole, policy, guides.after.learnt, one.beside)
    was, will, only, wide = (
        ruled(otherwise, candidates, one.topic, one.places, one.whole, guide, one.beside)
        for guide in (guides.before, guides.after, guides.alone, guides.anywhere)
    )
    return was, will, only, wide


def _unplaced(seen: Sequence[_Seen], only: Sequence[Routed], wide: Sequence[Routed], draft: RoutingRule) -> int:
    """How many the rule misses only because their place was not found as one."""
    place, number = form(draft.place), draft.id or 0
    if not place:
        return 0
    missed = (
        one for one, narrow, free in zip(seen, only, wide, strict=True) if _by(free, number) > _by(narrow, number)
    )
    return sum(place in form(one.whole) for one in missed)


_ORDER = [(name, alone) for name in ("rule", "learnt", "signs", "") for alone in (True, False)]


def _ways(seen: Sequence[_Seen], was: Sequence[Routed], will: Sequence[Routed]) -> list[Way]:
    """How many go which way; ways nobody goes are left out."""
    before, after = (
        Counter(
            (_basis(routed), routed.is_sure and not one.needs_person) for one, routed in zip(seen, each, strict=True)
        )
        for each in (was, will)
    )
    return [Way(*key, before[key], after[key]) for key in _ORDER if before[key] or after[key]]


def _basis(routed: Routed) -> str:
    return basis(routed.suggestions[0].as_data()) if routed.suggestions else ""


def _by(routed: Routed, rule_id: int) -> bool:
    first = next(iter(routed.suggestions), None)
    return first is not None and first.rule_id == rule_id


def _within(paths: Mapping[int, tuple[str, str]], department_id: int | None, above: int) -> bool:
    """Whether a department is the other one or below it: sending on inside one's own house is no mistake."""
    here, there = paths.get(department_id or 0), paths.get(above)
    return here is not None and there is not None and here[1].startswith(there[1])


def _moved(
    was: Sequence[Routed], will: Sequence[Routed], paths: Mapping[int, tuple[str, str]]
) -> list[tuple[str, int, int]]:
    """Departments whose share changes: name, now, then."""
    now, then = (Counter(one.department_id for one in routed if one.department_id) for routed in (was, will))
    changed = [(number, now[number], then[number]) for number in now | then if now[number] != then[number]]
    changed.sort(key=lambda row: -abs(row[2] - row[1]))
    return [(paths[number or 0][0], before, after) for number, before, after in changed[:8]]


async def _messages(unit: Unit, actor: Actor, since: datetime, *, with_tokens: bool) -> list[_Seen]:
    asked = (
        col(Message.id), col(Message.created_at), col(Message.title), col(Message.text), col(Message.account_id),
        col(Message.place), col(Tagging.topic), col(Tagging.topic_p), col(Tagging.topic_second),
        col(Tagging.topic_second_p), col(Tagging.topic_words), col(Tagging.places), col(Tagging.keywords),
        col(Tagging.request), col(Tagging.sentiment), col(Message.case_id), col(Message.urgency),
        col(Message.is_sensitive),
    )  # fmt: skip
    wanted: Any = columns(*asked).join(Tagging, col(Tagging.message_id) == col(Message.id))
    mine = (visible.messages(actor), ~col(Message.is_own), col(Message.created_at) >= since, col(Tagging.is_current))
    newest = (col(Message.created_at).desc(), col(Message.id).desc())
    rows = await unit.rows(wanted.where(*mine).order_by(*newest).limit(MOST_SEEN + 1))
    sent = await _sent(unit, {row.case_id for row in rows if row.case_id is not None})
    tokens = await search.tokens_of(unit, [row.id for row in rows]) if with_tokens else {}
    return [_seen(row, sent.get(row.case_id), tokens.get(row.id, "")) for row in rows]


async def _sent(unit: Unit, case_ids: set[int]) -> dict[int, int]:
    """Where cases are that were dispatched, by case."""
    found: dict[int, int] = {}
    ids = sorted(case_ids)
    for start in range(0, len(ids), 500):
        where = (col(Case.id).in_(ids[start : start + 500]), col(Case.dispatched_at).is_not(None))
        found |= {
            row[0]: row[1] for row in await unit.rows(columns(col(Case.id), col(Case.department_id)).where(*where))
        }
    return {number: department for number, department in found.items() if department is not None}


def _seen(row: Any, department_id: int | None, tokens: str) -> _Seen:
    topic = Label(row.topic, row.topic_p, row.topic_second, row.topic_second_p, tuple(row.topic_words))
    return _Seen(
        row.id, row.created_at, spoken(row.title, row.text), topic, stored_places(row.places),
        beside_of(row.account_id, row.place, tokens, row.keywords, row.request, row.sentiment), department_id,
        row.is_sensitive or class_of(row.urgency) is CaseClass.urgent,
    )  # fmt: skip


async def _samples(
    unit: Unit, taken: Sequence[_Seen], by_id: Mapping[int, Routed],
    paths: Mapping[int, tuple[str, str]], draft: RoutingRule,
) -> list[Sample]:  # fmt: skip
    """Those that people decided otherwise first: they are what to look at."""
    strayed = [one for one in taken if one.department_id and not _within(paths, one.department_id, draft.department_id)]
    chosen = {one.id: one for one in [*strayed[: SAMPLES // 2], *taken][:SAMPLES]}
    wanted = select(Message, Account.name).join(Account, col(Account.id) == col(Message.account_id))
    found = (await unit.session.exec(wanted.where(col(Message.id).in_(chosen)))).all()
    samples = []
    for message, account in found:
        one = chosen[message.id or 0]
        title, text = of_message(message, by_id[one.id].words)
        samples.append(Sample(
            one.id, one.at, account, title, text, paths[one.department_id][0] if one.department_id else "",
            one.id in {other.id for other in strayed},
        ))  # fmt: skip
    return sorted(samples, key=lambda sample: (sample.is_other, sample.at), reverse=True)
