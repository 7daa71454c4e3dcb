"""Imports as people see them: the list, one run with its counts, its errors as a file that is safe to open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from hub.db import Unit
from hub.errors import NotAllowed, NotFound, Refused
from hub.i18n import _
from hub.models import Account, ImportRun, ImportState, User
from hub.rights import Actor, May
from workflows.house import House
from workflows.intake import imports, uploads

# A cell that begins like this is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One import with the names people know."""

    run: ImportRun
    account: str
    by_name: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.run.state in (ImportState.done, ImportState.failed)


async def runs(unit: Unit, actor: Actor, *, before: int | None = None, limit: int = 30) -> list[RunRow]:
    """All imports, newest first; the next page starts ``before`` the last id. NotAllowed without the right."""
    conditions = [col(ImportRun.id) < before] if before is not None else []
    return await _rows(unit, actor, conditions, limit)


async def run(unit: Unit, actor: Actor, run_id: int) -> RunRow:
    """One import; NotFound."""
    found = await _rows(unit, actor, [col(ImportRun.id) == run_id], 1)
    if not found:
        raise NotFound(_("没有这次导入"))
    return found[0]


async def _rows(unit: Unit, actor: Actor, conditions: list[Any], limit: int) -> list[RunRow]:
    if not actor.can(May.import_files):
        raise NotAllowed(_("没有导入文件的权限"))
    wanted = (
        select(ImportRun, Account.name, User.name)
        .join(Account, col(Account.id) == col(ImportRun.account_id))
        .outerjoin(User, col(User.id) == col(ImportRun.by_id))
        .where(*conditions)
    )
    rows = await unit.session.exec(wanted.order_by(col(ImportRun.id).desc()).limit(limit))
    return [RunRow(run, account, by_name or "") for run, account, by_name in rows.all()]


async def run_for_real(house: House, unit: Unit, actor: Actor, run_id: int) -> ImportRun:
    """After a trial: bring the same file in with the same columns. Refused when it was none, or the file is gone."""
    tried = await run(unit, actor, run_id)
    if not tried.run.is_dry or not tried.is_over:
        raise Refused([_("只有完成的试导入可以转为正式导入")])
    if uploads.of_run(house, tried.run) is None:
        raise Refused([_("上传的文件已经清除，请重新上传")])
    return await imports.start(
        unit, actor, account_name=tried.account, file_name=tried.run.file_name, stored_as=tried.run.stored_as,
        columns=tried.run.columns, headers=tuple(tried.run.columns),
    )  # fmt: skip


def errors_as_csv(errors: Iterable[Mapping[str, Any]]) -> str:
    """Row, column, reason; every cell safe to open in a spreadsheet."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow([_("行号"), _("列"), _("原因")])
    for error in errors:
        sheet.writerow([safe_cell(str(error.get(name, ""))) for name in ("row", "column", "why")])
    return out.getvalue()


def safe_cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
