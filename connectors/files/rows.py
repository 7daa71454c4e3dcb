"""One row of a file as an item to store, or the reason why not, in words for the person with the file."""

from __future__ import annotations

import hashlib
import json
from collections import abc
from dataclasses import dataclass
from typing import Any

from connectors.base import Author, Inbound, Kind, RawItem, Unparsable
from connectors.files.columns import LABELS, Field, Mapping
from connectors.files.moments import moment
from connectors.files.source import EXTRA, Row
from connectors.files.table import CELL_CHARACTERS
from connectors.markup import plain_if_html
from connectors.text import LONGEST_ID, as_payload, clean, one_line

_KINDS = {
    "提及": Kind.mention,
    "@": Kind.mention,
    "mention": Kind.mention,
    "评论": Kind.comment,
    "comment": Kind.comment,
    "私信": Kind.private,
    "private": Kind.private,
}


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that is not imported: where (as in the sheet), and what is wrong and what to do."""

    row: int
    column: str
    why: str


def to_item(row: Row, mapping: Mapping) -> RawItem | RowError:
    """The row as an item of the ``file`` platform. Pure; the same row always gets the same id.

    The id is the mapped column's, else a hash of the row's cells whatever their order. Text or title and a readable
    time are required; columns that are not mapped go along unchanged.
    """
    number, cells = row
    if error := _misshapen(number, cells):
        return error
    values = {field: clean(cells.get(column, "")).strip() for column, field in mapping.columns}
    if error := _unfit(number, values, mapping):
        return error
    shape = _shape(cells, values, mapping)
    kind = _KINDS.get(values.get(Field.kind, "").lower(), Kind.letter)
    return RawItem(kind, _external_id(values, cells), as_payload(shape))


def _misshapen(number: int, cells: abc.Mapping[str, str]) -> RowError | None:
    if EXTRA in cells:
        why = "这一行的单元格比表头多，可能内容里的逗号没有加引号，请在 Excel 或 WPS 中检查这一行"
        return RowError(number, EXTRA, why)
    for column, cell in cells.items():
        if len(cell) > CELL_CHARACTERS:
            why = f"单元格有 {len(cell)} 个字符，超过上限 {CELL_CHARACTERS}，请精简后再导入"
            return RowError(number, column, why)
    return None


def _unfit(number: int, values: dict[Field, str], mapping: Mapping) -> RowError | None:
    """Fill in the title where the text is empty, turn the times into UTC; the first thing that is wrong."""
    values[Field.text] = values.get(Field.text) or values.get(Field.subject, "")
    if not values[Field.text]:
        column = mapping.column(Field.text) or mapping.column(Field.subject)
        return RowError(number, column, "内容为空，请补上内容或删除这一行")
    for field in (Field.created_at, Field.answered_at):
        written = values.get(field, "")
        if not written and field is Field.answered_at:
            continue
        at = moment(written)
        if at is None:
            return RowError(number, mapping.column(field) or LABELS[field], _bad_time(written, LABELS[field]))
        values[field] = at.isoformat()
    return None


def _bad_time(written: str, label: str) -> str:
    if not written:
        return f"{label}为空，请填写 2020-01-07 15:04 这样的时间"
    return f"{label}「{one_line(written)[:30]}」无法识别，请改为 2020-01-07 15:04 这样的写法"


def _shape(cells: abc.Mapping[str, str], values: abc.Mapping[Field, str], mapping: Mapping) -> dict[str, Any]:
    mapped = {column for column, _ in mapping.columns}
    extra = {column: clean(cell).strip() for column, cell in cells.items() if column not in mapped and cell.strip()}
    shape: dict[str, Any] = {field.value: value for field, value in values.items() if value}
    return shape | ({"extra": extra} if extra else {})


def _external_id(values: abc.Mapping[Field, str], cells: abc.Mapping[str, str]) -> str:
    named = one_line(values.get(Field.id, ""))
    if 0 < len(named) <= LONGEST_ID:
        return named
    content = json.dumps(sorted((c, clean(v).strip()) for c, v in cells.items() if v.strip()), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def parse_item(item: RawItem) -> Inbound:
    """A stored row understood, HTML as plain text; :class:`Unparsable` when :func:`to_item` did not write it."""
    try:
        shape = json.loads(item.payload)
    except (ValueError, RecursionError):
        raise Unparsable("内容不是 JSON") from None
    if not isinstance(shape, dict) or not isinstance(shape.get("text"), str):
        raise Unparsable("缺少正文")
    at = moment(str(shape.get("created_at", "")))
    if at is None:
        raise Unparsable("缺少可识别的时间")
    name = one_line(str(shape.get("author", "")))
    extra = {str(k): str(v) for k, v in _dict(shape.get("extra")).items()}
    if shape.get("dislikes"):
        extra[LABELS[Field.dislikes]] = str(shape["dislikes"])
    return Inbound(
        kind=item.kind,
        external_id=item.external_id,
        text=clean(plain_if_html(shape["text"]) or shape["text"]),
        author=Author(one_line(str(shape.get("author_id", ""))) or name, name),
        created_at=at,
        title=one_line(plain_if_html(str(shape.get("subject", "")))),
        thread_id=item.external_id,
        url=_link(str(shape.get("url", ""))),
        likes=_count(str(shape.get("likes", ""))),
        answer=clean(plain_if_html(str(shape.get("answer", "")))),
        answered_at=moment(str(shape.get("answered_at", ""))),
        extra=extra,
    )


def _dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _link(text: str) -> str:
    """Only real web addresses become links; a script in a cell does not."""
    text = one_line(text)
    return text if text.lower().startswith(("http://", "https://")) and " " not in text else ""


def _count(text: str) -> int:
    digits = text.replace(",", "").replace("，", "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
