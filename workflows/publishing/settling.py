"""What a post learns from its deliveries; called by the engine in the transaction that settles one."""

from __future__ import annotations

from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.models import Delivery, DeliveryState, Post, PostState, PostTarget
from hub.rights import system
from workflows.delivery.states import CLOSED
from workflows.publishing.history import note

S = DeliveryState


async def settled(unit: Unit, delivery: Delivery) -> None:
    """Write the outcome into the post's history; the post is done when nothing of it is open any more.

    Called for sent, failed, missed, held, cancelled, removed and for an unknown outcome that a person must decide;
    also when a failed or missed one waits again. Safe to call twice: a second call adds a history row, no more.
    """
    post = await unit.get(Post, delivery.post_id)
    if post is None:
        return
    said = {"account_id": delivery.account_id, "delivery_id": delivery.id, "remote_id": delivery.remote_id}
    await note(unit, post, delivery.state.value, system(), reason=delivery.error or delivery.held_reason, data=said)
    state = await _state_after(unit, post)
    if state is not post.state:
        await unit.compare_and_set(post, state=state, changed_at=clock.now())


async def _state_after(unit: Unit, post: Post) -> PostState:
    """done: all sent, removed or cancelled, at least one sent; withdrawn: all cancelled; else as it was."""
    if post.state not in (PostState.approved, PostState.done):
        return post.state
    await unit.flush()
    states = await unit.all(
        select(Delivery.state)
        .join(PostTarget, col(PostTarget.delivery_id) == col(Delivery.id))
        .where(PostTarget.post_id == post.id)
    )
    if not all(state in CLOSED for state in states):
        return PostState.approved
    return PostState.withdrawn if all(state is S.cancelled for state in states) else PostState.done
