"""Requests learn from corrections: a layer over the odds of words and model; what asks for nothing stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import nlp
from nlp import asking, layers, learning, pipeline
from nlp.base import Text
from nlp.learning import Example
from tests.nlp.test_learning_layer import THINGS


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    nlp.teach({}, "")
    yield
    nlp.teach({}, "")


def local(count: int, start: int = 0) -> list[Example]:
    """An office where 掰扯 means a complaint and 搭把手 a cry for help, whatever else the letter says."""
    return [
        Example(
            Text(f"{THINGS[n % 8]}的事如何是好，是否有人{('掰扯掰扯', '搭把手')[n % 2]}，第{n}次了"),
            ("投诉", "求助")[n % 2],
        )
        for n in range(start, start + count)
    ]  # fmt: skip


def learn(examples: list[Example], left: list[Text] | None = None) -> learning.Lesson:
    return learning.learn(
        "request", examples, learning.guard("request"), model=pipeline.model("request"),
        lay_out=nlp.analyser().batch, left=left or [],
    )  # fmt: skip


def said(examples: list[Example]) -> list[str]:
    return [one.request for one in nlp.analyse([one.text for one in examples])]


def test_local_words_are_learnt_and_then_said() -> None:
    fresh = local(40, 900)
    before = said(fresh)
    wrong = [one for one, now in zip(fresh, before, strict=True) if one.label != now]
    assert len(wrong) > 10, "otherwise there is nothing to learn"
    found = learn(local(60))
    assert found.accepted
    office, guard = found.report["office"], found.report["guard"]
    assert office["after"]["macro_f1"] > office["before"]["macro_f1"]
    assert guard["before"]["macro_f1"] == 1.0, "the guard holds what is said today"
    assert guard["after"]["macro_f1"] >= 1.0 - learning.GUARD_MAY_LOSE
    nlp.teach({"request": layers.taught(found.dump(), pipeline.model("request"))}, "r1")
    after = [one.label == now for one, now in zip(fresh, said(fresh), strict=True)]
    assert sum(after) >= 0.9 * len(fresh)
    assert nlp.VERSION.endswith("+r1")


def test_the_odds_learnt_from_are_the_odds_that_are_said() -> None:
    texts = [one.text for one in learning.guard("request")[:40]]
    batch, model = nlp.analyser().batch(texts), pipeline.model("request")
    odds = model.scores(model.seen(batch).rows) * model.slope + model.shift + asking.offsets(texts)
    first = [nlp.REQUESTS[n] for n in odds.argmax(axis=1)]
    assert first == [one.request for one in nlp.analyse(texts)]


def test_what_asks_for_nothing_teaches_nothing_and_stays() -> None:
    silent = [Example(Text(f"今天第{n}次路过{THINGS[n % 8]}"), "投诉") for n in range(30)]
    assert not any(asking.asks([one.text for one in silent]))
    found = learn(silent)
    assert (found.layer, found.report["why"][0][:2]) == (None, ["few", 0])
    taught = learn(local(60))
    nlp.teach({"request": layers.taught(taught.dump(), pipeline.model("request"))}, "r1")
    assert set(said(silent)) == {""}
