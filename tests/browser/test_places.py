"""Every person of the demo, every place in their menu: it opens, fits the screen, and everybody can use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.visit import DESK, PHONE, grave_findings, open_page, places, sticking_out
from tests.running import RunningDemo

LOGINS = ("press", "review1", "review2", "review3", "dispatch", "clerk", "head", "leader", "audit", "admin")


def test_the_demo_has_exactly_these_logins(demo: RunningDemo) -> None:
    assert tuple(demo.logins) == LOGINS


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_sign_in_page(browser: Browser, demo: RunningDemo, size: tuple[int, int]) -> None:
    with open_page(browser, f"{demo.url}/login", size=size) as visit:
        assert grave_findings(visit.page) == []
        assert sticking_out(visit.page) == []


@pytest.mark.parametrize("login", LOGINS)
def test_all_places_of_a_person(browser: Browser, demo: RunningDemo, sign_in: Callable[[str], Any], login: str) -> None:
    wrong: list[str] = []
    with open_page(browser, demo.url, storage=sign_in(login)) as visit:
        found = places(visit.page)
        assert found, "an empty menu"
        for size in (DESK, PHONE):
            visit.page.set_viewport_size({"width": size[0], "height": size[1]})
            for address, name in found.items():
                visit.page.goto(demo.url + address)
                judged = grave_findings(visit.page) + sticking_out(visit.page)
                wrong += [f"{name} {address} at {size[0]}: {line}" for line in judged]
    assert not wrong, "\n".join(wrong)
