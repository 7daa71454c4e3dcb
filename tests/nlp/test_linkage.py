"""Joining by nearness: what is one, what stays apart, and that a burst costs little and stays whole."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

import nlp
from nlp import clusters
from nlp.base import Text
from nlp.linkage import Linkage


def _linked(table: list[list[float]], near: float) -> list[int]:
    square = np.array(table, np.float32).reshape(len(table), len(table))
    return Linkage(square, [1] * len(square), [1.0] * len(square)).run(near)


def test_the_nearest_join_first_and_far_ones_never() -> None:
    table = [[1, 0.9, 0.2, 0], [0.9, 1, 0.3, 0], [0.2, 0.3, 1, 0.1], [0, 0, 0.1, 1]]
    assert _linked(table, 0.5) == [0, 0, 2, 3]
    assert _linked(table, 0.25) == [0, 0, 0, 3]
    assert _linked(table, 0.95) == [0, 1, 2, 3]
    assert _linked([], 0.5) == []
    assert _linked([[1.0]], 0.5) == [0]


def test_varied_groups_join_more_easily_than_single_letters() -> None:
    """Two halves of a varied issue, alike by .15 on average, are one; two letters as much alike are two."""
    halves = Linkage(np.array([[1, 0.15], [0.15, 1]], np.float32), [20, 20], [0.3, 0.3])
    letters = Linkage(np.array([[1, 0.15], [0.15, 1]], np.float32), [1, 1], [1.0, 1.0])
    assert halves.run(0.18) == [0, 0]
    assert letters.run(0.18) == [0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_looking_late_joins_the_same_as_looking_always(seed: int) -> None:
    """The late look is only a saving: every join is of the two groups that are nearest at that time."""
    rnd = np.random.default_rng(seed)
    points = rnd.random((12, 4)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    table = points @ points.T
    groups = [[n] for n in range(len(points))]
    while True:
        best, pair = 0.9, None
        for two in range(len(groups)):
            for one in range(two):
                mean = table[np.ix_(groups[one], groups[two])].mean()
                tight = [table[np.ix_(part, part)].mean() for part in (groups[one], groups[two])]
                near = mean / (tight[0] * tight[1]) ** 0.15
                if near > best:
                    best, pair = near, (one, two)
        if pair is None:
            break
        groups[pair[0]] += groups.pop(pair[1])
    found = Linkage(table.copy(), [1] * 12, [1.0] * 12).run(0.9)
    assert {frozenset(np.flatnonzero(np.array(found) == first).tolist()) for first in set(found)} == set(
        map(frozenset, groups)
    )


def _burst(count: int) -> list[Text]:
    rnd = random.Random(7)
    where = ("鹿鸣湾小区", "鹿鸣湾三期", "鹿鸣湾花园南门", "鹿鸣湾小区北区", "我们鹿鸣湾")
    what = ("停水", "又停水了", "水管爆了", "没水用", "自来水停了", "突然停水")
    since = ("已经两天", "从昨晚到现在", "一整天了", "三天没人管", "没有任何通知")
    asked = ("请水务集团尽快抢修", "老人孩子没水做饭", "物业电话打不通", "什么时候恢复供水", "楼上高层最惨")
    return [
        Text(f"{rnd.choice(where)}{rnd.choice(what)}，{rnd.choice(since)}，{rnd.choice(asked)}") for _ in range(count)
    ]


def test_a_file_that_holds_one_burst_is_one_issue() -> None:
    """Its own words stand in every line, and yet they tell."""
    begun = time.process_time()
    assert set(clusters.group(nlp.analyser(), _burst(1_500))) == {0}
    assert time.process_time() - begun < 10


def test_what_lies_a_year_apart_must_be_more_alike() -> None:
    texts = [Text("七路公交车等了四十分钟还不来"), Text("七路公交间隔太长，早高峰等不到车")]
    table = clusters.similarities(*(pair := [[m.at(day) for m, day in zip(
        clusters.members(nlp.analyser(), texts), days, strict=True)] for days in ((0, 0), (0, 365))]))  # fmt: skip
    before = table.copy()
    clusters.fade(table, pair[0], pair[1])
    assert table[0, 0] == pytest.approx(before[0, 0])
    assert clusters.APART * before[0, 1] < table[0, 1] < (clusters.APART + 0.02) * before[0, 1]
