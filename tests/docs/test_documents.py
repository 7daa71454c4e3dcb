"""The documents say what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import generate

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
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
