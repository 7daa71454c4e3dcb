"""Taking back what a person said about tags: the example teaches nothing any more, the tag is what it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from hub import audit, clock
from hub.db import Unit
from hub.errors import NotAllowed, NotFound, Refused
from hub.i18n import _, written
from hub.models import Correction, Message, Tagging
from hub.queries import visible
from hub.rights import Actor, May
from workflows.tagging import corrections

WHY_LENGTH = 500


async def last_of(unit: Unit, actor: Actor, message_id: int) -> list[int]:
    """The person's own latest word about a message that is still in force, as ids of corrections; for undo."""
    tagging = await corrections.current_tagging(unit, message_id)
    if tagging is None or tagging.by_id is None or tagging.by_id != actor.user_id:
        return []
    mine = select(col(Correction.id)).where(
        col(Correction.tagging_id) == tagging.id, col(Correction.withdrawn_at).is_(None)
    )
    return [number or 0 for number in await unit.all(mine.order_by(col(Correction.id)))]


def reasons_against(correction: Correction, actor: Actor) -> list[str]:
    """Every reason why this person cannot take it back; empty: go ahead."""
    reasons = []
    if correction.withdrawn_at is not None:
        reasons.append(_("这条修正已经撤回"))
    if correction.by_id != actor.user_id and not actor.can(May.teach_analyser):
        reasons.append(_("只有作出修正的人和管理学习的人可以撤回"))
    return reasons


async def withdraw(unit: Unit, actor: Actor, numbers: Sequence[int], why: str) -> Message:
    """Take back corrections of one message; their tags go back to what they were unless changed again since.

    NotFound for what the person may not see, NotAllowed without the right, Refused with every reason. Said twice, the
    second is refused."""
    if not actor.can(May.correct_tags) and not actor.can(May.teach_analyser):
        raise NotAllowed(_("没有修正标签的权限"))
    wanted = select(Correction).join(Message, col(Message.id) == col(Correction.message_id))
    found = await unit.all(wanted.where(col(Correction.id).in_(list(numbers)), visible.messages(actor)))
    if not found or len(found) != len(set(numbers)) or len({one.message_id for one in found}) > 1:
        raise NotFound(_("没有这条修正"))
    if reasons := [reason for one in found for reason in reasons_against(one, actor)]:
        raise Refused(list(dict.fromkeys(reasons)))
    message = await unit.get(Message, found[0].message_id)
    assert message is not None
    await _mark(unit, actor, found, why.strip()[:WHY_LENGTH])
    await _put_back(unit, actor, message, found, why.strip())
    await audit.record(
        unit, actor, "tags_withdrawn", f"message:{message.id}", corrections=[one.id for one in found],
        why=why.strip()[:WHY_LENGTH],
    )  # fmt: skip
    corrections.tell(unit, message.id or 0)
    return message


async def _mark(unit: Unit, actor: Actor, found: Sequence[Correction], why: str) -> None:
    now = clock.now()
    for one in found:
        still = (col(Correction.id) == one.id, col(Correction.withdrawn_at).is_(None))
        values = {"withdrawn_at": now, "withdrawn_by_id": actor.user_id, "withdrawn_why": why}
        if not await unit.claim(Correction, *still, **values):
            raise Refused([_("这条修正已经撤回")])


async def _put_back(unit: Unit, actor: Actor, message: Message, found: Sequence[Correction], why: str) -> None:
    """Tags that still are what was said go back; with no word of a person left, the analyser's own tagging returns."""
    back = {
        one.field: _value(one.field, one.before)
        for one in found
        if corrections.written_value(getattr(message, one.field)) == one.after
    }
    changed = {name: value for name, value in back.items() if value != getattr(message, name)}
    before = {name: getattr(message, name) for name in changed}
    others = select(Correction).where(col(Correction.message_id) == message.id, col(Correction.withdrawn_at).is_(None))
    machine = await corrections.by_machine(unit, message.id or 0) if await unit.first(others.limit(1)) is None else None
    if machine is not None and all(_agrees(machine, message, changed, name) for name in _KEPT):
        finer = {"emotion": machine.emotion or "", "subtopic": machine.subtopic or ""}
        await corrections.set_columns(unit, message, {**changed, **finer})
        await unit.run(update(Tagging).where(col(Tagging.message_id) == message.id).values(is_current=False))
        await unit.run(update(Tagging).where(col(Tagging.id) == machine.id).values(is_current=True))
    else:
        await corrections.replace(unit, actor, message, changed, why)
    if changed:
        await corrections.tell_case(unit, actor, message, before, changed, why or written("撤回修正"))


_KEPT = ("topic", "sentiment", "is_sensitive", "request", "urgency")


def _agrees(machine: Tagging, message: Message, changed: dict[str, Any], name: str) -> bool:
    return bool(getattr(machine, name) == changed.get(name, getattr(message, name)))


def _value(field: str, text: str) -> Any:
    return text == "1" if field == "is_sensitive" else text
