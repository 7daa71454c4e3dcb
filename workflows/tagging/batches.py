"""Tagging in batches: the analysis runs outside any transaction, everything it changes is written in one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import col, select

import nlp
from hub import clock, feed, log
from hub.db import Unit, reading, unit_of_work
from hub.models import Message
from hub.queries import search
from nlp.base import Analysis, Text
from nlp.watch import Matcher
from workflows.cases.opening import attach
from workflows.house import House
from workflows.intake import messages as own_items
from workflows.matters.placing import enlist
from workflows.opinion import rollups
from workflows.tagging import writing
from workflows.tagging.markup import without_markup
from workflows.tagging.types import Tagged
from workflows.watching import matching
from workflows.watching.matching import Hits

# A message that could not be given a case is tried again after this time.
TRY_AGAIN = timedelta(minutes=5)
_log = log.get(__name__)


async def tag_waiting(house: House, limit: int = 200) -> int:
    """Tag at most ``limit`` messages, the oldest first; how many were tagged by this call.

    One transaction writes tags, search index, rollups, cases and hits of plans. Safe to run twice and beside others:
    only messages that are still untagged are taken. When one message breaks the batch, each is tried alone, and the
    one at fault is tagged without a case, which :func:`attach_waiting` tries again.
    """
    async with reading(house.ctx) as unit:
        waiting = await unit.all(
            select(Message).where(col(Message.tagged_at).is_(None)).order_by(col(Message.id)).limit(limit)
        )
        plans = await matching.in_force(unit) if waiting else Matcher({})
    if not waiting:
        return 0
    analyses, hits = await analyse(waiting), await matching.find(plans, waiting)
    try:
        return await _write(house, analyses, hits)
    except _Broken as broken:
        _log.warning("batch broke", size=len(waiting), error=broken.name)
    return sum([await _write_alone(house, number, analysis, hits) for number, analysis in analyses.items()])


async def attach_waiting(house: House, limit: int = 50) -> int:
    """Give a case to tagged messages that have none yet, each alone; how many got one. Safe to run twice."""
    before = clock.now() - TRY_AGAIN
    async with reading(house.ctx) as unit:
        # Named plainly: rendered as `= 1`, SQLite would not take the partial index.
        waits = (text("message.needs_case"), col(Message.case_id).is_(None), col(Message.tagged_at) < before)
        waiting = await unit.all(select(Message).where(*waits).order_by(col(Message.id)).limit(limit))
    analyses = await analyse(waiting)
    return sum([await _attach_alone(house, number, analysis) for number, analysis in analyses.items()])


async def analyse(waiting: Sequence[Message]) -> dict[int, Analysis]:
    """Analyses by message id, made in a thread, so that the loop goes on answering."""
    texts = [Text(body=message.text, title=message.title) for message in waiting]
    found = await asyncio.to_thread(_analyse_words, texts) if texts else []
    return {message.id or 0: analysis for message, analysis in zip(waiting, found, strict=True)}


def _analyse_words(texts: Sequence[Text]) -> list[Analysis]:
    """What is said counts, markup does not; personal data is looked for in all that pages may show."""
    said = [Text(body=without_markup(text.body), title=without_markup(text.title)) for text in texts]
    found = _analyse(said)
    marked = [n for n, (text, words) in enumerate(zip(texts, said, strict=True)) if text != words]
    for n, whole in zip(marked, _analyse([texts[n] for n in marked]), strict=True):
        found[n] = replace(found[n], personal=whole.personal)
    return found


def _analyse(texts: Sequence[Text]) -> list[Analysis]:
    """Any text is analysed, none is nothing; should one break the analyser all the same, it alone is taken as empty."""
    try:
        return nlp.analyse(texts) if texts else []
    except Exception as error:  # noqa: BLE001 -- tagging must never stand still because of one text
        _log.error("analysis broke", size=len(texts), error=type(error).__name__)
    if len(texts) == 1:
        return nlp.analyse([""])
    return [analysis for text in texts for analysis in _analyse([text])]


class _Broken(Exception):
    """The transaction failed on what one of its messages holds; ``name``: the kind of error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.name = type(error).__name__


async def _write(house: House, analyses: Mapping[int, Analysis], hits: Hits, *, with_cases: bool = True) -> int:
    async with unit_of_work(house.ctx) as unit:
        mine = await _claim(unit, analyses)
        if not mine:
            return 0
        await writing.write(unit, mine, clock.now())
        await search.index(unit, [(one.message.id or 0, one.analysis.tokens) for one in mine])
        await rollups.move(unit, [rollups.delta(one.message) for one in mine if not one.message.is_own])
        if with_cases:
            await _attach(unit, mine)
        messages = [one.message for one in mine]
        await _link_own(unit, messages)
        await matching.note(unit, messages, hits)
        await enlist(unit, messages)
        feed.tell(unit, "messages")
        feed.tell(unit, "opinion")
    return len(mine)


async def _claim(unit: Unit, analyses: Mapping[int, Analysis]) -> list[Tagged]:
    """The messages nobody has tagged meanwhile, held until the commit."""
    still = select(Message).where(col(Message.id).in_(list(analyses)), col(Message.tagged_at).is_(None))
    found = await unit.all(still.order_by(col(Message.id)).with_for_update(skip_locked=True))
    return [Tagged(message, analyses[message.id or 0]) for message in found]


async def _attach(unit: Unit, mine: Sequence[Tagged]) -> None:
    try:
        await attach(unit, mine)
        await unit.flush()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever one message breaks, the others must get their cases
        raise _Broken(error) from error


async def _link_own(unit: Unit, batch: Sequence[Message]) -> None:
    """What the account itself wrote may have come before the case it belongs to."""
    loose = [message for message in batch if message.is_own and message.case_id is None]
    for account_id in sorted({message.account_id for message in loose}):
        places = [(m.thread_id, m.parent_id) for m in loose if m.account_id == account_id]
        cases = await own_items.cases_of(unit, account_id, places)
        for message in loose:
            if message.account_id == account_id:
                message.case_id = cases.get((message.thread_id, message.parent_id))


async def _write_alone(house: House, number: int, analysis: Analysis, hits: Hits) -> int:
    try:
        return await _write(house, {number: analysis}, hits)
    except _Broken as broken:
        _log.error("no case for a message", message=number, error=broken.name)
        return await _write(house, {number: analysis}, hits, with_cases=False)


async def _attach_alone(house: House, number: int, analysis: Analysis) -> int:
    try:
        async with unit_of_work(house.ctx) as unit:
            message = await unit.get(Message, number)
            if message is None or message.case_id is not None:
                return 0
            message.tagged_at = clock.now()  # when it was last tried
            await _attach(unit, [Tagged(message, analysis)])
            return int(message.case_id is not None)
    except _Broken as broken:
        _log.error("no case for a message", message=number, error=broken.name)
    async with unit_of_work(house.ctx) as unit:
        await unit.claim(Message, col(Message.id) == number, tagged_at=clock.now())
    return 0
