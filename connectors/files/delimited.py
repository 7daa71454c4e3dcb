"""Reads .csv and .tsv row by row, in the encodings Chinese offices produce."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from connectors.files.table import FileRefused, Table, checked

CHUNK = 1024 * 1024
SAMPLE_ROWS = 50
DELIMITERS = (",", "\t", ";", "|", "，")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# One unreadable place in a thousand characters is damage; more means it is another encoding.
DAMAGE = 1000


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is written. ``damaged``: unreadable places, shown as �. ``lines``: line ends seen."""

    name: str
    damaged: int
    lines: int


def open_table(path: Path) -> Table:
    """The rows of a delimited text file. :class:`FileRefused` when its encoding cannot be told."""
    encoding = detect(path)
    file = path.open(encoding=encoding.name, errors="replace", newline="")
    try:
        delimiter = _delimiter(file, path)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    notes = (f"文件中有 {encoding.damaged} 处无法识别的字符，已显示为「�」",) if encoding.damaged else ()
    return Table(_lines(file, delimiter), file.close, encoding.lines, notes)


def detect(path: Path) -> Encoding:
    """The encoding from the bytes: byte order mark, UTF-16 by its zeros, strict UTF-8, then GB 18030."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return _measure(path, name)
    if name := _utf16_without_mark(head):
        return _measure(path, name)
    utf8 = _measure(path, "utf-8")
    if not utf8.damaged:
        return utf8
    best = min((utf8, _measure(path, "gb18030")), key=lambda e: e.damaged)
    if best.damaged * DAMAGE > path.stat().st_size:
        raise FileRefused("无法识别文件的文字编码，请用 Excel 或 WPS 打开后另存为「CSV UTF-8」再导入")
    return best


def _utf16_without_mark(head: bytes) -> str:
    """Digits and commas leave a zero in every second byte."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 20 < len(head) or min(even, odd) * 10 > max(even, odd):
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _measure(path: Path, name: str) -> Encoding:
    damaged = lines = 0
    decoder = codecs.getincrementaldecoder(name)("replace")
    # A � that stands in the file as itself is no damage.
    genuine = codecs.encode("�", name) if name.startswith("utf-8") else b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            text = decoder.decode(chunk)
            damaged += text.count("�") - (chunk.count(b"\xef\xbf\xbd") if genuine else 0)
            lines += text.count("\n")
        damaged += decoder.decode(b"", True).count("�")
    return Encoding(name, max(damaged, 0), lines)


def _delimiter(file: IO[str], path: Path) -> str:
    sample = file.read(64 * 1024).splitlines(keepends=True)
    if len(sample) > 1:
        sample.pop()
    preferred = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    ranked = sorted(DELIMITERS, key=lambda d: (_fits(sample, d), d == preferred), reverse=True)
    return ranked[0] if _fits(sample, ranked[0]) else preferred


def _fits(sample: list[str], delimiter: str) -> int:
    """How many rows of the sample have the width of the widest-spread width, if that is more than one column."""
    try:
        rows = [row for row in islice(csv.reader(sample, delimiter=delimiter), SAMPLE_ROWS) if any(row)]
    except csv.Error:
        return 0
    widths = [len(row) for row in rows]
    usual = max(set(widths), key=widths.count, default=0)
    return widths.count(usual) if usual > 1 else 0


def _lines(file: IO[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, cells in enumerate(csv.reader(file, delimiter=delimiter), start=1):
            yield checked(number, cells)
    except csv.Error as error:
        raise FileRefused(
            f"第 {number + 1} 行附近有一个单元格过长，可能缺少右引号，请用 Excel 或 WPS 打开检查后另存再导入"
        ) from error
