"""The pretend platform as a process, one per test module, emptied between tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.http import Http
from connectors.sandbox.client import SandboxConnector
from tests.connectors.wechat import wechat_desk, wechat_platform
from tests.connectors.weibo import microblog, press, weibo, weibo_process
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


@pytest.fixture
def client() -> SandboxConnector:
    return SandboxConnector(Http(live=False, read=3.0, total=5.0))


__all__ = ["microblog", "press", "wechat_desk", "wechat_platform", "weibo", "weibo_process"]
