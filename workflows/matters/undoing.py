"""Take back what made one matter of two, or parted messages from one: by a person or by the machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.errors import Refused
from hub.i18n import _
from hub.models import Matter, MatterEvent, MatterMessage, MatterState
from hub.rights import Actor
from nlp import matters
from workflows.matters import shaping
from workflows.matters.uniting import absorb, standing

# Steps of a matter's own history that can be taken back; their ``ids`` say which messages moved.
STEPS = ("took_in", "parted", "let_go")
_CHUNK = 500


async def undoable(unit: Unit, matter: Matter, events: Sequence[MatterEvent]) -> set[int]:
    """Ids of those ``events`` of an open matter that can be taken back. ``events`` hold everything after the oldest."""
    if matter.state is not MatterState.open:
        return set()
    undone = {one.data.get("of") for one in events if one.what == "undone"}
    steps = [one for one in events if one.what in STEPS and one.id not in undone and one.data.get("ids")]
    numbers = {one.data["matter_id"] for one in steps if one.data.get("matter_id")}
    others = {one.id: one for one in await unit.all(select(Matter).where(col(Matter.id).in_(numbers)))}
    return {one.id or 0 for one in steps if _stands(one, matter, others.get(one.data.get("matter_id")))}


def _stands(event: MatterEvent, matter: Matter, other: Matter | None) -> bool:
    """Whether what the step made is still so."""
    if event.what == "let_go":
        return True
    if other is None:
        return False
    if event.what == "took_in":
        return other.state is MatterState.merged and other.merged_into_id == matter.id
    return other.state is MatterState.open


async def taken_in(unit: Unit, matter: Matter) -> tuple[Matter, MatterEvent] | None:
    """Where a merged matter went and the step that can be taken back there; None where there is none."""
    into = await unit.get(Matter, matter.merged_into_id) if matter.merged_into_id else None
    if into is None:
        return None
    steps = await unit.all(
        select(MatterEvent).where(MatterEvent.matter_id == into.id).order_by(col(MatterEvent.id).desc()).limit(200)
    )
    able = await undoable(unit, into, steps)
    found = (one for one in steps if one.id in able and one.what == "took_in" and one.data["matter_id"] == matter.id)
    step = next(found, None)
    return (into, step) if step is not None else None


async def undo(unit: Unit, actor: Actor, matter_id: int, event_id: int, *, version: int) -> Matter:
    """Take one step of the matter's history back; the matter it concerns besides is answered, or the matter itself.

    Messages that came or were moved since stay where they are, but for those that joined a parted matter: it comes back
    whole. The machine leaves both matters as they are put.
    Refused: the step is undone already or cannot be; Stale: somebody changed the matter; NotAllowed."""
    matter = await shaping.open_one(unit, matter_id, actor)
    known = await standing(unit, [matter_id])
    after = select(MatterEvent).where(MatterEvent.matter_id == matter.id, col(MatterEvent.id) >= event_id)
    events = await unit.all(after.order_by(col(MatterEvent.id)))
    if known[matter_id] is not matter or event_id not in await undoable(unit, matter, events):
        raise Refused([_("这一步已经撤销过，或者后来又有变动，撤销不了，请刷新")])
    event = events[0]
    other = (await _others(unit, event)) if event.what != "let_go" else None
    if other is None:
        count = await _let_back(unit, matter, event, version)
    elif event.what == "took_in":
        count = await _apart(unit, matter, other, event, version)
    else:
        count = await _together(unit, matter, other, event, version)
    await _written(unit, actor, matter, other, event, count)
    return other if other is not None and event.what == "took_in" else matter


async def _others(unit: Unit, event: MatterEvent) -> Matter:
    """The other matter of a step, held until the commit."""
    return await unit.one(select(Matter).where(Matter.id == event.data["matter_id"]).with_for_update())


async def _apart(unit: Unit, matter: Matter, other: Matter, event: MatterEvent, version: int) -> int:
    """Both as they were; what was merged takes its messages along."""
    part = [matters.unpack(other.profile, other.size)] if other.size else []
    values = shaping.without(matter, part)
    await shaping.change(unit, matter, version, is_kept=True, is_stale=True, summed_messages=0, **values)
    count = await _moved(unit, event.data["ids"], col(MatterMessage.matter_id) == matter.id, matter_id=other.id)
    other.state, other.merged_into_id, other.is_kept, other.is_stale = MatterState.open, None, True, True
    other.version += 1
    await unit.flush()
    return count


async def _together(unit: Unit, matter: Matter, other: Matter, event: MatterEvent, version: int) -> int:
    """What was parted comes back, and whatever joined it since; the machine may place it anew."""
    await shaping.change(unit, matter, version, is_kept=True)
    ids = await absorb(unit, other, matter)
    other.version += 1
    await _released(unit, event, matter)
    return len(ids)


async def _let_back(unit: Unit, matter: Matter, event: MatterEvent, version: int) -> int:
    """What was let go comes back, but for what has found another place."""
    alone = col(MatterMessage.matter_id).is_(None)
    rows = [one for one in await _rows(unit, event.data["ids"]) if one.matter_id is None]
    if not rows:
        raise Refused([_("移出的留言已归到别的事里，撤销不了")])
    copies = set(event.data.get("copies", []))
    parts = [matters.unpack(one.vector) for one in rows if one.vector and one.message_id not in copies]
    values: dict[str, Any] = {}
    if parts:
        whole = matters.joined([*([matters.unpack(matter.profile, matter.size)] if matter.size else []), *parts])
        values = {"profile": matters.pack(whole), "size": whole.size}
    await shaping.change(unit, matter, version, is_kept=True, is_stale=True, **values)
    count = await _moved(unit, event.data["ids"], alone, matter_id=matter.id)
    await _moved(unit, sorted(copies), col(MatterMessage.matter_id) == matter.id, is_copy=True)
    await _released(unit, event, matter)
    return count


async def _released(unit: Unit, event: MatterEvent, matter: Matter) -> None:
    """The machine may place again what it might have placed before the step."""
    free = sorted(set(event.data["ids"]) - set(event.data.get("held", [])))
    await _moved(unit, free, col(MatterMessage.matter_id) == matter.id, is_held=False)


async def _moved(unit: Unit, ids: Sequence[int], where: Any, **values: Any) -> int:
    """Change those of the messages for which ``where`` still holds; how many."""
    done = 0
    for at in range(0, len(ids), _CHUNK):
        chosen = col(MatterMessage.message_id).in_(ids[at : at + _CHUNK])
        done += len(await unit.all(select(col(MatterMessage.message_id)).where(chosen, where)))
        await unit.run(update(MatterMessage).where(chosen, where).values(**values))
    return done


async def _rows(unit: Unit, ids: Collection[int]) -> list[MatterMessage]:
    chosen = select(MatterMessage).where(col(MatterMessage.message_id).in_(ids))
    return list(await unit.all(chosen.order_by(col(MatterMessage.message_id))))


async def _written(
    unit: Unit, actor: Actor, matter: Matter, other: Matter | None, event: MatterEvent, count: int
) -> None:
    """The step back, in the history of both."""
    name = {"matter_id": other.id, "name": other.name} if other is not None else {}
    await shaping.wrote(unit, actor, matter, "undone", "", of=event.id, did=event.what, messages=count, **name)
    if other is not None:
        did = {"took_in": "merged", "parted": "came_from"}[event.what]
        unit.add(
            MatterEvent(
                matter_id=other.id or 0, what="undone", by_id=actor.user_id, by_name=actor.name, at=clock.now(),
                data={"did": did, "messages": count, "matter_id": matter.id, "name": matter.name},
            )
        )  # fmt: skip
