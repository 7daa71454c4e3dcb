"""Hot issues in a real browser: found by the demo's worker, set right by a person, fit for a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visit import DESK, PHONE, grave_findings, open_page, sticking_out
from tests.running import RunningDemo

SignIn = Callable[[str], Any]


def test_an_issue_is_opened_renamed_and_parted(browser: Browser, demo: RunningDemo, sign_in: SignIn) -> None:
    """The invented city's street collapse: many wrote about it, and the worker put them together."""
    with open_page(browser, storage=sign_in("press")) as visit:
        page = visit.page
        page.goto(f"{demo.url}/opinion/matters")
        page.locator(".ranked a", has_text="塌陷").first.click()
        expect(page.locator("#members")).to_contain_text("依据：")
        page.get_by_text("改名", exact=True).first.click()
        page.fill("#name", "枫林路塌陷")
        page.get_by_role("button", name="改名").click()
        expect(page.locator("h1")).to_have_text("枫林路塌陷")
        page.locator("#members input[name=message]").last.check()
        page.get_by_text("把勾选的留言拆出去").click()
        page.fill("#split-name", "另一件事")
        page.fill("#split-reason", "不是塌陷")
        page.get_by_role("button", name="拆成新的一件事").click()
        expect(page.locator("h1")).to_have_text("另一件事")
        expect(page.locator(".timeline")).to_contain_text("枫林路塌陷")


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_pages_fit(browser: Browser, demo: RunningDemo, sign_in: SignIn, size: tuple[int, int]) -> None:
    with open_page(browser, storage=sign_in("press"), size=size) as visit:
        for path in ("/opinion", "/opinion/matters?all=1", "/opinion/matters?order=growth", "/opinion/matters/1"):
            visit.page.goto(demo.url + path)
            assert grave_findings(visit.page) + sticking_out(visit.page) == [], path
