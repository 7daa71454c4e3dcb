"""One post with everything its page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from hub.db import Unit
from hub.models import Account, Delivery, Post, PostEvent, PostTarget
from hub.rights import Actor
from workflows.publishing.content import text_for
from workflows.publishing.history import facts_of, find
from workflows.publishing.states import Move, reasons_against


@dataclass(frozen=True, slots=True)
class TargetView:
    """One account of the post: what it says there and what became of it."""

    target: PostTarget
    account: Account
    text: str
    delivery: Delivery | None


@dataclass(frozen=True, slots=True)
class PostView:
    """The post, its accounts, its history (oldest first), and per move the reasons why not (empty: go ahead)."""

    post: Post
    targets: Sequence[TargetView]
    events: Sequence[PostEvent]
    reasons: Mapping[Move, list[str]]


async def view(unit: Unit, actor: Actor, post_id: int) -> PostView:
    """Everything about one post; NotFound when the person may not see it."""
    post = await find(unit, actor, post_id)
    rows = await unit.session.exec(
        select(PostTarget, Account, Delivery)
        .join(Account, col(Account.id) == col(PostTarget.account_id))
        .join(Delivery, col(Delivery.id) == col(PostTarget.delivery_id), isouter=True)
        .where(PostTarget.post_id == post_id)
        .order_by(col(PostTarget.account_id))
        .execution_options(populate_existing=True)
    )
    targets = [TargetView(target, account, text_for(post, target), delivery) for target, account, delivery in rows]
    events = await unit.all(select(PostEvent).where(PostEvent.post_id == post_id).order_by(col(PostEvent.id)))
    facts = await facts_of(unit, post)
    # The reason is asked for in the dialogue of the move itself.
    reasons = {move: reasons_against(move, facts, actor, note="…") for move in Move}
    return PostView(post, targets, events, reasons)
