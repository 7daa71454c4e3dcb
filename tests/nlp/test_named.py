"""Whom, where and when: departments, persons, times, and places with their codes."""

from __future__ import annotations

import pytest

import nlp
from nlp import clean, named, places, times


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("尊敬的胡书记：请张建国局长关注，王医生态度恶劣", ["胡书记", "张建国局长", "王医生"]),
        ("记者李明报道。联系人：王某某，欧阳医生说", ["李明", "王某某", "欧阳医生"]),
        ("村支书王德发贪污低保款，给交警李明点赞", ["王德发", "李明"]),
        ("感谢主任，园林局长，浙江省长，高中老师，施工队长", []),
        ("向书记反映，时任市长，县委书记，小区长期停水", []),
    ],
)
def test_persons_are_named_with_a_title_or_introduced(text: str, names: list[str]) -> None:
    assert [one.name for one in named.persons(clean.clean(text))] == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("市公安局交警支队、芙蓉区城管局和橘子洲街道办都不管", ["市公安局", "交警支队", "区城管局", "橘子洲街道办"]),
        ("投诉到城南派出所和区教育局", ["城南派出所", "区教育局"]),
        ("今天天气真好", []),
    ],
)
def test_departments_keep_their_level(text: str, names: list[str]) -> None:
    assert [one.name for one in named.departments(clean.clean(text))] == names


@pytest.mark.parametrize(
    ("text", "kind", "value", "until"),
    [
        ("2020年1月6日至1月8日", "span", "2020-01-06", "--01-08"),
        ("晚上11点到早上6点半", "span", "T23:00", "T06:30"),
        ("晚上7点到10点", "span", "T19:00", "T22:00"),
        ("下午2点至4点半", "span", "T14:00", "T16:30"),
        ("19:00-8:00", "span", "T19:00", "T08:00"),
        ("2019-12-03", "date", "2019-12-03", ""),
        ("5月份", "date", "--05", ""),
        ("凌晨两点", "clock", "T02:00", ""),
        ("停了3个多月", "length", "P3M", ""),
        ("十二天", "length", "P12D", ""),
        ("几天", "length", "", ""),
        ("昨天", "relative", "", ""),
    ],
)
def test_times_are_read_as_far_as_the_text_tells(text: str, kind: str, value: str, until: str) -> None:
    (found,) = times.find(clean.clean(text))
    assert (found.kind, found.value, found.until) == (kind, value, until)


@pytest.mark.parametrize("text", ["2019/13/40", "13月5日", "12345热线", "20点赞", "有一点不满", "第3天", "3.5元"])
def test_what_only_looks_like_a_time_is_none(text: str) -> None:
    assert times.find(clean.clean(text)) == ()


@pytest.mark.parametrize(
    ("text", "name", "code", "ambiguous", "within"),
    [
        ("湖南省长沙市岳麓区橘子洲街道", "岳麓区", "430104", False, "湖南省长沙市"),
        ("湖南省长沙市岳麓区橘子洲街道", "橘子洲街道", "", False, "湖南省长沙市岳麓区"),
        ("我在鼓楼区上班", "鼓楼区", "", True, ""),
        ("南京鼓楼区中山路", "鼓楼区", "320106", False, "江苏省南京市"),
        ("西安市新城区路灯不亮", "新城区", "610102", False, "陕西省西安市"),
        ("湖南长沙县星沙街道", "长沙县", "430121", False, "湖南省长沙市"),
        ("湖南长沙县星沙街道", "星沙街道", "", False, "湖南省长沙市长沙县"),
        ("海淀区中关村大街堵车", "中关村大街", "", False, "北京市海淀区"),
        ("宁乡市的路", "宁乡市", "430182", False, "湖南省长沙市"),
    ],
)
def test_regions_have_codes_and_say_when_it_is_open_which_is_meant(
    text: str, name: str, code: str, ambiguous: bool, within: str
) -> None:
    found = {place.name: place for place in places.find(clean.clean(text))}
    assert (found[name].code, found[name].ambiguous, found[name].within) == (code, ambiguous, within)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("上海路小学门口堵车", ["上海路"]),
        ("辽宁路上的梧桐树", []),
        ("南京西路的井盖坏了", ["南京西路"]),
        ("上海路况太差，北京街头很干净", ["上海市", "北京市"]),
        ("谁能管管广场舞", []),
        ("二十几个人拉肚子送医院", []),
        ("解放村东街的云溪镇东街口", ["解放村东街", "云溪镇"]),
    ],
)
def test_roads_that_bear_the_name_of_a_region_are_not_that_region(text: str, names: list[str]) -> None:
    assert [place.name for place in places.find(clean.clean(text))] == names


def test_an_office_is_taken_to_mean_its_own_district() -> None:
    nlp.configure(places=[("南京市", "city", "320100")])
    try:
        (found,) = [one for one in nlp.analyse(["鼓楼区的路灯不亮"])[0].places if one.name == "鼓楼区"]
        assert (found.code, found.ambiguous) == ("320106", False)
    finally:
        nlp.configure()


def test_offsets_point_into_the_original() -> None:
    text = "\u200b【求助】２０２０年１月６日，\u202e市城管局王局長！"
    (found,) = nlp.analyse([text])
    assert [text[one.start : one.end] for one in found.times] == ["２０２０年１月６日"]
    assert [text[one.start : one.end] for one in found.departments] == ["市城管局"]
    assert [text[one.start : one.end] for one in found.persons] == ["王局長"]


def test_every_label_has_odds_a_runner_up_and_words() -> None:
    (found,) = nlp.analyse([nlp.Text("打了多次电话没人管，太气人了", title="投诉楼下油烟扰民")])
    for label in (found.topic, found.sentiment, found.emotion, found.asked):
        assert 0 <= label.p_second <= label.p <= 1
        assert label.value
        assert label.second
        assert label.words
    assert (found.asked.value, found.emotion.value) == ("投诉", "angry")


def test_the_emotion_keeps_to_the_sentiment() -> None:
    groups = {"negative": {"angry", "fear", "sad"}, "neutral": {"neutral"}, "positive": {"happy"}}
    sample = ["太开心了", "气死我了", "会议于上午九时召开", "好害怕", "难过得想哭", "谢谢你们", "烦", "真没想到"]
    for one in nlp.analyse(sample):
        assert one.emotion.value in groups[one.sentiment.value] | {"surprise"}
