"""The three leaves hold: the import contracts are kept, and each of them catches what it forbids."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

import connectors
import hub
import nlp
import web
import workflows

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("hub", "connectors", "nlp", "workflows", "web")
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
# Which room may import which other one; everything else is planted and has to be caught.
ALLOWED = {"web": {"workflows", "hub"}, "workflows": {"connectors", "nlp", "hub"}}

Plant = tuple[str, str]


def lint(folder: Path) -> tuple[bool, str]:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "400", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


def skeleton(folder: Path, plants: Iterable[Plant]) -> Path:
    """The rooms as empty modules, with one import planted per given module."""
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for room in ROOMS:
        (folder / room).mkdir()
        (folder / room / "__init__.py").touch()
    for module, imported in plants:
        path = folder.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        for parent in path.relative_to(folder).parents[:-1]:
            (folder / parent / "__init__.py").touch()
        path.write_text(f"import {imported}\n")
    return folder


def forbidden_by(contract: dict[str, Any]) -> list[Plant]:
    if contract["type"] == "layers":
        level = {room: depth for depth, layer in enumerate(contract["layers"]) for room in layer.split(" | ")}
        pairs = [(a, b) for a, b in permutations(ROOMS, 2) if level[b] <= level[a]]
    else:
        pairs = [(a, b) for a in contract["source_modules"] for b in contract["forbidden_modules"]]
    return [(f"{source}.planted.corner{number}", target) for number, (source, target) in enumerate(pairs)]


def test_the_tree_keeps_every_contract() -> None:
    kept, said = lint(ROOT)
    assert kept, said


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["name"])
def test_every_planted_violation_is_caught(contract: dict[str, Any], tmp_path: Path) -> None:
    plants = forbidden_by(contract)
    kept, said = lint(skeleton(tmp_path, plants))
    assert not kept
    assert f"{contract['name']} BROKEN" in said
    missed = [plant for plant in plants if f"{plant[0]} -> {plant[1]} (l.1)" not in said]
    assert missed == [], said


def test_every_direction_between_two_rooms_is_decided() -> None:
    """What no contract catches is exactly what the architecture allows."""
    caught = {
        (module.partition(".")[0], target)
        for contract in CONTRACTS
        for module, target in forbidden_by(contract)
        if target in ROOMS
    }
    open_ways = {pair for pair in permutations(ROOMS, 2) if pair not in caught}
    assert open_ways == {(source, target) for source, targets in ALLOWED.items() for target in targets}


@pytest.mark.parametrize(
    "plant",
    [
        ("workflows.bell", "arq"),
        ("workflows.worker", "arq"),
        ("workflows.intake.jobs", "arq"),
        ("connectors.sandbox.server.app", "starlette"),
        ("connectors.mastodon.client", "httpx"),
        ("nlp.segment", "jieba"),
        ("web.routes.inbox", "starlette"),
        ("web.routes.board", "workflows"),
    ],
)
def test_what_a_room_is_for_is_allowed(plant: Plant, tmp_path: Path) -> None:
    kept, said = lint(skeleton(tmp_path, [plant]))
    assert kept, said


@pytest.mark.parametrize("room", [hub, connectors, nlp, workflows, web], ids=lambda room: room.__name__)
def test_the_rooms_are_ours(room: Any) -> None:
    """Their names are taken in the public index: what is imported has to lie in this repository."""
    assert Path(room.__file__).resolve() == ROOT / room.__name__ / "__init__.py"


def test_there_is_no_sixth_room() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "bench"} == set(ROOMS)
