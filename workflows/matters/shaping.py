"""What people make of a matter: a name, one out of two, two out of one, dismissed. The machine never undoes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import update
from sqlmodel import col, select

from hub import audit, clock, feed
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from hub.i18n import _
from hub.models import Matter, MatterEvent, MatterMessage, MatterState
from hub.queries import visible
from hub.rights import Actor, May
from nlp import matters
from nlp.clusters import Member, added
from workflows.matters.uniting import absorb, standing
from workflows.naming import named

LONGEST_NAME = 40
MOST_AT_ONCE = 200
# Message ids in an event, for whoever takes the step back; not for the audit log.
_LISTS = ("ids", "held", "copies")


def may_shape(actor: Actor) -> bool:
    """Whether the person sees every message of a matter and may correct what the machine said."""
    return actor.user_id is not None and all(
        actor.can(right) for right in (May.read_opinion, May.read_messages, May.correct_tags)
    )


async def find(unit: Unit, matter_id: int, actor: Actor) -> Matter:
    """The matter, also a dismissed or merged one. NotFound when there is none the person may see, NotAllowed without
    the right to read opinion."""
    if not actor.can(May.read_opinion):
        raise NotAllowed(_("没有查看热点的权限"))
    wanted = select(Matter).where(col(Matter.id) == matter_id, visible.matters(actor))
    matter = await unit.first(wanted)
    if matter is None:
        raise NotFound(_("没有这件事，或者您无权查看"))
    return matter


async def rename(unit: Unit, actor: Actor, matter_id: int, *, version: int, name: str) -> Matter:
    """Give it a name that the machine leaves alone from now on. Invalid: empty, too long, or the one it has."""
    matter = await open_one(unit, matter_id, actor)
    name = _name(name)
    if name == matter.name:
        raise Invalid({"name": _("名称没有变化")})
    before = matter.name
    await change(unit, matter, version, name=name, is_named=True, is_kept=True)
    await wrote(unit, actor, matter, "renamed", "", before=before, after=name)
    return matter


async def dismiss(unit: Unit, actor: Actor, matter_id: int, *, version: int, reason: str) -> Matter:
    """Take it off the list. It goes on taking its messages in, so that it does not come back under another name."""
    matter = await open_one(unit, matter_id, actor)
    await change(unit, matter, version, state=MatterState.dismissed, is_kept=True)
    await wrote(unit, actor, matter, "dismissed", _reason(reason), messages=matter.messages)
    return matter


async def reopen(unit: Unit, actor: Actor, matter_id: int, *, version: int, reason: str) -> Matter:
    """Put a dismissed one back on the list."""
    matter = await find(unit, matter_id, actor)
    _may(actor)
    if matter.state is not MatterState.dismissed:
        raise Refused([_("这件事没有被忽略")])
    await change(unit, matter, version, state=MatterState.open, is_kept=True, is_stale=True)
    await wrote(unit, actor, matter, "reopened", _reason(reason))
    return matter


async def merge(unit: Unit, actor: Actor, matter_id: int, into_id: int, *, version: int, reason: str) -> Matter:
    """Make it part of another, which is answered; its address leads there from now on.

    Invalid: another that is none, itself, or not open. The machine never merges or parts either of them again.
    """
    reason = _reason(reason)
    matter = await open_one(unit, matter_id, actor)
    if into_id == matter.id:
        raise Invalid({"into": _("不能并入自己")})
    into = await unit.first(select(Matter).where(col(Matter.id) == into_id, visible.matters(actor)))
    if into is None or into.state is not MatterState.open:
        raise Invalid({"into": _("没有这件事，或者它已并入别处、已被忽略")})
    await change(unit, matter, version, is_kept=True)
    into = (await standing(unit, [into_id]))[into_id]
    into.is_kept = True
    into.version += 1
    ids = await absorb(unit, matter, into)
    await wrote(unit, actor, matter, "merged", reason, matter_id=into.id, name=into.name)
    took: dict[str, object] = {"matter_id": matter.id, "name": matter.name, "messages": matter.messages, "ids": ids}
    await wrote(unit, actor, into, "took_in", reason, **took)
    return into


async def split(
    unit: Unit, actor: Actor, matter_id: int, message_ids: Sequence[int], *, version: int, name: str, reason: str
) -> Matter | None:
    """Part messages from it, with their copies: into a new matter called ``name``; without a name to stand alone
    (None). The machine leaves them where they are put.

    Invalid: none or too many chosen, none of them here, or all of them."""
    reason = _reason(reason)
    matter = await open_one(unit, matter_id, actor)
    name = _name(name) if name.strip() else ""
    leaving = await _leaving(unit, matter, message_ids)
    parts = [matters.unpack(one.vector) for one in leaving if one.vector and not one.is_copy]
    values = without(matter, parts)
    await change(unit, matter, version, is_kept=True, is_stale=True, summed_messages=0, **values)
    fresh = await _fresh(unit, name, leaving, parts) if name else None
    before = {
        "ids": [one.message_id for one in leaving],
        "held": [one.message_id for one in leaving if one.is_held],
        "copies": [one.message_id for one in leaving if one.is_copy],
    }
    moved = update(MatterMessage).where(col(MatterMessage.message_id).in_(before["ids"]))
    await unit.run(moved.values(matter_id=fresh.id if fresh else None, is_held=True, is_copy=_still_copy(fresh)))
    at = {"matter_id": fresh.id, "name": name} if fresh else {}
    what, count = "parted" if fresh else "let_go", len(leaving)
    await wrote(unit, actor, matter, what, reason, messages=count, **before, **at)
    if fresh is not None:
        await wrote(unit, actor, fresh, "came_from", reason, matter_id=matter.id, name=matter.name, messages=count)
    return fresh


def _still_copy(fresh: Matter | None) -> object:
    """Alone, nothing is a copy; in the new matter a copy stays one."""
    return col(MatterMessage.is_copy) if fresh is not None else False


async def _leaving(unit: Unit, matter: Matter, message_ids: Sequence[int]) -> list[MatterMessage]:
    """The chosen messages and the copies of them."""
    chosen = list(dict.fromkeys(message_ids))
    if not chosen:
        raise Invalid({"message": _("请先勾选要拆出的留言")})
    if len(chosen) > MOST_AT_ONCE:
        raise Invalid({"message": _("一次最多拆出 %(n)s 条", n=MOST_AT_ONCE)})
    here = select(MatterMessage).where(col(MatterMessage.matter_id) == matter.id)
    found = {one.message_id: one for one in await unit.all(here.where(col(MatterMessage.message_id).in_(chosen)))}
    if not found:
        raise Invalid({"message": _("勾选的留言已不在这件事里，请刷新")})
    prints = {one.fingerprint for one in found.values() if one.fingerprint}
    copies = await unit.all(here.where(col(MatterMessage.fingerprint).in_(prints)))
    found |= {one.message_id: one for one in copies}
    others = select(col(MatterMessage.message_id)).where(
        col(MatterMessage.matter_id) == matter.id, col(MatterMessage.message_id).not_in(list(found))
    )
    if await unit.first(others.limit(1)) is None:
        raise Invalid({"message": _("不能拆出全部留言；如果整件事不值得关注，请用「忽略」")})
    return list(found.values())


def without(matter: Matter, parts: Sequence[Member]) -> dict[str, object]:
    """The profile when these vectors are taken out of it."""
    size = max(0, matter.size - sum(part.size for part in parts))
    if not parts or not size:
        return {"size": size}
    whole, gone = matters.unpack(matter.profile, matter.size), added(parts)
    rest = added([whole, Member(gone.bucket, -gone.value, 0)])
    kept = np.flatnonzero(rest.value > 1e-3)
    return {"size": size, "profile": matters.pack(Member(rest.bucket[kept], rest.value[kept], size))}


async def _fresh(unit: Unit, name: str, leaving: Sequence[MatterMessage], parts: Sequence[Member]) -> Matter:
    times = [one.at for one in leaving]
    matter = Matter(
        name=name, is_named=True, is_kept=True, first_at=min(times), last_at=max(times), opened_at=clock.now(),
        is_stale=True,
    )  # fmt: skip
    if parts:
        whole = matters.joined(parts)
        matter.profile, matter.size = matters.pack(whole), whole.size
    unit.add(matter)
    await unit.flush()
    return matter


async def open_one(unit: Unit, matter_id: int, actor: Actor) -> Matter:
    """An open matter that the person may shape. NotFound, NotAllowed, or Refused where it is not open."""
    matter = await find(unit, matter_id, actor)
    _may(actor)
    if matter.state is MatterState.merged:
        raise Refused([_("这件事已并入别的事，请到那里操作")])
    if matter.state is MatterState.dismissed:
        raise Refused([_("这件事已被忽略，请先恢复")])
    return matter


def _may(actor: Actor) -> None:
    if not may_shape(actor):
        raise NotAllowed(_("没有整理热点的权限"))


def _name(name: str) -> str:
    name = named(name)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid({"name": _("名称要有 1 到 %(n)s 个字", n=LONGEST_NAME)})
    return name


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid({"reason": _("请写明理由")})
    return reason.strip()[:1000]


async def change(unit: Unit, matter: Matter, version: int, **values: object) -> None:
    """Change it if it is as the person saw it; Stale otherwise."""
    if matter.version != version or not await unit.compare_and_set(matter, **values):
        raise Stale([_("这件事刚被他人改过，请刷新后再操作")])


async def wrote(unit: Unit, actor: Actor, matter: Matter, what: str, note: str, **data: object) -> None:
    """One step in the history and in the audit log; pages and the worker hear of it."""
    unit.add(
        MatterEvent(
            matter_id=matter.id or 0, what=what, by_id=actor.user_id, by_name=actor.name, note=note, data=data,
        )
    )  # fmt: skip
    await audit.record(
        unit, actor, f"matter.{what}", f"matter:{matter.id}", **{k: v for k, v in data.items() if k not in _LISTS}
    )
    feed.tell(unit, "opinion", matter.id)
    unit.later("place_messages")
