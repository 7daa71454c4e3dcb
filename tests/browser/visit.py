"""A page under test: what goes wrong on it is collected, and its looks and its accessibility can be judged."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from tests.browser.chromium import installed_module

DESK, PHONE = (1440, 900), (390, 844)
LARGEST_PICTURE = 200_000  # bytes
GRAVE = ("serious", "critical")


@dataclass
class Visit:
    """One open page. ``trouble`` grows by one line for each console error, script error and failed request."""

    page: Page
    context: BrowserContext
    trouble: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Listen from now on."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.trouble.append(f"script error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def unexpected(self, expected: Sequence[str]) -> list[str]:
        """The trouble none of the patterns ``expected`` matches."""
        return [line for line in self.trouble if not any(re.search(pattern, line) for pattern in expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.trouble.append(f"console: {message.text} ({message.location['url']})")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # left behind by going to the next page: nobody waits for it
            self.trouble.append(f"request failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.trouble.append(f"answer {response.status}: {response.request.method} {response.url}")


@contextmanager
def open_page(
    browser: Browser,
    url: str = "",
    *,
    size: tuple[int, int] = DESK,
    language: str = "zh-CN",
    storage: Any = None,
    expected: Sequence[str] = (),
) -> Iterator[Visit]:
    """A page of its own, without cookies unless ``storage`` (a context's ``storage_state()``) brings some.

    At the end any trouble that no pattern of ``expected`` matches fails the test.
    """
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=language,
        timezone_id="Asia/Shanghai",
        storage_state=storage,
        reduced_motion="reduce",
        has_touch=size == PHONE,
    )
    try:
        visit = Visit(context.new_page(), context)
        visit.watch()
        if url:
            visit.page.goto(url)
        yield visit
        assert not visit.unexpected(expected), "\n".join(visit.unexpected(expected))
    finally:
        context.close()


def signed_in(browser: Browser, url: str, login: str, password: str) -> Any:
    """Sign in through the page as a person does; what :func:`open_page` takes as ``storage``."""
    with open_page(browser, f"{url}/login") as visit:
        visit.page.fill("#username", login)
        visit.page.fill("#password", password)
        visit.page.click("main form button[type=submit] >> nth=0")
        visit.page.wait_for_url(lambda address: not address.startswith(f"{url}/login"))
        return visit.context.storage_state()


def places(page: Page) -> dict[str, str]:
    """The places in the left rail: address → name."""
    links = page.locator("#rail a.rail-link")
    return {str(link.get_attribute("href")): link.inner_text().split("\n")[0].strip() for link in links.all()}


def grave_findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical, one line per rule and element; empty when nothing."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((installed_module("axe-core") / "axe.min.js").read_text("utf-8"))
    result = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['impact']} {rule['id']}: {rule['help']}: {' '.join(map(str, node['target']))}"
        for rule in result["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def sticking_out(page: Page) -> list[str]:
    """What makes the page scroll sideways: one line per element beyond the right edge; empty when nothing does."""
    found: list[str] = page.evaluate(
        """() => {
          const wide = document.documentElement.clientWidth
          if (document.documentElement.scrollWidth <= wide) return []
          const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > wide + 1)
          return out.map(e => `${e.tagName.toLowerCase()}.${e.className} ends at ${e.getBoundingClientRect().right}`)
        }"""
    )
    return found


def take_picture(page: Page, path: Path) -> Path:
    """What is on the screen once all fonts are there: ``.png`` to look at, ``.webp`` to keep in the repository.

    Fails when the latter is larger than what the repository takes.
    """
    page.evaluate("() => document.fonts.ready.then(() => true)")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".webp":
        session = page.context.new_cdp_session(page)
        shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": 85})
        path.write_bytes(b64decode(shot["data"]))
        size = path.stat().st_size
        assert size <= LARGEST_PICTURE, f"{path.name} has {size} bytes, more than {LARGEST_PICTURE}"
    else:
        page.screenshot(path=path, animations="disabled", caret="hide")
    return path
