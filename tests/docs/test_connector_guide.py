"""The guide for connectors works: its example is built from the page and kept to the contract like any other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/how-to/add-a-connector.md"
BLOCK = re.compile(r"```python\n# (\S+\.py)\n(.*?)```", re.S)
# What a developer writes into the registry by hand.
REGISTER = """
import connectors, tests.connectors, tests.sims
for package in (connectors, tests.connectors, tests.sims):
    package.__path__.append({folder!r} + "/" + package.__name__.replace(".", "/"))

from connectors import registry
from connectors.noticeboard.client import NoticeboardConnector
from connectors.noticeboard.form import FORM

registry._MAKERS["noticeboard"] = NoticeboardConnector
registry.FORMS["noticeboard"] = FORM
"""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the guide, each where its first line says."""
    folder = tmp_path_factory.mktemp("guide")
    for name, body in BLOCK.findall(GUIDE.read_text("utf-8")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, "utf-8")
    (folder / "registering.py").write_text(REGISTER.format(folder=str(folder)), "utf-8")
    return folder


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def passed(done: subprocess.CompletedProcess[str]) -> int:
    """How many tests passed; none failed."""
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-5000:]
    found = re.search(r"(\d+) passed", said)
    assert found, said
    return int(found[1])


def test_the_guide_holds_a_whole_connector(example: Path) -> None:
    names = {str(path.relative_to(example)) for path in example.rglob("*.py")}
    assert names >= {
        "connectors/noticeboard/__init__.py", "connectors/noticeboard/client.py", "connectors/noticeboard/form.py",
        "connectors/noticeboard/errors.py", "connectors/noticeboard/schemas.py", "tests/sims/noticeboard.py",
        "tests/connectors/test_noticeboard.py",
    }  # fmt: skip


def test_the_example_keeps_the_contract_and_reaches_no_inner_address(example: Path) -> None:
    suites = ("tests/connectors/test_contract.py", "tests/connectors/test_inner_addresses.py")
    options = ("-q", "-p", "registering", "-p", "no:cacheprovider", "-k", "noticeboard")
    assert passed(run("pytest", *suites, *options, folder=example)) > 40


def test_the_example_passes_its_own_tests(example: Path) -> None:
    own = str(example / "tests/connectors/test_noticeboard.py")
    options = ("-q", "-p", "registering", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", str(ROOT))
    done = run("pytest", own, *options, "-c", str(ROOT / "pyproject.toml"), folder=example)
    assert passed(done) >= 8


def test_the_example_is_written_as_the_house_writes(example: Path) -> None:
    places = ("--config", str(ROOT / "pyproject.toml"), str(example / "connectors"), str(example / "tests"))
    # Outside of the tree nothing tells ruff which imports are ours.
    for check in (("check", "--ignore", "I001"), ("format", "--check")):
        done = run("ruff", *check, *places, folder=example)
        assert done.returncode == 0, done.stdout + done.stderr
