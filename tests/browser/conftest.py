"""One browser for each test module."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium. Not for the whole session: while it is open, no test of this process may run a loop."""
    try:
        found = chromium.find()
    except LookupError as error:
        pytest.skip(str(error))
    environment = {**os.environ, **found.environment}
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=found.program, env=dict(environment), args=list(chromium.ARGUMENTS)
        )
        yield launched
        launched.close()
