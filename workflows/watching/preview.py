"""What a draft would have hit: the last month's messages the person may see, newest first, as far as one look goes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select as columns
from sqlmodel import col, select

from hub import clock
from hub.clock import local
from hub.db import Unit
from hub.models import Account, Message
from hub.queries import visible
from hub.rights import Actor
from nlp.plans import Rule, words_of
from nlp.watch import Matcher
from workflows.watching.matching import text_of
from workflows.watching.pieces import Piece, of_message

DAYS, MOST_SEEN, SAMPLES = 30, 10_000, 8
_RULE = -1  # the rule's key among its words, each of which is asked as a rule of its own


@dataclass(frozen=True, slots=True)
class Sample:
    """One message it hits, the words apart."""

    message_id: int
    at: datetime
    account: str
    title: list[Piece]
    text: list[Piece]


@dataclass(frozen=True, slots=True)
class Preview:
    """``hits`` of ``seen`` messages since ``since``; ``is_whole``: all of the days asked for were looked at.

    ``words``: in how many of the messages looked at each word stands, hit or not, most frequent first: where nothing is
    hit they say which word is to blame. Words that stand nowhere come with 0.
    """

    seen: int
    hits: int
    since: datetime
    is_whole: bool
    by_day: list[tuple[date, int]]
    words: list[tuple[str, int]]
    samples: list[Sample]


async def preview(unit: Unit, actor: Actor, rule: Rule, *, days: int = DAYS) -> Preview:
    """Reads only. The same words hit the same messages as when the plan is in force."""
    since = clock.now() - timedelta(days=days)
    rows = await _messages(unit, actor, since)
    whole, rows = len(rows) <= MOST_SEEN, rows[:MOST_SEEN]
    asked = list({word.form: word for word in words_of(rule)}.values())
    matcher = Matcher({_RULE: rule, **dict(enumerate(asked))})
    texts = [text_of(row.title, row.text) for row in rows]
    found = await asyncio.to_thread(matcher.match_all, texts)
    hit = [(row, hits[0].words) for row, hits in zip(rows, found, strict=True) if hits and hits[0].key == _RULE]
    stands = Counter(one.key for hits in found for one in hits)
    return Preview(
        seen=len(rows), hits=len(hit), since=since if whole else rows[-1].created_at, is_whole=whole,
        by_day=_by_day([row.created_at for row, _words in hit], days),
        words=sorted(((word.text, stands[n]) for n, word in enumerate(asked)), key=lambda pair: -pair[1]),
        samples=await _samples(unit, hit[:SAMPLES]),
    )  # fmt: skip


async def _messages(unit: Unit, actor: Actor, since: datetime) -> Sequence[Any]:
    wanted = columns(col(Message.id), col(Message.created_at), col(Message.title), col(Message.text))
    mine = (visible.messages(actor), ~col(Message.is_own), col(Message.created_at) >= since)
    newest = (col(Message.created_at).desc(), col(Message.id).desc())
    return await unit.rows(wanted.where(*mine).order_by(*newest).limit(MOST_SEEN + 1))


def _by_day(moments: Sequence[datetime], days: int) -> list[tuple[date, int]]:
    counted, today = Counter(local(moment).date() for moment in moments), clock.today()
    return [(day, counted[day]) for n in range(days - 1, -1, -1) for day in (today - timedelta(days=n),)]


async def _samples(unit: Unit, hit: Sequence[tuple[Any, tuple[str, ...]]]) -> list[Sample]:
    """Whole rows only of those that are shown, for their masks."""
    chosen = {row.id: words for row, words in hit}
    wanted = select(Message, Account.name).join(Account, col(Account.id) == col(Message.account_id))
    found = (await unit.session.exec(wanted.where(col(Message.id).in_(chosen)))).all()
    samples = [
        Sample(message.id or 0, message.created_at, account, *of_message(message, chosen[message.id or 0]))
        for message, account in found
    ]
    return sorted(samples, key=lambda sample: (sample.at, sample.message_id), reverse=True)
