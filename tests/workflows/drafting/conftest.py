"""The town of the casework tests, with a stand-in model on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.registry import connectors
from hub import clock
from hub.db import Context
from tests.sims.model import ModelServer, model_server
from tests.workflows.cases.town import MONDAY, Town, build_town
from workflows.house import House


@pytest.fixture
def at_work() -> Any:
    """Time stands still on a Monday at nine; the fixture moves it by a length."""
    with clock.frozen(MONDAY) as move:

        def later(length: timedelta) -> None:
            move(clock.now() + length)

        yield later


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with model_server(says="您好，您反映的楼道漏水已转物业核实，【办理结果】。") as running:
        yield running


def use(ctx: Context, model: ModelServer, **more: Any) -> None:
    """Settings as if the office had set up this model."""
    given = {"model_url": model.url, "model_name": "qwen", "model_seconds": 5} | more
    ctx.settings = ctx.settings.model_copy(update=given)


@pytest.fixture
async def any_town(any_ctx: Context, at_work: Callable[[timedelta], None], model: ModelServer) -> Town:
    use(any_ctx, model)
    return await build_town(any_ctx)


@pytest.fixture
async def town(ctx: Context, at_work: Callable[[timedelta], None], model: ModelServer) -> Town:
    use(ctx, model)
    return await build_town(ctx)


@pytest.fixture
def any_house(any_town: Town) -> House:
    return House(any_town.ctx, connectors(live=False))


@pytest.fixture
def house(town: Town) -> House:
    return House(town.ctx, connectors(live=False))
