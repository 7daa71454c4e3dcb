"""Monitoring rules: what they mean, where they go wrong, and that the automaton finds what a plain search finds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.barred import silenced
from nlp.base import Text
from nlp.plans import (
    DEEPEST,
    MOST_CHARACTERS,
    All,
    BadRule,
    Not,
    Rule,
    Some,
    Trouble,
    Word,
    anchors,
    every_word,
    form,
    from_classes,
    holds,
    parse,
    without,
    word,
    words_of,
    written,
)
from nlp.watch import MATCHED_CHARACTERS, Matcher, compared, spans

EXPO = "上海+(世博会|世界博览会)"
TWENTY = [
    ("上海世博会今天开幕", True), ("世博会在上海", True), ("上海举办世界博览会", True), ("上海要办博览会", False),
    ("世博会在昆明", False), ("上海", False), ("世界博览会", False), ("上 海 世 博 会", True), ("上海\n世博会", True),
    ("上\n海世博会", False), ("上海迎來世界博覽會", True), ("ＳＨ上海世博会", True), ("上海上海上海", False),
    ("", False), ("世博会世博会", False), ("從上海到世博會", True), ("上\u200b海世博会", True), ("北京世博会", False),
    ("上海，世博会！", True), ("世界博览会（上海）", True),
]  # fmt: skip


def hits(rule: str, text: str, title: str = "") -> bool:
    return bool(Matcher({1: parse(rule)}).match(Text(text, title)))


@pytest.mark.parametrize(("text", "hit"), TWENTY)
def test_the_example_of_the_field(text: str, hit: bool) -> None:
    assert hits(EXPO, text) is hit


@pytest.mark.parametrize(
    ("rule", "text", "hit"),
    [
        ("甲|乙+丙", "甲", True), ("甲|乙+丙", "乙", False), ("(甲|乙)+丙", "甲", False), ("(甲|乙)+丙", "乙丙", True),
        ("路灯+!广告", "路灯坏了", True), ("路灯+!广告", "路灯广告", False), ("路灯+!(广告|招聘)", "路灯招聘", False),
        ("路灯+!(广告+微信)", "路灯广告", True), ("!广告+路灯", "路灯", True), ("路灯＋！（广告｜招聘）", "路灯", True),
        ("5G", "5g信号差", True), ("5G", "15G流量", False), ("5G", "5Gs", False), ("G20", "G2024", False),
        ("12345", "打12345没人接", True), ("12345", "13812345678", False), ("COVID-19", "covid-19来了", True),
        ('"C++"', "学C++的", True), ("“（公示）”", "关于（公示）的", True), ("New York", "new   york", True),
        ("K1路", "K1路改线", True), ("K1路", "BK1路改线", False), ("里", "裡面", True), ("ＡＰＰ", "app打不开", True),
    ],
)  # fmt: skip
def test_what_rules_hit(rule: str, text: str, hit: bool) -> None:
    assert hits(rule, text) is hit


def test_a_word_does_not_reach_from_title_into_text() -> None:
    assert not hits("世博会", "博会开幕", "上海世")
    assert hits("上海+开幕", "开幕了", "上海")


@pytest.mark.parametrize(
    ("rule", "trouble", "column"),
    [
        ("", Trouble.empty, 1), ("  \n ", Trouble.empty, 1), ("上海、北京", Trouble.list_mark, 3),
        ("上海,北京", Trouble.list_mark, 3), ("上海；北京", Trouble.list_mark, 3),
        ("上海 世博会", Trouble.two_words, 4), ("上海+", Trouble.word_expected, 3),
        ("+上海", Trouble.word_expected, 1), ("上海++北京", Trouble.word_expected, 4),
        ("上海+|北京", Trouble.word_expected, 4), ("(上海|北京", Trouble.unclosed, 1),
        ("上海)", Trouble.unopened, 3), ("上海+(北京|天津))", Trouble.unopened, 11),
        ("()", Trouble.word_expected, 2), ("上海(北京)", Trouble.sign_expected, 3),
        ("上海!北京", Trouble.sign_expected, 3), ("!上海", Trouble.not_alone, 1),
        ("上海|!北京", Trouble.not_alone, 4),
        ("甲|(乙|!丙+!丁)|戊", Trouble.not_alone, 6), ("(上海|!北京)", Trouble.not_alone, 5),
        ("!上海+!北京", Trouble.not_alone, 1), ("上海+!!北京", Trouble.word_expected, 5),
        ("上海+!", Trouble.word_expected, 4), ("上海-北京+-天津", Trouble.minus, 7),
        ("《条例》", Trouble.strange_sign, 1), ("上海*", Trouble.strange_sign, 3),
        ("上海+“北京", Trouble.open_quote, 4), ("上海+“！！”", Trouble.no_word, 4),
        ("甲" * 41, Trouble.long_word, 1), ("[上海]", Trouble.strange_sign, 1), ("上海+(", Trouble.unclosed, 4),
        ("好" * (MOST_CHARACTERS + 1), Trouble.too_long, MOST_CHARACTERS + 1),
        ("(" * (DEEPEST + 1) + "甲", Trouble.too_deep, DEEPEST + 1),
        ("|".join(["甲"] * 401), Trouble.too_many_words, 801),
    ],
)  # fmt: skip
def test_an_error_points_at_the_column(rule: str, trouble: Trouble, column: int) -> None:
    with pytest.raises(BadRule) as caught:
        parse(rule)
    assert (caught.value.trouble, caught.value.place(rule)) == (trouble, (1, column))
    assert 0 <= caught.value.start <= caught.value.end <= len(rule)


def test_an_error_in_the_second_line_counts_from_its_beginning() -> None:
    rule = "上海+\n（世博会、园博会）"
    with pytest.raises(BadRule) as caught:
        parse(rule)
    assert caught.value.place(rule) == (2, 5)
    assert rule[caught.value.start : caught.value.end] == "、"


def test_word_classes_join_by_and_and_stop_words_leave_out() -> None:
    rule = from_classes([["柳溪街道", "锦澜花园"], [], ["路灯", "電梯"], []])
    assert rule is not None
    stopped = without(rule, from_classes([["广告"]]))
    matcher = Matcher({7: stopped})
    (found,) = matcher.match(Text("锦澜花园电梯又坏了"))
    assert (found.key, found.words) == (7, ("锦澜花园", "電梯"))
    assert not matcher.match(Text("锦澜花园电梯广告"))
    assert not matcher.match(Text("电梯又坏了"))
    assert from_classes([[], []]) is None


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("路灯+!路", ["路灯/路"]), ("路灯+!(广告|灯)", ["路灯/灯"]), ("停水+!停水", ["停水/停水"]),
        ("(路灯|街灯)+!路", ["路灯/路"]), ("街灯|路灯+!路", ["路灯/路"]), ("街灯+(路灯|井盖)+!路", ["路灯/路"]),
        ("路灯+!(路+广告)", []), ("路灯+!广告", []), ("路+!路灯", []), ("5G基站+!G", []),
        ("5G基站+!基站", ["5G基站/基站"]),
        ("路灯|井盖+!路", []), ("街燈+!灯", ["街燈/灯"]),
    ],
)  # fmt: skip
def test_words_in_which_a_word_left_out_stands_are_named(rule: str, found: list[str]) -> None:
    read = parse(rule)
    assert [f"{asked.text}/{barred.text}" for asked, barred in silenced(read)] == found
    for asked, _barred in silenced(read):
        assert not hits(f"{asked.text}+({rule})", asked.text)


def test_anchors_are_the_fewest_words_without_which_nothing_is_hit() -> None:
    assert anchors(parse("(甲|乙|丙)+丁+!戊")) == {"丁"}
    assert anchors(parse("甲|乙")) == {"甲", "乙"}
    assert anchors(Not(word("甲"))) is None


# --- properties -------------------------------------------------------------------------------------------------------

ALPHABET = "上海世博灯a1 5gG"
WORDS = ["上海", "海世", "世博", "灯", "a1", "5g", "1 5", "上海世博", "G"]


def rules() -> st.SearchStrategy[Rule]:
    words: st.SearchStrategy[Any] = st.sampled_from(WORDS).map(word)

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return several.map(All) | several.map(Some) | inner.map(Not)

    return st.recursive(words, grow, max_leaves=8).filter(lambda rule: anchors(rule) is not None and _plain(rule))


def _plain(rule: Rule) -> bool:
    """No double negation, which people cannot write."""
    if isinstance(rule, Word):
        return True
    if isinstance(rule, Not):
        return not isinstance(rule.part, Not) and _plain(rule.part)
    return all(_plain(part) for part in rule.parts)


def oracle(rule: Rule, text: str) -> bool:
    """By the book: each word looked for in the folded text by a regular expression, the tree evaluated in full."""
    folded = form(text)

    def stands(wanted: str) -> bool:
        before = r"(?<![a-z0-9])" if re.match("[a-z0-9]", wanted) else ""
        after = r"(?![a-z0-9])" if re.match("[a-z0-9]", wanted[-1]) else ""
        return re.search(before + re.escape(wanted) + after, folded) is not None

    return holds(rule, stands)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rules(), min_size=1, max_size=6), st.lists(st.text(ALPHABET, max_size=30), min_size=1, max_size=4))
def test_many_rules_at_once_hit_what_each_hits_alone(many: list[Rule], texts: list[str]) -> None:
    matcher = Matcher(dict(enumerate(many)))
    for text in texts:
        found = [hit.key for hit in matcher.match(Text(text))]
        assert found == [key for key, rule in enumerate(many) if oracle(rule, text)]


@settings(max_examples=300, deadline=None)
@given(rules())
def test_what_is_written_reads_back_the_same(rule: Rule) -> None:
    again = parse(written(rule))
    assert list(every_word(again)) == list(every_word(rule))
    for text in ("", "上海", "上海世博", "灯a1", "5g 1 5", "世博G灯"):
        assert oracle(again, text) is oracle(rule, text)


@settings(max_examples=500, deadline=None)
@given(st.text('上海ab+|!()（）＋｜！-、 \n"“”\x00\u200b\U0001f600', max_size=40) | st.text(max_size=40))
def test_any_text_is_a_rule_or_an_error_that_points_into_it(text: str) -> None:
    bad, rule = None, None
    try:
        rule = parse(text)
    except BadRule as error:
        bad = error
    if bad is not None:
        assert 0 <= bad.start <= bad.end <= len(text)
        return
    assert rule is not None
    assert list(words_of(rule))
    assert not holds(rule, lambda _form: False), "a rule that hits a text with none of its words"


@settings(max_examples=300, deadline=None)
@given(st.text("上海世 博會灯aG5\u200b\n", max_size=40))
def test_highlights_stand_where_the_words_are(text: str) -> None:
    for wanted in ("上海", "世博会", "ag"):
        found = spans(text, [wanted])
        for start, end in found:  # neighbours are joined, so a span may hold the word several times
            assert form(text[start:end]).startswith(form(wanted))
            assert form(text[start:end]).endswith(form(wanted))
        assert bool(found) is bool(Matcher({1: word(wanted)}).match(Text(text)))


def test_hostile_texts_take_bounded_time() -> None:
    matcher = Matcher({n: parse("|".join("啊" * k for k in range(1, 30))) for n in range(20)})
    assert matcher.match(Text("啊" * 1_000_000))
    assert matcher.match(Text("\U0001f600" * 50_000)) == []
    assert matcher.match(Text("\ud800\x00\u202e\u200b" * 1000)) == []
    assert spans(" " * 100_000 + "啊", ["啊"]) == [(100_000, 100_001)]


def test_only_so_much_of_a_text_is_looked_at() -> None:
    assert len(compared(Text("好" * 50_000, "题" * 50_000))) == MATCHED_CHARACTERS
    assert Matcher({}).match(Text("上海")) == []
