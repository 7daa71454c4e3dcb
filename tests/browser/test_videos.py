"""A video from the composer to the platform: over a line that breaks, cancelled once, its cover taken, played, sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.test_pictures import approve, hand_in, write
from tests.browser.visit import DESK, PHONE, grave_findings, open_page, sticking_out
from tests.filming import filmed
from tests.running import RunningDemo

SignIn = Callable[[str], Any]


def put(page: Page, path: Path) -> None:
    page.set_input_files("[data-video-zone] input[type=file]", str(path))


def test_a_video_is_put_in_over_a_broken_line_and_stands_on_the_platform(
    browser: Browser, demo: RunningDemo, sign_in: SignIn, tmp_path: Path
) -> None:
    film = filmed(tmp_path / "汛情.mp4", seconds=4, size=(640, 360))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"<html>" * 100)
    expected = ["422", "request failed: PUT", "ERR_FAILED"]
    with open_page(browser, storage=sign_in("press"), expected=expected) as visit:
        page = visit.page
        write(page, demo, ("健康栖澜",), "视频通告", "水库泄洪，请下游群众远离河道。")
        put(page, broken)
        expect(page.locator(".toast")).to_contain_text("MP4")
        cut: list[str] = []

        def cutting(route: Route) -> None:
            if route.request.method == "PUT" and len(cut) < 2:
                cut.append(route.request.url)
                route.abort()
            else:
                route.continue_()

        page.route("**/videos/coming/**", cutting)
        put(page, film)
        expect(page.locator("[data-video-step]")).to_contain_text("网络断了")
        page.get_by_role("button", name="取消上传").click()
        expect(page.locator("[data-video-coming]")).to_be_hidden()
        cut.clear()
        put(page, film)
        expect(page.locator("[data-video-one]")).to_be_visible(timeout=20_000)
        assert len(cut) == 2
        page.fill("#video_alt", "大坝正在泄洪")
        player = page.locator("[data-video-player]")
        player.evaluate("one => { one.currentTime = 2 }")
        page.get_by_role("button", name="取现在的画面作封面").click()
        expect(page.locator("[data-picture]")).to_have_count(1)
        expect(page.locator(".pcard .film")).to_be_visible(timeout=15_000)
        assert player.evaluate("one => [Math.round(one.duration), one.videoWidth, one.error]") == [4, 640, None]
        for size in (DESK, PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert grave_findings(page) + sticking_out(page) == []
        address = hand_in(page)
    with open_page(browser, storage=sign_in("review2")) as visit:
        page = visit.page
        page.goto(address)
        played = page.locator(".pcard video").evaluate(
            "one => one.play().then(() => new Promise((done) => setTimeout(() => done(one.currentTime), 1500)))"
        )
        assert played > 0.2
    approve(browser, sign_in, address)
    with open_page(browser, storage=sign_in("press"), size=PHONE) as visit:
        page = visit.page
        page.goto(address)
        expect(page.locator(".pcard")).to_contain_text("已发出", timeout=30_000)
        assert sticking_out(page) == []
        there = page.get_by_role("link", name="到平台上看").first.get_attribute("href")
        assert there
        page.goto(there)
        expect(page.locator("main")).to_contain_text("视频「汛情.mp4」")
