"""The office's own lists: read, added to, changed, deleted, brought in and out as CSV. Every change is audited."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import col, delete, func, select

from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Stale
from hub.i18n import N_, _
from hub.models import OfficeWord, WordKind
from hub.rights import Actor, May
from nlp.checking import Severity
from workflows.checking import words
from workflows.checking.policy import parts

MOST = 5000
LONGEST_FILE = 2_000_000
COLUMNS = (N_("词表"), N_("词"), N_("对应"), N_("级别"), N_("备注"))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person types about one entry; see :class:`hub.models.OfficeWord`."""

    kind: WordKind
    word: str
    other: str = ""
    severity: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """Outcome of an import: entries added, changed, and already there as they are."""

    new: int
    changed: int
    same: int


async def entries(unit: Unit, kind: WordKind, wanted: str = "") -> Sequence[OfficeWord]:
    """One list in order of entry; ``wanted``: only entries that hold this text."""
    query = select(OfficeWord).where(OfficeWord.kind == kind).order_by(col(OfficeWord.id))
    if wanted:
        held = col(OfficeWord.word).contains(wanted, autoescape=True)
        query = query.where(held | col(OfficeWord.other).contains(wanted, autoescape=True))
    return await unit.all(query.limit(MOST))


async def counts(unit: Unit) -> Mapping[WordKind, int]:
    """Entries per list."""
    rows = await unit.rows(select(OfficeWord.kind, func.count()).group_by(col(OfficeWord.kind)))
    return {WordKind.person: 0} | {WordKind(kind): number for kind, number in rows}


async def get(unit: Unit, word_id: int) -> OfficeWord:
    """One entry; NotFound when there is none."""
    row = await unit.get(OfficeWord, word_id)
    if row is None:
        raise NotFound(_("没有这个词条，可能已被他人删除。"))
    return row


async def add(unit: Unit, actor: Actor, entry: Entry) -> OfficeWord:
    """A new entry. Invalid names each field that cannot be taken, a word that is there already included."""
    _need(actor)
    given = tidy(entry)
    problems = problems_of(given) or against_passing(actor, given)
    if not problems and await _same(unit, given) is not None:
        problems["word"] = _("词表里已有「%(word)s」。", word=given.word)
    if not problems and await unit.one(select(func.count()).select_from(OfficeWord)) >= MOST:
        problems["word"] = _("词表最多 %(n)s 条，请先删除不用的。", n=MOST)
    if problems:
        raise Invalid(problems)
    row = await _insert(unit, actor, given)
    await audit.record(unit, actor, "words.add", f"word:{row.id}", **_kept(row))
    return row


async def change(unit: Unit, actor: Actor, word_id: int, entry: Entry, *, version: int) -> OfficeWord:
    """Change an entry; Stale when somebody else changed it meanwhile. The list it stands in stays."""
    _need(actor)
    row = await get(unit, word_id)
    given = tidy(replace(entry, kind=row.kind))
    problems = problems_of(given) or against_passing(actor, given)
    same = await _same(unit, given)
    if same is not None and same.id != row.id:
        problems["word"] = _("词表里已有「%(word)s」。", word=given.word)
    if problems:
        raise Invalid(problems)
    before = _kept(row)
    await _set(unit, actor, row, version, given)
    await audit.record(unit, actor, "words.change", f"word:{row.id}", before=before, after=_kept(row))
    return row


async def remove(unit: Unit, actor: Actor, word_id: int, *, version: int) -> OfficeWord:
    """Delete an entry; what it said stays in the audit log."""
    _need(actor)
    row = await get(unit, word_id)
    gone = await unit.run(delete(OfficeWord).where(col(OfficeWord.id) == word_id, col(OfficeWord.version) == version))
    if gone.rowcount != 1:
        raise Stale([_("这个词条刚被他人修改，请刷新后再试")])
    await audit.record(unit, actor, "words.remove", f"word:{word_id}", **_kept(row))
    return row


async def ignore(unit: Unit, actor: Actor, group: str, found: str) -> None:
    """Have the check leave ``found`` alone here from now on. Safe to run twice."""
    given = Entry(WordKind.ignored, found, group)
    if group not in words.GROUPS:
        raise Invalid({"group": _("没有这类规则。")})
    there = await _same(unit, tidy(given))
    if there is None:
        await add(unit, actor, given)
    elif there.other not in ("", group):
        await change(unit, actor, there.id or 0, replace(given, other=""), version=there.version)


def tidy(entry: Entry) -> Entry:
    """Outer blanks gone; several members joined by 、 whatever they were typed with."""
    other = entry.other.strip()
    if entry.kind in (WordKind.person, WordKind.order, WordKind.phrase):
        for mark in "，,；;\n\r\t":
            other = other.replace(mark, "、")
        other = "、".join(dict.fromkeys(parts(other)))
    return Entry(entry.kind, entry.word.strip(), other, entry.severity.strip(), entry.note.strip())


def problems_of(entry: Entry) -> dict[str, str]:
    """Why an entry cannot be taken, per field."""
    problems = {}
    if not 2 <= len(entry.word) <= 200 and not (entry.kind is WordKind.ignored and 1 <= len(entry.word) <= 200):
        problems["word"] = _("请填写 2 至 200 个字；单个字会处处误报。")
    elif "\n" in entry.word or "\x00" in entry.word:
        problems["word"] = _("词里不能换行。")
    if len(entry.other) > 2000:
        problems["other"] = _("最多 %(n)s 个字。", n=2000)
    elif wrong := _members(entry):
        problems["other"] = wrong
    if entry.severity not in ("", *((words.PASSING,) if entry.kind is WordKind.ignored else Severity)):
        problems["severity"] = _("级别只能是红线、差错或提示。")
    if len(entry.note) > 300:
        problems["note"] = _("最多 %(n)s 个字。", n=300)
    return problems


def against_passing(actor: Actor, entry: Entry) -> dict[str, str]:
    """Leaving red lines alone for good takes the right to let them pass."""
    if entry.kind is WordKind.ignored and entry.severity and not actor.can(May.force_check):
        return {"severity": _("红线也不提示，须由有放行权限的人设置。")}
    return {}


def _members(entry: Entry) -> str:
    members = parts(entry.other)
    if entry.kind is WordKind.person and not members:
        return _("请填写职务，多个职务用顿号隔开。")
    if entry.kind is WordKind.order and len(members) < 2:
        return _("请按顺序填写至少两个姓名，用顿号隔开。")
    if entry.kind is WordKind.phrase and entry.word in members:
        return _("错误写法不能与正确表述相同。")
    if entry.kind in (WordKind.person, WordKind.order, WordKind.phrase) and any(len(part) < 2 for part in members):
        return _("每一项至少两个字。")
    if entry.kind is WordKind.ignored and entry.other and entry.other not in words.GROUPS:
        return _("没有这类规则。")
    return ""


# CSV


async def export(unit: Unit, kind: WordKind | None = None) -> str:
    """The lists as CSV with a header; opens in office programs (byte order mark, no formulas)."""
    out = io.StringIO()
    out.write("\ufeff")
    sheet = csv.writer(out)
    sheet.writerow([_(column) for column in COLUMNS])
    query = select(OfficeWord).order_by(col(OfficeWord.kind), col(OfficeWord.id))
    for row in await unit.all(query.where(OfficeWord.kind == kind) if kind else query):
        severity = words.severity_label(Severity(row.severity)) if row.severity else ""
        other = words.group_label(row.other) if row.kind is WordKind.ignored else row.other
        sheet.writerow([_safe(cell) for cell in (words.kind_label(row.kind), row.word, other, severity, row.note)])
    return out.getvalue()


def _safe(cell: str) -> str:
    """Cells that a spreadsheet would run as a formula are kept as text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell


async def bring(unit: Unit, actor: Actor, content: bytes) -> Brought:
    """Add and change entries from a CSV file: all of it or, with Invalid naming each line, nothing."""
    _need(actor)
    given = read_csv(content)
    there = {(row.kind, row.word): row for row in await unit.all(select(OfficeWord))}
    for entry in given:
        row = there.get((entry.kind, entry.word))
        if (row is None or row.severity != entry.severity) and (refused := against_passing(actor, entry)):
            raise Invalid({"file": _("「%(word)s」：%(why)s", word=entry.word, why=refused["severity"])})
    if len(there.keys() | {(entry.kind, entry.word) for entry in given}) > MOST:
        raise Invalid({"file": _("词表最多 %(n)s 条，请先删除不用的。", n=MOST)})
    new = changed = same = 0
    for entry in given:
        row = there.get((entry.kind, entry.word))
        if row is None:
            there[entry.kind, entry.word] = await _insert(unit, actor, entry)
            new += 1
        elif (row.other, row.severity, row.note) == (entry.other, entry.severity, entry.note):
            same += 1
        else:
            await _set(unit, actor, row, row.version, entry)
            changed += 1
    kept = [[entry.kind.value, entry.word, entry.other, entry.severity] for entry in given]
    await audit.record(unit, actor, "words.import", "words", new=new, changed=changed, same=same, entries=kept)
    return Brought(new, changed, same)


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
        if wrong := problems_of(entry):
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
    return tidy(Entry(kind, cells[1], other, severity, cells[4]))


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


# Rows


async def _same(unit: Unit, entry: Entry) -> OfficeWord | None:
    return await unit.first(select(OfficeWord).where(OfficeWord.kind == entry.kind, OfficeWord.word == entry.word))


async def _insert(unit: Unit, actor: Actor, entry: Entry) -> OfficeWord:
    row = OfficeWord(
        kind=entry.kind, word=entry.word, other=entry.other, severity=entry.severity, note=entry.note,
        changed_at=clock.now(), changed_by=actor.name,
    )  # fmt: skip
    unit.add(row)
    await unit.flush()
    return row


async def _set(unit: Unit, actor: Actor, row: OfficeWord, version: int, entry: Entry) -> None:
    values = {"word": entry.word, "other": entry.other, "severity": entry.severity, "note": entry.note}
    changed = {"changed_at": clock.now(), "changed_by": actor.name}
    if row.version != version or not await unit.compare_and_set(row, **values, **changed):
        raise Stale([_("这个词条刚被他人修改，请刷新后再试")])


def _need(actor: Actor) -> None:
    if not actor.can(May.manage_words):
        raise NotAllowed(_("您没有修改词表的权限"))


def _kept(row: OfficeWord) -> dict[str, str]:
    return {"kind": row.kind.value, "word": row.word, "other": row.other, "severity": row.severity}
