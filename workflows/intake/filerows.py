"""Rows of a file, read a batch at a time in a thread: each is understood, or an error with its place and reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from connectors.base import AccountRef, Inbound, RawItem, Unparsable
from connectors.files import FileRefused, Row, RowSource, read, to_item
from connectors.files import Mapping as Columns
from connectors.files.rows import RowError
from hub.errors import Invalid
from workflows.house import House
from workflows.intake import storable
from workflows.intake.reading import understand

SAMPLE = 20
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Good:
    """A row that can become a message."""

    row: int
    item: RawItem
    inbound: Inbound

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one of a kind within its account."""
        return self.item.kind.value, storable.identity(self.item.external_id)


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot: where, and why, for the person with the file."""

    row: int
    column: str
    why: str

    def as_data(self) -> dict[str, object]:
        """As the report shows it."""
        return {"row": self.row, "column": storable.text(self.column), "why": storable.text(self.why)}


@dataclass
class OpenFile:
    """An opened file: its headers, its first rows, and the rest as it comes."""

    source: RowSource
    sample: list[Row]
    _rows: Iterator[Row] = field(repr=False)

    @property
    def headers(self) -> tuple[str, ...]:
        """Column names, one each."""
        return self.source.headers

    @property
    def cells(self) -> list[dict[str, str]]:
        """The first rows, cells cut short, for guessing and showing."""
        return [{name: cell[:_SHOWN] for name, cell in cells.items()} for _, cells in self.sample]

    async def skip(self, count: int) -> None:
        """Go past rows that an interrupted run has settled."""
        await asyncio.to_thread(lambda: sum(1 for _ in islice(self._rows, count)))

    async def take(self, house: House, account: AccountRef, columns: Columns, count: int) -> list[Good | Bad]:
        """The next rows, understood; empty at the end. Invalid when the file is damaged from here on."""
        try:
            return await asyncio.to_thread(
                lambda: [_understood(house, account, columns, row) for row in islice(self._rows, count)]
            )
        except FileRefused as error:
            raise Invalid({"file": str(error)}) from None

    async def close(self) -> None:
        """Close the file."""
        await asyncio.to_thread(self.source.close)


async def open_file(path: Path) -> OpenFile:
    """Open a file of messages; Invalid with one sentence that says why not and what to do."""
    try:
        return await asyncio.to_thread(_open, path)
    except FileRefused as error:
        raise Invalid({"file": str(error)}) from None


def _open(path: Path) -> OpenFile:
    source = read(path)
    try:
        sample = list(islice(source.rows, SAMPLE))
    except BaseException:
        source.close()
        raise
    return OpenFile(source, sample, chain(sample, source.rows))


def _understood(house: House, account: AccountRef, columns: Columns, row: Row) -> Good | Bad:
    item = to_item(row, columns)
    if isinstance(item, RowError):
        return Bad(item.row, item.column, item.why)
    try:
        return Good(row[0], item, understand(house, account, item))
    except Unparsable as error:
        return Bad(row[0], "", str(error))


def only_good(rows: Sequence[Good | Bad]) -> Mapping[tuple[str, str], Good]:
    """The good ones by key; of repeats the first."""
    found: dict[tuple[str, str], Good] = {}
    for row in rows:
        if isinstance(row, Good):
            found.setdefault(row.key, row)
    return found


def only_bad(rows: Sequence[Good | Bad]) -> list[dict[str, object]]:
    """The errors, as the report shows them."""
    return [row.as_data() for row in rows if isinstance(row, Bad)]
