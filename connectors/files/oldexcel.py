"""Reads old workbooks (.xls, and .et of WPS, which is the same format) whole: they hold 65,536 rows at most."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from connectors.files.excel import cell_text
from connectors.files.table import FileRefused, Table, checked

# Largest file: its rows are held in memory at once.
FILE_BYTES = 64 * 1024 * 1024
DAMAGED = "文件已损坏或不是真正的 .xls 文件，请用 Excel 或 WPS 打开后另存为 .xlsx 再导入"


def open_table(path: Path) -> Table:
    """The first visible sheet. :class:`FileRefused` when the file is damaged, locked or too large."""
    if path.stat().st_size > FILE_BYTES:
        raise FileRefused(f"旧版 .xls 文件超过 {FILE_BYTES // 2**20} MB，请另存为 .xlsx 后再导入")
    names, rows = _read(path)
    notes = (f"文件有 {len(names)} 个工作表，只导入第一个「{names[0]}」",) if len(names) > 1 else ()
    return Table(_lines(rows), lambda: None, len(rows), notes)


def _read(path: Path) -> tuple[list[str], list[list[Any]]]:
    try:
        book = CalamineWorkbook.from_path(str(path))
        visible = [one.name for one in book.sheets_metadata if one.visible is SheetVisibleEnum.Visible]
        if not visible:
            raise FileRefused("文件里没有可见的工作表，请把留言放在第一个工作表后再导入")
        return visible, book.get_sheet_by_name(visible[0]).to_python(skip_empty_area=False)
    except FileRefused:
        raise
    except CalamineError as error:
        locked = "password" in str(error).lower()
        raise FileRefused("文件设有打开密码，请去掉密码后再导入" if locked else DAMAGED) from None
    except BaseException as error:  # the reader is compiled: what it stumbles over is no ordinary exception
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise FileRefused(DAMAGED) from None


def _lines(rows: list[list[Any]]) -> Iterator[tuple[int, list[str]]]:
    for number, values in enumerate(rows, start=1):
        yield checked(number, [cell_text(value) for value in values])
