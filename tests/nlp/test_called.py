"""Names called: the office's own end where they end, all others are cleaned as ever."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import nlp
from nlp.clean import clean, model_form, without_mentions

OTHERS = [
    "@市民甲 路灯坏了", "@市民甲路灯坏了没人修", "路灯坏了", "a@b.cn", "@栖澜交通广播 堵车了", "//@老王:转发",
    "@栖澜城管 @栖澜交通 路灯",
]  # fmt: skip


@pytest.fixture
def own() -> Iterator[None]:
    nlp.know_accounts(["栖澜城管", "栖澜交通", "QL Press"])
    yield
    nlp.know_accounts([])


def form(text: str) -> str:
    return model_form(clean(text).text)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    "text",
    [
        "@栖澜城管春熙里停水一天了",
        "＠栖澜城管春熙里停水一天了",
        "@棲瀾城管春熙里停水一天了",
        "@栖澜城管 春熙里停水一天了",
    ],
)
def test_the_offices_own_name_ends_the_call(text: str) -> None:
    assert form(text) == "@ 春熙里停水一天了"
    assert without_mentions(text).strip() == "春熙里停水一天了"
    blank = nlp.analyse(["@栖澜城管 春熙里停水一天了"])[0]
    (found,) = nlp.analyse([text])
    said = (found.topic, found.sentiment, found.asked, found.keywords)
    assert said == (blank.topic, blank.sentiment, blank.asked, blank.keywords)


@pytest.mark.parametrize("text", OTHERS)
def test_all_others_are_cleaned_as_ever(text: str, own: None) -> None:
    known = form(text), without_mentions(text)
    nlp.know_accounts([])
    assert known == (form(text), without_mentions(text))


def test_without_known_names_the_run_is_the_name() -> None:
    assert form("@栖澜城管春熙里停水一天了") == "@"
