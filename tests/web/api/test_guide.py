"""The guide tells the truth: its examples run against a real server, its tables are the code's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Context, unit_of_work
from hub.models import Role, UserRole
from hub.people.tokens import LONGEST_DAYS, SCOPES
from tests.web.api.conftest import Issue
from tests.web.test_server import free_port, running
from tests.web.world import World
from web.api import pace
from web.api.collection import OPERATIONS
from web.api.operation import Operation
from web.api.problems import KINDS

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
STAND_IN = f"""#!{sys.executable}
import sys
from urllib.request import ProxyHandler, Request, build_opener
given, headers, data, url = sys.argv[1:], {{}}, None, ""
while given:
    word = given.pop(0)
    if word == "-H":
        name, _, value = given.pop(0).partition(": ")
        headers[name] = value
    elif word == "-d":
        data = given.pop(0).encode()
    elif word not in ("-sS", "--fail-with-body"):
        url = word
sys.stdout.write(build_opener(ProxyHandler({{}})).open(Request(url, data, headers)).read().decode())
"""


@pytest.fixture(params=["curl", "stand-in"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH with curl on it: the machine's, or one that knows what the examples use."""
    if request.param == "curl":
        if shutil.which("curl") is None:
            pytest.skip("no curl here; the stand-in runs the same examples")
        return os.environ["PATH"]
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "curl").write_text(STAND_IN)
    (folder / "curl").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def hub(db_url: str, tmp_path: Path) -> Iterator[str]:
    """A web process on the world's data."""
    assert db_url.endswith(str(tmp_path / "hub.db"))
    port = free_port()
    with running(tmp_path, port):
        yield f"http://127.0.0.1:{port}"


async def test_the_examples_run(hub: str, path: str, ctx: Context, world: World, issue: Issue) -> None:
    async with unit_of_work(ctx) as unit:
        unit.add(UserRole(user_id=world.sessions["dispatcher", "own"].user_id, role=Role.press_officer))
    environment = {"HUB": hub, "TOKEN": await issue("dispatcher"), "PATH": path, "NO_PROXY": "*"}
    assert len(EXAMPLES) == 3
    answers = []
    for example in [*EXAMPLES, *EXAMPLES[1:]]:
        done = subprocess.run(
            ["sh", "-euc", example], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (example, done.stdout, done.stderr)
        answers.append(json.loads(done.stdout))
    listed, moved, posted, *again = answers
    assert {one["number"] for one in listed["items"]} == {"20260105-000001", "20260105-000002"}
    assert (moved["number"], moved["urgency"], moved["version"]) == ("20260105-000001", "urgent", 2)
    assert (posted["title"], posted["targets"][0]["account"]) == ("停水通知", "澄江发布")
    assert again == [moved, posted], "the key gives the same answer"


def _table(heading: str) -> list[list[str]]:
    part = GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row] for row in rows]


def _said(op: Operation) -> list[str]:
    summary = (op.work.__doc__ or "").strip().rstrip(".")
    return [f"{op.method} {op.plain_path}", op.scope or "any", summary]


def test_scopes() -> None:
    assert {row[0] for row in _table("Token and scopes")} == set(SCOPES)
    assert f"at most {LONGEST_DAYS}" in GUIDE


def test_problems() -> None:
    assert {row[0]: int(row[1]) for row in _table("Errors")} == {name: kind.status for kind, name in KINDS.items()}


def test_operations() -> None:
    expected = [_said(op) for op in OPERATIONS]
    lines = "\n".join("| `{}` | `{}` | {} |".format(*row) for row in expected)
    assert _table("Operations") == expected, f"the table of docs/reference/api.md should read\n{lines}"


def test_pace_and_limits() -> None:
    assert f"{pace.BURST} requests at once and {pace.PER_SECOND:g} per second" in GUIDE
