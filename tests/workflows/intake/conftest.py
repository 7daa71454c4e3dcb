"""A house on real connectors, on both databases."""

from __future__ import annotations

import pytest

from connectors.registry import connectors
from hub.db import Context
from workflows.house import House


@pytest.fixture
def house(ctx: Context) -> House:
    return House(ctx, connectors(live=False))


@pytest.fixture
def any_house(any_ctx: Context) -> House:
    return House(any_ctx, connectors(live=False))
