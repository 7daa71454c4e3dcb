"""The documents say what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from connectors.registry import connectors
from docs import generate
from hub.db import Context
from hub.models import CaseState, DeliveryState, PostState
from web.demo import city
from web.demo.city import FIXED_LOGINS
from web.observe.access import Counted
from web.observe.figures import read_figures
from web.observe.health import Sign
from web.observe.metrics import Scrape, exposition
from workflows.cases.words import state_label as case_label
from workflows.delivery.states import label as delivery_label
from workflows.house import House
from workflows.publishing.states import label as post_label
from workflows.vitals import Backlog

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FAR_AHEAD = datetime(2099, 1, 1, tzinfo=UTC)
BLOCK = re.compile(r"```\n(.+?)```", re.S)


def test_the_reference_is_what_the_code_says() -> None:
    assert generate.stale() == [], "run: .venv/bin/python -m docs.generate"


def test_a_page_that_lies_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, write in generate.PAGES.items():
        (tmp_path / name).write_text(write(), encoding="utf-8")
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    assert generate.stale() == []
    (tmp_path / "jobs.md").write_text("nothing runs", encoding="utf-8")
    assert generate.stale() == ["jobs.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_both_readmes_name_the_same_commands() -> None:
    english, chinese = (BLOCK.findall((ROOT / name).read_text("utf-8")) for name in ("README.md", "README.zh-CN.md"))
    assert english == chinese
    assert [block.strip() for block in english] == ["python3 run.py demo", "python3 run.py test"]


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    assert "exec python3 run.py test" in (ROOT / ".ci/run").read_text("utf-8")


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    pages = [path.name for path in (ROOT / "docs/decisions").glob("0*.md")]
    assert len(pages) >= 5
    assert [name for name in pages if name not in listed] == []


def test_help_answers_in_both_languages() -> None:
    said = {}
    for language in ("zh_CN", "en"):
        done = subprocess.run(
            [sys.executable, "-m", "web.cli", "--help"], cwd=ROOT, capture_output=True, text=True, check=True,
            env={"HUB_LANGUAGE": language, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        said[language] = done.stdout
    assert "用法" in said["zh_CN"]
    assert "Usage" in said["en"]
    assert "demo" in said["en"]


FIXED = (ROOT / "docs/reference/fixed-points.md").read_text("utf-8")


def test_the_fixed_points_name_every_command_of_run_py() -> None:
    commands = re.findall(r'"(\w+)": \1[,}]', (ROOT / "run.py").read_text("utf-8"))
    assert len(commands) == 5
    assert set(re.findall(r"^\| `python3 run\.py (\w+)", FIXED, re.M)) == set(commands)


async def test_the_fixed_points_name_every_figure(ctx: Context) -> None:
    """As a scrape of a real database gives them, and no others."""
    house = House(ctx, connectors(live=False))
    signs = {part: Sign(True) for part in ("web", "worker", "queue", "sandbox")}
    registry = CollectorRegistry()
    Counted(registry)
    figures = replace(await read_figures(house), backlog=Backlog(0, 0.0), sweep_age=0.0)
    said = exposition(registry, Scrape(figures, signs, 0)).decode()
    given = {name for name in re.findall(r"^# HELP (\w+)", said, re.M) if not name.endswith("_created")}
    assert set(re.findall(r"`(hub_\w+)`", FIXED)) == given


def test_the_fixed_points_name_the_logins_of_the_demo() -> None:
    people = tomllib.loads((ROOT / "web/demo/city/office.toml").read_text("utf-8"))["people"]
    told = re.findall(r"`(\w+)`", FIXED.partition("Logins ")[2].partition(", all with")[0])
    assert told == [one["username"] for one in people[:FIXED_LOGINS]]
    counts = re.search(r"(\d+) departments, (\d+) people, (\d+) accounts, (\d+) messages", FIXED)
    assert counts is not None
    office = city.office()
    sizes = (len(office["departments"]), len(people), len(office["accounts"]), len(city.sayings(FAR_AHEAD)))
    assert tuple(map(int, counts.groups())) == sizes


def test_offices_find_every_guide_in_both_languages() -> None:
    folder = ROOT / "docs/how-to"
    names = {path.name for path in folder.glob("*.md")} - {"README.md"}
    english = {name for name in names if not name.endswith(".zh-CN.md") and not name.startswith("add-")}
    chinese = {name.removesuffix(".md") + ".zh-CN.md" for name in english}
    assert names - {name for name in names if name.startswith("add-")} == english | chinese
    assert {LINK.findall(line)[0] for line in rows(folder)} == english
    for name in english:
        other = name.removesuffix(".md") + ".zh-CN.md"
        assert f"]({other})" in (folder / name).read_text("utf-8"), name
        assert f"]({name})" in (folder / other).read_text("utf-8"), other
        assert f"]({other})" in (folder / "README.md").read_text("utf-8")


def rows(folder: Path) -> list[str]:
    """The guides in the list of them."""
    return re.findall(r"^\| \[.+$", (folder / "README.md").read_text("utf-8"), re.M)


def test_the_glossary_names_every_state() -> None:
    glossary = (ROOT / "docs/reference/glossary.md").read_text("utf-8")
    labels: list[tuple[Iterable[StrEnum], Callable[[Any], str]]] = [
        (CaseState, case_label), (DeliveryState, delivery_label), (PostState, post_label),
    ]  # fmt: skip
    for states, label in labels:
        assert [state for state in states if f"| {state.value} | {label(state)} |" not in glossary] == []
