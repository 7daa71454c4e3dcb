"""The office's own lists: kept, changed, brought in and out, audited; the check goes by them at once."""

from __future__ import annotations

import pytest
from sqlmodel import col, select

from hub.db import Context, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Stale
from hub.models import AuditEntry, OfficeWord, WordKind
from hub.rights import Actor, May
from nlp.checking import RULES
from workflows.checking import judge, lists, sheets, words
from workflows.checking.lists import Entry

K = WordKind
OFFICER = Actor(None, "林主编", may=frozenset({May.manage_words}))
NOBODY = Actor(None, "路人")


@pytest.fixture
async def there(ctx: Context) -> Context:
    """Some entries of every kind."""
    async with unit_of_work(ctx) as unit:
        for entry in (
            Entry(K.person, "林国安", "市委书记"), Entry(K.person, "陈素华", "市委副书记，市长"),
            Entry(K.order, "市领导", "林国安、陈素华"), Entry(K.phrase, "一网通办改革攻坚行动", "一网通办攻坚行动"),
            Entry(K.prohibited, "旧称", "新称", note="2026年更名"), Entry(K.advertising, "全城最美", severity="hint"),
            Entry(K.ignored, "周未", "confusion"),
        ):  # fmt: skip
            await lists.add(unit, OFFICER, entry)
    return ctx


async def told(ctx: Context, text: str) -> list[tuple[str, str, str]]:
    async with reading(ctx) as unit:
        (found,) = await judge(unit, [text])
    return [(one.rule, one.severity, one.suggestions[0] if one.suggestions else "") for one in found]


async def audited(ctx: Context) -> list[str]:
    async with reading(ctx) as unit:
        return list(await unit.all(select(AuditEntry.what).order_by(col(AuditEntry.id))))


async def test_the_check_goes_by_the_lists_at_once(there: Context) -> None:
    assert await told(there, "市长林国安讲话") == [("title", "red", "市委书记林国安")]
    assert await told(there, "市委副书记、市长陈素华讲话") == []
    assert await told(there, "陈素华、林国安出席") == [("order", "error", "林国安、陈素华")]
    assert await told(there, "深化一网通办改革攻艰行动") == [("phrase", "error", "一网通办改革攻坚行动")]
    assert await told(there, "推进一网通办攻坚行动") == [("phrase", "error", "一网通办改革攻坚行动")]
    assert await told(there, "旧称照用，全城最美，周未见") == [
        ("prohibited", "red", "新称"),
        ("advertising", "hint", ""),
    ]


async def test_entries_are_changed_deleted_and_all_of_it_audited(there: Context) -> None:
    async with unit_of_work(there) as unit:
        (row,) = await lists.entries(unit, K.prohibited)
        await lists.change(unit, OFFICER, row.id or 0, Entry(K.prohibited, "旧称呼", "", "error"), version=row.version)
    assert await told(there, "旧称呼") == [("prohibited", "error", "")]
    async with unit_of_work(there) as unit:
        with pytest.raises(Stale):
            await lists.change(unit, OFFICER, row.id or 0, Entry(K.prohibited, "又改"), version=1)
        with pytest.raises(Stale):
            await lists.remove(unit, OFFICER, row.id or 0, version=1)
    async with unit_of_work(there) as unit:
        await lists.remove(unit, OFFICER, row.id or 0, version=2)
    assert await told(there, "旧称呼") == []
    assert (await audited(there))[-2:] == ["words.change", "words.remove"]
    async with reading(there) as unit:
        with pytest.raises(NotFound):
            await lists.get(unit, OFFICER, row.id or 0)
        last = await unit.first(select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(1))
    assert last is not None
    assert last.data == {"kind": "prohibited", "word": "旧称呼", "other": "", "severity": "error"}


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (Entry(K.prohibited, "单"), "word"), (Entry(K.prohibited, " "), "word"),
        (Entry(K.prohibited, "长" * 201), "word"),
        (Entry(K.person, "张三"), "other"), (Entry(K.order, "一组", "林国安"), "other"),
        (Entry(K.phrase, "固定表述", "固定表述"), "other"), (Entry(K.phrase, "固定表述", "错"), "other"),
        (Entry(K.ignored, "，", "没有这类"), "other"), (Entry(K.prohibited, "词语", severity="黑"), "severity"),
        (Entry(K.prohibited, "词语", note="长" * 301), "note"), (Entry(K.person, "林国安", "市长"), "word"),
    ],
)  # fmt: skip
async def test_what_cannot_be_taken_is_said_by_field(there: Context, entry: Entry, field: str) -> None:
    async with unit_of_work(there) as unit:
        with pytest.raises(Invalid) as refused:
            await lists.add(unit, OFFICER, entry)
    assert list(refused.value.problems) == [field]


async def test_only_those_with_the_right_change_anything(there: Context) -> None:
    async with unit_of_work(there) as unit:
        (row,) = await lists.entries(unit, K.prohibited)
        for attempt in (
            lists.add(unit, NOBODY, Entry(K.prohibited, "词语")), lists.remove(unit, NOBODY, row.id or 0, version=1),
            lists.change(unit, NOBODY, row.id or 0, Entry(K.prohibited, "词语"), version=1),
            sheets.bring(unit, NOBODY, "禁用词,词语\n".encode()), lists.ignore(unit, NOBODY, "confusion", "布署"),
        ):  # fmt: skip
            with pytest.raises((NotAllowed, NotFound)):
                await attempt


async def test_ignoring_is_safe_to_run_twice_and_widens(there: Context) -> None:
    for group in ("confusion", "confusion", "repeat"):
        async with unit_of_work(there) as unit:
            await lists.ignore(unit, OFFICER, group, "布署")
    async with reading(there) as unit:
        kept = [(row.word, row.other) for row in await lists.entries(unit, K.ignored)]
    assert kept == [("周未", "confusion"), ("布署", "")]
    assert await told(there, "布署") == []
    async with unit_of_work(there) as unit:
        with pytest.raises(Invalid):
            await lists.ignore(unit, OFFICER, "没有这类", "布署")


async def test_red_lines_are_not_ignored_with_the_rest(there: Context) -> None:
    async with unit_of_work(there) as unit:
        await lists.ignore(unit, OFFICER, "prohibited", "旧称")
    assert await told(there, "旧称") == [("prohibited", "red", "新称")]
    chief = Actor(None, "主任", may=OFFICER.may | {May.force_check})
    entry = Entry(K.ignored, "旧称", "prohibited", "red")
    async with unit_of_work(there) as unit:
        row = next(row for row in await lists.entries(unit, K.ignored) if row.word == "旧称")
        with pytest.raises(Invalid) as refused:
            await lists.change(unit, OFFICER, row.id or 0, entry, version=row.version)
        with pytest.raises(Invalid):
            await sheets.bring(unit, OFFICER, "本单位不提示,旧称,禁用词,红线,\n".encode())
    assert list(refused.value.problems) == ["severity"]
    async with unit_of_work(there) as unit:
        await lists.change(unit, chief, row.id or 0, entry, version=row.version)
    assert await told(there, "旧称") == []


async def test_what_is_exported_comes_back_as_it_was(there: Context) -> None:
    async with unit_of_work(there) as unit:
        await lists.add(unit, OFFICER, Entry(K.prohibited, "=1+1", "@x"))
        text = await sheets.export(unit)
        before = [row.model_dump(exclude={"id", "changed_at"}) for row in await unit.all(select(OfficeWord))]
    assert text.startswith("\ufeff词表,词,对应,级别,备注")
    assert "'=1+1,'@x" in text
    async with unit_of_work(there) as unit:
        assert await sheets.bring(unit, OFFICER, text.encode()) == sheets.Brought(0, 0, 8)
        for row in await unit.all(select(OfficeWord)):
            await unit.session.delete(row)
    async with unit_of_work(there) as unit:
        assert await sheets.bring(unit, OFFICER, text.encode("gb18030")) == sheets.Brought(8, 0, 0)
        again = [row.model_dump(exclude={"id", "changed_at"}) for row in await unit.all(select(OfficeWord))]
    by_word = sorted(before, key=lambda row: row["word"])
    assert [row["other"] for row in sorted(again, key=lambda row: row["word"])] == [row["other"] for row in by_word]
    assert (await audited(there))[-1] == "words.import"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "没有词条"), ("禁用词,单\n禁用词,词语\n", "第 1 行"),
        ("词表,词\n没有的表,词语\n", "第 2 行：不认识词表「没有的表」"),
        ("姓名与职务,张三,\n", "请填写职务"), ("\x00", "没有词条"), ("禁用词," + "长" * 300, "第 1 行"),
    ],
)  # fmt: skip
async def test_a_file_with_one_bad_line_changes_nothing(there: Context, content: str, says: str) -> None:
    async with unit_of_work(there) as unit:
        with pytest.raises(Invalid) as refused:
            await sheets.bring(unit, OFFICER, content.encode())
    assert says in refused.value.problems["file"]
    async with reading(there) as unit:
        assert (await lists.counts(unit))[K.prohibited] == 1


async def test_an_import_adds_and_changes_and_leaves_the_rest(there: Context) -> None:
    async with unit_of_work(there) as unit:
        brought = await sheets.bring(unit, OFFICER, "禁用词,旧称,全新称,差错,\nprohibited,另一个,,红线,\n".encode())
    assert brought == sheets.Brought(1, 1, 0)
    assert await told(there, "旧称和另一个") == [("prohibited", "error", "全新称"), ("prohibited", "red", "")]


def test_every_rule_has_its_words() -> None:
    assert set(words.WHY) == set(RULES)
    assert {source for _severity, source in RULES.values()} == set(words.SOURCES)
    assert {rule.partition(".")[0] for rule in RULES} <= set(words.GROUPS)
    assert set(words.KINDS) == set(WordKind)
