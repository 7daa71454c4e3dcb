"""One browser for each test module, and one running demo for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.visit import signed_in
from tests.running import RunningDemo


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium. Not for the whole session: while it is open, no test of this process may run a loop."""
    try:
        chromium.find()
    except LookupError as error:
        pytest.skip(str(error))
    with chromium.running() as launched:
        yield launched


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The whole hub with its invented city. Tests share it: each makes what it needs and expects the others' traces."""
    with RunningDemo(tmp_path_factory.mktemp("demo") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def _cookies() -> dict[str, Any]:
    return {}


@pytest.fixture
def sign_in(browser: Browser, demo: RunningDemo, _cookies: dict[str, Any]) -> Callable[[str], Any]:
    """``open_page(…, storage=sign_in("press"))`` opens a page as that person; signed in once for the whole session."""

    def once(login: str) -> Any:
        if login not in _cookies:
            _cookies[login] = signed_in(browser, demo.url, login, demo.password)
        return _cookies[login]

    return once
