"""A new analyser version over old messages. What a person corrected stays as the person left it, and is filled up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, update
from sqlmodel import col, select

import nlp
from hub import clock, feed
from hub.db import Unit, reading, unit_of_work
from hub.models import Case, Message, Reply, ReplyState, Tagging
from hub.queries import search
from nlp.base import Analysis
from workflows.house import House
from workflows.opinion import rollups
from workflows.tagging import writing
from workflows.tagging.batches import analyse
from workflows.tagging.settled import fill
from workflows.tagging.types import Tagged


@dataclass(frozen=True, slots=True)
class Retagged:
    """One step: messages changed, and the id to go on after; ``last`` 0: everything has been seen."""

    changed: int
    last: int


async def retag(house: House, *, after: int = 0, limit: int = 200) -> Retagged:
    """One step over ``limit`` messages in the order of their ids. Cases keep their way; figures and search move."""
    async with reading(house.ctx) as unit:
        seen = await unit.all(
            select(Message)
            .where(col(Message.id) > after, col(Message.tagged_at).is_not(None), col(Message.is_own).is_(False))
            .order_by(col(Message.id))
            .limit(limit)
        )
        ids = [message.id or 0 for message in seen]
        stale = await _stale(unit, ids) | await _short(unit, ids)
    analyses = await analyse([message for message in seen if message.id in stale])
    changed = await _write(house, analyses) if analyses else 0
    return Retagged(changed, (seen[-1].id or 0) if len(seen) == limit else 0)


async def _stale(unit: Unit, ids: Sequence[int]) -> set[int]:
    """Those whose current tagging is by another version, and not by a person."""
    current = select(Tagging).where(col(Tagging.message_id).in_(ids), col(Tagging.is_current))
    return {one.message_id for one in await unit.all(current) if one.by_id is None and one.version != nlp.VERSION}


async def _short(unit: Unit, ids: Sequence[int]) -> set[int]:
    """Those a person tagged before everything that is kept now was kept."""
    current = (col(Tagging.message_id).in_(ids), col(Tagging.is_current), col(Tagging.by_id).is_not(None))
    return set(await unit.all(select(Tagging.message_id).where(*current, col(Tagging.emotion).is_(None))))


async def _write(house: House, analyses: Mapping[int, Analysis]) -> int:
    async with unit_of_work(house.ctx) as unit:
        chosen = select(Message).where(col(Message.id).in_(list(analyses))).order_by(col(Message.id))
        still = await _stale(unit, list(analyses))
        found = await unit.all(chosen.with_for_update())
        filled = await _fill(unit, found, analyses)
        messages = [one for one in found if one.id in still]
        before = [rollups.delta(message, -1) for message in messages]
        ids = [message.id or 0 for message in messages]
        await unit.run(update(Tagging).where(col(Tagging.message_id).in_(ids)).values(is_current=False))
        await writing.write(unit, [Tagged(message, analyses[message.id or 0]) for message in messages], clock.now())
        await rollups.move(unit, before + [rollups.delta(message) for message in messages])
        await _follow(unit, messages)
        tokens = [(number, analyses[number].tokens) for number in ids]
        await search.index(unit, tokens, answered=await _answered(unit, messages))
        feed.tell(unit, "opinion")
    return len(messages) + filled


async def _fill(unit: Unit, messages: Sequence[Message], analyses: Mapping[int, Analysis]) -> int:
    """What people settled stays, and gets beside it what was not kept then."""
    short = await _short(unit, [message.id or 0 for message in messages])
    by_message = {message.id or 0: message for message in messages}
    for tagging in await unit.all(select(Tagging).where(col(Tagging.message_id).in_(short), col(Tagging.is_current))):
        fill(tagging, by_message[tagging.message_id], analyses[tagging.message_id])
    return len(short)


async def _follow(unit: Unit, messages: Sequence[Message]) -> None:
    """A case shows the tags of its first message, so that lists, filters and figures agree; where it lies stays."""
    given = [
        {"b_id": one.case_id, "b_first": one.id, "b_topic": one.topic, "b_place": one.place, "b_tone": one.sentiment}
        for one in messages
        if one.case_id is not None
    ]
    if given:
        await unit.run(_FOLLOW, given)


_FOLLOW: Any = (
    update(Case.__table__)  # type: ignore[attr-defined]
    .where(col(Case.id) == bindparam("b_id"), col(Case.first_message_id) == bindparam("b_first"))
    .values(topic=bindparam("b_topic"), place=bindparam("b_place"), sentiment=bindparam("b_tone"))
)


async def _answered(unit: Unit, messages: Sequence[Message]) -> set[int]:
    """Those whose case has a sent reply: the index keeps knowing it."""
    cases = {message.case_id for message in messages if message.case_id is not None}
    sent = select(Reply.case_id).where(col(Reply.case_id).in_(cases), col(Reply.state) == ReplyState.sent)
    answered = set(await unit.all(sent))
    return {message.id or 0 for message in messages if message.case_id in answered}
