"""What an import would do, without doing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import tuple_
from sqlmodel import col, select

from connectors.base import AccountRef
from connectors.files import Mapping as Columns
from hub import clock
from hub.db import reading
from hub.i18n import _
from hub.models import Arrival
from workflows.house import House
from workflows.intake.filerows import OpenFile, only_bad, only_good
from workflows.intake.report import ImportReport, Progress

BATCH = 1000
_KEYS = 500


async def try_out(
    house: House,
    file: OpenFile,
    columns: Columns,
    account: AccountRef,
    progress: Progress = lambda rows: None,
    *,
    until: datetime | None = None,
) -> ImportReport:
    """Count what would be new, known, refused; writes nothing. ``account.id`` 0: an account still to be made.

    ``until``: stop then; the report's notes say how far it came.
    """
    seen: set[int] = set()
    rows = new = 0
    errors: list[dict[str, Any]] = []
    notes = list(file.source.notes)
    while batch := await file.take(house, account, columns, BATCH):
        fresh = {hash(key): key for key in only_good(batch) if hash(key) not in seen}
        seen.update(fresh)
        rows, errors = rows + len(batch), errors + only_bad(batch)
        new += len(fresh) - (await _known(house, account.id, list(fresh.values())) if account.id else 0)
        progress(rows)
        if until is not None and clock.now() > until:
            notes.append(_("文件较大，只检查了前 %(n)s 行", n=rows))
            break
    return ImportReport(rows, new, rows - len(errors) - new, errors, notes)


async def _known(house: House, account_id: int, keys: list[tuple[str, str]]) -> int:
    """How many of these (kind, external id) are stored already."""
    count = 0
    async with reading(house.ctx) as unit:
        for start in range(0, len(keys), _KEYS):
            there = tuple_(col(Arrival.kind), col(Arrival.external_id)).in_(keys[start : start + _KEYS])
            count += len(await unit.rows(select(Arrival.id).where(col(Arrival.account_id) == account_id, there)))
    return count
