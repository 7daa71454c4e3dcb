"""Answers of API writes kept under the caller's ``Idempotency-Key``, in the transaction of the work itself.

A crash before the commit leaves neither work nor key; after it the key gives the stored answer. Two requests at once:
the second waits for the first one's transaction and then finds its answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.errors import Invalid
from hub.i18n import _
from hub.insert import insert
from hub.models import IdempotencyKey

KEPT = timedelta(hours=24)
LONGEST = 128
_SWEPT_AT_ONCE = 5000


class KeyReused(Invalid):
    """The key stands for another request."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that was given."""

    status: int
    body: dict[str, Any]


async def claim(unit: Unit, user_id: int, key: str, request_hash: str) -> Kept | None:
    """Take the key for this request; None: it is ours and the work is to be done in this same transaction.

    Otherwise the answer kept under it. :class:`KeyReused` when it was another request. Keys older than 24 hours count
    as unused.
    """
    mine = (col(IdempotencyKey.user_id) == user_id, col(IdempotencyKey.key) == key)
    now = clock.now()
    await unit.run(delete(IdempotencyKey).where(*mine, col(IdempotencyKey.created_at) <= now - KEPT))
    row = {"user_id": user_id, "key": key, "request_hash": request_hash, "status": 0, "created_at": now}
    fresh = insert(unit, IdempotencyKey).values(**row).on_conflict_do_nothing(index_elements=["user_id", "key"])
    if (await unit.run(fresh)).rowcount == 1:
        return None
    found = await unit.one(select(IdempotencyKey).where(*mine))
    if found.request_hash != request_hash:
        raise KeyReused({"Idempotency-Key": _("这个 Idempotency-Key 已用于另一个请求，请为新的请求换一个。")})
    return Kept(found.status, found.body or {})


async def keep(unit: Unit, user_id: int, key: str, status: int, body: dict[str, Any]) -> None:
    """Store the answer under a key claimed in this transaction."""
    mine = (col(IdempotencyKey.user_id) == user_id, col(IdempotencyKey.key) == key)
    claimed = await unit.claim(IdempotencyKey, *mine, status=status, body=body)
    assert claimed, "keep without claim"


async def sweep(unit: Unit) -> int:
    """Forget keys older than 24 hours; how many. Safe to run at any time."""
    old = select(IdempotencyKey.id).where(col(IdempotencyKey.created_at) <= clock.now() - KEPT)
    gone = delete(IdempotencyKey).where(col(IdempotencyKey.id).in_(old.limit(_SWEPT_AT_ONCE)))
    return (await unit.run(gone)).rowcount
