"""HTML in a message: no telling word, no keyword, no title; places and personal data stay where they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from hub import privacy
from hub.db import reading
from hub.models import Case, Message, Tagging
from tests.workflows.intake import town
from tests.workflows.tagging.test_batches import arrive
from workflows.house import House
from workflows.tagging import batches
from workflows.tagging.markup import plainly, straight, without_markup

HOSTILE = (
    '<div class="content script"><script>alert("投诉")</script><img src=x onerror=alert(1) alt="13912345678">'
    "<b>小区地下车库漏水三天没人管</b>&nbsp;电话13812345678<style>div{color:red}</style></div>"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HOSTILE, ["小区地下车库漏水三天没人管", "电话13812345678"]),
        ("<script>alert(1)", []),
        ("a<b 且 3>2，<A9路口>的灯坏了", ["a<b", "且", "3>2，<A9路口>的灯坏了"]),
        ("<!-- 注释 --><br/>井盖</br>", ["井盖"]),
        ("没有标记 & 也没有别的", ["没有标记", "&", "也没有别的"]),
    ],
)
def test_only_markup_goes(text: str, words: list[str]) -> None:
    found = without_markup(text)
    assert len(found) == len(text)
    assert found.split() == words


@given(st.text(alphabet="<>/ab!-&;#1 \n路div=\"'"))
def test_any_text_keeps_its_length_and_its_other_signs(text: str) -> None:
    found = without_markup(text)
    assert len(found) == len(text)
    assert all(now in (before, " ") for now, before in zip(found, text, strict=True))


def test_a_hostile_text_costs_its_length() -> None:
    assert len(without_markup("<div " * 50_000)) == 250_000
    assert len(without_markup("<!--" * 50_000)) == 200_000


async def test_a_message_of_markup_is_tagged_by_what_it_says(house: House) -> None:
    town.numbers(house)
    await arrive(house, town.letter(1, HOSTILE), platform="numbers")
    await batches.tag_waiting(house)
    async with reading(house.ctx) as unit:
        message, tagging = await unit.one(select(Message)), await unit.one(select(Tagging))
        case = await unit.one(select(Case))
    telling = {*tagging.keywords, *tagging.topic_words, *tagging.sentiment_words, *tagging.sensitive_words}
    assert not {word for word in telling if word.isascii()}, telling
    assert "漏水" in "".join(tagging.keywords)
    assert case.title == "小区地下车库漏水三天没人管 电话138****5678"
    assert message.text == HOSTILE, "what came stays as it came"
    shown = privacy.masked(message.text, message.personal)
    assert "139****5678" in shown
    assert "138****5678" in shown


def test_titles_and_rows_show_words_only() -> None:
    assert plainly("<p>路灯\n坏了</p>\u202e831 <b>快修</b>") == "路灯 坏了 831 快修"
    assert plainly("<script>alert(1)</script>") == "<script>alert(1)</script>", "of nothing else there is to show"
    assert plainly(" \n ") == ""
    assert straight("电话\u202e831\u2066<b>") == "电话831<b>"
