"""The shared calendar: month, week, day and list read the same items, in two statements however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select

from hub.db import Unit
from hub.i18n import _
from hub.models import Account, Delivery, DeliveryState, Post, PostState, PostTarget
from hub.queries import visible
from hub.rights import Actor, May
from workflows.delivery.states import LEFT
from workflows.delivery.states import label as delivery_label
from workflows.publishing.checks import CLOSE_BY
from workflows.publishing.states import Move, PostFacts, label, reasons_against

MOST = 5000
_ALARMING = (DeliveryState.failed, DeliveryState.missed, DeliveryState.unknown, DeliveryState.removed)


@dataclass(frozen=True, slots=True)
class Mark:
    """One account of an item and how far its delivery is (None: none yet)."""

    account_id: int
    name: str
    platform: str
    state: DeliveryState | None


@dataclass(frozen=True, slots=True)
class Item:
    """One post on the calendar. ``words``: how far it is; ``tone``: quiet | info | ok | warn | bad.

    ``why_fixed``: the reasons why it cannot be dragged; empty: it can. ``version`` goes back with the drag.
    ``picture``: the number of its first picture; ``video``: the number of its video.
    """

    id: int
    title: str
    state: PostState
    start: datetime | None
    latest_at: datetime | None
    version: int
    author_name: str
    marks: tuple[Mark, ...]
    words: str
    tone: str
    why_fixed: tuple[str, ...]
    picture: int | None = None
    video: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything of it is still to come."""
        undone = (None, DeliveryState.waiting, DeliveryState.sending, DeliveryState.held, DeliveryState.by_hand)
        return self.state is not PostState.withdrawn and any(mark.state in undone for mark in self.marks)


async def items(
    unit: Unit,
    actor: Actor,
    start: datetime,
    end: datetime,
    *,
    account_id: int | None = None,
    state: PostState | None = None,
    mine: bool = False,
) -> list[Item]:
    """What stands between two moments (end excluded), earliest first; withdrawn posts only when asked for by state."""
    conditions = [col(Post.scheduled_at) >= start, col(Post.scheduled_at) < end]
    conditions.append(col(Post.state) == state if state else col(Post.state) != PostState.withdrawn)
    if account_id is not None:
        conditions.append(col(Post.id).in_(select(PostTarget.post_id).where(PostTarget.account_id == account_id)))
    if mine:
        conditions.append(col(Post.author_id) == actor.user_id)
    return await read(unit, actor, conditions, MOST)


async def unscheduled(unit: Unit, actor: Actor, limit: int = 50) -> list[Item]:
    """Drafts without a time, newest first."""
    waiting = col(Post.state).in_([PostState.draft, PostState.review, PostState.returned])
    return await read(unit, actor, [col(Post.scheduled_at).is_(None), waiting], limit, newest=True)


async def in_review(unit: Unit, actor: Actor, limit: int = 50) -> list[Item]:
    """What waits for a signature, the earliest time first; empty for who may not review. Own posts are left out."""
    if not actor.can(May.review_post):
        return []
    others = col(Post.author_id) != actor.user_id
    return await read(unit, actor, [col(Post.state) == PostState.review, others], limit)


async def read(
    unit: Unit, actor: Actor, conditions: Sequence[ColumnElement[bool]], limit: int, *, newest: bool = False
) -> list[Item]:
    """The posts that fulfil every condition and that the person may see, by time or newest first, in two statements."""
    where = and_(visible.posts(actor), *conditions)
    order = (col(Post.id).desc(),) if newest else (col(Post.scheduled_at), col(Post.id))
    chosen = select(Post.id).where(where).order_by(*order).limit(limit)
    posts = await unit.rows(
        select(
            Post.id,
            Post.title,
            Post.state,
            Post.scheduled_at,
            Post.latest_at,
            Post.version,
            Post.author_name,
            Post.pictures,
            Post.video,
        )  # type: ignore[call-overload]
        .where(where)
        .order_by(*order)
        .limit(limit)
    )
    marks: dict[int, list[Mark]] = {}
    for row in await unit.rows(_marks(chosen)):
        marks.setdefault(row.post_id, []).append(Mark(row.account_id, row.name, row.platform, row.state))
    said = _Words(actor)
    return [_item(row, tuple(marks.get(row.id, ())), said) for row in posts]


def _marks(chosen: Any) -> Any:
    return (
        select(PostTarget.post_id, PostTarget.account_id, Account.name, Account.platform, Delivery.state)  # type: ignore[call-overload]
        .join(Account, col(Account.id) == col(PostTarget.account_id))
        .join(Delivery, col(Delivery.id) == col(PostTarget.delivery_id), isouter=True)
        .where(col(PostTarget.post_id).in_(chosen))
        .order_by(col(PostTarget.account_id))
    )


class _Words:
    """Words and reasons for this person: a thousand posts are in a dozen different situations."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._known: dict[tuple[PostState, tuple[DeliveryState, ...]], tuple[str, str, tuple[str, ...]]] = {}

    def of(self, state: PostState, deliveries: tuple[DeliveryState, ...]) -> tuple[str, str, tuple[str, ...]]:
        """How far it is, the tone, and why it cannot be dragged."""
        if (state, deliveries) not in self._known:
            facts = PostFacts(state, "", frozenset(), left=sum(each in LEFT for each in deliveries))
            why = tuple(reasons_against(Move.reschedule, facts, self._actor))
            self._known[state, deliveries] = (*summary(state, deliveries), why)
        return self._known[state, deliveries]


def _item(row: Any, marks: tuple[Mark, ...], said: _Words) -> Item:
    words, tone, why = said.of(row.state, tuple(mark.state for mark in marks if mark.state is not None))
    return Item(
        id=row.id,
        title=row.title,
        state=row.state,
        start=row.scheduled_at,
        latest_at=row.latest_at,
        version=row.version,
        author_name=row.author_name,
        marks=marks,
        words=words,
        tone=tone,
        why_fixed=why,
        picture=row.pictures[0]["id"] if row.pictures else None,
        video=row.video["id"] if row.video else None,
    )


def too_close(found: Sequence[Item]) -> set[int]:
    """Ids of posts still to come that stand within 15 minutes of another one on the same account."""
    by_account: dict[int, list[Item]] = {}
    for item in found:
        for mark in item.marks if item.start is not None and item.is_open else ():
            by_account.setdefault(mark.account_id, []).append(item)
    close: set[int] = set()
    for items_there in by_account.values():
        for one, other in pairwise(sorted(items_there, key=_start)):
            if _start(other) - _start(one) < CLOSE_BY:
                close |= {one.id, other.id}
    return close


def _start(item: Item) -> datetime:
    assert item.start is not None
    return item.start


def summary(state: PostState, deliveries: Sequence[DeliveryState]) -> tuple[str, str]:
    """How far a post is, in words, and the tone to show it in."""
    if state not in (PostState.approved, PostState.done) or not deliveries:
        tones = {PostState.review: "info", PostState.returned: "warn", PostState.approved: "info"}
        return label(state), tones.get(state, "quiet")
    counts = Counter(deliveries)
    if len(counts) == 1:
        (only,) = counts
        words = delivery_label(only)
    else:
        said = [
            _("%(state)s %(n)s", state=delivery_label(each), n=counts[each]) for each in DeliveryState if counts[each]
        ]
        words = _("、").join(said)
    return words, _tone(counts)


def _tone(counts: Counter[DeliveryState]) -> str:
    if any(counts[state] for state in _ALARMING):
        return "bad"
    if counts[DeliveryState.held]:
        return "warn"
    waiting = counts[DeliveryState.waiting] + counts[DeliveryState.sending] + counts[DeliveryState.by_hand]
    return "info" if waiting else "ok" if counts[DeliveryState.sent] else "quiet"
