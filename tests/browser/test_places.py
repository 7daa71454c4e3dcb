"""Every person of the demo, every place in their menu: it opens, fits the screen, and everybody can use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

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


def test_a_token_is_revoked_on_a_phone(browser: Browser, demo: RunningDemo, sign_in: Callable[[str], Any]) -> None:
    """A row of the table has more than a phone's width: it stands as a card, nothing of it aside of the screen."""
    with open_page(browser, f"{demo.url}/me/tokens", storage=sign_in("press"), size=PHONE) as visit:
        page = visit.page
        page.get_by_label("用途").fill("统计报表程序")
        for scope in ("messages:read", "cases:read", "posts:read"):
            page.locator(f"input[value='{scope}']").check()
        page.get_by_role("button", name="生成令牌").click()
        revoke = page.get_by_role("button", name="作废令牌")
        table = page.locator(".table-wrap")
        assert table.evaluate("one => one.scrollWidth <= one.clientWidth")
        revoke.click()
        page.get_by_role("dialog").get_by_role("button", name="作废令牌").click()
        expect(page.get_by_text("还没有令牌")).to_be_visible()


def test_relative_times_keep_the_words_around_them(
    browser: Browser, demo: RunningDemo, sign_in: Callable[[str], Any]
) -> None:
    with open_page(browser, storage=sign_in("admin")) as visit:
        page = visit.page
        page.clock.install()
        page.goto(f"{demo.url}/accounts")
        read = page.locator(".lrow time").first
        expect(read).to_have_text(re.compile("^(刚刚|1 分钟前)读取$"))
        page.clock.fast_forward(5 * 60_000)
        expect(read).to_have_text(re.compile(r"^[456] 分钟前读取$"))
