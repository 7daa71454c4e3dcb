"""The Weibo simulator as a process, one per test module, emptied between tests, and an account on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import AccountRef
from connectors.http import Http
from connectors.weibo.client import WeiboConnector
from tests.sims.weibo import WeiboControl, WeiboProcess


@pytest.fixture(scope="module")
def weibo_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WeiboProcess]:
    process = WeiboProcess(tmp_path_factory.mktemp("weibo"), push_interval=0.2)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def weibo(weibo_process: WeiboProcess) -> WeiboControl:
    control = WeiboControl(weibo_process.base_url)
    control.reset()
    control.rules(
        calls_per_day=10**6, calls_per_hour_from_one_address=10**6, writes_per_hour=10**6, comments_per_hour=10**6
    )
    return control


@pytest.fixture
def press(weibo: WeiboControl) -> AccountRef:
    return weibo.ref(weibo.account("临江发布"))


@pytest.fixture
def microblog() -> WeiboConnector:
    return WeiboConnector(Http(live=False, read=3.0, total=5.0))
