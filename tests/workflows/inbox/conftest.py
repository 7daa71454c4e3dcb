"""The town of case work, on SQLite and on PostgreSQL; see ``tests/workflows/cases/town.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from hub import clock
from hub.db import Context
from tests.workflows.cases.town import MONDAY, Town, build_town


@pytest.fixture
async def any_town(any_ctx: Context, at_work: Callable[[timedelta], None]) -> Town:
    return await build_town(any_ctx)


@pytest.fixture
def at_work() -> Iterator[Callable[[timedelta], None]]:
    """Time stands still on a Monday at nine; the fixture moves it by a length."""
    with clock.frozen(MONDAY) as move:

        def later(length: timedelta) -> None:
            move(clock.now() + length)

        yield later
