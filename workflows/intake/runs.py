"""An import under way: leased by one worker, counted in the same transaction as the rows, resumed where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select

from connectors.base import AccountRef
from connectors.files import Mapping as Columns
from hub import audit, clock, feed
from hub.db import Unit, reading, unit_of_work
from hub.errors import HubError, Invalid, NotFound, Unavailable
from hub.i18n import _
from hub.models import Account, ArrivalState, ImportRun, ImportState
from hub.rights import system
from workflows.house import House
from workflows.intake import messages
from workflows.intake.arrivals import insert_new
from workflows.intake.dryrun import try_out
from workflows.intake.filerows import Bad, Good, OpenFile, only_bad, only_good, open_file
from workflows.intake.report import ImportReport, Progress
from workflows.intake.unfit import UNFIT, is_unfit

BATCH = 1000
LEASE = timedelta(minutes=2)
BUDGET = timedelta(seconds=30)
# Errors kept on the row for the page; a report made by this process holds all of them.
ERRORS_KEPT = 500
_OPEN = (ImportState.uploaded, ImportState.running)


@dataclass
class Work:
    """A run that is ours until ``until``, with its counts so far."""

    run_id: int
    account: AccountRef
    until: datetime
    is_dry: bool
    stored_as: str
    columns: Columns
    rows: int = 0
    new: int = 0
    known: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    error_count: int = 0

    def report(self, notes: Sequence[str] = ()) -> ImportReport:
        """As far as it has come."""
        return ImportReport(self.rows, self.new, self.known, self.errors, list(notes), self.run_id)


async def lease(house: House, run_id: int) -> Work | None:
    """Take an open run for two minutes; None when it is done or somebody works on it."""
    now = clock.now()
    until = now + LEASE
    free = or_(col(ImportRun.lease_until).is_(None), col(ImportRun.lease_until) < now)
    mine = (col(ImportRun.id) == run_id, col(ImportRun.state).in_(_OPEN), free)
    async with unit_of_work(house.ctx) as unit:
        if not await unit.claim(ImportRun, *mine, state=ImportState.running, lease_until=until):
            return None
        run = await unit.get(ImportRun, run_id)
        account = await unit.get(Account, run.account_id) if run else None
        if run is None or account is None:
            raise NotFound(_("没有这次导入"))
        return Work(
            run_id, house.ref(account), until, run.is_dry, run.stored_as, Columns.from_data(run.columns),
            run.rows, run.new, run.known, list(run.errors), run.error_count,
        )  # fmt: skip


async def go_through(
    house: House, work: Work, file: OpenFile, progress: Progress = lambda rows: None, *, stop_at: datetime | None = None
) -> ImportReport:
    """Store the rows that are not settled yet, batch by batch; the run is done, failed, or at ``stop_at`` free again.

    Invalid when the file turns out damaged (what came before stays stored); Unavailable when the lease was lost.
    """
    try:
        await file.skip(work.rows)
        while batch := await file.take(house, work.account, work.columns, BATCH):
            await _settle(house, work, batch)
            progress(work.rows)
            if stop_at is not None and clock.now() > stop_at:
                await _end(house, work, state=ImportState.running)
                return work.report(file.source.notes)
    except Invalid as error:
        await _end(house, work, state=ImportState.failed, error=str(error))
        raise
    await _end(house, work, state=ImportState.done, error="；".join(file.source.notes))
    return work.report(file.source.notes)


async def _settle(house: House, work: Work, batch: Sequence[Good | Bad]) -> None:
    """One batch in one transaction; should the database refuse it, row by row, and the one at fault is an error."""
    try:
        await _store(house, work, batch)
    except UNFIT as error:
        if not is_unfit(error):
            raise
        for row in batch:
            await _settle(house, work, [row] if len(batch) > 1 else [_refused(row, error)])


def _refused(row: Good | Bad, error: Exception) -> Bad:
    return Bad(row.row, "", _("数据库不接受这一行（%(name)s）", name=type(error).__name__))


async def _store(house: House, work: Work, batch: Sequence[Good | Bad]) -> None:
    good, bad, now = only_good(batch), only_bad(batch), clock.now()
    async with unit_of_work(house.ctx) as unit:
        items = [row.item for row in good.values()]
        fresh = await insert_new(unit, work.account.id, items, "file", ArrivalState.parsed)
        new = [messages.Understood(number, now, good[key].inbound) for key, number in fresh.items()]
        await messages.write(unit, work.account, new)
        counts = {
            "rows": work.rows + len(batch), "new": work.new + len(new), "error_count": work.error_count + len(bad),
            "known": work.known + len(batch) - len(bad) - len(new),
        }  # fmt: skip
        errors = {"errors": (work.errors + bad)[:ERRORS_KEPT]} if bad else {}
        until = now + LEASE
        await _write(unit, work, lease_until=until, **counts, **errors)
        if new:
            unit.later("tag_messages")
    work.until, work.errors = until, work.errors + bad
    for name, value in counts.items():
        setattr(work, name, value)


async def _write(unit: Unit, work: Work, **values: Any) -> None:
    """Write to the run if it is still ours, else give everything up: whoever has it goes on from what is committed."""
    if not await unit.claim(ImportRun, ImportRun.id == work.run_id, ImportRun.lease_until == work.until, **values):
        raise Unavailable(_("这次导入已由另一个进程接手"))
    feed.tell(unit, "imports", work.run_id)


async def _end(house: House, work: Work, *, state: ImportState, error: str = "") -> None:
    finished_at = None if state is ImportState.running else clock.now()
    async with unit_of_work(house.ctx) as unit:
        await _write(unit, work, state=state, error=error, lease_until=None, finished_at=finished_at)
        if finished_at is None:
            unit.later("run_imports")
            return
        counts = {"rows": work.rows, "new": work.new, "known": work.known, "errors": work.error_count}
        await audit.record(unit, system(), f"import_{state.value}", f"import:{work.run_id}", **counts)
    is_used_up = state is ImportState.failed or not work.is_dry
    if work.stored_as and is_used_up:
        (house.ctx.settings.data / work.stored_as).unlink(missing_ok=True)


async def run_waiting(house: House) -> int:
    """Work on uploaded and interrupted runs for about 30 seconds; how many rows were settled. Safe to run twice."""
    stop_at = clock.now() + BUDGET
    open_runs = select(ImportRun.id).where(col(ImportRun.state).in_(_OPEN)).order_by(col(ImportRun.id))
    async with reading(house.ctx) as unit:
        waiting = [row[0] for row in await unit.rows(open_runs)]
    rows = 0
    for run_id in waiting:
        work = await lease(house, run_id) if clock.now() < stop_at else None
        if work is not None:
            rows += await _work_on(house, work, stop_at)
    return rows


async def _work_on(house: House, work: Work, stop_at: datetime) -> int:
    before = work.rows
    if not work.stored_as:
        gone = _("导入中断。请重新导入同一文件：已入库的留言不会重复")
        await _end(house, work, state=ImportState.failed, error=gone)
        return 0
    try:
        file = await open_file(house.ctx.settings.data / work.stored_as)
    except Invalid as error:
        await _end(house, work, state=ImportState.failed, error=str(error))
        return 0
    try:
        if work.is_dry:
            await _try(house, work, file, stop_at)
        else:
            await go_through(house, work, file, stop_at=stop_at)
    except HubError:
        return work.rows - before  # the words stand on the run, or somebody else has it
    finally:
        await file.close()
    return work.rows - before


async def _try(house: House, work: Work, file: OpenFile, stop_at: datetime) -> None:
    try:
        report = await try_out(house, file, work.columns, work.account, until=stop_at)
    except Invalid as error:
        await _end(house, work, state=ImportState.failed, error=str(error))
        return
    work.rows, work.new, work.known, work.error_count = report.rows, report.new, report.known, len(report.errors)
    counts = {name: getattr(work, name) for name in ("rows", "new", "known", "error_count")}
    async with unit_of_work(house.ctx) as unit:
        await _write(unit, work, errors=report.errors[:ERRORS_KEPT], **counts)
    await _end(house, work, state=ImportState.done, error="；".join(report.notes))
