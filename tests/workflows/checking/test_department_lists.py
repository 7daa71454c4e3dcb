"""Departments add lists of their own to the office's: who keeps and sees them, where they hold, and that they loosen
nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hub.db import Context, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound
from hub.models import Department, WordKind
from hub.rights import Actor, May
from workflows.checking import judge, lists, policy, scopes, sheets
from workflows.checking.lists import Entry

K = WordKind
OFFICER = Actor(None, "林主编", may=frozenset({May.manage_words}))


@dataclass(frozen=True)
class Province:
    ctx: Context
    ids: dict[str, int]
    paths: dict[str, str]

    def head(self, name: str, *more: May) -> Actor:
        """The head of a department."""
        may = frozenset({May.manage_tree_words, *more})
        return Actor(None, f"{name}负责人", self.ids[name], self.paths[name], may=may)

    async def told(self, text: str, name: str = "") -> list[str]:
        """What is found in the department, or where nobody's lists but the office's hold."""
        async with reading(self.ctx) as unit:
            (found,) = await judge(unit, [text], self.ids[name] if name else None)
        return [f"{one.found}:{one.severity}" for one in found]


@pytest.fixture
async def province(any_ctx: Context) -> Province:
    """省 above 市 above 区, and 厅 beside 市."""
    ids: dict[str, int] = {}
    paths: dict[str, str] = {}
    async with unit_of_work(any_ctx) as unit:
        for name, above in (("省", ""), ("市", "省"), ("区", "市"), ("厅", "省")):
            row = Department(code=name, name=f"甲{name}", short_name=name, parent_id=ids.get(above))
            unit.add(row)
            await unit.flush()
            row.path = f"{paths.get(above, '/')}{row.id}/"
            ids[name], paths[name] = row.id or 0, row.path
    return Province(any_ctx, ids, paths)


async def test_a_word_ignored_for_one_group_may_be_ignored_for_another_below(province: Province) -> None:
    """The office hears nothing of it as a confused word; one department wants no word of it as a region either."""
    async with unit_of_work(province.ctx) as unit:
        await lists.ignore(unit, OFFICER, "confusion", "布署")
        await lists.ignore(unit, province.head("市"), "region", "布署")
        with pytest.raises(Invalid):
            await lists.add(unit, province.head("市"), Entry(K.ignored, "布署", "confusion"), province.ids["市"])
    async with reading(province.ctx) as unit:
        below = await policy.policy_of(unit, province.ids["市"])
        whole = await policy.policy_of(unit)
    assert below.ignored == {("confusion", "布署"), ("region", "布署")}
    assert whole.ignored == {("confusion", "布署")}


async def test_a_list_holds_in_its_department_and_below(province: Province) -> None:
    async with unit_of_work(province.ctx) as unit:
        await lists.add(unit, OFFICER, Entry(K.prohibited, "全单位旧称"))
        await lists.add(unit, province.head("市"), Entry(K.prohibited, "本市旧称", "新称"), province.ids["市"])
    text = "全单位旧称与本市旧称"
    assert await province.told(text) == ["全单位旧称:red"]
    assert await province.told(text, "省") == ["全单位旧称:red"]
    assert await province.told(text, "厅") == ["全单位旧称:red"]
    assert await province.told(text, "市") == ["全单位旧称:red", "本市旧称:red"]
    assert await province.told(text, "区") == ["全单位旧称:red", "本市旧称:red"]


async def test_ignoring_goes_to_the_list_the_person_keeps(province: Province) -> None:
    async with unit_of_work(province.ctx) as unit:
        await lists.ignore(unit, province.head("市"), "confusion", "布署")
        await lists.ignore(unit, province.head("市"), "confusion", "布署")
    assert await province.told("布署", "区") == []
    assert await province.told("布署", "厅") == ["布署:error"]
    async with unit_of_work(province.ctx) as unit:
        await lists.ignore(unit, OFFICER, "confusion", "布署")
    assert await province.told("布署") == []


async def test_a_department_cannot_loosen_what_holds_above_it(province: Province) -> None:
    async with unit_of_work(province.ctx) as unit:
        await lists.add(unit, OFFICER, Entry(K.prohibited, "旧称呼"))
        with pytest.raises(Invalid) as twice:
            await lists.add(unit, province.head("市"), Entry(K.prohibited, "旧称呼", "", "hint"), province.ids["市"])
    assert "上级部门" in twice.value.problems["word"]
    async with unit_of_work(province.ctx) as unit:
        passing = Entry(K.ignored, "旧称呼", "prohibited", "red")
        with pytest.raises(Invalid):
            await lists.add(unit, province.head("市", May.force_check), passing, province.ids["市"])
        await lists.ignore(unit, province.head("市"), "prohibited", "旧称呼")
    assert await province.told("旧称呼", "市") == ["旧称呼:red"]
    # Entered below first, above later: the wider one counts.
    async with unit_of_work(province.ctx) as unit:
        await lists.add(unit, province.head("市"), Entry(K.prohibited, "旧地名", "", "hint"), province.ids["市"])
        await lists.add(unit, OFFICER, Entry(K.prohibited, "旧地名"))
    assert await province.told("旧地名", "市") == ["旧地名:red"]


async def test_who_keeps_and_who_sees_a_list(province: Province) -> None:
    async with unit_of_work(province.ctx) as unit:
        theirs = await lists.add(unit, province.head("市"), Entry(K.prohibited, "本市旧称"), province.ids["市"])
        beside = await lists.add(unit, OFFICER, Entry(K.prohibited, "本厅旧称"), province.ids["厅"])
        above = await lists.add(unit, OFFICER, Entry(K.prohibited, "全单位旧称"))
        below = await lists.add(unit, province.head("市"), Entry(K.prohibited, "本区旧称"), province.ids["区"])
    city = province.head("市")
    async with reading(province.ctx) as unit:
        assert [one.name for one in await scopes.kept_by(unit, city)] == ["甲市", "甲区"]
        assert len(await scopes.kept_by(unit, OFFICER)) == 4
        assert await scopes.find(unit, city, province.ids["省"]) is not None
        for hidden in (lists.get(unit, city, beside.id or 0), scopes.find(unit, city, province.ids["厅"])):
            with pytest.raises(NotFound):
                await hidden
        for seen in (theirs, above, below):
            assert (await lists.get(unit, city, seen.id or 0)).word == seen.word
        with pytest.raises(NotFound):
            await lists.get(unit, Actor(None, "路人"), above.id or 0)
    async with unit_of_work(province.ctx) as unit:
        for refused in (
            lists.add(unit, city, Entry(K.prohibited, "别的词")),
            lists.add(unit, city, Entry(K.prohibited, "别的词"), province.ids["省"]),
            lists.remove(unit, city, above.id or 0, version=1),
            lists.change(unit, city, above.id or 0, Entry(K.prohibited, "别的词"), version=1),
            sheets.bring(unit, city, "禁用词,别的词\n".encode()),
        ):
            with pytest.raises(NotAllowed):
                await refused
        await lists.remove(unit, city, below.id or 0, version=1)


async def test_a_file_goes_into_the_list_it_is_brought_to(province: Province) -> None:
    city, where = province.head("市"), province.ids["市"]
    async with unit_of_work(province.ctx) as unit:
        await lists.add(unit, OFFICER, Entry(K.prohibited, "全单位旧称"))
        brought = await sheets.bring(unit, city, "禁用词,本市旧称,新称\n固定表述,市里的说法,,\n".encode(), where)
        assert (brought.new, brought.changed) == (2, 0)
        with pytest.raises(Invalid) as doubled:
            await sheets.bring(unit, city, "禁用词,全单位旧称\n".encode(), where)
    assert "全单位旧称" in doubled.value.problems["file"]
    async with reading(province.ctx) as unit:
        assert "本市旧称" in await sheets.export(unit, None, where)
        assert "本市旧称" not in await sheets.export(unit)
        assert (await lists.counts(unit, where))[K.prohibited] == 1
