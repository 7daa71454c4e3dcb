"""One matter, several cases: the voices of a merged case count for the one it was merged into."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col, select

from hub.db import Unit
from hub.models import Case
from workflows.opinion.heat import heat


async def carry_voices(unit: Unit, child: Case, target_id: int, *, back: bool = False) -> None:
    """Add the child's messages and likes to the target's (``back``: take them away again) and set its heat anew.

    In the transaction of the merge; the target's row is held, so that two merges at once both count.
    """
    target = await unit.first(select(Case).where(Case.id == target_id).with_for_update())
    if target is None:
        return
    sign = -1 if back else 1
    messages = max(0, target.message_count + sign * child.message_count)
    likes = max(0, target.likes + sign * child.likes)
    newest = target.last_message_at if back else max(target.last_message_at, child.last_message_at)
    await unit.run(
        update(Case)
        .where(col(Case.id) == target_id)
        .values(message_count=messages, likes=likes, last_message_at=newest, heat=heat(messages, likes, newest))
    )
