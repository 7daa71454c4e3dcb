"""Pictures of the main pages for README and docs: ``python3 run.py screenshots [FOLDER] [--only LOGIN]``.

Starts a demo, goes through every place of every person at desk and phone size in Chinese and English, judges each page,
and keeps one picture of each place, size and language. Fails when a page is not fit to be shown.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import click
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, Page

from tests.browser import chromium
from tests.browser.visit import (
    DESK,
    PHONE,
    Visit,
    grave_findings,
    open_page,
    places,
    signed_in,
    sticking_out,
    take_picture,
)
from tests.running import RunningDemo

ROOT = Path(__file__).resolve().parents[2]
PICTURES, CATALOGUE = ROOT / "docs" / "pictures", ROOT / "hub" / "locale" / "en.po"
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
SIZES = {"desk": DESK, "phone": PHONE}
# Whose view of a place is the most telling comes first: each place is pictured once.
PEOPLE = ("press", "dispatch", "clerk", "head", "leader", "review1", "review2", "review3", "audit", "admin")
# What tells more than the list of a place: the picture's name, the place, and the link there to follow ("": none).
BEHIND: dict[str, dict[str, tuple[str, str]]] = {
    "press": {
        "post": ("/posts?view=all&state=done", "main .lrow-link"),
        "compose": ("/posts", "main a[href='/posts/new']"),
        "by-hand": ("/byhand", ""),
        "letter": ("/letters/leader", ""),
        "letter-query": ("/letters/query", ""),
    },
    "clerk": {"case": ("/cases", "main .lrow-link")},
    "dispatch": {"dispatching": ("/desk", "main .lrow-link")},
    "review1": {"review-post": ("/posts?view=review", "main .lrow-link")},
    "leader": {"leader": ("/opinion", "")},
    "audit": {"audit": ("/admin/audit", "")},
    "admin": {
        "status": ("/admin/status", ""),
        "account": ("/accounts", "main .lrow-link"),
        "account-new": ("/accounts/new?platform=weibo", ""),
    },
}
LETTER = "因管道检修，春熙里、柳溪街道明日9时至17时停水，请提前储水。咨询电话：12345。"
CHINESE = re.compile(r"[\u3400-\u9fff]{2,}")


@click.command(help="Picture the main pages; exit 1 when a page is not fit to be shown.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=PICTURES)
@click.option("--only", multiple=True, type=click.Choice(PEOPLE), help="Only this person's places.")
@click.option("--png", is_flag=True, help="Larger files, for programs that do not read WebP.")
def main(folder: Path, only: tuple[str, ...], png: bool) -> None:
    """The command."""
    with tempfile.TemporaryDirectory() as base, RunningDemo(Path(base) / "data") as demo, chromium.running() as browser:
        tour = Tour(browser, demo, folder, ".png" if png else ".webp")
        for login in only or PEOPLE:
            tour.follow(login)
    click.echo(f"{tour.taken} pictures in {folder}, {len(tour.findings)} findings")
    sys.exit(1 if tour.findings else 0)


def _unescaped(text: str) -> str:
    """JSON as it was typed: databases keep it with its characters escaped."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


class Tour:
    """Goes through the pages, keeps pictures and findings."""

    def __init__(self, browser: Browser, demo: RunningDemo, folder: Path, kind: str) -> None:
        self.browser, self.demo, self.folder, self.kind = browser, demo, folder, kind
        self.findings: list[str] = []
        self.pictured: set[str] = set()
        self.taken = 0

    def follow(self, login: str) -> None:
        """All places of one person, in every language and size."""
        cookies = signed_in(self.browser, self.demo.url, login, self.demo.password)
        seen: set[str] = set()
        for language in LANGUAGES:
            for size in SIZES:
                seen |= self._walk(login, cookies, language, size)
        self.pictured |= seen
        click.echo(f"{login}: {len(seen)} places")

    def _walk(self, login: str, cookies: Any, language: str, size: str) -> set[str]:
        look = {"size": SIZES[size], "language": LANGUAGES[language], "storage": cookies}
        with open_page(self.browser, self.demo.url, **look, expected=[".*"]) as visit:
            found = places(visit.page)
            for address in found:
                visit.trouble.clear()
                visit.page.goto(self.demo.url + address)
                self._judge(visit, f"{login} {address} {language} {size}", language)
                if address not in self.pictured:
                    name = address.strip("/").replace("/", "-") or "home"
                    self._picture(visit.page, self.folder / language / size / f"{name}{self.kind}")
            for name, (place, link) in BEHIND.get(login, {}).items():
                visit.trouble.clear()
                self._go_behind(visit.page, place, link)
                self._judge(visit, f"{login} {name} {language} {size}", language)
                self._picture(visit.page, self.folder / language / size / f"{name}{self.kind}")
        return set(found)

    def _go_behind(self, page: Page, place: str, link: str) -> None:
        """Follow the first such link; the composer is shown with something written in it."""
        page.goto(self.demo.url + place)
        if link:
            page.goto(f"{self.demo.url}{page.locator(link).first.get_attribute('href')}")
        if page.locator("#post-form").count():
            for choice in page.locator("[data-pick]").all()[:3]:
                choice.check()
            page.fill("[name=body]", LETTER)
            page.locator("#post-check .pcard").nth(2).wait_for()

    def _judge(self, visit: Visit, where: str, language: str) -> None:
        """Keep what is wrong with the page, and say it at once."""
        for line in [*visit.trouble, *self._wrong(visit.page, language)]:
            self.findings.append(f"{where}: {line}")
            click.echo(self.findings[-1], err=True)

    def _wrong(self, page: Page, language: str) -> Iterator[str]:
        yield from grave_findings(page)
        yield from sticking_out(page)
        if language == "en":
            yield from (f"not translated: {text}" for text in self._left_in_chinese(page))

    def _left_in_chinese(self, page: Page) -> list[str]:
        """Chinese of the interface. What people wrote stands in the data, examples in the English texts: both stay."""
        shown = page.evaluate(
            """() => {
              const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
              const said = []
              while (walk.nextNode()) {
                const around = walk.currentNode.parentElement
                if (around.checkVisibility() && !around.closest('script, [lang^=zh]:not(html)'))
                  said.push(walk.currentNode.data)
              }
              return said.join(' ')
            }"""
        )
        data = self._data() + LETTER + _english()
        return sorted({text for text in CHINESE.findall(shown) if text not in data})

    def _data(self) -> str:
        """Every text in the demo's database, in one piece."""
        with sqlite3.connect(f"file:{self.demo.data / 'hub.db'}?mode=ro", uri=True) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = (database.execute(f'SELECT * FROM "{name}"') for name in tables if "search" not in name)
            texts = [value for row in chain.from_iterable(rows) for value in row if isinstance(value, str)]
        return "\n".join(map(_unescaped, texts))

    def _picture(self, page: Page, path: Path) -> None:
        try:
            take_picture(page, path)
        except AssertionError as error:
            self.findings.append(str(error))
        self.taken += 1


@cache
def _english() -> str:
    """All English texts, in one piece."""
    with CATALOGUE.open("rb") as file:
        return "\n".join(str(message.string) for message in read_po(file))


if __name__ == "__main__":
    main()
