"""The press office's hands in a real browser: writing with a text for one account, dragging with undo and refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.visit import DESK, PHONE, grave_findings, open_page, sticking_out
from tests.running import RunningDemo

SignIn = Callable[[str], Any]


def compose(page: Page, demo: RunningDemo, day: str, accounts: tuple[str, ...], body: str) -> None:
    """Fill the composer in, for 09:00 of ``day``."""
    page.goto(f"{demo.url}/posts/new?at={day}T09:00:00%2B08:00")
    for name in accounts:
        page.locator("label.pick", has_text=name).first.click()
    page.fill("[name=body]", body)


def test_each_account_is_counted_and_shown_while_typing(browser: Browser, demo: RunningDemo, sign_in: SignIn) -> None:
    with open_page(browser, storage=sign_in("press")) as visit:
        page = visit.page
        compose(page, demo, "2031-03-04", ("栖澜发布", "栖澜交通"), "ab中文 #话题#")
        tabs = page.get_by_role("tab")
        expect(tabs.locator("visible=true")).to_have_count(3)
        expect(page.get_by_role("tab", name="栖澜发布")).to_contain_text("7 / 2000")
        page.get_by_role("tab", name="栖澜交通").click()
        page.locator("textarea:visible").fill("只给交通")
        expect(page.get_by_role("tab", name="栖澜交通")).to_contain_text("4 / 2000")
        cards = page.locator(".pcard")
        expect(cards).to_have_count(2)
        expect(page.locator("#post-check")).to_contain_text("只给交通")
        expect(page.locator(".pcard-mark")).to_have_text("#话题#")
        page.get_by_role("tab", name="栖澜交通").press("ArrowRight")
        expect(page.get_by_role("tab", name="栖澜发布")).to_be_focused()
        for size in (DESK, PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert grave_findings(page) + sticking_out(page) == []


def test_what_was_typed_survives_a_reload(browser: Browser, demo: RunningDemo, sign_in: SignIn) -> None:
    with open_page(browser, storage=sign_in("press")) as visit:
        page = visit.page
        compose(page, demo, "2031-03-05", ("栖澜发布",), "打到一半的字")
        expect(page.locator("[data-saved]:visible").first).not_to_be_empty()
        page.reload()
        expect(page.locator("[name=body]")).to_have_value("打到一半的字")
        page.locator(".restored button").first.click()
        expect(page.locator("[name=body]")).to_have_value("")


def drag(page: Page, what: Locator, day: str) -> None:
    """With the mouse, in steps, as people do."""
    start = what.bounding_box()
    end = page.locator(f'[data-date="{day}"]').first.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 30, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 16, steps=4)
    page.mouse.move(end["x"] + 60, end["y"] + end["height"] * 0.7, steps=8)
    page.mouse.up()


def test_a_drag_moves_undo_brings_back_and_the_past_is_refused(
    browser: Browser, demo: RunningDemo, sign_in: SignIn
) -> None:
    with open_page(browser, storage=sign_in("press"), expected=("409",)) as visit:
        page = visit.page
        compose(page, demo, "2031-03-11", ("栖澜发布",), "拖来拖去的一篇")
        page.click("button[value=save]")
        page.goto(f"{demo.url}/calendar?date=2031-03-11")
        on = page.locator('[data-date="2031-03-11"]').first
        expect(page.locator(".cal-ev", has_text="拖来拖去的一篇")).to_be_visible()
        drag(page, page.locator(".cal-ev", has_text="拖来拖去的一篇").first, "2031-03-13")
        expect(page.locator(".toast").last).to_contain_text("3月13日")
        page.locator(".toast-undo").click()
        expect(page.locator(".toast").last).to_contain_text("3月11日")
        page.reload()
        box, cell = page.locator(".cal-ev", has_text="拖来拖去的一篇").first, on.bounding_box()
        expect(box).to_be_visible()
        there = box.bounding_box()
        assert there
        assert cell
        assert cell["x"] <= there["x"] <= cell["x"] + cell["width"]
        page.locator(".cal-ev", has_text="拖来拖去的一篇").first.click()
        expect(page.locator("#side-body")).to_contain_text("拖来拖去的一篇")
        page.keyboard.press("Escape")

        page.goto(f"{demo.url}/calendar")
        waiting = page.locator(".cal-ready:not(.cal-fixed):visible").first
        expect(waiting).to_be_visible()
        first = page.locator("[data-date]").first.get_attribute("data-date") or ""
        drag(page, waiting, first)
        expect(page.locator(".toast-error")).to_contain_text("计划时间已经过去")


def test_what_the_check_finds_is_marked_and_mended_by_a_click(
    browser: Browser, demo: RunningDemo, sign_in: SignIn
) -> None:
    with open_page(browser, storage=sign_in("press")) as visit:
        page = visit.page
        compose(page, demo, "2031-03-06", ("栖澜发布",), "😀我市布署防讯工作，11010519491231002X。")
        marks = page.locator(".marked-under mark")
        expect(marks).to_have_text(["布署", "防讯", "11010519491231002X"])
        expect(page.locator(".finding.tone-danger")).to_have_count(1)
        expect(page.locator(".finding.tone-danger [data-ignore]")).to_have_count(0)
        page.get_by_role("button", name="改为「部署」").click()
        expect(page.locator("[name=body]")).to_have_value("😀我市部署防讯工作，11010519491231002X。")
        expect(marks).to_have_text(["防讯", "11010519491231002X"])
        page.locator("[name=body]").press("Home")
        page.keyboard.type("快讯：")
        expect(marks.first).to_have_text("防讯")
        page.locator("[data-ignore]").first.click()
        expect(page.locator(".toast")).to_contain_text("不再提示「防讯」")
        expect(marks).to_have_text(["11010519491231002X"])
        for size in (DESK, PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert grave_findings(page) + sticking_out(page) == []
