"""A version put on the shelf without a lesson: learnt once per test process."""

from __future__ import annotations

import hashlib
from functools import cache

import nlp
from hub.db import Context, unit_of_work
from hub.models import LearnRun, LearnState, LearntModel
from hub.rights import system
from nlp import learning, pipeline
from nlp.base import Text
from nlp.version import shipped
from tests.workflows.learning.office import slang
from workflows.learning import live


@cache
def lesson() -> learning.Lesson:
    """What sixty slang messages teach."""
    examples = [learning.Example(Text(text), tone) for text, tone in slang(60)]
    return learning.learn(
        "sentiment", examples, learning.guard("sentiment"), model=pipeline.model("sentiment"),
        lay_out=nlp.analyser().batch,
    )  # fmt: skip


async def put(
    ctx: Context, number: int, *, in_force: bool = False, base: str = "", accepted: bool = True
) -> LearntModel:
    """Version ``number`` of the tone."""
    found = lesson()
    assert found.layer is not None
    data = found.layer.dump() if accepted else b""
    async with unit_of_work(ctx) as unit:
        run = LearnRun(state=LearnState.done, by_name="系统")
        unit.add(run)
        await unit.flush()
        made = LearntModel(
            task="sentiment", number=number, run_id=run.id or 0, is_accepted=accepted,
            base=base or shipped("sentiment"), digest=hashlib.sha256(data).hexdigest(), data=data, corrections=30,
            confirmations=30, report={**found.report, "why": [] if accepted else [["guard", 0.8, 0.7]]},
        )  # fmt: skip
        unit.add(made)
        await unit.flush()
        if in_force:
            await live.put_in_force(unit, system(), "sentiment", made, reason="试", held=False)
    return made
