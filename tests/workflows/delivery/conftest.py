"""The press office over a pretend platform that runs as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.db import Context
from tests.sims.sandbox import Control, SandboxProcess
from tests.workflows.delivery.office import Hands, Office, open_office, stopped


@pytest.fixture(scope="session")
def outbox_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("outbox-platform"))
    process.start()
    yield process
    process.kill()


@pytest.fixture
def sandbox(outbox_platform: SandboxProcess) -> Control:
    control = Control(outbox_platform.base_url)
    control.reset()
    return control


@pytest.fixture
def hands() -> Iterator[Hands]:
    """The clock, stopped; move it with ``hands.on(seconds)``."""
    with stopped() as move:
        yield Hands(move)


@pytest.fixture
async def office(ctx: Context, sandbox: Control) -> Office:
    return await open_office(ctx, sandbox)


@pytest.fixture
async def any_office(any_ctx: Context, sandbox: Control) -> Office:
    """On SQLite and on PostgreSQL."""
    return await open_office(any_ctx, sandbox)
