"""The pages of the core in a real browser, at the sizes of a desk and a phone: no console error, nothing sticking out,
no grave finding of accessibility; and what only a browser can show: scripts, live parts, forms without scripts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import browser  # noqa: F401 -- a fixture
from tests.browser.visit import DESK, PHONE, Visit, grave_findings, open_page, sticking_out
from tests.web.test_server import free_port, running
from tests.web.world import PASSWORD, World
from web.auth import COOKIE

pytestmark = pytest.mark.browser

ADMINISTRATORS = (
    "/me", "/me/password", "/me/tokens", "/admin/status", "/admin/people", "/admin/people/new", "/admin/people/6",
    "/admin/departments", "/admin/departments/new", "/accounts", "/accounts/1", "/accounts/new",
    "/accounts/new?platform=sandbox",
)  # fmt: skip


@dataclass
class Site:
    """A running hub."""

    url: str
    world: World


@pytest.fixture(scope="module")
def site(world_template: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("site")
    shutil.copyfile(world_template[0], data / "hub.db")
    port = free_port()
    with running(data, port):
        yield Site(f"http://127.0.0.1:{port}", world_template[1])


def let_in(visit: Visit, site: Site, role: str) -> None:
    visit.context.add_cookies([{"name": COOKIE, "value": site.world.sessions[role, "own"].token, "url": site.url}])


def judge(page: Page) -> None:
    assert not grave_findings(page), grave_findings(page)
    assert not sticking_out(page), sticking_out(page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_administrators_pages_are_sound(browser: Browser, site: Site, size: tuple[int, int]) -> None:  # noqa: F811
    with open_page(browser, size=size) as visit:
        let_in(visit, site, "administrator")
        for path in ADMINISTRATORS:
            visit.page.goto(site.url + path)
            expect(visit.page.locator("h1")).to_be_visible()
            judge(visit.page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_sign_in_audit_and_errors_are_sound(browser: Browser, site: Site, size: tuple[int, int]) -> None:  # noqa: F811
    with open_page(browser, size=size, expected=["404"]) as visit:
        visit.page.goto(site.url + "/login")
        judge(visit.page)
        let_in(visit, site, "auditor")
        for path in ("/admin/audit", "/nowhere"):
            visit.page.goto(site.url + path)
            judge(visit.page)


def test_signing_in_and_out_and_changing_the_face(browser: Browser, site: Site) -> None:  # noqa: F811
    with open_page(browser, site.url + "/me/tokens") as visit:
        page = visit.page
        page.fill("#username", "head.own")
        page.fill("#password", PASSWORD)
        page.get_by_role("button", name="登录", exact=True).click()
        expect(page).to_have_url(site.url + "/me/tokens")
        page.locator(".top-me").click()
        page.get_by_role("button", name="深色（值班室）").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        judge(page)
        page.locator(".top-me").click()
        page.get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.locator(".top-me").click()
        page.locator("form[action='/logout'] button").click()
        expect(page).to_have_url(site.url + "/login")


def test_everything_works_without_scripts(browser: Browser, site: Site) -> None:  # noqa: F811
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    try:
        page = context.new_page()
        page.goto(site.url + "/login")
        page.fill("#username", "administrator.other")
        page.fill("#password", PASSWORD)
        page.get_by_role("button", name="登录", exact=True).click()
        page.goto(site.url + "/admin/departments/new")
        page.fill("#name", "气象局")
        page.fill("#code", "qx")
        page.get_by_role("button", name="新增部门").click()
        expect(page.get_by_text("已新增「气象局」")).to_be_visible()
        expect(page.get_by_role("link", name="气象局")).to_be_visible()
    finally:
        context.close()


def test_the_status_page_refreshes_itself_and_checking_the_log_ends(browser: Browser, site: Site) -> None:  # noqa: F811
    with open_page(browser) as visit:
        let_in(visit, site, "auditor")
        visit.page.goto(site.url + "/admin/audit")
        visit.page.get_by_role("button", name="校验完整性").click()
        expect(visit.page.get_by_text("审计日志完整")).to_be_visible(timeout=15_000)
    with open_page(browser) as visit:
        let_in(visit, site, "administrator")
        visit.page.goto(site.url + "/admin/status")
        with visit.page.expect_response(lambda answer: "part=figures" in answer.url, timeout=20_000) as found:
            pass
        assert found.value.request.headers["x-background"] == "1"
        expect(visit.page.get_by_text("各部分").first).to_be_visible()


def test_the_confirmation_names_the_consequence(browser: Browser, site: Site) -> None:  # noqa: F811
    with open_page(browser) as visit:
        let_in(visit, site, "administrator")
        visit.page.goto(f"{site.url}/admin/people/{site.world.sessions['handler', 'other'].user_id}")
        visit.page.get_by_role("button", name="停用此人").click()
        asked = visit.page.get_by_role("dialog")
        expect(asked).to_contain_text("登录和令牌马上失效")
        asked.get_by_role("button", name="停用").click()
        expect(visit.page.get_by_text("已停用，登录和令牌都已失效。")).to_be_visible()
