"""Learning from an office's dispatches: better than guessing, honest about doubt, the same after a trip to the file."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from nlp.offices import LEAST, NEVER, Matter, TooFew, learn, load

SAID = {
    1: ("路灯", "井盖", "占道", "垃圾", "摊点"), 2: ("公交", "红绿灯", "班次", "站台", "堵车"),
    3: ("学校", "入学", "老师", "食堂", "补课"),
}  # fmt: skip
COMMON = ("请问", "反映", "没人管", "希望", "多次", "小区", "晚上", "附近")


def dispatches(count: int, *, noise: float = 0.0, seed: int = 5) -> tuple[list[Matter], list[int]]:
    """Matters of three departments: words of the department among words of all; ``noise``: share sent elsewhere."""
    dice = random.Random(seed)
    matters, labels = [], []
    for _ in range(count):
        department = dice.choice(list(SAID))
        words = [*dice.sample(SAID[department], 2), *dice.sample(COMMON, 3)]
        dice.shuffle(words)
        matters.append(Matter(" ".join(words), topic=dice.choice(("城乡建设", "")), account="7"))
        labels.append(dice.choice(list(SAID)) if dice.random() < noise else department)
    return matters, labels


def test_it_learns_what_the_office_does_and_says_why() -> None:
    learnt = learn(*dispatches(300))
    matter = Matter("小区 公交 晚上 班次 希望", topic="城乡建设")
    ranked = learnt.ranked(matter)
    assert ranked[0][0] == 2
    assert ranked[0][1] > 0.8
    assert sum(p for _label, p in ranked) == pytest.approx(1, abs=0.001)
    assert set(learnt.why(matter, 2)[:2]) == {"公交", "班次"}
    assert learnt.why(matter, 2, prefer={"班次"})[0] == "班次"
    assert "公交" not in learnt.why(matter, 2, prefer={"班次"})
    assert learnt.scores.right > 0.95
    assert learnt.scores.sure > 0.8


def test_what_it_never_saw_leaves_it_in_doubt() -> None:
    learnt = learn(*dispatches(300))
    assert max(p for _label, p in learnt.ranked(Matter("从未 见过 的 事情"))) < 0.6
    assert learnt.ranked(Matter())[0][1] < 0.6


def test_an_office_that_sends_at_random_gets_no_dispatch_by_itself() -> None:
    learnt = learn(*dispatches(300, noise=1.0))
    assert learnt.scores.right < 0.55
    assert learnt.scores.threshold == NEVER
    assert learnt.scores.sure == 0


def test_its_probabilities_are_what_comes_true() -> None:
    learnt = learn(*dispatches(600, noise=0.3))
    given, labels = dispatches(600, noise=0.3, seed=99)
    best = [learnt.ranked(matter)[0] for matter in given]
    right = sum(label == truth for (label, _p), truth in zip(best, labels, strict=True)) / len(labels)
    assert abs(right - sum(p for _label, p in best) / len(best)) < 0.06
    assert learnt.scores.gap < 0.1


def test_signs_speak_where_words_were_never_seen() -> None:
    given, labels = dispatches(300)
    signed = [replace(matter, signs=((label, 0.8),)) for matter, label in zip(given, labels, strict=True)]
    learnt = learn(signed, labels)
    ranked = learnt.ranked(Matter("从未 见过 的 事情", signs=((3, 0.8),)))
    assert ranked[0][0] == 3
    assert ranked[0][1] > 0.6
    assert "s:3" not in learnt.why(Matter("学校", signs=((3, 0.8),)), 3)


def test_the_file_holds_the_same_and_learning_twice_gives_the_same() -> None:
    given, labels = dispatches(200)
    learnt = learn(given, labels)
    again = load(learnt.dump())
    assert again.scores == learnt.scores
    assert [again.ranked(matter) for matter in given[:20]] == [learnt.ranked(matter) for matter in given[:20]]
    assert learn(given, labels).dump() == learnt.dump()
    assert len(learnt.dump()) < 50_000


def test_too_little_is_refused_and_rare_departments_are_left_out() -> None:
    with pytest.raises(TooFew):
        learn(*dispatches(LEAST - 1))
    given, labels = dispatches(100)
    with pytest.raises(TooFew):
        learn(given, [1] * 100)
    learnt = learn([*given, Matter("罕见")], [*labels, 9])
    assert 9 not in learnt.labels
