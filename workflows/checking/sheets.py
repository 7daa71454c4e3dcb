"""The word lists as CSV: brought out, and in again. Every import is audited."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from hub import audit
from hub.db import Unit
from hub.errors import Invalid
from hub.i18n import N_, _
from hub.models import OfficeWord, WordKind
from hub.rights import Actor
from nlp.checking import Severity
from workflows.checking import lists, words
from workflows.checking.lists import Entry
from workflows.checking.scopes import holds_in, need

LONGEST_FILE = 2_000_000
COLUMNS = (N_("词表"), N_("词"), N_("对应"), N_("级别"), N_("备注"))


@dataclass(frozen=True, slots=True)
class Brought:
    """Outcome of an import: entries added, changed, and already there as they are."""

    new: int
    changed: int
    same: int


async def export(unit: Unit, kind: WordKind | None = None, where: int | None = None) -> str:
    """The lists of a department, or of the whole office, as CSV with a header; opens in office programs (byte order
    mark, no formulas). Who may see them is asked before."""
    out = io.StringIO()
    out.write("\ufeff")
    sheet = csv.writer(out)
    sheet.writerow([_(column) for column in COLUMNS])
    query = select(OfficeWord).where(lists.of(where)).order_by(col(OfficeWord.kind), col(OfficeWord.id))
    for row in await unit.all(query.where(OfficeWord.kind == kind) if kind else query):
        severity = words.severity_label(Severity(row.severity)) if row.severity else ""
        other = words.group_label(row.other) if row.kind is WordKind.ignored else row.other
        sheet.writerow([_safe(cell) for cell in (words.kind_label(row.kind), row.word, other, severity, row.note)])
    return out.getvalue()


def _safe(cell: str) -> str:
    """Cells that a spreadsheet would run as a formula are kept as text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell


async def bring(unit: Unit, actor: Actor, content: bytes, where: int | None = None) -> Brought:
    """Add and change entries of a department's lists, or the whole office's, from a CSV file: all of it or, with
    Invalid naming each line, nothing."""
    await need(unit, actor, where)
    given = read_csv(content)
    there = {(row.kind, row.word): row for row in await unit.all(select(OfficeWord).where(lists.of(where)))}
    await _refuse_doubles(unit, given, where)
    for entry in given:
        row = there.get((entry.kind, entry.word))
        if (row is None or row.severity != entry.severity) and (refused := lists.against_passing(actor, entry)):
            raise Invalid({"file": _("「%(word)s」：%(why)s", word=entry.word, why=refused["severity"])})
    if len(there.keys() | {(entry.kind, entry.word) for entry in given}) > lists.MOST:
        raise Invalid({"file": _("词表最多 %(n)s 条，请先删除不用的。", n=lists.MOST)})
    new = changed = same = 0
    for entry in given:
        row = there.get((entry.kind, entry.word))
        if row is None:
            there[entry.kind, entry.word] = await lists.insert(unit, actor, entry, where)
            new += 1
        elif (row.other, row.severity, row.note) == (entry.other, entry.severity, entry.note):
            same += 1
        else:
            await lists.set_to(unit, actor, row, row.version, entry)
            changed += 1
    kept = [[entry.kind.value, entry.word, entry.other, entry.severity] for entry in given]
    told = {"new": new, "changed": changed, "same": same, "entries": kept}
    await audit.record(unit, actor, "words.import", "words", **told, **({"department_id": where} if where else {}))
    return Brought(new, changed, same)


async def _refuse_doubles(unit: Unit, given: list[Entry], where: int | None) -> None:
    """What a wider list holds is not to be said again in a narrower one, where it would count for nothing."""
    if where is None:
        return
    elsewhere = col(OfficeWord.department_id).is_distinct_from(where)
    wider = select(OfficeWord.kind, OfficeWord.word).where(holds_in(where), elsewhere)
    held = {(WordKind(kind), word) for kind, word in await unit.rows(wider)}
    doubles = [entry.word for entry in given if (entry.kind, entry.word) in held]
    if doubles:
        said = "、".join(doubles[:20])
        raise Invalid({"file": _("全单位或上级部门的词表里已有：%(words)s。请从文件里去掉。", words=said)})


def read_csv(content: bytes) -> list[Entry]:
    """Every line of the file; Invalid with all problems, by line."""
    if len(content) > LONGEST_FILE:
        raise Invalid({"file": _("文件太大，最多 %(n)s MB。", n=2)})
    rows = [row for row in csv.reader(io.StringIO(_text(content))) if any(cell.strip() for cell in row)]
    found: dict[tuple[WordKind, str], Entry] = {}
    problems = []
    for number, row in enumerate(rows, 1):
        if number == 1 and _is_header(row):
            continue
        try:
            entry = _entry(row)
        except ValueError:
            problems.append(_("第 %(n)s 行：不认识词表「%(name)s」", n=number, name=row[0][:20]))
            continue
        if wrong := lists.problems_of(entry):
            problems.append(_("第 %(n)s 行：%(why)s", n=number, why="；".join(wrong.values())))
        found[entry.kind, entry.word] = entry
    if not found and not problems:
        problems.append(_("文件里没有词条。"))
    if problems:
        raise Invalid({"file": "\n".join(problems[:20])})
    return list(found.values())


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    raise Invalid({"file": _("看不懂文件的编码，请另存为 UTF-8 的 CSV。")})


def _is_header(row: list[str]) -> bool:
    return len(row) > 1 and row[0].strip() not in _KIND_OF and row[1].strip() in ("词", _("词"), "word")


def _entry(row: list[str]) -> Entry:
    """ValueError for a list that is not known."""
    cells = [cell.strip().removeprefix("'") for cell in (*row, "", "", "", "", "")[:5]]
    kind = _KIND_OF.get(cells[0]) or next((one for one in WordKind if words.kind_label(one) == cells[0]), None)
    if kind is None:
        raise ValueError(cells[0])
    other = cells[2]
    if kind is WordKind.ignored:
        other = _code(other, {group: words.group_label(group) for group in words.GROUPS}, (_("所有规则"), "所有规则"))
    severity = _code(cells[3], {one.value: words.severity_label(one) for one in Severity}, ())
    return lists.tidy(Entry(kind, cells[1], other, severity, cells[4]))


_KIND_OF = {**{label: kind for kind, label in words.KINDS.items()}, **{kind.value: kind for kind in WordKind}}


def _code(cell: str, labels: Mapping[str, str], empty: Sequence[str]) -> str:
    """The code of a label in either language; the cell itself when it is none, for problems_of to refuse."""
    if cell in empty:
        return ""
    chinese = {"红线": "red", "差错": "error", "提示": "hint"} | {label: group for group, label in words.GROUPS.items()}
    by_label = {label: code for code, label in labels.items()} | {
        label: code for label, code in chinese.items() if code in labels
    }
    return by_label.get(cell, cell)
