"""The audit log: a hash chain of what people did. ``verify`` names the first changed or missing row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.models import AuditEntry
from hub.rights import Actor

_CHAIN = 7301
_START = "0" * 64
ALGORITHMS = ("sha256", "sm3")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of a check: rows read, and the id of the first row that does not fit (None: all fit)."""

    rows: int
    broken_at: int | None


async def record(unit: Unit, actor: Actor, what: str, obj: str = "", **data: Any) -> None:
    """Append one entry in the caller's transaction. ``data`` holds plain values, never secrets or message text."""
    await unit.lock_chain(_CHAIN)
    before = await unit.first(select(AuditEntry.digest).order_by(col(AuditEntry.id).desc()).limit(1)) or _START
    entry = AuditEntry(
        at=clock.now(), by_id=actor.user_id, by_name=actor.name, what=what, object=obj, data=data,
        address=actor.address, before=before, digest="",
    )  # fmt: skip
    entry.digest = _digest(entry, unit.ctx.settings.audit_hash)
    unit.add(entry)
    await unit.flush()


async def verify(unit: Unit, batch: int = 5000, progress: Callable[[int], object] = lambda rows: None) -> Verdict:
    """Walk the whole chain from the first row; ``progress`` hears how many rows were read."""
    before, last, rows = _START, 0, 0
    while True:
        page = await unit.all(
            select(AuditEntry).where(col(AuditEntry.id) > last).order_by(col(AuditEntry.id)).limit(batch)
        )
        if not page:
            return Verdict(rows, None)
        for entry in page:
            rows += 1
            if entry.before != before or not _fits(entry, unit.ctx.settings.audit_hash):
                return Verdict(rows, entry.id)
            before, last = entry.digest, entry.id or 0
        progress(rows)


def _fits(entry: AuditEntry, algorithm: str) -> bool:
    """Whether the digest is that of the row. An office may have changed the algorithm since it was written."""
    return any(entry.digest == _digest(entry, one) for one in sorted(ALGORITHMS, key=lambda one: one != algorithm))


def _digest(entry: AuditEntry, algorithm: str) -> str:
    """Digest over every field but the id and itself, and the digest before."""
    fields = [
        entry.at.isoformat(), entry.by_id, entry.by_name, entry.what, entry.object, entry.data, entry.address,
        entry.before,
    ]  # fmt: skip
    content = json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()
    return hashlib.new(algorithm, content).hexdigest()
