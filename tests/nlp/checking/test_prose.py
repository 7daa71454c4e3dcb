"""The check on prose written without its rules at hand, and the rules that came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from nlp.checking import check
from tests.nlp.checking.marked import hits, sentences_of
from tests.nlp.checking.office import POLICY

STRICT = replace(POLICY, own_hosts=())


def test_new_prose_of_offices_is_read_well_and_never_blamed_wrongly() -> None:
    sentences = sentences_of("prose.tsv")
    missed = [
        (one.text, mark)
        for one in sentences
        for mark in one.marks
        if not any(hits(item, *mark[:2]) for item in check(one.text, STRICT))
    ]
    false = [(one.text, item.found) for one in sentences if one.rule == "clean" for item in check(one.text, STRICT)]
    assert Counter(one.rule == "clean" for one in sentences) == {True: 120, False: 122}
    assert len(missed) <= 14, missed
    assert false == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("牢固树立绿水青山就是金山很山的理念。", "绿水青山就是金山银山"),
        ("根据《中华人民共国民法典》的规定办理。", "中华人民共和国"),
        ("增强“四个意思”。", "四个意识"),
        ("这段话有四个意思，群众做到了“两个维护”。", ""),
        ("各项规定精神都要落实，这项规定精神也是。", ""),
        ("人类命运共同塑造，中国式现代化建设。", ""),
        ("对违规行为依法严惩不怠。", "严惩不贷"),
        ("一到诊所就立秆见影。", "立竿见影"),
        ("学校一所有七名教师，始终不遗余力。", ""),
        ("全市卫生系统深开展爱国卫生运动。", "深入开展"),
        ("会议强调，要坚持问题导，聚焦重点。", "问题导向"),
        ("由城市管理办、社区和物业共同处理。", ""),
        ("请大家做好出行行准备。", "行"),
        ("检查查处一批，公司司法解散，我市市民参加。", ""),
        ("志愿者来到黄鑫鑫家中，孩子们一个个笑着。", ""),
        ("市政府召开召开常务会议。", "召开"),
        ("请您再商量商量，感谢感谢。", ""),
        ("发放公益性岗位岗位补贴和集体土地土地补偿费。", ""),
        ("河水变地更加清澈。", "得"),
        ("工地很安静，用地很紧张。", ""),
        ("志愿者积极得投身到抗洪一线。", "地"),
        ("他高兴得把帽子抛起，努力得到认可。", ""),
        ("民警仔细的查看了现场。", "地"),
        ("这次演练组织的很好，达到了目的。", "得"),
        ("发生的特别重大事故由国务院调查。", ""),
        ("双方进行了友好而坦诚地交流。", "的"),
        ("各地进行了实地调研，开展属地检查。", ""),
    ],
)
def test_what_stands_there_is_compared_with_what_is_right(text: str, right: str) -> None:
    found = check(text)
    assert [item.suggestions[0] for item in found] == ([right] if right else [])


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("规模以上工业增加值增长7.8，高于全省。", "7.8"),
        ("完成固定资产投资325.6，同比增长4.2%。", "325.6"),
        ("最高气温达到38.5，请注意防暑。", "38.5"),
        ("抽检合格率为99，比去年高。", "99"),
        ("制造业采购经理指数为50.2，比上月上升0.4。", ""),
        ("三个县分别增长5.1、6.2和7.3个百分点。", ""),
        ("单位：亿元。全市投资325.6，收入98.6。", ""),
        ("容积率为2.0，绿地率为35%。", ""),
    ],
)
def test_figures_that_lost_their_unit(text: str, bare: str) -> None:
    assert [item.found for item in check(text) if item.rule == "figure.bare"] == ([bare] if bare else [])
