"""``read``: any importable file as headers and rows, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from connectors.files import delimited
from connectors.files.table import FILE_BYTES, FileRefused, Table
from connectors.text import one_line

__all__ = ["EXTRA", "FileRefused", "Row", "RowSource", "read"]

Row = tuple[int, dict[str, str]]
# Where cells go that stand beyond the last header: their row is named, not cut.
EXTRA = "（表头之外的单元格）"
HEADER_WITHIN = 10
HEADER_CHARACTERS = 100


@dataclass(slots=True)
class RowSource:
    """An open file: ``headers``, then ``rows`` once, each (number as in the sheet, header → text).

    ``rows`` may raise :class:`FileRefused` further on. ``expected`` is a guess for progress bars. Close it, or use
    ``with``.
    """

    headers: tuple[str, ...]
    rows: Iterator[Row]
    expected: int | None
    notes: tuple[str, ...]
    _table: Table = field(repr=False)

    def close(self) -> None:
        """Close the file."""
        self._table.close()

    def __enter__(self) -> RowSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(path: Path) -> RowSource:
    """Open a file of messages. :class:`FileRefused` says in one sentence why not and what to do."""
    table = _open(path)
    try:
        return _with_headers(table)
    except BaseException:
        table.close()
        raise


def _open(path: Path) -> Table:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8192)
    except OSError:
        raise FileRefused(f"无法打开文件「{path.name}」，请检查文件是否存在、是否有读取权限") from None
    if size > FILE_BYTES:
        raise FileRefused(f"文件超过 {FILE_BYTES // 2**20} MB，请拆分后分次导入")
    if head.startswith(b"PK"):
        # Loaded with the first workbook: openpyxl costs every process of the hub half a second and 15 MB.
        from connectors.files import excel

        return excel.open_table(path)
    if reason := reason_against(head):
        raise FileRefused(reason)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        from connectors.files import oldexcel

        return oldexcel.open_table(path)
    return delimited.open_table(path)


def reason_against(head: bytes) -> str:
    """Why a file that is no .xlsx cannot be text either, by its first bytes, or ""."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if not start:
        return "文件是空的，请选择有内容的文件"
    if head.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in head:
        return "文件设有打开密码，请去掉密码后再导入"
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head")):
        return "这是网页或 XML 文件，不是表格，请用 Excel 或 WPS 打开后另存为 .xlsx 再导入"
    if start.startswith(
        (b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")
    ):
        return "这不是表格文件，请选择 .xlsx、.xls、.csv 或 .tsv 文件"
    return ""


def _with_headers(table: Table) -> RowSource:
    first = list(islice(table.lines, HEADER_WITHIN))
    place = _header_place(first)
    headers = _names(first[place][1])
    rows = _rows(chain(first[place + 1 :], table.lines), headers)
    expected = None if table.expected is None else max(0, table.expected - place - 1)
    return RowSource(headers, rows, expected, table.notes, table)


def _header_place(first: list[tuple[int, list[str]]]) -> int:
    """The first row that is about as wide as the widest: titles above the table fill one cell only."""
    filled = [sum(1 for cell in cells if cell.strip()) for _, cells in first]
    widest = max(filled, default=0)
    if not widest:
        raise FileRefused("没有找到表头，请在第一行写上各列的名称（如 内容、时间、作者）后再导入")
    return next(place for place, count in enumerate(filled) if count * 2 > widest)


def _names(cells: list[str]) -> tuple[str, ...]:
    """Header names, one each: nameless columns are called by their number, repeated names are numbered."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        wanted = name = one_line(cell)[:HEADER_CHARACTERS] or f"第 {number} 列"
        again = 2
        while name in names:
            name, again = f"{wanted} ({again})", again + 1
        names.append(name)
    return tuple(names)


def _rows(lines: Iterator[tuple[int, list[str]]], headers: tuple[str, ...]) -> Iterator[Row]:
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        row = dict.fromkeys(headers, "") | dict(zip(headers, cells, strict=False))
        if beyond := [cell for cell in cells[len(headers) :] if cell.strip()]:
            row[EXTRA] = " ".join(beyond)
        yield number, row
