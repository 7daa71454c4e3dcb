"""The press office whose people put videos in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.db import Context
from tests.sims.sandbox import Control, SandboxProcess
from tests.workflows.delivery.office import Office, open_office


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("videos-platform"))
    process.start()
    yield process
    process.kill()


@pytest.fixture
async def office(ctx: Context, platform: SandboxProcess) -> Office:
    control = Control(platform.base_url)
    control.reset()
    return await open_office(ctx, control)
