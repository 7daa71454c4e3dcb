"""Raw items, stored before anything else happens to them. The unique key is the only arbiter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col

from connectors.base import Attached, RawItem
from hub import clock
from hub.db import Unit
from hub.insert import insert
from hub.models import Account, Arrival, ArrivalState
from workflows.intake import files, storable

_CHUNK = 1000
_Key = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: ids of new arrivals, and how many were there already or came twice."""

    new: list[int]
    known: int


async def store(unit: Unit, account: Account, items: Sequence[RawItem], via: str) -> Stored:
    """Store items of one account, unique by (account, kind, external id); those already there are left as they are.

    ``via``: pull | push | paste. Safe to run twice and at the same time as others: whoever commits first has stored it.
    Rings for ``read_arrivals`` when something is new.
    """
    new = await insert_new(unit, account.id or 0, items, via, ArrivalState.stored)
    if new:
        unit.later("read_arrivals")
    return Stored(list(new.values()), len(items) - len(new))


async def store_pushed(unit: Unit, brought: Sequence[tuple[int, Sequence[RawItem]]]) -> None:
    """Store what was pushed to several accounts (id, items), as :func:`store` does for one."""
    rows = [row for number, items in brought for row in _rows(number, items, "push", ArrivalState.stored)]
    rows.sort(key=lambda row: (row["account_id"], row["kind"], row["external_id"]))
    if new := await _insert(unit, rows):
        for number, items in brought:
            await _keep_files(unit, number, items, new)
        unit.later("read_arrivals")


async def insert_new(
    unit: Unit, account_id: int, items: Sequence[RawItem], via: str, state: ArrivalState
) -> dict[tuple[str, str], int]:
    """Insert what is not there yet; ids of the new rows by (kind, stored external id).

    The batch goes in ordered by key, so that two deliveries of the same items in another order never wait for each
    other in a circle.
    """
    new = await _insert(unit, _rows(account_id, items, via, state))
    await _keep_files(unit, account_id, items, new)
    return {(kind, external_id): number for (_account, kind, external_id), number in new.items()}


async def _insert(unit: Unit, rows: Sequence[dict[str, Any]]) -> dict[_Key, int]:
    columns = (col(Arrival.id), col(Arrival.account_id), col(Arrival.kind), col(Arrival.external_id))
    statement = insert(unit, Arrival).on_conflict_do_nothing().returning(*columns)
    new: dict[_Key, int] = {}
    for start in range(0, len(rows), _CHUNK):
        for number, account_id, kind, external_id in await unit.run(statement, rows[start : start + _CHUNK]):
            new[account_id, kind.value, external_id] = number
    return new


async def _keep_files(unit: Unit, account_id: int, items: Sequence[RawItem], new: dict[_Key, int]) -> None:
    """The files of an item that came twice are those of the first, whose text is kept too."""
    first: dict[int, Sequence[Attached]] = {}
    for item in items:
        number = new.get((account_id, item.kind.value, storable.identity(item.external_id)))
        if number is not None:
            first.setdefault(number, item.files)
    await files.keep(unit, first.items())


def _rows(account_id: int, items: Sequence[RawItem], via: str, state: ArrivalState) -> list[dict[str, Any]]:
    at = clock.now()
    by_key: dict[tuple[str, str], dict[str, Any]] = {}
    for item in items:
        external_id = storable.identity(item.external_id)
        row = {
            "account_id": account_id, "kind": item.kind.value, "external_id": external_id, "via": via,
            "payload": storable.payload(item.payload), "received_at": at, "state": state, "error": "",
        }  # fmt: skip
        by_key.setdefault((item.kind.value, external_id), row)
    return [by_key[key] for key in sorted(by_key)]
