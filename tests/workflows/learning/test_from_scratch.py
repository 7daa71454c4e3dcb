"""``hub nlp learn --base``: a model made from scratch goes live like any version; a lesser layer leaves it there."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nlp
from hub.db import reading, unit_of_work
from hub.models import LearnRun, LearnState, LearntModel, LiveModel
from hub.rights import system
from nlp import pipeline
from nlp.version import shipped
from tests.nlp.test_anew import thin_base
from tests.workflows.intake import town
from tests.workflows.learning import office, shelf
from workflows.house import House
from workflows.learning import base, lessons, live, words


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    live.forget()
    yield
    live.forget()


async def test_a_folder_with_training_files_is_learnt_from_and_the_report_says_what_came_of_it(
    house: House, tmp_path: Path
) -> None:
    await office.corrected(house)
    folder = thin_base(tmp_path / "base")
    dev = folder / "sentiment/weibo3_dev.tsv"
    rows = [f"d{n}\tusual\t谢谢{n}\tpositive\thappy\nd{n}x\tusual\t没人管{n}\tnegative\tangry" for n in range(9)]
    dev.write_text("\n".join(["id\tsource\ttext\tlabel\temotion6", *rows]), encoding="utf-8")
    extra = base.of_folder(folder)
    assert extra.tasks == {"topic", "sentiment"}
    run = await lessons.learn_now(house, "命令行", extra)
    assert run.state is LearnState.done
    (made,) = await town.all_rows(house, LearntModel)
    assert made.is_accepted
    assert not lessons.is_anew(made.report)
    assert any("从头训练过，没有采用" in line for line in words.summary("sentiment", made.report))
    again = await lessons.learn_now(house, "命令行", extra)
    assert again.state is LearnState.done
    assert await town.count(house, LearntModel) == 2, "the same corrections may be learnt anew"


async def _whole(house: House, *, macro_f1: float) -> LearntModel:
    """A model of its own in force: the shipped one's bytes do."""
    out = io.BytesIO()
    pipeline.model("sentiment").save(out)
    data = out.getvalue()
    report: dict[str, Any] = {
        **shelf.lesson().report, "anew": {"base": 31_398, "weight": 10.0, "why": []},
        "office": {"before": {"macro_f1": 0.5}, "after": {"macro_f1": macro_f1}},
    }  # fmt: skip
    async with unit_of_work(house.ctx) as unit:
        run = LearnRun(state=LearnState.done, by_name="命令行")
        unit.add(run)
        await unit.flush()
        made = LearntModel(
            task="sentiment", number=1, run_id=run.id or 0, is_accepted=True, base=shipped("sentiment"),
            digest=hashlib.sha256(data).hexdigest(), data=data, corrections=60, report=report,
        )  # fmt: skip
        unit.add(made)
        await unit.flush()
        await live.put_in_force(unit, system(), "sentiment", made, reason="试", held=False)
    return made


async def test_a_model_of_its_own_is_loaded_like_any_version(any_house: House) -> None:
    await _whole(any_house, macro_f1=0.9)
    assert await live.load(any_house)
    assert nlp.VERSION.endswith("+s1")
    assert nlp.analyse(["谢谢民警，办得真快"])[0].sentiment.value == "positive"


@pytest.mark.parametrize(("macro_f1", "stays"), [(1.01, True), (0.4, False)])
async def test_a_nightly_layer_replaces_it_only_when_it_does_no_worse(
    house: House, macro_f1: float, stays: bool
) -> None:  # fmt: skip
    await office.corrected(house)
    whole = await _whole(house, macro_f1=macro_f1)
    await lessons.learn_now(house, "命令行", lessons.NOTHING_MORE)
    made = (await town.all_rows(house, LearntModel))[-1]
    assert made.is_accepted
    async with reading(house.ctx) as unit:
        now = await unit.get(LiveModel, "sentiment")
    assert now is not None
    assert now.learnt_id == (whole.id if stays else made.id)


def test_a_version_made_anew_says_from_how_much() -> None:
    report = {**shelf.lesson().report, "anew": {"base": 31_398, "weight": 10.0, "why": []}}
    assert "这一版由 31398 条底本语料和修正一起从头训练。" in words.summary("sentiment", report)
