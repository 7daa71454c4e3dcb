"""Fixtures of answers; the town itself is in ``tests/workflows/cases/town.py``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub import clock
from hub.db import Context
from tests.workflows.cases.town import MONDAY, Town, build_town


@pytest.fixture
def at_work() -> Any:
    """Time stands still on a Monday at nine; the fixture moves it by a length."""
    with clock.frozen(MONDAY) as move:

        def later(length: timedelta) -> None:
            move(clock.now() + length)

        yield later


@pytest.fixture
async def town(ctx: Context, at_work: Callable[[timedelta], None]) -> Town:
    return await build_town(ctx)


@pytest.fixture
async def any_town(any_ctx: Context, at_work: Callable[[timedelta], None]) -> Town:
    """The town on SQLite and on PostgreSQL."""
    return await build_town(any_ctx)
