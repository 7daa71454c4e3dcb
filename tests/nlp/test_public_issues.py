"""Hot issues on the public development file, where it is: the whole file at once, and message by message.

The marks lie a little below what was measured: .945 for the whole file, .91 message by message. The file names no
ambiguous messages, so each message on the same power line or the same village counts as an error here; with those
eight set aside (AMBIGUOUS) the whole file gives .965. Single messages move the figures by a point."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import date
from pathlib import Path

import pytest

import nlp
from nlp import clusters, matters
from nlp.base import Text
from nlp.clusters import Member
from nlp.matters import Tally

pytestmark = pytest.mark.real_data
STEP = 200
MATTER_DAYS, ALONE_DAYS = 180, 120  # as in workflows.matters
# About the same thing as an issue by any reader's measure, yet not in the list of its messages: the same 110 kV line
# (two), the same village's relocation (two), the same subsidies for talents (two), the same road works, another school.
AMBIGUOUS = {"225849", "200480", "274242", "238352", "215591", "268952", "191943", "259780"}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _bcubed(gold: dict[str, str], ids: Sequence[str], groups: Sequence[Hashable]) -> float:
    of = dict(zip(ids, groups, strict=True))
    members: dict[Hashable, set[str]] = defaultdict(set)
    issues: dict[str, set[str]] = defaultdict(set)
    for number, group in of.items():
        members[group].add(number)
    for number, issue in gold.items():
        issues[issue].add(number)
    precision = recall = 0.0
    for number, issue in gold.items():
        both = len(members[of[number]] & issues[issue])
        precision += both / len(members[of[number]]) / len(gold)
        recall += both / len(issues[issue]) / len(gold)
    return 2 * precision * recall / (precision + recall)


Letters = tuple[dict[str, str], list[str], list[Text], list[float]]


@pytest.fixture(scope="module")
def letters(shared_data: Path) -> Letters:
    """Issue by message id; ids, texts and days in the order of time."""
    rows = sorted(_rows(shared_data / "hot_issues/hot_messages.tsv"), key=lambda row: row["time"])
    gold = {row["id"]: row["issue"] for row in _rows(shared_data / "hot_issues/hot_gold_10_issues.tsv")}
    days = [float(date.fromisoformat(row["time"][:10]).toordinal()) for row in rows]
    return gold, [row["id"] for row in rows], [Text(row["body"], row["title"]) for row in rows], days


def _score(letters: Letters, found: Sequence[int]) -> tuple[float, float]:
    """BCubed F as the file counts, and with the ambiguous messages set aside."""
    gold, ids, _texts, _days = letters
    groups = [number if number >= 0 else f"alone {place}" for place, number in enumerate(found)]
    sure = [place for place, number in enumerate(ids) if number not in AMBIGUOUS]
    return _bcubed(gold, ids, groups), _bcubed(gold, [ids[n] for n in sure], [groups[n] for n in sure])


@pytest.mark.parametrize("near", [0.17, clusters.NEAR, 0.19])
def test_the_whole_file_at_once(letters: Letters, near: float) -> None:
    """As good a little above and below: the figure hangs on no lucky number."""
    every, sure = _score(letters, clusters.group(nlp.analyser(), letters[2], near, letters[3]))
    assert every >= 0.94
    assert sure >= 0.96


def test_without_times_it_is_nearly_as_good(letters: Letters) -> None:
    assert _score(letters, clusters.group(nlp.analyser(), letters[2]))[0] >= 0.93


def test_message_by_message(letters: Letters) -> None:
    assert _score(letters, _as_they_come(letters[2], letters[3]))[0] >= 0.90


def _as_they_come(texts: Sequence[Text], days: Sequence[float]) -> list[int]:
    """As the worker does: placed, then matters that grew alike are united."""
    tally, groups, into, chosen = Tally.empty(), dict[int, Member](), dict[int, int](), list[int]()
    for at in range(0, len(texts), STEP):
        span = slice(at, at + STEP)
        traits = matters.traits(nlp.analyser(), texts[span], tally, days[span])
        keys, teaching = _near_in_time(groups, days[at]), []
        known = [groups[key] for key in keys]
        for trait, where in zip(traits, matters.place([t.member for t in traits], known), strict=True):
            key = keys[where.group] if where.group < len(keys) else at + where.group - len(keys)
            groups[key] = matters.joined([groups[key], trait.member]) if key in groups else trait.member
            teaching += [trait.member] if groups[key].size <= matters.COMMON else []
            chosen.append(key)
        tally = tally.with_words(teaching)
        _unite(groups, into, sorted({key for key in chosen[at:] if groups[key].size > 1}), days[at])
    return [_root(into, key) for key in chosen]


def _near_in_time(groups: dict[int, Member], day: float) -> list[int]:
    return [key for key, one in groups.items() if one.last > day - (MATTER_DAYS if one.size > 1 else ALONE_DAYS)]


def _unite(groups: dict[int, Member], into: dict[int, int], touched: Sequence[int], day: float) -> None:
    others = [key for key in _near_in_time(groups, day) if groups[key].size > 1]
    for one, two in matters.alike([groups[key] for key in touched], [groups[key] for key in others]):
        first, second = sorted((_root(into, touched[one]), _root(into, others[two])))
        if first != second:
            groups[first], into[second] = matters.joined([groups[first], groups.pop(second)]), first


def _root(into: dict[int, int], key: int) -> int:
    while key in into:
        key = into[key]
    return key
