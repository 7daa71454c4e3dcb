"""The office's rules: which message they take, in which order, what they say of themselves, who may set them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from hub.models import AuditEntry, Case, CaseState, Department, Dispatch, RoutingRule, Tagging
from nlp.base import Place
from tests.workflows.cases.town import Town, analysis
from tests.workflows.intake.town import all_rows
from workflows.cases import service
from workflows.cases.detail import detail
from workflows.house import House
from workflows.routing import rules
from workflows.routing.guide import guide_in_force
from workflows.routing.preview import preview
from workflows.routing.rules import Draft


def lamps(town: Town, **given: Any) -> Draft:
    return replace(Draft("路灯归交通", town.departments["traffic"], keywords="路灯|街灯"), **given)


async def made(town: Town, *drafts: Draft) -> list[RoutingRule]:
    async with unit_of_work(town.ctx) as unit:
        return [await rules.create(unit, town["desk"], draft) for draft in drafts]


async def suggested(town: Town, text: str, **given: Any) -> dict[str, Any]:
    case = await town.case(text, **given)
    found: dict[str, Any] = case.routing["suggestions"][0]
    return found


async def test_a_rule_comes_before_every_sign_and_says_its_name(any_town: Town) -> None:
    (rule,) = await made(any_town, lamps(any_town))
    case = await any_town.case("街燈不亮，楼道漏水")
    first, second = case.routing["suggestions"]
    assert (first["department_id"], first["rule"], first["rule_id"]) == (
        any_town.departments["traffic"], "派单规则", rule.id,
    )  # fmt: skip
    assert first["words"] == ["街灯"]
    assert second["department_id"] == any_town.departments["housing"]
    assert case.state is CaseState.new, "a rule that only suggests leaves the case at the desk"
    async with reading(any_town.ctx) as unit:
        shown = await detail(unit, case.id or 0, any_town["desk"])
    assert shown.suggestions[0].why == "派单规则「路灯归交通」：街灯"


async def test_a_rule_may_dispatch_but_never_what_is_urgent_or_sensitive(any_town: Town) -> None:
    await made(any_town, lamps(any_town, may_dispatch=True))
    sent = await any_town.case("路灯不亮")
    assert (sent.state, sent.department_id) == (CaseState.dispatched, any_town.departments["traffic"])
    urgent = await any_town.case("路灯倒了伤人", by=analysis(urgency="danger"))
    touchy = await any_town.case("路灯的事要上访", by=analysis(sensitive=True))
    assert {urgent.state, touchy.state} == {CaseState.new}
    (kept,) = await all_rows(House(any_town.ctx, {}), Dispatch)
    assert (kept.case_id, kept.by_id, kept.basis, kept.rule_name, kept.words, kept.is_first) == (
        sent.id, None, "rule", "路灯归交通", ["路灯"], True,
    )  # fmt: skip
    async with reading(any_town.ctx) as unit:
        shown = await detail(unit, sent.id or 0, any_town["desk"])
    assert any("派单规则「路灯归交通」：路灯" in line for event in shown.events for line in event.details)


async def test_every_condition_given_must_hold(town: Town) -> None:
    street = Place("柳溪街道", "street", 0, 4)
    everything = lamps(
        town, topic="城乡建设", place="柳溪", account_id=town.accounts["weibo"], keywords="路灯+!广告"
    )  # fmt: skip
    await made(town, everything)
    right = analysis(places=(street,))

    async def by_rule(text: str, **given: Any) -> bool:
        return (await suggested(town, text, **given))["rule"] == "派单规则"

    assert await by_rule("路灯不亮", by=right)
    assert not await by_rule("路灯广告", by=right)
    assert not await by_rule("路灯不亮", by=analysis())
    assert not await by_rule("路灯不亮漏水", by=analysis(topic="环境保护", places=(street,)))
    assert not await by_rule("路灯不亮", by=right, account_id=town.accounts["letters"])


async def test_a_place_counts_also_for_what_lies_within_it_however_it_is_typed(town: Town) -> None:
    await made(town, lamps(town, keywords="", place="岳麓區 "))
    inside = Place("麓谷街道", "street", 0, 4, within="湖南省长沙市岳麓区")
    first = await suggested(town, "麓谷街道没有水", by=analysis(places=(inside,)))
    assert (first["rule"], first["words"]) == ("派单规则", ["麓谷街道"])
    assert (await suggested(town, "没有水", by=analysis()))["rule"] != "派单规则"


async def test_markup_is_nothing_a_rule_reads(town: Town) -> None:
    await made(town, lamps(town, keywords="nofollow|路灯"))
    assert (await suggested(town, '<a href="x" rel="nofollow">楼道漏水</a>'))["rule"] != "派单规则"
    assert (await suggested(town, "<p>路<b>灯</b>不亮</p>"))["rule"] == "派单规则"


async def test_a_rule_leaves_a_doubtful_topic_and_mere_praise_to_a_person(town: Town) -> None:
    await made(town, lamps(town, topic="城乡建设", keywords="", may_dispatch=True))
    sure = await town.case("楼道的事", by=analysis(p=0.8))
    doubtful = await town.case("楼道的事", by=analysis(p=0.4))
    praise = await town.case("谢谢你们", by=analysis(p=0.8, request="表扬"))
    assert (sure.state, doubtful.state, praise.state) == (CaseState.dispatched, CaseState.new, CaseState.new)
    assert doubtful.routing["suggestions"][0]["rule"] == "派单规则"


async def test_only_rules_in_force_count_against_the_most(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_RULES", 1)
    (first,) = await made(town, lamps(town))
    with pytest.raises(Invalid, match="停用"):
        await made(town, lamps(town, name="第二"))
    async with unit_of_work(town.ctx) as unit:
        await rules.set_active(unit, town["desk"], first.id or 0, active=False)
    await made(town, lamps(town, name="第二"))
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(Refused, match="停用"):
            await rules.set_active(unit, town["desk"], first.id or 0, active=True)


async def test_the_audit_log_keeps_all_that_decides(town: Town) -> None:
    await made(town, lamps(town, name=" 路\u200b灯\u202e ", account_id=town.accounts["weibo"], may_dispatch=True))
    (entry,) = await all_rows(House(town.ctx, {}), AuditEntry)
    assert entry.data["name"] == "路灯", "what nobody sees is no part of a name"
    assert (entry.data["may_dispatch"], entry.data["account_id"]) == (True, town.accounts["weibo"])


async def test_the_first_rule_in_order_wins_and_the_order_can_be_changed(town: Town) -> None:
    first, second = await made(
        town, lamps(town), lamps(town, name="路灯归住房", department_id=town.departments["housing"])
    )
    assert (await suggested(town, "路灯不亮"))["rule_id"] == first.id
    async with unit_of_work(town.ctx) as unit:
        await rules.move(unit, town["desk"], second.id or 0, up=True)
        await rules.move(unit, town["desk"], second.id or 0, up=True)
    assert (await suggested(town, "路灯不亮"))["rule_id"] == second.id
    async with unit_of_work(town.ctx) as unit:
        await rules.move(unit, town["desk"], second.id or 0, up=False, far=True)
        assert [row.rule.id for row in await rules.rules(unit, town["desk"])] == [first.id, second.id]
        await rules.move(unit, town["desk"], second.id or 0, up=True, far=True)
        await rules.move(unit, town["desk"], second.id or 0, up=True, far=True)
    assert (await suggested(town, "路灯不亮"))["rule_id"] == second.id
    async with unit_of_work(town.ctx) as unit:
        await rules.set_active(unit, town["desk"], second.id or 0, active=False)
    assert (await suggested(town, "路灯不亮"))["rule_id"] == first.id
    deeds = [entry.what for entry in await all_rows(House(town.ctx, {}), AuditEntry)]
    assert deeds == ["rule.create", "rule.create", *["rule.move"] * 3, "rule.deactivate"]


async def test_a_closed_department_or_unreadable_words_leave_a_rule_without_effect(town: Town) -> None:
    (rule,) = await made(town, lamps(town))
    async with unit_of_work(town.ctx) as unit:
        unit.add(RoutingRule(name="坏的", keywords="路灯+", department_id=town.departments["housing"], position=0))
    assert (await suggested(town, "路灯不亮"))["rule_id"] == rule.id
    async with unit_of_work(town.ctx) as unit:
        department = await unit.get(Department, town.departments["traffic"])
        assert department is not None
        department.is_active = False
    assert (await suggested(town, "路灯不亮，漏水"))["rule"] != "派单规则"


async def test_a_changed_rule_holds_at_once_and_a_slower_hand_is_refused(town: Town) -> None:
    (rule,) = await made(town, lamps(town))
    async with unit_of_work(town.ctx) as unit:
        await guide_in_force(unit)
        await rules.change(unit, town["desk"], rule.id or 0, lamps(town, keywords="井盖"), version=rule.version)
    assert (await suggested(town, "井盖没了"))["rule_id"] == rule.id
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(Stale):
            await rules.change(unit, town["desk"], rule.id or 0, lamps(town), version=1)


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"name": " "}, "name", "起个名字"), ({"name": "x" * 101}, "name", "起个名字"),
        ({"keywords": ""}, "keywords", "至少写一个条件"), ({"keywords": "路灯、街灯"}, "keywords", "第 3 列"),
        ({"topic": "天气"}, "topic", "没有「天气」这个主题"), ({"place": "长" * 65}, "place", "最多 64"),
        ({"department_id": 0}, "department_id", "请选择"), ({"department_id": 999}, "department_id", "请选择"),
        ({"account_id": 999}, "account_id", "没有这个账号"),
    ],
)  # fmt: skip
async def test_a_rule_that_cannot_be_taken_is_refused_in_words(
    town: Town, given: dict[str, Any], field: str, said: str
) -> None:
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(Invalid) as caught:
            await rules.create(unit, town["desk"], lamps(town, **given))
    assert said in caught.value.problems[field]


async def test_only_those_who_set_rules_see_and_change_them(town: Town) -> None:
    (rule,) = await made(town, lamps(town))
    async with unit_of_work(town.ctx) as unit:
        assert len(await rules.rules(unit, town["admin"])) == 1
        for refused in (
            rules.rules(unit, town["clerk"]), rules.create(unit, town["leader"], lamps(town)),
            rules.move(unit, town["press"], rule.id or 0, up=True),
        ):  # fmt: skip
            with pytest.raises(NotAllowed):
                await refused
        with pytest.raises(NotFound):
            await rules.find(unit, town["clerk"], rule.id or 0)
        with pytest.raises(Invalid, match="同名"):
            await rules.create(unit, town["desk"], lamps(town))


async def test_a_rule_says_when_it_fits(town: Town) -> None:
    await made(town, lamps(town, topic="城乡建设", place="柳溪", account_id=town.accounts["letters"]))
    async with reading(town.ctx) as unit:
        (row,) = await rules.rules(unit, town["desk"])
    assert row.says == (
        "主题是城乡建设，并且说到的地点含「柳溪」，并且来自账号「letters」，并且出现「路灯」、「街灯」中的任意一个"
    )


async def _tagged(town: Town, case: Case) -> None:
    """As tagging leaves it: the preview reads what was said about a message, not the text alone."""
    async with unit_of_work(town.ctx) as unit:
        unit.add(Tagging(
            message_id=case.first_message_id or 0, version="t", topic="城乡建设", topic_p=0.9, topic_words=["漏水"]
        ))  # fmt: skip


async def test_the_preview_counts_what_the_rule_then_takes(any_town: Town) -> None:
    town = any_town
    texts = ["路灯不亮一", "路灯不亮二", "街灯不亮三", "楼道漏水四", "路灯广告五"]
    cases = [await town.case(text, by=analysis(p=0.4)) for text in texts]
    for case in cases:
        await _tagged(town, case)
    desk = town["desk"]
    for case, to in zip(cases[:3], ("traffic", "housing", "traffic"), strict=True):
        async with unit_of_work(town.ctx) as unit:
            await service.dispatch_now(
                unit, case.id or 0, desk, version=case.version, department_id=town.departments[to]
            )
    draft = lamps(town, keywords="(路灯|街灯)+!广告")
    async with reading(town.ctx) as unit:
        found = await preview(unit, desk, draft.as_rule(), [])
        unseen = await preview(unit, town["admin"], draft.as_rule(), [])
    assert (found.seen, found.fits, found.earlier, found.decided, found.agreed) == (5, 3, 0, 3, 2)
    assert found.others == [("housing", 1)]
    assert [sample.is_other for sample in found.samples] == [True, False, False]
    assert not found.has_learnt
    way = found.ways[0]
    assert (way.basis, way.alone, way.before, way.after) == ("rule", draft.may_dispatch, 0, found.fits)
    assert sum(way.before for way in found.ways) == sum(way.after for way in found.ways) == found.seen
    assert (unseen.seen, unseen.fits, unseen.samples) == (0, 0, [])
    async with reading(town.ctx) as unit:
        open_ = await preview(unit, desk, replace(draft, department_id=0).as_rule(), [])
    assert (open_.has_department, open_.fits, open_.decided) == (False, 3, 3)
    assert open_.others == [("traffic", 2), ("housing", 1)]
    await made(town, draft)
    taken = [(await suggested(town, text))["rule"] == "派单规则" for text in texts]
    assert sum(taken) == found.fits


async def test_the_preview_says_what_an_earlier_rule_takes_first(town: Town) -> None:
    for text in ("路灯不亮", "路灯坏了", "街灯坏了"):
        await _tagged(town, await town.case(text))
    (first,) = await made(town, lamps(town, keywords="路灯"))
    later = lamps(town, name="后来的", department_id=town.departments["housing"]).as_rule()
    later.position = 2
    async with reading(town.ctx) as unit:
        found = await preview(unit, town["desk"], later, [first])
        alone = await preview(unit, town["desk"], later, [])
    assert (found.fits, found.earlier) == (1, 2)
    assert (alone.fits, alone.earlier) == (3, 0)


async def test_the_preview_says_what_names_the_place_and_was_not_found_as_one(town: Town) -> None:
    for text in ("春熙里停水", "春熙里小区停水", "别处停水"):
        case = await town.case(text)
        found = [{"name": "春熙里小区", "level": "spot"}] if "小区" in text else []
        async with unit_of_work(town.ctx) as unit:
            unit.add(Tagging(message_id=case.first_message_id or 0, version="t", places=found))
    async with reading(town.ctx) as unit:
        looked = await preview(unit, town["desk"], lamps(town, keywords="停水", place="春熙里").as_rule(), [])
        other = await preview(unit, town["desk"], lamps(town, keywords="停水").as_rule(), [])
    assert (looked.fits, looked.unplaced) == (1, 1)
    assert (other.fits, other.unplaced) == (3, 0)


async def test_each_dispatch_keeps_what_was_suggested_and_says_whether_it_was_taken(town: Town) -> None:
    await made(town, lamps(town))
    desk = town["desk"]
    unsure, said = analysis(p=0.4), ("路灯不亮，漏水", "路灯坏了", "你好", "路灯修修")
    second, same, none, other = [await town.case(text, by=unsure) for text in said]
    async with unit_of_work(town.ctx) as unit:
        case = await unit.get(Case, none.id)
        assert case is not None
        case.routing = {}
    for case, to in ((second, "housing"), (same, "traffic"), (none, "housing"), (other, "repairs")):
        async with unit_of_work(town.ctx) as unit:
            await service.dispatch_now(
                unit, case.id or 0, desk, version=(await town.again(case)).version, department_id=town.departments[to]
            )
    kept = await all_rows(House(town.ctx, {}), Dispatch)
    assert [(row.basis, row.suggested_id, row.department_id) for row in kept] == [
        ("rule", town.departments["traffic"], town.departments["housing"]),
        ("rule", town.departments["traffic"], town.departments["traffic"]),
        ("", None, town.departments["housing"]),
        ("rule", town.departments["traffic"], town.departments["repairs"]),
    ]
    lines = []
    for case in (second, same, none, other):
        async with reading(town.ctx) as unit:
            shown = await detail(unit, case.id or 0, desk)
        lines.append(next(event.details[-1] for event in shown.events if event.what == "dispatch"))
    assert lines == [
        "系统的第二个建议：职责词：漏水（70%）", "与系统建议一致：派单规则「路灯归交通」：路灯", "派单时系统没有建议",
        "系统建议的是traffic：派单规则「路灯归交通」：路灯",
    ]  # fmt: skip
