"""Grouping as messages come, names, sentences, likeness: what they answer and what they never do."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nlp
from nlp import matters, naming, similar, summary
from nlp.base import Text
from nlp.matters import Tally
from nlp.summary import Said

MIXER = [
    "丽湾新城旁边建搅拌站，噪音大得睡不着",
    "丽湾新城小区附近的搅拌站粉尘和噪音扰民",
    "请关停丽湾新城旁的混凝土搅拌站",
]
BUS = ["七路公交等不到车，四十分钟还不来", "七路公交间隔太长，早高峰等不到车", "建议七路公交早高峰加密班次"]


def _traits(texts: Sequence[str], tally: Tally | None = None) -> list[matters.Traits]:
    return matters.traits(nlp.analyser(), [Text(text) for text in texts], tally or Tally.empty())


def _placed(texts: Sequence[str]) -> list[int]:
    return [one.group for one in matters.place([one.member for one in _traits(texts)], [])]


def test_messages_about_one_thing_meet_and_others_stay_apart() -> None:
    groups = _placed([MIXER[0], BUS[0], MIXER[1], BUS[1], MIXER[2], BUS[2], "请问身份证到期怎么换领"])
    assert groups == [0, 1, 0, 1, 0, 1, 6]


def test_one_word_in_common_brings_no_two_short_texts_together() -> None:
    """Of half a dozen words one is much; it says nothing, be it a road or a manner of asking."""
    assert _placed(["路灯修好了，谢谢城管！", "摆摊有没有合法的地方？城管天天撵，我们也要吃饭"]) == [0, 1]
    assert _placed(["枫林路烧烤店油烟直接往楼上冲，窗户都不敢开", "枫林路井盖塌陷，昨晚一辆电动车掉进去了"]) == [0, 1]
    assert _placed(["枫林路塌陷绕行怎么走", "枫林路塌陷到底什么原因"]) == [0, 0]


def test_known_groups_are_joined_by_number() -> None:
    known = [matters.joined([one.member for one in _traits(MIXER)]), _traits([BUS[0]])[0].member]
    found = matters.place([one.member for one in _traits(["搅拌站半夜还在响，丽湾新城没法住", BUS[1]])], known)
    assert [one.group for one in found] == [0, 1]
    assert all(one.near >= matters.NEAR for one in found)


def test_the_average_decides_whatever_the_batches() -> None:
    """One after the other, or all at once: the same groups."""
    texts = MIXER + BUS
    at_once = _placed(texts)
    groups: list[matters.Member] = []
    one_by_one = []
    for trait in _traits(texts):
        [where] = matters.place([trait.member], groups)
        if where.group == len(groups):
            groups.append(trait.member)
        else:
            groups[where.group] = matters.joined([groups[where.group], trait.member])
        one_by_one.append(where.group)
    assert [at_once.index(group) for group in at_once] == [one_by_one.index(group) for group in one_by_one]


def test_a_burst_does_not_fall_apart_over_its_own_words() -> None:
    """Half of all messages say the same few words: they stay telling, for the tally does not learn from the burst."""
    rnd = random.Random(3)
    others = [
        f"{a}{b}的{c}问题一直没有解决"
        for a in "甲乙丙丁戊"
        for b in "东西南北中"
        for c in ("停车", "绿化", "电梯", "路灯")
    ]
    tally = Tally.empty().with_words([one.member for one in _traits(others)])
    burst = [
        f"鹿鸣湾{rnd.choice(['小区', '三期', '南门'])}停水{rnd.choice(['两天', '一整天', '三天'])}没人管"
        for _ in range(300)
    ]
    known: list[matters.Member] = []
    for at in range(0, 300, 50):
        traits = _traits(burst[at : at + 50], tally)
        groups = {one.group for one in matters.place([one.member for one in traits], known)}
        assert groups == {0}
        known = [matters.joined([*known, *(one.member for one in traits)])]
        tally = tally.with_words([one.member for one in traits] if known[0].size <= matters.COMMON else [])


def test_two_groups_that_grew_alike_are_named() -> None:
    one, two = (matters.joined([t.member for t in _traits(part)]) for part in (MIXER[:2], [*MIXER[2:], MIXER[0]]))
    other = matters.joined([t.member for t in _traits(BUS)])
    assert matters.alike([one], [one, two, other]) == [(0, 1)]
    assert matters.alike([other], [other, one]) == []
    assert matters.alike([], [one]) == []
    assert matters.alike([one], [one]) == []


def test_a_tally_survives_storing_and_fades() -> None:
    tally = Tally.empty().with_words([one.member for one in _traits(MIXER)])
    again = Tally.unpack(tally.documents, tally.packed())
    assert (again.documents, again.counts.tolist()) == (3, tally.counts.tolist())
    old = Tally(100_000, tally.counts * 2).with_words([_traits([BUS[0]])[0].member])
    assert old.documents == 50_000
    with pytest.raises(ValueError, match="tally"):
        Tally.unpack(1, Tally(0, tally.counts[:8]).packed())


def test_a_vector_survives_storing() -> None:
    [trait] = _traits([MIXER[0]])
    again = matters.unpack(matters.pack(trait.member))
    assert again.bucket.tolist() == trait.member.bucket.tolist()
    assert abs(again.value - trait.member.value).max() < 1e-3
    assert matters.unpack(b"", 3).size == 3


def test_reposts_have_one_fingerprint_and_short_texts_none() -> None:
    text = "鹿鸣湾小区停水两天，请尽快抢修！"
    same = [
        f"{text}https://t.cn/abc",
        f"@城市发布 {text}",
        f"//@市民甲:{text}",
        "鹿鳴灣小區停水兩天，請盡快搶修",
        f" {text}　",
    ]
    assert {matters.fingerprint(one) for one in same[:2] + same[3:]} == {matters.fingerprint(text)}
    assert matters.fingerprint(text) != matters.fingerprint("鹿鸣湾小区停水三天，请尽快抢修！")
    assert matters.fingerprint("支持！") == matters.fingerprint("") == matters.fingerprint("。" * 500) == 0
    assert -(2**63) <= matters.fingerprint(text) < 2**63


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_texts_are_placed(texts: list[str]) -> None:
    traits = _traits(texts)
    placed = matters.place([one.member for one in traits], [])
    assert len(placed) == len(texts)
    assert all(placed[one.group].group == one.group for one in placed), "a group is named by the message that began it"
    whole = matters.joined([one.member for one in traits]) if traits else None
    assert whole is None or len(naming.name(nlp.analyser(), [Text(t) for t in texts], whole)) <= naming.LONGEST + 4
    for sentence in summary.summarise(nlp.analyser(), [Said(text, "neutral") for text in texts]):
        assert len(sentence.text) == sentence.end - sentence.start


def test_a_name_is_what_citizens_wrote() -> None:
    profile = matters.joined([one.member for one in _traits(MIXER)])
    name = naming.name(nlp.analyser(), [Text(text) for text in MIXER], profile)
    assert any(name in text for text in MIXER)
    assert "搅拌站" in name
    assert naming.name(nlp.analyser(), [], profile) == ""


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["16路加车以后好多了，谢谢！", "16路加车以后好多了", "16路加车"], "16路加车"),
        (["锦澜花园业主联名请求市里公布交房时间", "锦澜花园业主联名请求市里公布交房时间表"], "锦澜花园业主联名"),
        (
            [
                "澜南写字楼欠薪，五十三个人名单和考勤都在，希望今天有人联系。",
                "昨天说有人联系，到现在没有一个电话，五十三个人的工资到底什么时候发？",
            ],
            "五十三个人名单和考勤",
        ),
    ],
)
def test_a_name_ends_where_its_matter_ends(texts: list[str], name: str) -> None:
    profile = matters.joined([one.member for one in _traits(texts)])
    assert naming.name(nlp.analyser(), [Text(text) for text in texts], profile) == name


def test_personal_data_and_their_words_bring_no_two_texts_together() -> None:
    tail = "，身份证号11010519491231002X，手机号码13812345678，联系电话13812345678"
    texts = [f"{said}{tail}" for said in ("路灯不亮", "班车停运", "井盖破了", "暖气不热")]
    assert _placed(texts) == [0, 1, 2, 3]
    for one in _traits(texts):
        assert {"身份证", "电话", "13812345678"}.isdisjoint(one.words)


def test_a_name_hides_personal_data() -> None:
    texts = [Text("欠薪老板电话13812345678不接")] * 2
    profile = matters.joined([one.member for one in _traits([text.body for text in texts])])
    assert "13812345678" not in naming.name(nlp.analyser(), texts, profile)


def test_sentences_are_word_for_word_and_one_says_otherwise() -> None:
    said = [
        Said("丽湾新城旁边的搅拌站噪音太大。我打过电话13812345678投诉没人理。", "negative"),
        Said("搅拌站的粉尘落满阳台，窗户都不敢开。", "negative"),
        Said("搅拌站夜里三点还在施工，孩子睡不着。", "negative"),
        Said("搅拌站已经装了隔音板，噪音好多了，我支持他们正常生产。", "positive"),
    ]
    found = summary.summarise(nlp.analyser(), said)
    assert [one.kind for one in found].count("other") == 1
    assert found[-1].number == 3
    for one in found:
        whole = nlp.mask(said[one.number].text)
        assert whole[one.start : one.end] == one.text
        assert "13812345678" not in one.text
    assert len({one.number for one in found}) == len(found), "no two sentences of one message"


def test_whom_a_post_is_addressed_to_is_left_out() -> None:
    [only] = summary.summarise(
        nlp.analyser(), [Said("@城市发布 @城管局： 枫林路的井盖坏了，电动车摔进去了。", "negative")]
    )
    assert only.text == "枫林路的井盖坏了，电动车摔进去了。"
    assert only.start == len("@城市发布 @城管局： ")


def test_who_asks_politely_takes_nobodys_side() -> None:
    said = [Said(f"第{n}栋的电梯坏了三天没人修，请物业尽快解决，谢谢支持。", "negative") for n in range(4)]
    assert all(one.kind == "main" for one in summary.summarise(nlp.analyser(), said))
    assert summary.summarise(nlp.analyser(), []) == []
    assert summary.summarise(nlp.analyser(), [Said("好", "positive")]) == []


@pytest.mark.parametrize(
    ("text", "tone", "is_other"),
    [
        ("物业还说没有影响，简直睁眼说瞎话。", "negative", False),
        ("开发商说已经解决了，可昨晚又打到两点。", "negative", False),
        ("谁说不影响，你来住住看。", "negative", False),
        ("有人说这是谣言，我家窗户都在抖。", "negative", False),
        ("物业表示很满意，业主天天失眠。", "negative", False),
        ("好多了三天，但昨晚又开始了。", "negative", False),
        ("我们坚决支持查处这个工地。", "positive", False),
        ("我支持大家一起投诉。", "positive", False),
        ("工地夜里停了，好多了，感谢城管。", "positive", True),
        ("我住对面楼，没有影响，大家别夸张。", "neutral", True),
        ("我认为没那么吵，我支持他们正常施工。", "neutral", True),
    ],
)
def test_a_different_voice_is_one_that_means_it(text: str, tone: str, is_other: bool) -> None:
    said = [
        Said("丽湾小区旁工地半夜施工噪音太大，孩子睡不着", "negative"),
        Said("丽湾小区旁工地凌晨还在打桩，吵得全家睡不着觉", "negative"),
        Said("工地夜里施工吵死人，投诉多次没人管", "negative"),
        Said("半夜打桩噪音，丽湾小区的人都没法睡", "negative"),
        Said(text, tone),
    ]
    others = [one.text for one in summary.summarise(nlp.analyser(), said) if one.kind == "other"]
    assert others == ([text] if is_other else [])


def test_rare_words_weigh_more_and_everyday_ones_nothing() -> None:
    weighed = similar.weights(["搅拌站", "小区", "问题", "我"], {"小区": 20_000, "问题": 300_000})
    assert set(weighed) == {"搅拌站", "小区"}
    assert weighed["搅拌站"] > weighed["小区"]
    assert similar.chosen(weighed, 1_000_000, 500) == ["搅拌站"]
    assert similar.chosen(weighed, 1_000, 500) == ["搅拌站", "小区"]
    assert similar.chosen({}, 1_000) == []


def test_likeness_is_one_for_itself_and_falls_with_what_differs() -> None:
    weighed = similar.weights(["搅拌站", "噪音", "扰民"], {})
    assert similar.likeness(weighed, {"搅拌站", "噪音", "扰民"}) == pytest.approx(1)
    near, far = similar.likeness(weighed, {"搅拌站", "噪音", "粉尘"}), similar.likeness(weighed, {"搅拌站", "公交"})
    assert 1 > near > far > 0
    assert similar.likeness(weighed, {"公交"}) == similar.likeness({}, {"公交"}) == similar.likeness(weighed, ()) == 0
