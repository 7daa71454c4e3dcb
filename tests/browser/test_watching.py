"""Plans and rules in a real browser: the preview follows what is typed, errors point, both fit a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Route, expect

from tests.browser.visit import DESK, PHONE, grave_findings, open_page, sticking_out
from tests.running import RunningDemo

SignIn = Callable[[str], Any]


def test_a_rule_is_explained_and_tried_while_it_is_typed(browser: Browser, demo: RunningDemo, sign_in: SignIn) -> None:
    with open_page(browser, storage=sign_in("dispatch")) as visit:
        page = visit.page
        page.goto(f"{demo.url}/plans/new?mode=expert")
        looked = page.locator("#plan-look")
        page.locator("#expression").press_sequentially("塌陷、封路")
        expect(looked).to_contain_text("第 3 列")
        expect(looked.locator("mark")).to_have_text("、")
        page.fill("#expression", "塌陷|封路")
        expect(looked).to_contain_text("出现「塌陷」、「封路」中的任意一个")
        expect(looked.locator("mark").first).to_have_text("塌陷")
        page.fill("#name", "塌陷封路")
        page.get_by_role("button", name="保存方案").click()
        expect(page.locator("h1")).to_have_text("塌陷封路")


def test_routing_shows_last_month_while_it_is_typed(browser: Browser, demo: RunningDemo, sign_in: SignIn) -> None:
    with open_page(browser, storage=sign_in("dispatch")) as visit:
        page = visit.page
        page.goto(f"{demo.url}/rules/new")
        page.locator("#keywords").press_sequentially("公交|地铁")
        looked = page.locator("#rule-look")
        expect(looked).to_contain_text("会派走")
        expect(looked.locator("mark").first).to_be_visible()


@pytest.mark.parametrize(
    ("path", "field", "look"),
    [("/plans/new?mode=expert", "#expression", "#plan-look"), ("/rules/new", "#keywords", "#rule-look")],
)
def test_a_slow_preview_never_hides_what_was_typed_last(
    browser: Browser, demo: RunningDemo, sign_in: SignIn, path: str, field: str, look: str
) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        held.append(route)

    with open_page(browser, storage=sign_in("dispatch")) as visit:
        page = visit.page
        page.route("**/preview", hold_the_first)
        page.goto(demo.url + path)
        for typed in ("塌陷", "封路", "绕行"):
            with page.expect_request("**/preview"):  # none waits for another, none is dropped
                page.fill(field, typed)
        with suppress(Error):  # nobody waits for it any more
            held[0].continue_()
        expect(page.locator(look)).to_contain_text("出现「绕行」")
        page.wait_for_timeout(500)
        expect(page.locator(look)).to_contain_text("出现「绕行」")


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_pages_fit(browser: Browser, demo: RunningDemo, sign_in: SignIn, size: tuple[int, int]) -> None:
    with open_page(browser, storage=sign_in("dispatch"), size=size) as visit:
        for path in ("/plans", "/plans/1", "/plans/1/edit", "/plans/new", "/rules", "/rules/1", "/rules/weekly"):
            visit.page.goto(demo.url + path)
            assert grave_findings(visit.page) + sticking_out(visit.page) == [], path
