"""The record that comes with the shipped models: where they were made from, when, and how they score."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from zipfile import ZipFile

KNOWN = ("topic", "sentiment", "emotion", "request", "classic")


@dataclass(frozen=True, slots=True)
class ClassScore:
    """F1 of one class, with its 95 % interval where the record holds one."""

    label: str
    f1: float
    interval: Sequence[float] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class SetScore:
    """How a model does on one set. ``curve``: (probability said, share that was right, texts), the least sure first."""

    name: str
    rows: int
    macro_f1: float
    interval: Sequence[float]
    accuracy: float
    top_two: float
    calibration_error: float
    classes: list[ClassScore]
    curve: list[tuple[float, float, int]]


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One shipped model. ``sources``: file name → SHA-256; ``kilobytes``: size of the file."""

    name: str
    trained_at: str
    rows: int
    kilobytes: int
    sources: Mapping[str, str]
    sets: list[SetScore]


@cache
def records() -> tuple[ModelRecord, ...]:
    """Every shipped model that carries a record. Reads the heads of the files only."""
    folder = files("nlp").joinpath("models")
    found = []
    for name in KNOWN:
        path = folder.joinpath(f"{name}.npz")
        if path.is_file():
            found.append(_record(name, path.read_bytes()))
    return tuple(found)


def _record(name: str, data: bytes) -> ModelRecord:
    meta = _head(data).get("meta", {})
    sets = [_set(title, values) for title, values in meta.get("scores", {}).items()]
    return ModelRecord(
        name,
        str(meta.get("trained_at", "")),
        int(meta.get("rows", 0)),
        len(data) // 1024,
        meta.get("sources", {}),
        sets,
    )


def _head(data: bytes) -> dict[str, Any]:
    """The JSON a model file begins with, without numpy: the array is bytes after a short header."""
    with ZipFile(io.BytesIO(data)) as stored:
        raw = stored.read("head.npy")
    start = raw.index(b"\n") + 1
    head: dict[str, Any] = json.loads(raw[start:])
    return head


def _set(name: str, values: Mapping[str, Any]) -> SetScore:
    spread, sizes = values.get("class_interval", {}), values.get("class_rows", {})
    classes = [
        ClassScore(label, f1, spread.get(label, ()), sizes.get(label, 0)) for label, f1 in values["class_f1"].items()
    ]
    curve = [(float(said), float(right), int(size)) for said, right, size in values.get("curve", [])]
    return SetScore(
        name, values["rows"], values["macro_f1"], values["interval"], values["accuracy"], values["top_two"],
        values["calibration_error"], classes, curve,
    )  # fmt: skip
