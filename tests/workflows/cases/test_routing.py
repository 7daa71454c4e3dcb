"""Routing says which department and why, and knows when it does not know."""

from __future__ import annotations

from typing import Any

import pytest

from hub.db import unit_of_work
from hub.policy.packs import default
from nlp.base import Label, Place
from tests.workflows.cases.town import Town, analysis
from workflows.cases.routing import BY_DUTY, BY_PLACE, BY_TOPIC, Candidate, Routed, explain, route
from workflows.tagging.corrections import correct

HOUSING = Candidate(1, "住建局", frozenset({"城乡建设"}), ("物业", "漏水", "房屋"))
CITY = Candidate(2, "城管局", frozenset({"城乡建设"}), ("摊点", "违建", "渣土"))
TRAFFIC = Candidate(3, "交通局", frozenset({"交通运输"}), ("公交", "道路"))
STREET = Candidate(4, "柳溪街道办事处", frozenset(), ())
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
    assert explain(found.as_data()["suggestions"][0]) == "职责词：物业（40%）"


async def test_a_corrected_topic_gives_the_desk_new_suggestions(town: Town) -> None:
    case = await town.case("说不清楚的事", by=analysis(p=0.4))
    given: dict[str, Any] = {"topic": "交通运输", "reason": "说的是公交"}
    async with unit_of_work(town.ctx) as unit:
        await correct(unit, town["desk"], case.first_message_id or 0, **given)
    again = await town.again(case)
    assert again.state is case.state
    assert again.routing["suggestions"][0]["department_id"] == town.departments["traffic"]
    assert (await town.events(case))[-1].what in {"suggested", "tags_corrected"}
