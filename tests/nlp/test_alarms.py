"""Odds of urgency and sensitivity: from the table, by what is there and what is only supposed, never without a cue."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import mean

import pytest

import nlp
from nlp import alarms, cues
from nlp.clean import clean

OWN = Path(__file__).parent / "own_texts.tsv"


def own() -> list[tuple[dict[str, str], nlp.Analysis]]:
    with OWN.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return list(zip(rows, nlp.analyse([nlp.Text(row["body"], row["title"]) for row in rows]), strict=True))


def test_own_texts_that_are_urgent_or_sensitive_get_odds_and_the_others_none() -> None:
    urgent = [one for row, one in own() if row["urgency"]]
    assert mean(one.urgent.p for one in urgent) > 0.5
    assert sum(one.urgent.p for row, one in own() if not row["urgency"]) < 1
    flagged = [one for row, one in own() if row["sensitive"] == "1"]
    assert mean(one.flagged.p for one in flagged) > 0.7
    assert sum(one.flagged.p for row, one in own() if row["sensitive"] == "0") < 1


def test_values_and_words_are_those_of_the_labels() -> None:
    for _row, one in own():
        assert (one.urgency, one.urgency_words) == (one.urgent.value, one.urgent.words)
        assert (one.sensitive, one.sensitive_words) == (bool(one.flagged.value), one.flagged.words)
        assert bool(one.urgent.value) == (one.urgent.p > 0)
        assert bool(one.flagged.value) == (one.flagged.p > 0)


@pytest.mark.parametrize(
    ("supposed", "there"),
    [
        ("通道常年被堵，一旦发生火灾怎么办。" + "请管管停车。" * 30, "昨晚三号楼发生火灾，" + "请管管停车。" * 30),
        ("咨询危房改造补助" + "，材料怎么准备" * 30, "我家成了危房" + "，材料怎么准备" * 30),
    ],
)
def test_what_is_only_supposed_is_less_probable(supposed: str, there: str) -> None:
    less, more = cues.urgency(supposed), cues.urgency(there)
    assert less.value == more.value == "danger"
    assert less.p < more.p


@pytest.mark.parametrize(
    "text",
    ["战狼里的爆炸场面拍得真好", "我儿子在游戏里被打死就哭", "电影里的爆炸太假了", "《生活大爆炸》好看",
     "小说里自杀那一段写得好", "这部片子自杀情节太多", "韩剧里跳楼的镜头别给孩子看"],
)  # fmt: skip
def test_what_happens_in_a_story_is_least_probable_and_not_silenced(text: str) -> None:
    found = cues.urgency(clean(text).text)
    assert (found.value, found.p) == ("danger", alarms.URGENT["danger"][0])


@pytest.mark.parametrize(
    "text",
    ["电影院里起火了", "小区里的起火画面太吓人", "监控里的爆炸场面在隔壁工厂", "孩子在游戏中溺水",
     "游戏里认识的网友说要自杀", "我在游戏里输了钱要自杀", "一个月不给《火灾事故认定书》",
     "人间惨剧中死人了，还在爆炸", "看完电影里的打斗，他要跳楼", "打游戏时有人被打死了"],
)  # fmt: skip
def test_what_is_real_beside_a_story_weighs_in_full(text: str) -> None:
    assert cues.urgency(clean(text).text).p == alarms.URGENT["danger"][3]


@pytest.mark.parametrize(
    "text",
    ["违建漏水把配电箱泡了，随时可能起火，请紧急处理！", "我不想活了", "后山山体有裂缝，村民不敢睡觉", "河堤快决口了",
     "高压线掉下来了，旁边是小学", "食堂吃完饭几十个学生上吐下泻"],
)  # fmt: skip
def test_what_may_come_at_any_moment_is_danger(text: str) -> None:
    assert cues.urgency(text).value == "danger"
    assert cues.urgency(text).p == alarms.URGENT["danger"][3]


@pytest.mark.parametrize(
    "text",
    ["井盖没了，有人掉下去了", "幼儿园老师打孩子", "活着没意思，我写了遗书", "楼顶有人站在天台要跳下去",
     "电梯困人半小时没人来", "孩子被锁在车里了", "桥塌了", "脚手架倒了", "闻到一股燃气味", "煤气罐炸了",
     "配电箱冒烟冒火花", "食堂饭菜让孩子集体呕吐", "有人拿刀在学校门口", "农民工爬上塔吊讨薪", "小孩不见了",
     "爷爷被关在里面半小时了", "昨晚暴雨把桥冲断了", "楼道里燃气味道很大",
     "车里的人被洪水冲走了", "校车翻了", "广场上发生踩踏"],
)  # fmt: skip
def test_what_a_duty_officer_must_not_miss_is_danger(text: str) -> None:
    assert cues.urgency(text).value == "danger"


@pytest.mark.parametrize(
    "text",
    ["老师打电话让孩子回家", "给孩子打疫苗要不要预约", "成绩掉下去了怎么办", "全场气氛炸裂", "股市塌了",
     "我的小店活不下去了", "他家狗走丢了", "真想死你了", "游客踩踏草坪", "烟囱冒烟污染空气", "把病毒打败",
     "燃气味道检测仪哪里买", "把孩子打扮得漂亮"],
)  # fmt: skip
def test_everyday_uses_of_such_words_are_no_danger(text: str) -> None:
    assert cues.urgency(text).value == ""
    assert cues.sensitive(text).value == ""


def test_violence_against_children_is_sensitive_too() -> None:
    assert cues.sensitive("幼儿园老师打孩子").words == ("老师打孩子",)
    assert cues.sensitive("继父天天打孩子，身上都是伤").value == "sensitive"


def test_what_is_there_comes_before_what_is_only_supposed() -> None:
    found = cues.urgency("小区停水三天了，万一起火怎么办")
    assert (found.value, found.second) == ("outage", "danger")
    assert found.words == ("停水",)


@pytest.mark.parametrize(
    "text", ["开发商给的图里没有电子版", "我挂断电话就走了", "公司大面积停工", "施工噪音吵死人", "强奸民意"]
)
def test_longer_words_that_hold_a_cue_are_none(text: str) -> None:
    assert cues.urgency(text).value == ""
    assert cues.sensitive(text).value == ""


def test_odds_rise_with_the_grade() -> None:
    for row in (*alarms.URGENT.values(), alarms.FLAGGED):
        assert list(row) == sorted(row)
        assert row[0] > 0
        assert row[-1] < 1


def test_the_offices_own_words_weigh_as_much_as_the_strongest() -> None:
    found = cues.sensitive("路过" * 200 + "龙舟赛" + "路过" * 200, "", ("龙舟赛",))
    assert found.p == alarms.FLAGGED[-1]
    assert cues.sensitive("路过" * 200 + "上访" + "路过" * 200).p == alarms.FLAGGED[1]
