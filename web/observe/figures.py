"""The state of the hub in figures: read once, shown by ``/metrics`` as numbers and by the status page in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from hub import clock
from hub.db import Unit, reading
from hub.models import (
    Account,
    Arrival,
    ArrivalFile,
    ArrivalState,
    CircuitState,
    Delivery,
    DeliveryState,
    Heartbeat,
    Message,
    Spending,
    Stream,
)
from workflows import vitals
from workflows.accounts import Attention, attention
from workflows.house import House

# A worker silent for so long is gone and says nothing about now.
FORGOTTEN = timedelta(minutes=2)
# Accounts that need a person, named one by one.
MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Pull:
    """One stream of an active account. ``age``: seconds since it was last read, None when never; ``is_stopped``: the
    account's circuit is open, so that it is not read at all.
    """

    account_id: int
    account: str
    stream: str
    age: float | None
    failures: int
    error: str
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """One window of calls that runs now. ``owner``: an account, an app or this house on a platform."""

    owner: str
    calls: str
    seconds: int
    used: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Ages in seconds; None: there is nothing of the kind, or nobody said."""

    backlog: vitals.Backlog | None
    sweep_age: float | None
    failing_jobs: Mapping[str, str]
    deliveries: Mapping[str, int]
    overdue_age: float | None
    unknown_age: float | None
    pulls: list[Pull]
    unread: int
    untagged: int
    untagged_age: float | None
    quarantined: int
    files: int
    files_bytes: int
    attention: Sequence[Attention] = ()
    spent: Sequence[Spent] = ()


async def read_figures(house: House) -> Figures:
    """Read everything now. Counts over partial indexes and the deliveries' state index; for scrapes, not pages."""
    backlog = await vitals.backlog(house.ctx.settings)
    async with reading(house.ctx) as unit:
        untagged, oldest_untagged = await _untagged(unit)
        sweep_age, failing = await _workers(unit)
        files, files_bytes = await _files(unit)
        return Figures(
            backlog=backlog,
            sweep_age=sweep_age,
            failing_jobs=failing,
            deliveries=await _deliveries(unit),
            overdue_age=_age(await _oldest_overdue(unit)),
            unknown_age=_age(await _oldest_unknown(unit)),
            pulls=await _pulls(unit),
            unread=await _arrivals(unit, ArrivalState.stored),
            untagged=untagged,
            untagged_age=_age(oldest_untagged),
            quarantined=await _arrivals(unit, ArrivalState.quarantined),
            files=files,
            files_bytes=files_bytes,
            attention=await attention(unit, MOST_NAMED),
            spent=await _spent(unit),
        )


def _age(moment: datetime | None) -> float | None:
    return None if moment is None else max(0.0, (clock.now() - moment).total_seconds())


async def _workers(unit: Unit) -> tuple[float | None, dict[str, str]]:
    """Age of the last look at due deliveries by any living worker, and the jobs that fail there with their errors."""
    living = col(Heartbeat.at) > clock.now() - FORGOTTEN
    rows = await unit.all(
        select(Heartbeat).where(Heartbeat.kind == "worker", living).order_by(col(Heartbeat.at)).limit(50)
    )
    looked = [at for row in rows if (at := row.data.get("deliveries", {}).get("at"))]
    failing = {
        name: str(job.get("error", ""))
        for row in rows
        for name, job in row.data.get("jobs", {}).items()
        if job.get("error")
    }
    return _age(max(map(datetime.fromisoformat, looked), default=None)), failing


async def _deliveries(unit: Unit) -> dict[str, int]:
    counted = dict(await unit.rows(select(Delivery.state, func.count()).group_by(col(Delivery.state))))
    return {state.value: int(counted.get(state, 0)) for state in DeliveryState}


async def _oldest_overdue(unit: Unit) -> datetime | None:
    due = select(func.min(Delivery.attempt_at)).where(
        col(Delivery.attempt_at) <= clock.now(), Delivery.state == DeliveryState.waiting
    )
    return await unit.first(due)


async def _oldest_unknown(unit: Unit) -> datetime | None:
    return await unit.first(select(func.min(Delivery.unknown_since)).where(Delivery.state == DeliveryState.unknown))


async def _pulls(unit: Unit) -> list[Pull]:
    statement = (
        select(  # type: ignore[call-overload]
            Account.id, Account.name, Stream.name, Stream.pulled_at, Stream.failures, Stream.error, Account.circuit
        )
        .join(Account, col(Account.id) == col(Stream.account_id))
        .where(col(Account.is_active))
        .order_by(col(Account.name), col(Stream.id))
    )
    return [
        Pull(number, name, stream, _age(at), failures, error, circuit is CircuitState.open)
        for number, name, stream, at, failures, error, circuit in await unit.rows(statement)
    ]


async def _spent(unit: Unit) -> list[Spent]:
    running = select(Spending).where(col(Spending.ends_at) > clock.now()).order_by(col(Spending.id))
    return [Spent(row.owner, row.calls, row.seconds, row.used) for row in await unit.all(running)]


async def _arrivals(unit: Unit, state: ArrivalState) -> int:
    waiting = (col(Arrival.state) != ArrivalState.parsed, Arrival.state == state)
    return await unit.one(select(func.count()).select_from(Arrival).where(*waiting))


async def _untagged(unit: Unit) -> tuple[int, datetime | None]:
    waiting = col(Message.tagged_at).is_(None)
    count = await unit.one(select(func.count()).select_from(Message).where(waiting))
    oldest = select(col(Message.received_at)).where(waiting).order_by(col(Message.id)).limit(1)
    return count, await unit.first(oldest)


async def _files(unit: Unit) -> tuple[int, int]:
    """How many pictures and documents are kept beside arrivals, and their bytes; read over the light rows."""
    ((count, together),) = await unit.rows(select(func.count(), func.sum(ArrivalFile.bytes)).select_from(ArrivalFile))
    return count, int(together or 0)
