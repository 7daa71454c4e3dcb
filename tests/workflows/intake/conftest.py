"""A house on real connectors, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.registry import connectors
from hub.db import Context
from tests.sims.sandbox import Control, SandboxProcess
from workflows.house import House


@pytest.fixture
def house(ctx: Context) -> House:
    return House(ctx, connectors(live=False))


@pytest.fixture
def any_house(any_ctx: Context) -> House:
    return House(any_ctx, connectors(live=False))


@pytest.fixture(scope="module")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"), push_interval=0.2)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> Control:
    control = Control(sandbox_process.base_url)
    control.reset()
    return control
