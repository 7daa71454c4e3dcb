"""What could not be read: seen by people, read again, or put aside with a reason."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text, update
from sqlmodel import col, select

from hub import audit, feed
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Stale
from hub.i18n import _
from hub.models import Account, Arrival, ArrivalState, MessageKind
from hub.rights import Actor, May
from nlp import mask

_SHOWN = 4000


# Shown as escapes: control characters, and marks that change the order in which the rest is read.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")


@dataclass(frozen=True, slots=True)
class Held:
    """One item in quarantine; ``payload`` is cut to 4,000 characters, nothing in it is invisible (see ``legible``)."""

    id: int
    account: str
    kind: MessageKind
    external_id: str
    via: str
    received_at: datetime
    why: str
    payload: str


async def held(unit: Unit, actor: Actor, *, before: int | None = None, limit: int = 50) -> list[Held]:
    """Items in quarantine, newest first; the next page starts ``before`` the last id. NotAllowed without the right."""
    _may(actor)
    statement = select(Arrival, Account.name).join(Account, col(Account.id) == col(Arrival.account_id))
    statement = statement.where(*_in_quarantine())
    if before is not None:
        statement = statement.where(col(Arrival.id) < before)
    rows = (await unit.session.exec(statement.order_by(col(Arrival.id).desc()).limit(limit))).all()
    return [_held(arrival, name) for arrival, name in rows]


def _held(arrival: Arrival, account: str) -> Held:
    return Held(
        arrival.id or 0, account, arrival.kind, arrival.external_id, arrival.via, arrival.received_at,
        arrival.error, legible(arrival.payload),
    )  # fmt: skip


def legible(payload: str) -> str:
    """Raw text for people: JSON set out in lines, at most 4,000 characters, telephone and identity numbers masked,
    control and direction marks as escapes."""
    try:
        text = json.dumps(json.loads(payload), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        text = payload
    # Masked before it is cut, so that no number is left in two halves; what is far behind the cut is not looked at.
    masked = mask(text[: 2 * _SHOWN])
    shown = masked if len(text) <= _SHOWN else masked[:_SHOWN] + "…"
    return "".join(
        sign if sign == "\n" or unicodedata.category(sign) not in _UNSEEN else _escape(sign) for sign in shown
    )


def _escape(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"


def waiting() -> Any:
    """Ids in quarantine: what a badge counts."""
    return select(Arrival.id).where(*_in_quarantine())


async def replay(unit: Unit, actor: Actor, arrival_id: int) -> None:
    """Have one item read again, say after an update. NotFound; Stale when it is no longer in quarantine."""
    _may(actor)
    await _move(unit, arrival_id, ArrivalState.stored)
    await audit.record(unit, actor, "quarantine_replayed", f"arrival:{arrival_id}")
    unit.later("read_arrivals")


async def replay_all(unit: Unit, actor: Actor) -> int:
    """Have everything in quarantine read again; how many. What still cannot be read comes back with its reason."""
    _may(actor)
    released = update(Arrival).where(*_in_quarantine()).values(state=ArrivalState.stored, error="")
    count = (await unit.run(released)).rowcount
    if count:
        feed.tell(unit, "quarantine")
        await audit.record(unit, actor, "quarantine_replayed", "all", count=count)
        unit.later("read_arrivals")
    return count


async def ignore(unit: Unit, actor: Actor, arrival_id: int, reason: str) -> None:
    """Put one item aside for good; it stays stored. Invalid without a reason; NotFound; Stale."""
    _may(actor)
    reason = reason.strip()
    if not reason:
        raise Invalid({"reason": _("请写明忽略这条内容的理由")})
    await _move(unit, arrival_id, ArrivalState.ignored)
    await audit.record(unit, actor, "quarantine_ignored", f"arrival:{arrival_id}", reason=reason)


async def _move(unit: Unit, arrival_id: int, state: ArrivalState) -> None:
    here = (col(Arrival.id) == arrival_id, col(Arrival.state) == ArrivalState.quarantined)
    values: dict[str, Any] = {"state": state} | ({"error": ""} if state is ArrivalState.stored else {})
    if await unit.claim(Arrival, *here, **values):
        feed.tell(unit, "quarantine", arrival_id)
        return
    if await unit.get(Arrival, arrival_id) is None:
        raise NotFound(_("没有这条内容"))
    raise Stale([_("这条内容刚被他人处理，请刷新")])


def _in_quarantine() -> tuple[Any, ...]:
    return text("arrival.state != 'parsed'"), col(Arrival.state) == ArrivalState.quarantined


def _may(actor: Actor) -> None:
    if not actor.can(May.settle_quarantine):
        raise NotAllowed(_("没有处理隔离内容的权限"))
