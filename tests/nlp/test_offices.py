"""Learning from an office's dispatches: better than guessing, honest about doubt, the same after a trip to the file."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from nlp.offices import LEAST, NEVER, Gate, Ground, Matter, TooFew, learn, load

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
        topic, telling = dice.choice(("城乡建设", "交通运输")), tuple(set(words) & {*SAID[department]})
        matters.append(Matter(" ".join(words), topic=topic, account="7", telling=telling))
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


def test_a_matter_goes_alone_only_on_enough_evidence() -> None:
    learnt = learn(*dispatches(300))
    matter = Matter("小区 公交 班次", topic="城乡建设", telling=("公交", "班次"))

    def ground(one: Matter, gate: Gate = Gate(0.75, 0.25)) -> Ground:
        return learnt.ground(one, learnt.ranked(one), gate)

    assert ground(matter) is Ground.alone
    assert ground(replace(matter, telling=("公交", "小区"))) is Ground.no, "one telling word speaks, the other for all"
    assert ground(replace(matter, topic_p=0.4)) is Ground.no
    assert ground(replace(matter, asks=False)) is Ground.no
    assert ground(matter, Gate(0.75, 1.01)) is Ground.no
    assert ground(replace(matter, telling=(), backed=2)) is Ground.backed
    assert ground(replace(matter, telling=(), backed=3)) is Ground.no
    assert ground(replace(matter, topic_p=0.4, backed=2)) is Ground.no


def test_its_figures_are_judged_by_the_same_gate() -> None:
    given, labels = dispatches(300)
    few = learn([replace(one, telling=one.telling[:1]) for one in given], labels)
    assert (few.scores.threshold, few.scores.sure) == (NEVER, 0)
    doubtful = learn([replace(one, topic_p=0.4) for one in given], labels)
    assert doubtful.scores.sure == 0
    backed = learn([replace(one, telling=(), backed=label) for one, label in zip(given, labels, strict=True)], labels)
    assert backed.scores.sure == backed.scores.backed > 0.9
    assert backed.scores.backed_right == 1


def test_a_doubtful_topic_weighs_little() -> None:
    assert Matter("灯", topic="城乡建设", topic_p=0.2).features()["t:城乡建设"] == pytest.approx(0.1)


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
