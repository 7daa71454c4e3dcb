"""One key for the right label in a real browser, and the way back in the toast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, expect

from tests.browser.visit import DESK, PHONE, grave_findings, open_page, sticking_out
from tests.running import RunningDemo

SignIn = Callable[[str], Any]


def test_one_key_sets_a_tag_right_and_undo_puts_it_back(browser: Browser, demo: RunningDemo, sign_in: SignIn) -> None:
    with open_page(browser, f"{demo.url}/messages?topic=城乡建设", storage=sign_in("press")) as visit:
        page = visit.page
        page.locator("#message-list .lrow-link").nth(2).click()
        tags = page.locator("#message-tags")
        expect(tags).to_contain_text("标签无误")
        page.keyboard.press("1")
        expect(tags).to_contain_text("认定")
        expect(tags.locator("dd").first).to_contain_text("人工认定")
        page.locator(".toast-undo").first.click()
        expect(tags).not_to_contain_text("认定", timeout=15_000)
        expect(tags.locator("dd").first).to_contain_text("城乡建设")
        page.keyboard.press("y")
        expect(tags).to_contain_text("认定")
        for size in (DESK, PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert grave_findings(page) + sticking_out(page) == []


def test_the_pages_of_learning_stand_on_desk_and_phone(browser: Browser, demo: RunningDemo, sign_in: SignIn) -> None:
    for size in (DESK, PHONE):
        for path in ("/learning", "/learning/corrections", "/learning/report"):
            with open_page(browser, f"{demo.url}{path}", storage=sign_in("press"), size=size) as visit:
                expect(visit.page.get_by_role("heading", level=1)).to_be_visible()
                assert grave_findings(visit.page) + sticking_out(visit.page) == []
