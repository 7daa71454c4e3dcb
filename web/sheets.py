"""A table as a file for office programs: .csv with the mark that lets them read Chinese, or .xlsx; cells are never
formulas."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from starlette.responses import Response

from hub.i18n import _, number
from workflows.intake.history import safe_cell

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Row = Sequence[str | int | float]
_LONGEST_CELL = 32_000


async def sheet(kind: str, name: str, head: Sequence[str], rows: Iterable[Row], most: int | None = None) -> Response:
    """The download. ``kind``: one of :data:`KINDS`; ``name`` without ending, any language; ``most``: rows that a file
    holds: where ``rows`` has more, its last line says that it is cut."""
    told = list(islice(rows, most + 1)) if most is not None else list(rows)
    if most is not None and len(told) > most:
        told[most:] = [[_("还有更多，这里只列出前 %(n)s 行：请缩小范围，分几次导出", n=number(most))]]
    body = await asyncio.to_thread(_as_xlsx if kind == "xlsx" else _as_csv, [head, *told])
    disposition = f"attachment; filename=\"export.{kind}\"; filename*=UTF-8''{quote(name, safe='')}.{kind}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(body, media_type=KINDS[kind], headers=headers)


def _as_csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerows([_cell(value) for value in row] for row in rows)
    return ("\ufeff" + out.getvalue()).encode()


def _as_xlsx(rows: Sequence[Row]) -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet()
    for row in rows:
        page.append([_cell(value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(value: str | float) -> str | int | float:
    if not isinstance(value, str):
        return value
    return safe_cell(ILLEGAL_CHARACTERS_RE.sub("", value))[:_LONGEST_CELL]
