"""The rooms of nlp one by one: cleaning and its offsets, cutting, cues, places, search, light import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nlp
from nlp import clean, cues, features, personal, places, search, segment
from nlp.clean import Cleaned

SAMPLE = (
    "A市城管委和交警支队昨天在芙蓉路联合执法，查处渣土车12台",
    "我在微信公众号上看到老旧小区加装电梯可以申请补贴，请问怎么办理？",
    "楼下烧烤店的油烟味太大了，打了12345也没人管，3天了！！！",
    "医保卡异地就医报销比例是多少，需要带身份证吗",
    "Wi-Fi信号太差，5G基站建了2年还没开通T恤",
)


@pytest.fixture
def own_office() -> Iterator[None]:
    nlp.configure(
        places=[("云溪市", "city", "439900"), ("北塘", "district", "439902")], sensitive=["龙舟赛"], fast=None
    )
    yield
    nlp.configure()


# --- clean ------------------------------------------------------------------------------------------------------------


def test_full_width_traditional_and_invisible_characters_become_one_form() -> None:
    assert clean.clean("１３８臺灣學校\u200b\u202eＡ，\0").text == "138台湾学校A,"


@given(st.text(alphabet=st.characters(codec="utf-16"), max_size=40), st.data())
@settings(max_examples=200, deadline=None)
def test_a_span_of_the_clean_text_points_at_what_it_came_from(original: str, data: st.DataObject) -> None:
    cleaned = clean.clean(original)
    if not cleaned.text:
        return
    start = data.draw(st.integers(0, len(cleaned.text) - 1))
    end = data.draw(st.integers(start + 1, len(cleaned.text)))
    low, high = cleaned.span(start, end)
    assert 0 <= low < high <= len(original)
    assert cleaned.text[start:end] in clean.clean(original[low:high]).text


def test_offsets_survive_characters_that_vanish_or_grow() -> None:
    text = "\u200b㎡电话\u202e１３８１２３４５６７８谢谢"
    (found,) = nlp.analyse([text])[0].personal
    assert text[found.start : found.end] == "１３８１２３４５６７８"


def test_models_see_addresses_handles_and_repeats_shortened() -> None:
    form = clean.model_form("看 http://t.cn/A6abc @张三 好好好好好好 [泪][泪] ABC")
    assert "t.cn" not in form
    assert "张三" not in form
    assert "好好好好" not in form
    assert "abc" in form
    assert set(clean.emoticons("[泪]")) <= set(form)


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_string_can_be_analysed_and_masked(text: str) -> None:
    (found,) = nlp.analyse([text])
    assert found.sentiment.value in nlp.SENTIMENTS
    for item in (*found.personal, *found.places):
        assert 0 <= item.start < item.end <= len(text)
    assert len(nlp.mask(text)) == len(text)
    assert nlp.mask(nlp.mask(text)) == nlp.mask(text)


# --- segment ----------------------------------------------------------------------------------------------------------


def test_government_words_stay_whole_in_both_engines() -> None:
    pytest.importorskip("rjieba")
    for fast in (True, False):
        cutter = segment.make_segmenter(fast=fast)
        assert "城管委" in cutter.cut("城管委来人了")
        assert cutter.knows("城管委")
        assert not cutter.knows("云溪塘泥")


def test_the_accelerator_cuts_like_jieba() -> None:
    pytest.importorskip("rjieba")
    forms = [clean.model_form(clean.clean(text).text) for text in SAMPLE]
    one, two = (features.make_batch(forms, segment.make_segmenter(fast=fast)) for fast in (True, False))
    assert one.pieces == two.pieces
    assert one.word_doc.tolist() == two.word_doc.tolist()


def test_jieba_keeps_its_cache_where_it_is_told(tmp_path: Path) -> None:
    segment.JiebaSegmenter(cache_dir=tmp_path / "jieba")
    assert list((tmp_path / "jieba").iterdir())


def test_importing_nlp_loads_neither_jieba_nor_numpy() -> None:
    code = "import sys, nlp; print([name for name in ('jieba', 'rjieba', 'snownlp', 'numpy') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_classic_engine_comes_without_the_rest_of_snownlp() -> None:
    code = (
        "import sys, nlp; nlp.configure(engine='classic');"
        "found = nlp.analyse(['今天真幸福，爱你们，么么哒', '太气人了，真恶心']);"
        "print([one.sentiment.value for one in found], 'snownlp' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['positive', 'negative'] False"
    assert result.stderr == ""


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="oracle"):
        nlp.configure(engine="oracle")


# --- features ---------------------------------------------------------------------------------------------------------


def test_equal_runs_have_equal_hashes_wherever_they_stand() -> None:
    batch = features.make_batch(["停水停电", "昨天停水"], segment.make_segmenter())
    hashes, starts = features.run_hashes(batch, 2)
    where = {int(start): int(value) for start, value in zip(starts, hashes, strict=True)}
    assert where[0] == where[6]  # 停水 here and there
    assert where[0] != where[2]
    assert 3 not in where  # 电昨 would cross from one text to the next


def test_fewer_bits_give_the_same_bucket_shifted() -> None:
    hashes = np.array([1, 2**40, 2**63 + 7], np.uint64)
    assert (features.bucket(hashes, 24) >> 6 == features.bucket(hashes, 18)).all()


# --- cues -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("墙要倒塌了，还停水", "danger"),
        ("小区停电两天", "outage"),
        ("几百人在门口聚集", "crowd"),
        ("明天就要报名，来不及了", "deadline"),
        ("学校组织消防演练，预防火灾", ""),
        ("请放心，不会停水", ""),
        ("今天去公园散步", ""),
    ],
)
def test_urgency_is_what_is_meant_not_what_is_mentioned(text: str, kind: str) -> None:
    assert cues.urgency(text).value == kind


def test_thanks_at_the_end_of_a_complaint_are_no_praise() -> None:
    assert nlp.analyse(["楼上半夜装修扰民，投诉物业不作为，谢谢"])[0].request == "投诉"


@pytest.mark.usefixtures("own_office")
def test_an_office_adds_its_own_sensitive_words_and_places() -> None:
    (found,) = nlp.analyse(["云溪市北塘的龙舟赛什么时候开始？"])
    assert found.sensitive_words == ("龙舟赛",)
    assert [(place.name, place.level, place.code) for place in found.places] == [
        ("云溪市", "city", "439900"),
        ("北塘", "district", "439902"),
    ]


# --- places, personal data, search ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("我们住在人民路的幸福小区，请来看看", ["人民路", "幸福小区"]),
        ("湖南省长沙市岳麓区橘子洲街道", ["湖南省", "长沙市", "岳麓区", "橘子洲街道"]),
        ("公交线路太少，路灯也不亮，市场监管局管不管", []),
        ("朝阳升起，黄山归来不看岳", []),
        ("请问明年小学报名，这种事学校不管", []),
        ("老年体检名额社区没有，胰岛素社区断货", []),
        ("慢病药社区医院经常断货", []),
        ("化工园异味学校里都能闻到，昨天医院也说了", []),
        ("街道幸福里小区3号楼，街坊向社区反映", ["幸福里小区"]),
        ("影响向阳小区和建设路，配套育才中学", ["向阳小区", "建设路", "育才中学"]),
        ("三百多户锦澜花园业主，告诉实验小学", ["锦澜花园", "实验小学"]),
    ],
)
def test_places_are_names_not_words_that_look_like_them(text: str, names: list[str]) -> None:
    assert [place.name for place in places.find(clean.clean(text))] == names


def test_a_short_name_that_may_mean_two_regions_is_marked() -> None:
    (found,) = places.find(clean.clean("我在吉林上学"))
    assert (found.level, found.ambiguous) == ("province", True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("手机13812345678", "手机138****5678"),
        ("固话0731-88886666", "固话073******6666"),
        ("身份证11010519491231002X", "身份证110*************2X"),
        ("卡号6222021234567890128", "卡号***************0128"),
        ("车牌湘A12345在此", "车牌湘A*****在此"),
        ("写信到zhang.san@example.com", "写信到z********@example.com"),
        ("编号11010519491231002Y没有", "编号11010519491231002Y没有"),
        ("订单6222021234567890123号", "订单6222021234567890123号"),
    ],
)
def test_personal_data_is_masked_and_look_alikes_are_left(text: str, shown: str) -> None:
    assert nlp.mask(text) == shown


@pytest.mark.parametrize(("number", "valid"), [("4111111111111111", True), ("4111111111111112", False)])
def test_luhn(number: str, valid: bool) -> None:
    assert personal.luhn_valid(number) is valid


@given(st.integers(1, 8), st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_what_is_searched_for_is_found_inside_longer_words(length: int, start: int) -> None:
    text = "云溪区滨江大道污水处理厂半夜排放刺鼻废气无人监管"
    query = text[start : start + length]
    if len(query) < 2:
        return
    tokens = set(nlp.analyse([text])[0].tokens.split())
    assert {token for group in search.query_tokens(query) for token in group} <= tokens


def test_a_query_becomes_groups_that_must_all_match() -> None:
    assert nlp.query_tokens("污水 ABC１２") == [["污水"], ["abc12"]]
    assert nlp.query_tokens("搅拌站") == [["搅拌", "拌站"]]
    assert nlp.query_tokens("，。!") == []


def test_keywords_begin_with_the_most_telling_words() -> None:
    words = nlp.analyse([nlp.Text("小区旁边的搅拌站半夜施工，噪音扰民", title="搅拌站噪音")])[0].keywords
    assert words[0] == "搅拌站"
    assert "旁边" not in words[:4]


def test_traditional_and_simplified_get_the_same_labels() -> None:
    old, new = nlp.analyse(["樓下飯店油煙擾民，投訴多次沒人管", "楼下饭店油烟扰民，投诉多次没人管"])
    assert (old.topic, old.sentiment, old.request, old.keywords) == (
        new.topic,
        new.sentiment,
        new.request,
        new.keywords,
    )


def test_a_cleaned_text_without_changes_keeps_its_offsets() -> None:
    assert Cleaned("停水了", "停水了").span(0, 2) == (0, 2)
