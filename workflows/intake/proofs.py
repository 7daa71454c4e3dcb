"""Signatures of pushes that cover no content: each is good for the content it first came with, and for no other.

On some platforms the signature is made of a time and a random number only. Whoever has seen the address of one push
(in the log of a proxy, say) could send anything with it until the time is too old. A platform's second and third try
bring the same content and pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from hub import clock, crypto
from hub.db import Unit, unit_of_work
from hub.insert import insert
from hub.models import PushProof
from workflows.house import House

# Longer than any connector takes a push for genuine, fifteen minutes to either side of its time.
KEPT = timedelta(hours=1)
SWEPT_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Shown:
    """A proof as it was shown at one account's door, and the content it came with; both as digests."""

    proof: str
    content: str


def shown(account_id: int, proof: str, content: bytes) -> Shown | None:
    """None: the signature covers the content, there is nothing to remember."""
    if not proof:
        return None
    return Shown(crypto.digest(f"{account_id}/{proof}"), hashlib.sha256(content).hexdigest())


async def hold(unit: Unit, several: Sequence[Shown | None]) -> list[bool]:
    """Remember each; False for those that have come with another content before, in this batch or ever."""
    first: dict[str, str] = {}
    for one in several:
        if one is not None:
            first.setdefault(one.proof, one.content)
    if not first:
        return [True] * len(several)
    now = clock.now()
    rows = [{"proof": proof, "content": first[proof], "seen_at": now} for proof in sorted(first)]
    fresh = insert(unit, PushProof).on_conflict_do_nothing(index_elements=["proof"]).returning(col(PushProof.proof))
    seen = first.keys() - {row.proof for row in await unit.run(fresh, rows)}
    held = first | (await _contents(unit, seen) if seen else {})
    return [one is None or held[one.proof] == one.content for one in several]


async def _contents(unit: Unit, several: Collection[str]) -> dict[str, str]:
    known = select(col(PushProof.proof), col(PushProof.content)).where(col(PushProof.proof).in_(several))
    return {row.proof: row.content for row in await unit.rows(known)}


async def sweep_proofs(house: House) -> int:
    """Forget signatures that are too old to be taken for genuine; how many."""
    old = select(PushProof.id).where(col(PushProof.seen_at) < clock.now() - KEPT).limit(SWEPT_AT_ONCE)
    gone = 0
    while True:
        async with unit_of_work(house.ctx) as unit:
            some = (await unit.run(delete(PushProof).where(col(PushProof.id).in_(old)))).rowcount
        gone += some
        if some < SWEPT_AT_ONCE:
            return gone
