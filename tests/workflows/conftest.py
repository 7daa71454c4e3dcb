"""The pretend platform for tests of whole workflows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sims.sandbox import Control, SandboxProcess


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
