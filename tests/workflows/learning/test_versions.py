"""Versions in force: chosen, gone back from, held against the night, and never loaded when damaged or out of date."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

import nlp
from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.models import AuditEntry, Correction, LearnRun, LearntModel, LiveModel, ModelChange, Role
from nlp.version import version
from tests.workflows.intake import town
from tests.workflows.learning import office, shelf
from workflows.house import House
from workflows.learning import base, lessons, live, words
from workflows.tagging.withdrawing import withdraw


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    live.forget()
    yield
    live.forget()


async def test_a_person_goes_back_and_the_night_keeps_to_it(any_house: House) -> None:
    await shelf.put(any_house.ctx, 1, in_force=True)
    actor = await town.person(any_house, Role.dispatcher, username="d")
    assert await live.load(any_house)
    assert f"{version()}+s1" == nlp.VERSION
    assert not await live.load(any_house)  # nothing changed since
    async with unit_of_work(any_house.ctx) as unit:
        await live.choose(unit, actor, "sentiment", 0, "新词学歪了")
    assert await live.load(any_house)
    assert version() == nlp.VERSION
    change = (await town.all_rows(any_house, ModelChange))[-1]
    assert (change.from_number, change.to_number, change.by_id, change.reason, change.is_held) == (
        1, 0, actor.user_id, "新词学歪了", True,
    )  # fmt: skip
    assert (await town.all_rows(any_house, AuditEntry))[-1].what == "model.choose"
    await office.corrected(any_house, 48)
    assert await office.learnt(any_house, actor) == 1
    assert (await town.all_rows(any_house, LiveModel))[0].learnt_id is None  # ready, but a person's choice holds
    async with unit_of_work(any_house.ctx) as unit:
        await live.let_go(unit, actor, "sentiment")
        await live.choose(unit, actor, "sentiment", 2, "看过了，可以用")
    async with reading(any_house.ctx) as unit:
        assert await live.version_in_force(unit) == f"{version()}+s2"


async def test_what_cannot_be_chosen(house: House) -> None:
    await shelf.put(house.ctx, 1, in_force=True)
    await shelf.put(house.ctx, 2, accepted=False)
    await shelf.put(house.ctx, 3, base="0123456789abcdef")  # learnt before the product was updated
    actor = await town.person(house, Role.administrator)
    stranger = await town.person(house, Role.auditor, username="a")
    async with unit_of_work(house.ctx) as unit:
        with pytest.raises(NotAllowed):
            await live.choose(unit, stranger, "sentiment", 0, "试")
        for task, number in (("sentiment", 2), ("sentiment", 9), ("emotion", 0)):
            with pytest.raises(NotFound):
                await live.choose(unit, actor, task, number, "试")
        for number, reason in ((0, "  "), (1, "还是它"), (3, "以前的好")):
            with pytest.raises(Invalid):
                await live.choose(unit, actor, "sentiment", number, reason)
    assert await town.count(house, ModelChange) == 1


async def test_a_damaged_version_is_not_loaded(house: House) -> None:
    made = await shelf.put(house.ctx, 1, in_force=True)
    async with unit_of_work(house.ctx) as unit:
        row = await unit.get(LearntModel, made.id)
        assert row is not None
        row.data = row.data[:-9] + b"!" + row.data[-8:]
    await live.load(house)
    assert version() == nlp.VERSION


async def test_a_version_learnt_on_an_older_shipped_model_waits_for_the_next_lesson(house: House) -> None:
    await shelf.put(house.ctx, 1, in_force=True, base="0123456789abcdef")
    await live.load(house)
    async with reading(house.ctx) as unit:
        assert await live.version_in_force(unit) == version() == nlp.VERSION
        assert [(one.task, one.number, one.fits) for one in await live.in_force(unit)] == [
            ("topic", 0, True),
            ("sentiment", 1, False),
            ("request", 0, True),
        ]
    night = clock.at_local(date(2026, 11, 24), 3, 10)
    with clock.frozen(night):
        assert await lessons.begin_night(house)  # nothing new was said, but there is something to learn anew


async def test_a_choice_holds_no_longer_than_what_was_chosen_can_speak(house: House) -> None:
    made = await shelf.put(house.ctx, 1, base="0123456789abcdef")
    actor = await office.corrected(house, 48)
    async with unit_of_work(house.ctx) as unit:
        await live.put_in_force(unit, actor, "sentiment", made, reason="就用它", held=True)
    assert await office.learnt(house, actor) == 1
    async with reading(house.ctx) as unit:
        tone = {one.task: one for one in await live.in_force(unit)}["sentiment"]
    assert (tone.number, tone.fits, tone.is_held) == (2, True, False)


async def test_what_was_taken_back_is_unlearnt_the_next_night(house: House) -> None:
    actor = await office.corrected(house, 48)
    assert await office.learnt(house, actor) == 1
    night = clock.at_local(clock.today() + timedelta(days=1), 3, 10)
    with clock.frozen(night):
        assert not await lessons.begin_night(house), "nothing new"
    one = next(each for each in await town.all_rows(house, Correction) if each.before != each.after)
    async with unit_of_work(house.ctx) as unit:
        await withdraw(unit, actor, [one.id or 0], "看错了")
    with clock.frozen(night):
        assert await lessons.begin_night(house)


@pytest.mark.parametrize("is_held", [False, True])
async def test_where_too_little_is_left_the_shipped_one_speaks_again(house: House, is_held: bool) -> None:
    actor = await office.corrected(house, 24)
    assert await office.learnt(house, actor) == 1
    if is_held:
        async with unit_of_work(house.ctx) as unit:
            await live.choose(unit, actor, "sentiment", 0, "先看看")
        async with unit_of_work(house.ctx) as unit:
            await live.choose(unit, actor, "sentiment", 1, "看过了，就用它")
    for one in [one for one in await town.all_rows(house, Correction) if one.field == "sentiment"][:5]:
        async with unit_of_work(house.ctx) as unit:
            await withdraw(unit, actor, [one.id or 0], "看错了")
    assert await office.learnt(house, actor) == 0
    assert (await town.all_rows(house, LearnRun))[-1].notes["sentiment"] == "few:19"
    changes = await town.all_rows(house, ModelChange)
    async with reading(house.ctx) as unit:
        now = {one.task: one for one in await live.in_force(unit)}["sentiment"]
    if is_held:  # a person's choice holds
        assert (now.number, changes[-1].reason) == (1, "看过了，就用它")
    else:
        assert (now.number, changes[-1].from_number, changes[-1].by_id) == (0, 1, None)


async def test_too_few_letters_alone_leave_what_is_in_force(house: House) -> None:
    """Nobody took anything back: old letters may have been deleted."""
    await shelf.put(house.ctx, 1, in_force=True)
    actor = await office.corrected(house, 6)
    assert await office.learnt(house, actor) == 0
    async with reading(house.ctx) as unit:
        assert {one.task: one.number for one in await live.in_force(unit)}["sentiment"] == 1


async def test_a_lesson_is_compared_with_what_is_in_force_on_what_came_since(house: House) -> None:
    await shelf.put(house.ctx, 1, in_force=True)
    actor = await office.corrected(house, 48)
    assert await office.learnt(house, actor) == 1
    made = (await town.all_rows(house, LearntModel))[-1]
    size, before, after = (made.report["now"][what] for what in ("size", "before", "after"))
    assert (size, before) == (48, 48), "it knows this slang from elsewhere"
    assert after < before, "from so few the new one does not"
    assert (made.is_accepted, made.report["why"]) == (False, [["now", size, before, after]])
    said = f"有 {size} 条修正是当时使用的版本没有学过的：它答对 {before} 条，这一版只答对 {after} 条"
    assert words.why(made.report["why"][0]) == said
    assert not any("没有学过的" in line for line in words.summary("sentiment", made.report)), "said once"
    accepted = {**made.report, "why": []}
    assert any(f"这一版答对 {after} 条" in line for line in words.summary("sentiment", accepted))
    async with reading(house.ctx) as unit:
        assert {one.task: one.number for one in await live.in_force(unit)}["sentiment"] == 1


async def test_a_damaged_version_in_force_does_not_stop_learning(house: House) -> None:
    await shelf.put(house.ctx, 1, in_force=True)
    async with unit_of_work(house.ctx) as unit:
        made = await unit.one(select(LearntModel))
        made.data = made.data[:-9]
    actor = await office.corrected(house, 48)
    assert await office.learnt(house, actor) == 1
    assert (await town.all_rows(house, LearntModel))[-1].report["now"]["size"] == 0


async def test_the_command_learns_and_says_what_came_of_it(house: House, tmp_path: Path) -> None:
    await office.corrected(house, 48)
    command = [sys.executable, "-m", "web.cli", "nlp", "learn", "--data", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "情感 第 1 版" in ran.stdout
    assert "正在使用：情感 第 1 版" in ran.stdout
    assert "主题：没有改错的标签" in ran.stdout
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "上次学习以后没有新的修正" in again.stdout
    assert await town.count(house, LearntModel) == 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("id\ttext\tlabel\n1\t好\tpositive\n2\t坏\n".encode(), "第 3 行有 2 列"),
        ("id\ttext\tlabel\n1\t好\tpositive\n".encode("gb18030"), "第 2 行不是 UTF-8"),
        ("id\ttext\n1\t好\n".encode(), "label"),
        ("id\ttext\tlabel\n1\t好\t正面\n".encode(), "「正面」不认识"),
        (b"", "空文件"),
    ],
)
def test_a_folder_with_a_broken_file_is_refused_with_the_line(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "sentiment").mkdir()
    (tmp_path / "sentiment" / "weibo3_dev.tsv").write_bytes(content)
    with pytest.raises(Refused, match=word):
        base.of_folder(tmp_path)


def test_public_data_as_more_guard(tmp_path: Path, shared_data: Path) -> None:
    with pytest.raises(Refused):
        base.guards(tmp_path)
    found = base.guards(shared_data)
    assert set(found) == {"topic", "sentiment"}
    assert all(200 < len(rows) <= base.MOST for rows in found.values())
    assert {label for _title, _text, label in found["sentiment"]} == set(nlp.SENTIMENTS)
