"""Reads .xlsx row by row. The package is judged before anything is unpacked; the sheet is never held in memory."""

from __future__ import annotations

import re
import tempfile
import warnings
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import iterparse
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.xml.constants import SHARED_STRINGS

from connectors.files.table import FileRefused, Table, checked

PARTS = 5_000
UNPACKED_BYTES = 1024 * 1024 * 1024
# A sheet of equal rows packs about 1:100; what packs better than 1:200 and is large is no sheet of messages.
RATIO = 200
RATIO_FROM_BYTES = 16 * 1024 * 1024
# Larger tables of strings lie in a temporary file while reading.
STRINGS_IN_MEMORY_BYTES = 16 * 1024 * 1024
ROWS_AT_ONCE = 200
DAMAGED = "文件已损坏或不是真正的 .xlsx 文件，请用 Excel 或 WPS 打开后另存为 .xlsx 再导入"
# Whatever the parsers throw at broken packages; each of these was seen or is documented.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    InvalidFileException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
    AssertionError,
)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def open_table(path: Path) -> Table:
    """The first visible sheet of a workbook. :class:`FileRefused` for bombs, passwords, damage, other formats."""
    reader = None
    try:
        judge(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = _Reader(path)
            reader.read()
    except _BROKEN as error:
        if reader is not None:
            reader.close()
        raise FileRefused(DAMAGED) from error
    sheets = [s for s in reader.wb.worksheets if isinstance(s, ReadOnlyWorksheet)]
    visible = [s for s in sheets if s.sheet_state == "visible"]
    if not visible:
        reader.close()
        raise FileRefused("文件里没有可见的工作表，请把留言放在第一个工作表后再导入")
    sheet = visible[0]
    notes = (f"文件有 {len(visible)} 个工作表，只导入第一个「{sheet.title}」",) if len(visible) > 1 else ()
    expected = sheet.max_row
    # The stated size of a sheet is often wrong; the rows themselves are not.
    sheet.reset_dimensions()
    return Table(_lines(sheet), reader.close, expected, notes)


def judge(path: Path) -> None:
    """Refuse a package by its directory alone: password, other format, too large, packed too tightly."""
    with zipfile.ZipFile(path) as package:
        parts = package.infolist()
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise FileRefused("文件设有打开密码，请去掉密码后再导入")
    if "xl/workbook.bin" in names:
        raise FileRefused("这是 .xlsb 格式的文件，请另存为 .xlsx 后再导入")
    if "content.xml" in names:
        raise FileRefused("这是 OpenDocument（.ods）格式的文件，请另存为 .xlsx 后再导入")
    if "[Content_Types].xml" not in names or not any(n.startswith("xl/") for n in names):
        raise FileRefused("这是一个压缩包，不是 .xlsx 表格，请选择表格文件导入")
    large = [p for p in parts if p.file_size > RATIO_FROM_BYTES]
    total = sum(part.file_size for part in parts)
    tight = any(p.file_size > RATIO * max(p.compress_size, 1) for p in large)
    if len(parts) > PARTS or total > UNPACKED_BYTES or tight:
        raise FileRefused("文件解压后异常庞大，为安全起见已拒绝，请只保留需要导入的工作表，另存后再试")


class _Reader(ExcelReader):
    """openpyxl's reader, with large tables of strings kept on disk instead of in memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), read_only=True, keep_links=False)
        self._spool: _Strings | None = None

    def read_strings(self) -> None:
        package: Any = self.package
        found = package.find(SHARED_STRINGS)
        if found is None or self.archive.getinfo(found.PartName[1:]).file_size <= STRINGS_IN_MEMORY_BYTES:
            super().read_strings()
            return
        with self.archive.open(found.PartName[1:]) as source:
            self._spool = _Strings(source)
        self.shared_strings = cast("Any", self._spool)

    def close(self) -> None:
        file: Any = self.archive.fp
        self.archive.close()
        if file is not None:
            file.close()  # a part left open where reading failed would keep it
        if self._spool is not None:
            self._spool.close()


class _Strings:
    """The shared strings of a workbook in a temporary file: eight bytes of memory for each."""

    def __init__(self, source: IO[bytes]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the reader
        self._ends = array("Q", [0])
        parse: Any = Text.from_tree
        root = None
        for event, node in iterparse(source, events=("start", "end")):
            if root is None:
                root = node
            elif event == "end" and node.tag.endswith("}si"):
                self._add(parse(node).content or "")
                root.clear()

    def _add(self, text: str) -> None:
        size = self._file.write(text.encode("utf-8", "replace"))
        self._ends.append(self._ends[-1] + size)

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            raise IndexError(index)
        self._file.seek(self._ends[index])
        return self._file.read(self._ends[index + 1] - self._ends[index]).decode()

    def close(self) -> None:
        self._file.close()


def _lines(sheet: ReadOnlyWorksheet) -> Iterator[tuple[int, list[str]]]:
    untyped: Any = sheet
    rows = enumerate(untyped.iter_rows(values_only=True), start=1)
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                some = list(islice(rows, ROWS_AT_ONCE))
        except _BROKEN as error:
            raise FileRefused(DAMAGED) from error
        for number, values in some:
            yield checked(number, [cell_text(value) for value in values])
        if len(some) < ROWS_AT_ONCE:
            return


def cell_text(value: Any) -> str:
    """A cell as text: whole numbers without point, times as ``2020-01-07 15:04:05``, formulas as written."""
    match value:
        case None:
            return ""
        case str():
            return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
        case bool():
            return "是" if value else "否"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime():
            return value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            # Array formulas are objects that hold their text.
            return str(getattr(value, "text", value))
