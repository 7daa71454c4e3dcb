"""Name and sentences of a matter, made anew by a job when it has grown; nothing is analysed while a page waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import or_, union_all
from sqlalchemy import select as columns
from sqlmodel import col, select

import nlp
from hub import clock, feed
from hub.db import reading, unit_of_work
from hub.models import Matter, MatterEvent, MatterMessage, MatterState, Message
from hub.privacy import excerpt
from hub.rights import system
from nlp import mask, matters, naming, summary
from nlp.base import Text
from nlp.clusters import Member
from workflows.house import House
from workflows.opinion.heat import voice
from workflows.tagging.markup import without_markup

AT_ONCE = 50
LEAST = 2
# Read for the sentences: this many newest and this many most liked messages.
_NEWEST, _LIKED = 150, 150
_GROWN = 1.3
_NAMED_AGAIN = 2.0


async def describe_grown(house: House) -> int:
    """Name and sum up matters that grew by a third since the last time, or that people took messages from, the hottest
    first; how many."""
    voices = col(Matter.messages) + col(Matter.copies)
    grown = or_(col(Matter.summed_messages) == 0, col(Matter.messages) >= _GROWN * col(Matter.summed_messages))
    wanted = select(Matter).where(col(Matter.state) == MatterState.open, voices >= LEAST, grown)
    async with reading(house.ctx) as unit:
        found = await unit.all(wanted.order_by(col(Matter.heat).desc()).limit(AT_ONCE))
    for matter in found:
        await describe(house, matter)
    return len(found)


async def describe(house: House, matter: Matter) -> None:
    """One matter's name (unless a person gave it one) and sentences."""
    async with reading(house.ctx) as unit:
        rows = await unit.rows(_sample(matter.id or 0))
    profile = matters.unpack(matter.profile, matter.size) if matter.size else None
    # What a person has touched keeps the name they know it by.
    may_name = not matter.is_named and (
        matter.summed_at is None
        or (not matter.is_kept and matter.messages >= _NAMED_AGAIN * max(1, matter.summed_messages))
    )
    name, sentences = await asyncio.to_thread(_think, rows, profile)
    values: dict[str, Any] = {
        "summary": sentences, "summed_at": clock.now(), "summed_messages": max(1, matter.messages)
    }  # fmt: skip
    renamed = may_name and bool(name) and name != matter.name
    async with unit_of_work(house.ctx) as unit:
        await unit.claim(Matter, col(Matter.id) == matter.id, **values)
        if renamed and await unit.claim(Matter, col(Matter.id) == matter.id, ~col(Matter.is_named), name=name):
            unit.add(_event(matter, name))
        feed.tell(unit, "opinion", matter.id)


def _event(matter: Matter, name: str) -> MatterEvent:
    data = {"before": matter.name, "after": name}
    return MatterEvent(matter_id=matter.id or 0, what="named", by_name=system().name, data=data)


def _sample(matter_id: int) -> Any:
    """The newest and the most liked messages, copies left out, the most liked first."""
    wanted = (
        columns(col(MatterMessage.message_id))
        .join(Message, col(Message.id) == col(MatterMessage.message_id))
        .where(col(MatterMessage.matter_id) == matter_id, ~col(MatterMessage.is_copy))
    )
    newest = wanted.order_by(col(MatterMessage.at).desc()).limit(_NEWEST).subquery()
    liked = wanted.order_by(col(Message.likes).desc()).limit(_LIKED).subquery()
    both = union_all(columns(newest.c.message_id), columns(liked.c.message_id))
    return (
        columns(
            col(Message.id), col(Message.title), col(Message.text), col(Message.sentiment), col(Message.likes),
            col(MatterMessage.reposts),
        )
        .join(MatterMessage, col(MatterMessage.message_id) == col(Message.id))
        .where(col(Message.id).in_(both))
        .order_by(col(Message.likes).desc(), col(Message.id))
    )  # fmt: skip


def _think(rows: Sequence[Any], profile: Member | None) -> tuple[str, list[dict[str, Any]]]:
    analyser = nlp.analyser()
    texts = [Text(without_markup(row.text), without_markup(row.title)) for row in rows]
    name = naming.name(analyser, texts, profile) if profile is not None else ""
    if not name and texts:  # nothing but short texts: the first one's beginning
        name = excerpt(mask(texts[0].whole), (), naming.LONGEST)
    said = [
        summary.Said(text.body, row.sentiment, voice(row.likes, row.reposts))
        for text, row in zip(texts, rows, strict=True)
    ]
    found = summary.summarise(analyser, said)
    return name, [{**asdict(one), "message_id": rows[one.number].id} for one in found]
