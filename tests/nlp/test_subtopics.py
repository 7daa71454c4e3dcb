"""The second level: said where the words are clear, silent where they are not."""

from __future__ import annotations

import pytest

import nlp
from nlp import subtopics
from nlp.base import Label
from nlp.segment import word_lists


@pytest.mark.parametrize(
    ("title", "body", "second"),
    [
        ("楼下烧烤店油烟扰民", "每天晚上油烟直接排放，噪音很大，投诉多次没人管", "环境污染"),
        ("路灯不亮，井盖破损", "小区门口的路灯坏了半年，下水道也堵了", "城市建设和市政管理"),
        ("安置房什么时候交付", "拆迁三年了，安置补偿还没有到位", "国有土地上房屋征收与补偿"),
        ("工厂拖欠工资", "没有签劳动合同，拖欠工资三个月", "劳动关系"),
        ("你好", "想问一件事情", ""),
    ],
)
def test_a_level_is_said_where_the_words_are_clear(title: str, body: str, second: str) -> None:
    (found,) = nlp.analyse([nlp.Text(body, title)])
    assert found.subtopic.value == second
    assert found.subtopic.p <= found.topic.p
    assert bool(found.subtopic.words) == bool(second)


def test_two_levels_that_are_equally_near_are_not_guessed_between() -> None:
    topic = Label("教育文体", 0.9)
    assert subtopics.subtopic(topic, "学费和招生", "").value == ""
    assert subtopics.subtopic(topic, "学费收费太高", "").value == "教育收费"
    assert subtopics.subtopic(Label("", 0.0), "学费收费太高", "").value == ""


def test_every_level_belongs_to_a_topic() -> None:
    kinds = {kind for kind, _ in word_lists("seconds")}
    assert {kind.split("/")[0] for kind in kinds} == set(nlp.TOPICS)
    assert all(kind.count("/") == 1 for kind in kinds)
