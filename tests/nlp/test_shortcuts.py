"""What is looked for by a shortcut is found as if there were none."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlp import named, personal, places, times
from nlp.clean import clean
from nlp.finder import matches

TIMES = "2026年1月7日号下午三点半10:30-/. 两个多小时昨今明天上个本周末分钟年月第晨夜"
KINDS = "人民路灯口小区别社道街巷子大学院生市场监管医院镇上村旗公园高速省道环线新城家苑"
DATA = "0123456789 -+·京川粤ABXx@.a张电话"


def spans(found: object) -> list[tuple[int, int]]:
    return [match.span() for match in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("room", "pattern", "alphabet"), [(times, times._ANY, TIMES), (places, places._KIND, KINDS)])
def test_jumping_from_head_to_head_finds_what_trying_everywhere_finds(
    room: object, pattern: re.Pattern[str], alphabet: str
) -> None:
    @given(st.text(alphabet, max_size=60))
    def same(text: str) -> None:
        heads: re.Pattern[str] = room._HEADS  # type: ignore[attr-defined]
        assert spans(matches(pattern, heads, text)) == spans(pattern.finditer(text))

    same()


@given(st.text(DATA, max_size=40))
@example("电话138 1234 5678")
@example("0731-1234567")
@example("川A·12345")
@example("a@b.c")
@example("6222 0212 3456 7890")
def test_no_personal_data_without_the_hint(text: str) -> None:
    told = clean(text).text
    if any(pattern.search(told) for _, pattern in personal._PATTERNS):
        assert personal._HINT.search(told)


def test_persons_are_found_by_every_title_and_role() -> None:
    for title in named._TITLES.split("|"):
        assert [one.role for one in named.persons(clean(f"请王{title}来"))] == [title], title
    for role in named._ROLES.split("|"):
        assert named.persons(clean(f"{role}:李明。")), role
