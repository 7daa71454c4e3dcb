"""Texts written to break an analyser: bounded time, no exception, sensible empty tags."""

from __future__ import annotations

import time

import pytest

import nlp

# One second on a quiet core. The limit is asked of processor time and leaves room for a loaded machine; an explosion
# (a pattern that tries everything) takes minutes, so it is caught all the same.
LIMIT = 4.0

HOSTILE = {
    "one character, a million times": "啊" * 1_000_000,
    "one latin letter": "a" * 1_000_000,
    "one digit": "1" * 1_000_000,
    "fifty thousand emoji": "😀" * 50_000,
    "family emoji with joiners": "👨\u200d👩\u200d👧" * 20_000,
    "zero width": "停\u200b" * 200_000,
    "bidirectional marks": "\u202e\u2066停水\u2069\u202c" * 50_000,
    "combining marks": "水" + "\u0301" * 500_000,
    "lone surrogates": "\ud800停\udfff" * 100_000,
    "noise of another encoding": "停水了，没人管".encode("gb18030").decode("latin-1") * 20_000,
    "replacement characters": "\ufffd" * 300_000,
    "mail bomb": "a@" * 200_000 + "a" * 5_000 + "@" + "b." * 5_000,
    "number bomb": "6222 " * 100_000,
    "card bomb": "-".join(["6222"] * 100_000),
    "date bomb": "2020-1-" * 100_000,
    "clock bomb": "1:2:3:4:5:" * 60_000,
    "place bomb": "路街巷村镇乡区县" * 60_000,
    "name bomb": "张王李赵" * 60_000 + "局长",
    "title bomb": "书记局长主任" * 60_000,
    "office bomb": "派出所街道办居委会" * 50_000,
    "brackets": "[" * 300_000 + "]" * 300_000,
    "handles": "@" * 300_000,
    "addresses": "http://" * 80_000,
    "tags": "#话题" * 150_000,
    "questions": "吗" * 300_000 + "?" * 300_000,
    "blanks": " \t\u3000\u00a0" * 200_000,
    "nuls": "\0" * 500_000,
    "cue bomb": "火灾停水聚集截止上访" * 60_000,
    "doubt bomb": "一旦发生火灾隐患" * 60_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_cost_little_and_break_nothing(text: str) -> None:
    nlp.analyse(["预热"])
    begun = time.process_time()
    (found,) = nlp.analyse([text])
    assert time.process_time() - begun < LIMIT
    assert found.sentiment.value in nlp.SENTIMENTS
    assert found.topic.value in ("", *nlp.TOPICS)
    for item in (*found.places, *found.personal, *found.departments, *found.persons, *found.times):
        assert 0 <= item.start < item.end <= len(text)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\0\0", "\u200b\u202e", "，。！？", "\ufffd" * 9])
def test_texts_that_say_nothing_get_empty_tags(text: str) -> None:
    (found,) = nlp.analyse([text])
    assert (found.topic.value, found.request, found.urgency, found.sensitive) == ("", "", "", False)
    assert (found.sentiment.value, found.emotion.value) == ("neutral", "neutral")
    nothing = (found.keywords, found.places, found.personal, found.departments, found.persons, found.times)
    assert not any(nothing)


def test_masking_a_hostile_text_is_bounded_too() -> None:
    begun = time.process_time()
    for text in HOSTILE.values():
        assert len(nlp.mask(text[:100_000])) == len(text[:100_000])
    assert time.process_time() - begun < 2 * LIMIT
