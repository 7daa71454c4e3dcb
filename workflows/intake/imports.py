"""Files brought in: by a command at once, or by a page through a run that any worker may finish."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import col, select

from connectors.base import AccountRef
from connectors.files import BROUGHT
from connectors.files import Mapping as Columns
from hub import audit
from hub.db import Unit, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, Unavailable
from hub.i18n import _
from hub.insert import insert
from hub.models import Account, ImportRun, ImportState
from hub.rights import Actor, May
from workflows.house import House
from workflows.intake import mappings, runs
from workflows.intake.dryrun import try_out
from workflows.intake.filerows import open_file
from workflows.intake.report import ImportReport, Progress

PLATFORM = "file"
_NAME_LENGTH = 100


async def account_names(unit: Unit) -> list[str]:
    """Accounts whose items can be brought in as files, the newest first."""
    named = select(col(Account.name)).where(col(Account.platform).in_(BROUGHT))
    return list(await unit.all(named.order_by(col(Account.id).desc())))


@dataclass(frozen=True, slots=True)
class Preview:
    """What the mapping screen shows. ``columns``: the mapping to begin with; ``problems``: why it is not enough yet."""

    headers: tuple[str, ...]
    rows: list[dict[str, str]]
    columns: dict[str, str]
    problems: list[str]
    notes: tuple[str, ...]
    expected: int | None


async def import_file(
    house: House,
    path: Path,
    account_name: str,
    *,
    mapping: str | None = None,
    dry_run: bool = False,
    actor: Actor,
    progress: Progress = lambda rows: None,
    expecting: Callable[[int | None], object] = lambda rows: None,
) -> ImportReport:
    """Bring a file in, row by row in batches of 1,000; ``progress`` hears how many rows are settled, ``expecting``
    once how many there seem to be (None: nobody knows).

    ``account_name``: a file account, created when missing. ``mapping``: name of a saved one; without, the one last
    used for these headers, or what the names tell. A dry run changes nothing. Safe to run twice, also after kill -9:
    what is stored is known the second time. Invalid: a file, mapping or account that cannot be used.
    """
    _may(actor)
    file = await open_file(path)
    expecting(file.source.expected)
    try:
        async with reading(house.ctx) as unit:
            columns = mappings.checked(await mappings.choose(unit, file.headers, file.cells, mapping), file.headers)
            account = await find_account(unit, account_name)
        if dry_run:
            ref = house.ref(account) if account else AccountRef(0, PLATFORM, account_name, "", "")
            return await try_out(house, file, columns, ref, progress)
        async with unit_of_work(house.ctx) as unit:
            run = await _stage(unit, actor, account_name, _named(path), "", columns)
        work = await runs.lease(house, run.id or 0)
        if work is None:
            raise Unavailable(_("这次导入已由另一个进程接手"))
        return await runs.go_through(house, work, file, progress)
    finally:
        await file.close()


def _named(path: Path) -> str:
    """The file's name for people; bytes that are no UTF-8 show as �."""
    return os.fsencode(path.name).decode(errors="replace")


async def preview(house: House, path: Path, mapping: str | None = None) -> Preview:
    """Open an uploaded file for the mapping screen. Invalid when it cannot be read at all."""
    file = await open_file(path)
    try:
        async with reading(house.ctx) as unit:
            columns = await mappings.choose(unit, file.headers, file.cells, mapping)
        problems, source = columns.problems(file.headers), file.source
        return Preview(file.headers, file.cells, columns.as_data(), problems, source.notes, source.expected)
    finally:
        await file.close()


async def start(
    unit: Unit,
    actor: Actor,
    *,
    account_name: str,
    file_name: str,
    stored_as: str,
    columns: Mapping[str, str],
    headers: tuple[str, ...],
    is_dry: bool = False,
) -> ImportRun:
    """Have a worker import an uploaded file; its progress stands on the returned row (feed topic ``imports``).

    ``stored_as``: the file's path within the data folder; it is removed after a run that was not dry. A dry run only
    makes the account, if it is missing, and the row with its counts. Invalid for a bad mapping or account.
    """
    _may(actor)
    chosen = mappings.from_form(columns, headers)
    run = await _stage(unit, actor, account_name, file_name, stored_as, chosen, is_dry=is_dry)
    unit.later("run_imports")
    return run


async def _stage(
    unit: Unit,
    actor: Actor,
    account_name: str,
    file_name: str,
    stored_as: str,
    columns: Columns,
    *,
    is_dry: bool = False,
) -> ImportRun:
    account = await find_account(unit, account_name) or await _make_account(unit, actor, account_name)
    run = ImportRun(
        account_id=account.id or 0, file_name=file_name[-300:], stored_as=stored_as, columns=columns.as_data(),
        state=ImportState.uploaded, is_dry=is_dry, by_id=actor.user_id,
    )  # fmt: skip
    unit.add(run)
    await unit.flush()
    values = {"file": run.file_name, "account": account.name, "dry": is_dry}
    await audit.record(unit, actor, "import_started", f"import:{run.id}", **values)
    return run


async def find_account(unit: Unit, name: str) -> Account | None:
    """The account of that name that takes files, or None. Invalid when another platform has the name, or it is none."""
    name = name.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise Invalid({"account": _("账号名称须为 1 到 %(n)s 个字", n=_NAME_LENGTH)})
    account = await unit.first(select(Account).where(col(Account.name) == name))
    if account is not None and account.platform not in BROUGHT:
        raise Invalid({"account": _("「%(name)s」由系统自己读取，不能导入文件，请换一个名称", name=name)})
    return account


async def _make_account(unit: Unit, actor: Actor, name: str) -> Account:
    """Two imports at once make it once."""
    fresh = Account(platform=PLATFORM, name=name.strip())
    made = insert(unit, Account).on_conflict_do_nothing().values(fresh.model_dump(exclude={"id"}))
    if (await unit.run(made)).rowcount:
        await audit.record(unit, actor, "account_added", f"account:{fresh.name}", platform=PLATFORM)
    account = await find_account(unit, name)
    if account is None:
        raise Invalid({"account": _("无法建立账号「%(name)s」", name=name)})
    return account


def _may(actor: Actor) -> None:
    if not actor.can(May.import_files):
        raise NotAllowed(_("没有导入文件的权限"))
