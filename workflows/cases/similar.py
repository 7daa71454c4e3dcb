"""Cases like this one: answered ones with their answer for whoever writes, open ones for whoever may join them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists
from sqlalchemy import select as columns
from sqlmodel import col, select

from hub.db import Unit
from hub.models import Case, CaseState, Department, Message, Reply, ReplyState, Tagging
from hub.privacy import excerpt
from hub.queries import alike, visible
from hub.rights import Actor
from nlp import mask, similar
from workflows.cases.facts import IS_OPEN, find

# Of the candidates so many are checked against what the person may see, and so many of those read exactly.
LOOKED_AT, READ = 200, 60
# Less alike than this is another matter.
LEAST = 0.12
# Telling words looked up, and the share of their weight an answered letter must have.
MOST_WORDS, LEAST_WORDS = 8, 0.35
# And of the weight of all telling words, those nobody else wrote included, more where only one word is the same. By
# hand, on 138 answers offered for 202 messages: with one word and less than this nearly every one was another matter
# (物业 for a charging pile and for no water), above it most were of the same kind. Names of places weigh as other words
# do: with half their weight, or none, of 750 answers offered for 350 public letters as many were of the same topic.
LEAST_BY_ONE, LEAST_BY_SEVERAL = 0.2, 0.13


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """One answered case; ``title`` and ``answer`` are masked, ``score`` sorts within one answer only."""

    case_id: int
    number: str
    title: str
    department: str
    answer: str
    answered_at: datetime | None
    score: float


async def answered(unit: Unit, case_id: int, actor: Actor, *, limit: int = 5) -> list[SimilarCase]:
    """The closest answered cases the person may see, closest first; one entry per case. A few bounded statements."""
    case = await find(unit, case_id, actor)
    hits = await _about_the_same(unit, case, actor)
    scores: dict[int, float] = {}
    for hit in hits:
        scores.setdefault(hit.case_id, hit.score)
    best = list(scores)[:limit]
    found = {row.id: row for row in await _read(unit, best)}
    return [_shown(found[number], scores[number]) for number in best if number in found]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case that may be the same matter; ``title`` is masked. ``same_author``: the same person wrote both."""

    case_id: int
    number: str
    title: str
    state: CaseState
    department: str
    last_message_at: datetime
    same_author: bool


async def still_open(unit: Unit, case_id: int, actor: Actor, *, limit: int = 4) -> list[OpenCase]:
    """The closest open cases the person may see, closest first: candidates for joining. Three statements."""
    case = await find(unit, case_id, actor)
    hits = await _hits(unit, case, actor, limit=8 * limit, only_answered=False)
    order = {number: place for place, number in reversed(list(enumerate(hit.case_id for hit in hits)))}
    if not order:
        return []
    wanted = columns(
        col(Case.id), col(Case.number), col(Case.title), col(Case.state), col(Department.short_name),
        col(Case.last_message_at), col(Case.author_id),
    ).outerjoin(Department, col(Department.id) == col(Case.department_id))  # fmt: skip
    found = await unit.rows(wanted.where(alike.among(unit, Case.id, list(order)), IS_OPEN))
    return [
        OpenCase(
            row.id, row.number, row.title, row.state, row.short_name or "", row.last_message_at,
            bool(case.author_id) and row.author_id == case.author_id,
        )
        for row in sorted(found, key=lambda row: order[row.id])[:limit]
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SimilarMessage:
    """A message of another case that says much the same; ``text`` is masked."""

    message_id: int
    text: str
    number: str
    state: CaseState
    at: datetime


async def messages(unit: Unit, message_id: int, actor: Actor, *, limit: int = 5) -> list[SimilarMessage]:
    """The messages most like one the person may see, closest first, of other cases. A few bounded statements."""
    mine = await unit.first(select(Message).where(col(Message.id) == message_id, visible.messages(actor)))
    if mine is None:
        return []
    own = [col(Message.case_id) != mine.case_id] if mine.case_id is not None else []
    seen = [visible.messages(actor), col(Message.id) != message_id, *own]
    hits = await closest(unit, await _of_index(unit, message_id), where=seen, limit=limit)
    shown: tuple[Any, ...] = (
        Message.id, Message.title, Message.text, Message.created_at, Case.number, Case.state,
    )  # fmt: skip
    wanted = columns(*shown).select_from(Message).join(Case, col(Case.id) == col(Message.case_id))
    rows = {row.id: row for row in await unit.rows(wanted.where(col(Message.id).in_([hit.message_id for hit in hits])))}
    return [
        SimilarMessage(row.id, excerpt(mask(row.title or row.text), (), 80), row.number, row.state, row.created_at)
        for row in (rows[hit.message_id] for hit in hits if hit.message_id in rows)
    ]


async def _of_index(unit: Unit, message_id: int) -> dict[str, float]:
    """The weighed tokens a message is found by."""
    tokens = (await alike.tokens_of(unit, [message_id])).get(message_id, frozenset())
    return similar.weights(tokens, await alike.shares(unit, tokens))


@dataclass(frozen=True, slots=True)
class Hit:
    """One similar message; ``score`` 0..1, larger is closer."""

    message_id: int
    case_id: int
    score: float


async def _hits(unit: Unit, case: Case, actor: Actor, *, limit: int, only_answered: bool) -> list[Hit]:
    """Messages of other cases that are most like the first one of this, closest first. A few bounded statements:
    nothing is analysed while a page waits, and no look-up grows with the number of messages."""
    if case.first_message_id is None:
        return []
    weighed = await _of_index(unit, case.first_message_id)
    return await closest(
        unit, weighed, where=[visible.messages(actor), col(Message.case_id) != case.id], limit=limit,
        only_answered=only_answered,
    )  # fmt: skip


async def _about_the_same(unit: Unit, case: Case, actor: Actor) -> list[Hit]:
    """Answered messages about the same things: by the telling words tagging stored, then by all they have in common.

    An answer helps when the matter is of the same kind, whatever else the two letters say: measured against each other
    as wholes (:func:`closest`), a short mention and a long answered letter are never alike: of real letters six in a
    hundred found an answer, this way sixty.
    """
    words = await _telling_words(unit, case)
    if not words:
        return await _hits(unit, case, actor, limit=LOOKED_AT, only_answered=True)
    mine = (await alike.tokens_of(unit, [case.first_message_id or 0])).get(case.first_message_id or 0, frozenset())
    shares = await alike.shares(unit, {*mine, *words})
    met = await alike.postings(unit, words, only_answered=True)
    weighed, said = _known(words, shares, {word for word, _number in met}), _known(mine, shares)
    whole = sum(similar.weights(words, shares).values()) or 1.0
    found, told = defaultdict[int, float](float), defaultdict[int, list[float]](list)
    for word, number in met:
        found[number] += weighed.get(word, 0.0) / sum(weighed.values())
        told[number].append(weighed.get(word, 0.0) / whole)
    likely = [number for number in found if found[number] >= LEAST_WORDS and _tells(told[number])]
    best = sorted(likely, key=lambda number: (-found[number], -number))[:LOOKED_AT]
    seen = [visible.messages(actor), col(Message.case_id) != case.id]
    cases = await _cases_of(unit, best, seen, only_answered=True)
    near = [number for number in best if number in cases][:READ]
    read = await alike.tokens_of(unit, near)
    usual = sum(map(len, read.values())) / max(len(read), 1)
    hits = [Hit(n, cases[n], 0.6 * found[n] + 0.4 * _shared(said, read[n], usual)) for n in near if n in read]
    return sorted(hits, key=lambda hit: (-hit.score, -hit.message_id))


def _tells(parts: Sequence[float]) -> bool:
    """Whether the words that are the same say enough; each with its part of all that is told."""
    return sum(parts) >= (LEAST_BY_ONE if len(parts) == 1 else LEAST_BY_SEVERAL)


def _known(tokens: Collection[str], shares: Mapping[str, int], met: Collection[str] = ()) -> dict[str, float]:
    """Only what others say too can be shared: weights of tokens that were counted, or were ``met`` since."""
    return similar.weights([token for token in tokens if token in shares or token in met], shares)


def _shared(said: Mapping[str, float], other: Collection[str], usual: float) -> float:
    """The share of what is said here that the other says too; less for a text that is long and says everything."""
    both = sum(said[token] for token in other if token in said)
    return both / (sum(said.values()) or 1.0) / (0.7 + 0.3 * len(other) / max(usual, 1.0))


async def _telling_words(unit: Unit, case: Case) -> list[str]:
    stored = select(Tagging).where(Tagging.message_id == case.first_message_id, col(Tagging.is_current))
    tagging = await unit.first(stored.order_by(col(Tagging.id).desc()))
    return list(dict.fromkeys([*tagging.keywords, *tagging.topic_words]))[:MOST_WORDS] if tagging else []


async def closest(
    unit: Unit, weighed: Mapping[str, float], *, where: Sequence[Any] = (), limit: int, only_answered: bool = False
) -> list[Hit]:
    """Messages in cases nearest to the weighed tokens: candidates by the rarest, the best of them read exactly."""
    tokens = similar.chosen(weighed, await alike.size(unit))
    scores: dict[int, float] = defaultdict(float)
    for token, number in await alike.postings(unit, tokens, only_answered=only_answered):
        scores[number] += weighed[token]
    best = sorted(scores, key=lambda number: (-scores[number], -number))[:LOOKED_AT]
    cases = await _cases_of(unit, best, where, only_answered=only_answered)
    near = [number for number in best if number in cases][:READ]
    read = await alike.tokens_of(unit, near)
    hits = [Hit(number, cases[number], similar.likeness(weighed, read.get(number, ()))) for number in near]
    return sorted((hit for hit in hits if hit.score >= LEAST), key=lambda hit: (-hit.score, -hit.message_id))[:limit]


async def _cases_of(unit: Unit, ids: Sequence[int], where: Sequence[Any], *, only_answered: bool) -> dict[int, int]:
    """The case of each message the person may see."""
    wanted = columns(col(Message.id), col(Message.case_id)).where(
        alike.among(unit, Message.id, ids), col(Message.case_id).is_not(None), *where
    )
    if only_answered:  # the mark in the index may be older than the truth
        wanted = wanted.where(
            exists().where(col(Reply.case_id) == col(Message.case_id), col(Reply.state) == ReplyState.sent)
        )
    return {row[0]: row[1] for row in await unit.rows(wanted)}


async def _read(unit: Unit, case_ids: Sequence[int]) -> Sequence[Any]:
    if not case_ids:
        return []
    newest = (
        select(Reply.id)
        .where(Reply.case_id == col(Case.id), col(Reply.state) == ReplyState.sent)
        .order_by(col(Reply.id).desc())
        .limit(1)
        .correlate(Case)
        .scalar_subquery()
    )
    wanted = columns(
        col(Case.id), col(Case.number), col(Case.title), col(Department.short_name), col(Reply.text), col(Reply.sent_at)
    )
    return await unit.rows(
        wanted.join(Reply, col(Reply.id) == newest)
        .outerjoin(Department, col(Department.id) == col(Case.department_id))
        .where(alike.among(unit, Case.id, case_ids))
    )


def _shown(row: Any, score: float) -> SimilarCase:
    return SimilarCase(row.id, row.number, row.title, row.short_name or "", mask(row.text), row.sent_at, score)
