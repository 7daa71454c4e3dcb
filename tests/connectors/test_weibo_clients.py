"""A simulator that somebody else's client cannot use is wrong: three independent ones drive it, each in a world of its
own. One is among the development packages; the others are fetched when the package index is within reach.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.sims.weibo import WeiboControl

SCRIPT = Path(__file__).resolve().parents[1] / "sims" / "foreign" / "weibo_client.py"
OTHERS = ("sinaweibopy-ng==1.2", "weibo==0.2.2")


def driven(python: str | Path, weibo: WeiboControl) -> dict[str, Any]:
    weibo.account("临江发布")
    done = subprocess.run(
        [str(python), "-W", "ignore", str(SCRIPT), weibo.base_url], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def agrees(found: dict[str, Any]) -> None:
    """What every client must have got."""
    assert len(set(found["uid"])) == 1
    assert found["unread"] == 25
    assert found["walked"] == found["made"][::-1], "no gap, nothing twice"
    assert found["post"] == ["通知一 https://www.example.gov.cn/1", True, "临江发布"]
    assert found["picture"] == [1, True]
    assert found["comment"] == [found["made"][0], "马上去修"]
    assert found["to_me"] == ["几点？"]
    assert found["reply"] == [True, "十点"]
    assert found["by_me"] == ["十点", "马上去修"]
    assert found["counts"] == [2, 0]
    assert found["shown"] == found["post"][0]
    assert found["removed"]
    assert found["refused"] == {
        "no link": 10017, "too long": 20012, "empty": 20008, "no post": 20101, "no such call": 10020,
        "wrong method": 10021, "gone": 20101,
    }  # fmt: skip


def test_the_client_among_our_packages(weibo: WeiboControl) -> None:
    if importlib.util.find_spec("weibo") is None:
        pytest.skip("sinaweibopy3 is not installed: pip install -e .[dev]")
    agrees(driven(sys.executable, weibo))


@pytest.mark.parametrize("package", OTHERS)
def test_clients_in_worlds_of_their_own(weibo: WeiboControl, package: str, tmp_path: Path) -> None:
    venv.create(tmp_path / "world", with_pip=True)
    python = tmp_path / "world" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    got = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries", "0", package],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    if got.returncode:
        pytest.skip(f"{package} cannot be installed here: {got.stderr.strip().splitlines()[-1][:200]}")
    agrees(driven(python, weibo))
