"""The office's own lists, and what departments add to them: read, added to, changed, deleted; all of it audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, delete, func, or_, select

from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, NotFound, Stale
from hub.i18n import _
from hub.models import OfficeWord, WordKind
from hub.queries import visible
from hub.rights import Actor, May
from nlp.checking import Severity
from workflows.checking import words
from workflows.checking.policy import parts
from workflows.checking.scopes import holds_in, need, own

MOST = 5000


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person types about one entry; see :class:`hub.models.OfficeWord`."""

    kind: WordKind
    word: str
    other: str = ""
    severity: str = ""
    note: str = ""


async def entries(unit: Unit, kind: WordKind, wanted: str = "", where: int | None = None) -> Sequence[OfficeWord]:
    """One list of a department (none: of the whole office) in order of entry; ``wanted``: only those that hold this
    text. Who may see it is asked before: :func:`workflows.checking.scopes.find`."""
    query = select(OfficeWord).where(OfficeWord.kind == kind, of(where)).order_by(col(OfficeWord.id))
    if wanted:
        held = col(OfficeWord.word).contains(wanted, autoescape=True)
        query = query.where(held | col(OfficeWord.other).contains(wanted, autoescape=True))
    return await unit.all(query.limit(MOST))


async def counts(unit: Unit, where: int | None = None) -> Mapping[WordKind, int]:
    """Entries per list of a department, or of the whole office."""
    rows = await unit.rows(select(OfficeWord.kind, func.count()).where(of(where)).group_by(col(OfficeWord.kind)))
    return {WordKind.person: 0} | {WordKind(kind): number for kind, number in rows}


async def get(unit: Unit, actor: Actor, word_id: int) -> OfficeWord:
    """One entry; NotFound when there is none that the person may see."""
    row = await unit.first(select(OfficeWord).where(OfficeWord.id == word_id, visible.words(actor)))
    if row is None:
        raise NotFound(_("没有这个词条，可能已被他人删除。"))
    return row


async def add(unit: Unit, actor: Actor, entry: Entry, where: int | None = None) -> OfficeWord:
    """A new entry of a department's lists, or of the whole office's. Invalid names each field that cannot be taken, a
    word that already holds there included."""
    await need(unit, actor, where)
    given = tidy(entry)
    problems = problems_of(given) or against_passing(actor, given)
    problems = problems or await _twice(unit, given, where)
    if not problems and await unit.one(select(func.count()).select_from(OfficeWord).where(of(where))) >= MOST:
        problems["word"] = _("词表最多 %(n)s 条，请先删除不用的。", n=MOST)
    if problems:
        raise Invalid(problems)
    row = await insert(unit, actor, given, where)
    await audit.record(unit, actor, "words.add", f"word:{row.id}", **_kept(row))
    return row


async def change(unit: Unit, actor: Actor, word_id: int, entry: Entry, *, version: int) -> OfficeWord:
    """Change an entry; Stale when somebody else changed it meanwhile. The list it stands in stays."""
    row = await get(unit, actor, word_id)
    await need(unit, actor, row.department_id)
    given = tidy(replace(entry, kind=row.kind))
    problems = problems_of(given) or against_passing(actor, given)
    problems = problems or await _twice(unit, given, row.department_id, but=row.id)
    if problems:
        raise Invalid(problems)
    before = _kept(row)
    await set_to(unit, actor, row, version, given)
    await audit.record(unit, actor, "words.change", f"word:{row.id}", before=before, after=_kept(row))
    return row


async def remove(unit: Unit, actor: Actor, word_id: int, *, version: int) -> OfficeWord:
    """Delete an entry; what it said stays in the audit log."""
    row = await get(unit, actor, word_id)
    await need(unit, actor, row.department_id)
    gone = await unit.run(delete(OfficeWord).where(col(OfficeWord.id) == word_id, col(OfficeWord.version) == version))
    if gone.rowcount != 1:
        raise Stale([_("这个词条刚被他人修改，请刷新后再试")])
    await audit.record(unit, actor, "words.remove", f"word:{word_id}", **_kept(row))
    return row


async def ignore(unit: Unit, actor: Actor, group: str, found: str) -> None:
    """Have the check leave ``found`` alone from now on: in the whole office, or in the department of a person who keeps
    its lists alone. Safe to run twice."""
    given, where = Entry(WordKind.ignored, found, group), own(actor)
    if group not in words.GROUPS:
        raise Invalid({"group": _("没有这类规则。")})
    there = await unit.first(select(OfficeWord).where(_is(tidy(given)), of(where)))
    if there is None:
        await add(unit, actor, given, where)
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
    """Leaving red lines alone for good takes the right to let them pass, and to keep the whole office's lists."""
    passes = actor.can(May.force_check) and actor.can(May.manage_words)
    if entry.kind is WordKind.ignored and entry.severity and not passes:
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


# Rows


def of(where: int | None) -> ColumnElement[bool]:
    """Entries of this department's own lists, or of the whole office's."""
    scope = col(OfficeWord.department_id)
    return scope.is_(None) if where is None else scope == where


def _is(entry: Entry) -> ColumnElement[bool]:
    return and_(col(OfficeWord.kind) == entry.kind, col(OfficeWord.word) == entry.word)


async def _twice(unit: Unit, entry: Entry, where: int | None, but: int | None = None) -> dict[str, str]:
    """Why not, when the word already holds there, by this list or a wider one."""
    other = and_(_is(entry), holds_in(where), col(OfficeWord.id) != (but or 0))
    if entry.kind is WordKind.ignored and entry.other:  # of one group of rules; a wider list may ignore it for another
        other = and_(other, or_(of(where), col(OfficeWord.other).in_(["", entry.other])))
    same = await unit.first(select(OfficeWord).where(other).limit(1))
    if same is None:
        return {}
    if same.department_id == where:
        return {"word": _("词表里已有「%(word)s」。", word=entry.word)}
    return {"word": _("全单位或上级部门的词表里已有「%(word)s」，在这里同样有效。", word=entry.word)}


async def insert(unit: Unit, actor: Actor, entry: Entry, where: int | None) -> OfficeWord:
    """A row as it is given; rights and doubles are asked before."""
    row = OfficeWord(
        kind=entry.kind, word=entry.word, other=entry.other, severity=entry.severity, note=entry.note,
        department_id=where, changed_at=clock.now(), changed_by=actor.name,
    )  # fmt: skip
    unit.add(row)
    await unit.flush()
    return row


async def set_to(unit: Unit, actor: Actor, row: OfficeWord, version: int, entry: Entry) -> None:
    """Write an entry over a row; Stale when somebody else changed it meanwhile."""
    values = {"word": entry.word, "other": entry.other, "severity": entry.severity, "note": entry.note}
    changed = {"changed_at": clock.now(), "changed_by": actor.name}
    if row.version != version or not await unit.compare_and_set(row, **values, **changed):
        raise Stale([_("这个词条刚被他人修改，请刷新后再试")])


def _kept(row: OfficeWord) -> dict[str, object]:
    kept: dict[str, object] = {
        "kind": row.kind.value, "word": row.word, "other": row.other, "severity": row.severity,
    }  # fmt: skip
    return kept if row.department_id is None else {**kept, "department_id": row.department_id}
