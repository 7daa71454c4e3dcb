"""Writing down what became of a delivery: conditional changes, its owner told, open pages told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlmodel import col, func, select

from hub import clock
from hub.db import Unit
from hub.feed import tell
from hub.models import Attempt, AttemptResult, Delivery, DeliveryKind, DeliveryState, Post
from workflows.owners import OWNERS


async def change(unit: Unit, delivery_id: int, *conditions: Any, **values: Any) -> Delivery | None:
    """Change one delivery if ``conditions`` still hold; the fresh row, or None when they no longer do."""
    delivery = await _changed(unit, delivery_id, *conditions, **values)
    if delivery is not None:
        await tell_pages(unit, delivery)
    return delivery


async def settle(unit: Unit, delivery_id: int, *conditions: Any, **values: Any) -> Delivery | None:
    """As :func:`change`, and its owner learns of it in the same transaction, and tells the pages."""
    values.setdefault("settled_at", clock.now())
    delivery = await _changed(unit, delivery_id, *conditions, **values)
    if delivery is not None:
        await OWNERS[delivery.kind](unit, delivery)
    return delivery


async def _changed(unit: Unit, delivery_id: int, *conditions: Any, **values: Any) -> Delivery | None:
    """One conditional UPDATE that brings the row back as it is now."""
    await unit.flush()
    statement = (
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, *conditions)
        .values(**values, version=Delivery.version + 1)
        .returning(Delivery)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    found: Delivery | None = (await unit.session.exec(statement)).scalars().one_or_none()
    return found


async def load(unit: Unit, delivery_id: int) -> Delivery | None:
    """The row as the database has it now."""
    return await unit.first(
        select(Delivery).where(Delivery.id == delivery_id).execution_options(populate_existing=True)
    )


async def close_attempt(unit: Unit, delivery_id: int, number: int, result: AttemptResult, **values: Any) -> None:
    """Record the result of one attempt; ``ended_at`` stays where it was once set."""
    values.setdefault("ended_at", func.coalesce(Attempt.ended_at, clock.now()))
    await unit.run(
        update(Attempt)
        .where(col(Attempt.delivery_id) == delivery_id, col(Attempt.number) == number)
        .values(result=result, **values)
    )


async def tell_pages(unit: Unit, delivery: Delivery) -> None:
    """Something about it that open pages show has changed."""
    if delivery.kind is not DeliveryKind.post:
        tell(unit, "cases", delivery.case_id)
        return
    post = await unit.get(Post, delivery.post_id)
    tell(unit, "posts", delivery.post_id, post.department_id if post else None)


# Whatever clears a row of the traces of an earlier try.
CLEAN: dict[str, Any] = {"error_kind": "", "error": "", "held_reason": ""}
# A late answer of a call we had given up on is still the truth, whatever we thought meanwhile.
OPEN_TO_ANSWERS = (
    DeliveryState.sending,
    DeliveryState.unknown,
    DeliveryState.waiting,
    DeliveryState.missed,
    DeliveryState.held,
    DeliveryState.by_hand,
)
