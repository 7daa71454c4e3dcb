"""Routing says which department and why, and knows when it does not know."""

from __future__ import annotations

from typing import Any

import pytest

from hub.db import unit_of_work
from hub.policy.packs import default
from nlp.base import Label, Place
from nlp.offices import Matter, learn
from tests.workflows.cases.town import Town, analysis
from workflows.cases.routing import (
    BY_DUTY,
    BY_NAME,
    BY_PLACE,
    BY_TOPIC,
    Beside,
    Candidate,
    Guide,
    Routed,
    is_praise,
    matter_of,
    route,
)
from workflows.cases.suggested import explain
from workflows.tagging.corrections import correct

HOUSING = Candidate(1, "住建局", frozenset({"城乡建设"}), ("物业", "漏水", "房屋"))
CITY = Candidate(2, "城管局", frozenset({"城乡建设"}), ("摊点", "违建", "渣土"))
TRAFFIC = Candidate(3, "交通局", frozenset({"交通运输"}), ("公交", "道路"))
STREET = Candidate(4, "柳溪街道办事处", frozenset(), ())
BUSY = Candidate(5, "运输局", frozenset(), ("公交", "道路", "客运"))
ALL = (HOUSING, CITY, TRAFFIC, STREET)


def routed(text: str, topic: Label, places: tuple[Place, ...] = (), among: tuple[Candidate, ...] = ALL) -> Routed:
    return route(among, topic, places, text, default())


def test_a_topic_of_one_department_is_sure() -> None:
    found = routed("一直不来", Label("交通运输", 0.9, "城乡建设", 0.05, ("公交",)))
    assert (found.department_id, found.rule, found.is_sure) == (3, BY_TOPIC, True)
    assert found.words == ("公交",)


def test_a_shared_topic_needs_words_of_duty_to_decide() -> None:
    topic = Label("城乡建设", 0.95)
    undecided = routed("路边有人摆摊", topic)
    assert not undecided.is_sure
    assert {s.department_id for s in undecided.suggestions} == {1, 2}
    decided = routed("物业不管楼顶漏水，房屋发霉", topic)
    assert (decided.department_id, decided.is_sure) == (1, True)
    assert set(decided.words) == {"物业", "漏水", "房屋"}
    assert decided.second is not None
    assert decided.second.department_id == 2


def test_a_sure_topic_does_not_outweigh_the_duties_of_another() -> None:
    topic = Label("城乡建设", 0.97, words=("清运",))
    urban = Candidate(2, "城管局", frozenset(), ("垃圾", "环卫"))
    housing = Candidate(1, "住建局", frozenset({"城乡建设"}), ("物业",))
    found = routed("垃圾清运电话一直占线", topic, among=(housing, urban))
    assert (found.is_sure, {one.department_id for one in found.suggestions}) == (False, {1, 2})
    assert routed("环卫车凌晨收垃圾", topic, among=(housing, urban)).department_id == 2
    assert routed("物业不管垃圾", topic, among=(housing, urban)).is_sure, "its own duties speak for it too"
    assert routed("清运电话一直占线", topic, among=(housing, urban)).is_sure, "nobody's duty"


def test_whom_the_citizen_names_is_suggested_and_never_passed_over_alone() -> None:
    topic = Label("交通运输", 0.95, "城乡建设", 0.02, ("电梯",))
    assert routed("电梯停了两天，老人下不了楼", topic).is_sure
    found = routed("电梯停了两天，老人下不了楼，请住建部门管一管", topic)
    assert {one.department_id for one in found.suggestions} == {1, 3}
    assert (found.is_sure, found.department_id) == (False, 3)
    named = next(one for one in found.suggestions if one.department_id == 1)
    assert (named.rule, named.words[0]) == (BY_NAME, "住建部门")
    assert routed("公交一直不来，请交通局管一管", topic).is_sure, "named, and sure of it anyway"
    assert routed("电梯停了，请有关部门管一管", topic).is_sure, "nobody in particular"


def test_a_named_street_is_suggested_and_an_ambiguous_one_is_not() -> None:
    place = Place("柳溪街道", "street", 0, 4)
    found = routed("柳溪街道没人管", Label("", 0.0), (place,))
    assert (found.department_id, found.rule, found.is_sure) == (4, BY_PLACE, False)
    unclear = Place("柳溪街道", "street", 0, 4, ambiguous=True)
    assert routed("柳溪街道没人管", Label("", 0.0), (unclear,)).department_id is None


def test_duty_words_alone_are_shown_but_do_not_decide() -> None:
    found = routed("渣土车太多", Label("", 0.0))
    assert (found.department_id, found.rule, found.is_sure) == (2, BY_DUTY, False)


@pytest.mark.parametrize("topic", [Label("", 0.0), Label("卫生计生", 0.99), Label("城乡建设", 0.1)])
def test_nothing_to_go_by_suggests_nobody(topic: Label) -> None:
    found = routed("你好", topic)
    assert (found.department_id, found.suggestions, found.is_sure) == (None, (), False)
    assert found.as_data() == {"is_sure": False, "suggestions": []}


def test_the_reason_reads_as_words() -> None:
    found = routed("物业", Label("", 0.0))
    assert explain(found.as_data()["suggestions"][0]) == "职责词：物业（50%）"


def test_a_doubtful_topic_or_mere_praise_goes_to_a_person() -> None:
    words_only = routed("公交不来，道路也堵，客运站没人", Label("交通运输", 0.4), among=(BUSY,))
    assert words_only.suggestions[0].p > 0.75
    assert not words_only.is_sure
    topic = Label("交通运输", 0.9)
    thanks = route(ALL, topic, (), "谢谢公交司机", default(), beside=Beside(asks=not is_praise("", "positive")))
    assert (thanks.department_id, thanks.is_sure) == (3, False)
    assert not is_praise("投诉", "positive")
    assert is_praise("表扬", "neutral")


def test_names_called_are_neither_learnt_nor_words_of_duty() -> None:
    tokens = "栖澜 澜城 城管 路灯 不亮"
    beside = Beside(tokens=tokens, keywords=("路灯", "城管"))
    matter = matter_of(Label("城乡建设", 0.3), "@栖澜城管 路灯不亮", beside, [], default())
    assert (matter.tokens, matter.telling, matter.topic_p) == ("路灯 不亮", ("路灯",), 0.3)
    assert routed("@栖澜公交 你好", Label("", 0.0)).department_id is None


def test_what_goes_out_because_the_signs_agree_says_so() -> None:
    given = [Matter(f"{said} 请问", "城乡建设", telling=(said,)) for said in ("物业", "摊点") for _ in range(40)]
    guide = Guide(learnt=learn(given, [1] * 40 + [2] * 40))
    topic = Label("城乡建设", 0.95)
    found = route(ALL, topic, (), "物业不管楼顶漏水，房屋发霉", default(), guide, Beside(tokens="物业 漏水"))
    assert (found.department_id, found.is_sure) == (1, True)
    assert explain(found.as_data()["suggestions"][0]).endswith("（归口、职责和属地也肯定是这个单位）")
    alone = route(ALL, topic, (), "物业", default(), guide, Beside(tokens="物业 漏水"))
    assert (alone.department_id, alone.is_sure) == (1, False), "one telling word is not enough"


async def test_a_corrected_topic_gives_the_desk_new_suggestions(town: Town) -> None:
    case = await town.case("说不清楚的事", by=analysis(p=0.4))
    given: dict[str, Any] = {"topic": "交通运输", "reason": "说的是公交"}
    async with unit_of_work(town.ctx) as unit:
        await correct(unit, town["desk"], case.first_message_id or 0, **given)
    again = await town.again(case)
    assert again.state is case.state
    assert again.routing["suggestions"][0]["department_id"] == town.departments["traffic"]
    assert (await town.events(case))[-1].what in {"suggested", "tags_corrected"}
