"""The browser frame itself: it opens pages, and it sees what is wrong with one."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.visit import PHONE, grave_findings, open_page, sticking_out, take_picture

HEAD = "<!doctype html><html lang=zh-CN><head><title>政声</title><link rel=icon href='data:,'></head><body><main>"
PAGES = {
    "/": HEAD + "<h1>噪音扰民</h1><label>姓名 <input></label></main>",
    "/noisy": HEAD + "<h1>x</h1><img src=/missing.png alt=''><script>console.error('oh'); throw Error('dear')</script>",
    "/refused": HEAD + "<h1>x</h1><script src=http://127.0.0.1:9/></script>",
    "/unlabelled": HEAD + "<h1>x</h1><input><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='></main>",
    "/wide": HEAD + "<h1>x</h1><div class=huge style='width:2000px'>x</div></main>",
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path in ("/", "/unlabelled"):
            self.send_header("Content-Security-Policy", "default-src 'self'; img-src data:")
        self.end_headers()
        self.wfile.write((page or "").encode())

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_sound_page_passes_every_judgement(browser: Browser, site: str, tmp_path: Path) -> None:
    with open_page(browser, f"{site}/", size=PHONE) as visit:
        visit.page.get_by_role("heading", name="噪音扰民").wait_for()
        assert visit.page.evaluate("navigator.language") == "zh-CN"
        assert visit.page.evaluate("new Date(0).getHours()") == 8
        assert grave_findings(visit.page) == []
        assert sticking_out(visit.page) == []
        assert take_picture(visit.page, tmp_path / "deep" / "page.png").read_bytes()[1:4] == b"PNG"
        assert take_picture(visit.page, tmp_path / "page.webp").read_bytes()[8:12] == b"WEBP"


def test_what_goes_wrong_on_a_page_is_collected(browser: Browser, site: str) -> None:
    with open_page(browser, f"{site}/noisy", expected=["oh", "dear", "missing.png"]) as visit:
        visit.page.wait_for_load_state("networkidle")
        said = "\n".join(visit.trouble)
    assert "console: oh" in said
    assert "script error: dear" in said
    assert f"answer 404: GET {site}/missing.png" in said


def test_a_refused_request_is_collected(browser: Browser, site: str) -> None:
    with open_page(browser, f"{site}/refused", expected=["127.0.0.1:9"]) as visit:
        visit.page.wait_for_load_state("networkidle")
        assert any(line.startswith("request failed: GET http://127.0.0.1:9/") for line in visit.trouble)


def test_unexpected_trouble_fails_the_test(browser: Browser, site: str) -> None:
    with pytest.raises(AssertionError, match="dear"), open_page(browser, f"{site}/noisy", expected=["oh"]) as visit:
        visit.page.wait_for_load_state("networkidle")


def test_grave_findings_name_rule_and_element_under_a_strict_policy(browser: Browser, site: str) -> None:
    with open_page(browser, f"{site}/unlabelled") as visit:
        findings = "\n".join(grave_findings(visit.page))
    assert "critical label: Form elements must have labels: input" in findings
    assert "critical image-alt" in findings


def test_what_sticks_out_is_named(browser: Browser, site: str) -> None:
    with open_page(browser, f"{site}/wide", size=PHONE) as visit:
        assert any("div.huge" in line for line in sticking_out(visit.page))


def test_a_picture_too_large_for_the_repository_is_refused(
    browser: Browser, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.browser.visit.LARGEST_PICTURE", 100)
    with open_page(browser, f"{site}/") as visit, pytest.raises(AssertionError, match="more than 100"):
        take_picture(visit.page, tmp_path / "page.webp")
