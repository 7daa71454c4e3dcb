"""What the readers share: limits, the refusal, and a table of plain text rows before its header is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

FILE_BYTES = 512 * 1024 * 1024
COLUMNS = 256
CELL_CHARACTERS = 50_000


class FileRefused(Exception):
    """The file cannot be imported; the text is one plain Chinese sentence that says what to do.

    Raised on opening, or while rows are read when the damage lies further on.
    """


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as they stand in the file: (number from 1, cells as text). ``expected``: a guess at their number."""

    lines: Iterator[tuple[int, list[str]]]
    close: Callable[[], None]
    expected: int | None = None
    notes: tuple[str, ...] = ()


def checked(number: int, cells: list[str]) -> tuple[int, list[str]]:
    """The row without empty cells at its end; refused when it is absurdly wide."""
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > COLUMNS:
        raise FileRefused(f"第 {number} 行有 {len(cells)} 列，超过上限 {COLUMNS} 列，请删除多余的列后再导入")
    return number, cells
