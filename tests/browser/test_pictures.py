"""Pictures from the composer to the platform, and a post published by hand from a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visit import DESK, PHONE, grave_findings, open_page, sticking_out
from tests.drawing import drawn, phone_photo
from tests.running import RunningDemo

SignIn = Callable[[str], Any]
BY_HAND = "栖澜在抖音"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two pictures and one that is none."""
    made = {"a.png": drawn(1600, 900, "PNG", "steelblue"), "b.jpg": phone_photo(), "c.svg": b"<svg></svg>"}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return [str(tmp_path / name) for name in made]


def write(page: Page, demo: RunningDemo, accounts: tuple[str, ...], title: str, body: str) -> None:
    page.goto(f"{demo.url}/posts/new")
    for name in accounts:
        page.locator("label.pick", has_text=name).first.click()
    page.fill("[name=title]", title)
    page.fill("[name=body]", body)
    page.check("[name=when][value=now]")


def hand_in(page: Page) -> str:
    """The address of the post in review."""
    page.wait_for_timeout(1200)  # the check follows what is typed
    if page.locator("[name=confirmed]").count():
        page.check("[name=confirmed]")
    page.get_by_role("button", name="保存并送审").click()
    expect(page.locator("body")).to_contain_text("已送审")
    return page.url


def approve(browser: Browser, sign_in: SignIn, address: str) -> None:
    with open_page(browser, storage=sign_in("review2")) as visit:
        page = visit.page
        page.goto(address)
        page.get_by_role("button", name="通过", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="通过").click()
        expect(page.locator("body")).to_contain_text("批准，排入发送")


# A phone that hands files over: the first time its tap has lapsed when the files are there, later a person changes
# their mind, then no app takes them.
PHONE_SHARES = """
window.shared = []
navigator.canShare = (given) => given.files.length > 0
navigator.share = async ({ files }) => {
  const told = async (file) => [file.name, file.type, (await file.arrayBuffer()).byteLength > 999]
  shared.push(await Promise.all([...files].map(told)))
  document.documentElement.dataset.shared = shared.length
  const ends = [0, 'NotAllowedError', 0, 'AbortError', 'DataError'][shared.length]
  if (ends) throw new DOMException('', ends)
}
"""


def shared_from_the_pack(page: Page) -> None:
    page.context.add_init_script(PHONE_SHARES)
    page.reload()
    of_pictures, of_covers = page.get_by_role("button", name="分享到 App").all()
    of_pictures.click()
    expect(page.locator(".toast").last).to_contain_text("请再点一次")
    of_pictures.click()
    expect(page.locator("html")).to_have_attribute("data-shared", "2")
    assert page.evaluate("shared[0]") == page.evaluate("shared[1]") == [["1.png", "image/png", True]]
    of_covers.click()
    expect(page.locator("html")).to_have_attribute("data-shared", "3")
    assert page.evaluate("shared[2].map(one => one[0])") == ["cover-1080x1920.jpg", "cover-1080x1440.jpg"]
    expect(page.locator(".toast-error")).to_have_count(0)
    of_covers.click()
    expect(page.locator(".toast-error")).to_contain_text("请下载后再发")
    assert grave_findings(page) + sticking_out(page) == []


def test_two_pictures_are_put_in_reviewed_and_stand_on_the_platform(
    browser: Browser, demo: RunningDemo, sign_in: SignIn, files: list[str]
) -> None:
    with open_page(browser, storage=sign_in("press"), expected=["422"]) as visit:
        page = visit.page
        write(page, demo, ("栖澜发布",), "两张图的通告", "周末供水检修，范围和取水点见图。")
        page.set_input_files("[data-pictures] input[type=file]", files)
        lines = page.locator("[data-picture]")
        expect(lines).to_have_count(2)
        expect(page.locator(".toast")).to_contain_text("SVG")
        for number, words in enumerate(("停水范围", "取水点")):
            lines.nth(number).locator("textarea").fill(words)
        lines.nth(1).get_by_role("button", name="前移").press("Enter")
        expect(lines.nth(0).locator("textarea")).to_have_value("取水点")
        expect(lines.nth(0).get_by_role("button", name="前移")).to_be_focused()
        shown = page.locator(".pcard-pics img")
        expect(shown).to_have_count(2, timeout=15_000)
        expect(shown.first).to_have_attribute("alt", "取水点")
        for size in (DESK, PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert grave_findings(page) + sticking_out(page) == []
        address = hand_in(page)
    approve(browser, sign_in, address)
    with open_page(browser, storage=sign_in("press")) as visit:
        page = visit.page
        page.goto(address)
        link = page.get_by_role("link", name="到平台上看").first
        expect(link).to_be_visible(timeout=15_000)
        page.goto(link.get_attribute("href") or "")
        expect(page.locator(".pictures img")).to_have_count(2)
        expect(page.locator(".pictures img").first).to_have_attribute("alt", "取水点")
        assert page.locator(".pictures img").first.evaluate("img => img.complete && img.naturalWidth > 0")


def test_a_post_is_published_by_hand_from_a_phone(
    browser: Browser, demo: RunningDemo, sign_in: SignIn, files: list[str]
) -> None:
    with open_page(browser, storage=sign_in("press")) as visit:
        page = visit.page
        write(page, demo, (BY_HAND,), "手机上发的通告", "学府路周六停水，请储水。")
        page.set_input_files("[data-pictures] input[type=file]", files[:1])
        expect(page.locator("[data-picture]")).to_have_count(1)
        page.locator("[data-picture] textarea").fill("停水范围")
        address = hand_in(page)
    approve(browser, sign_in, address)
    with open_page(browser, storage=sign_in("press"), size=PHONE, expected=["422"]) as visit:
        page = visit.page
        page.goto(f"{demo.url}/byhand")
        page.get_by_role("link", name="手机上发的通告").first.click()
        expect(page.locator("#pack-text")).to_have_text("学府路周六停水，请储水。")
        expect(page.locator(".steps-by-hand li")).to_have_count(6)
        covers = page.locator(".pack-covers img")
        expect(covers).to_have_count(2)
        assert covers.first.evaluate(
            "async img => { await img.decode(); return [img.naturalWidth, img.naturalHeight] }"
        ) == [
            1080,
            1920,
        ]
        assert grave_findings(page) + sticking_out(page) == []
        share = page.get_by_role("button", name="分享到 App")
        expect(share).to_have_count(0)  # this browser hands no files over
        shared_from_the_pack(page)
        with page.expect_download() as saved:
            page.get_by_role("link", name="全部下载").click()
        assert saved.value.suggested_filename.endswith(".zip")
        page.fill("[name=link]", "https://www.kuaishou.com/short-video/3xabcdef123456")
        page.get_by_role("button", name="已发布").click()
        expect(page.locator(".field-error").first).to_contain_text("不是抖音的链接")
        page.fill("[name=link]", "7.1 复制打开抖音 https://v.douyin.com/iRNBho5m/ 看看")
        page.get_by_role("button", name="已发布").click()
        expect(page.locator("body")).to_contain_text("已登记为已发布")
        expect(page.get_by_role("link", name="到平台上看")).to_have_attribute("href", "https://v.douyin.com/iRNBho5m/")
        page.goto(address)
        expect(page.locator("body")).to_contain_text("已发出")
